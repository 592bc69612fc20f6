"""A temperature is a minute's median, its trend the last hour's; skin is not the body, and a table is neither."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from device_pipeline.alerts.alert import Alert
from device_pipeline.config import Limits
from device_pipeline.run import Pipeline
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.temperature.thermometer import Thermometer
from sensors.files.open import open_source
from sensors.samples import Gap, GapReason, Item, Quantity, Reading

S = 1_000_000_000
RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"


def readings(
    values: Iterable[float], step_s: float = 10.0, start_s: float = 0.0, channel: str = "temperature"
) -> list[Item]:
    return [
        Reading(Quantity.TEMPERATURE, channel, round((start_s + k * step_s) * S), float(value))
        for k, value in enumerate(values)
    ]


def told(items: Iterable[Item], end_s: float) -> list[Temperature]:
    side = Thermometer(origin_ns=0, live=False)
    side.begin(0)
    out = [finding for item in items for finding in side.push(item)]
    return [*out, *side.flush(round(end_s * S))]


def alerts(items: Iterable[Item], rule: str, limits: Limits | None = None) -> list[Alert]:
    """The last word on each alert of `rule`."""
    pipeline = Pipeline(limits or Limits(), live=False)
    pipeline.begin(0)
    findings = [finding for item in items for finding in pipeline.push(item)]
    findings += pipeline.flush()
    last = {f.start_ns: f for f in findings if isinstance(f, Alert) and f.rule == rule}
    return list(last.values())


def test_a_window_is_the_median_of_its_minute() -> None:
    windows = told(readings([36.6, 36.6, 36.7, 36.7, 36.7, 41.0] * 3), 180)
    assert [(w.start_ns / S, w.length_ns / S, w.temperature_c, w.reason) for w in windows] == [
        (0, 60, 36.7, None),
        (60, 60, 36.7, None),
        (120, 60, 36.7, None),
    ]
    assert {w.site for w in windows} == {Site.BODY}


def test_a_reading_stands_for_five_minutes_and_no_longer() -> None:
    windows = told(readings([37.2]), 480)
    assert [w.temperature_c for w in windows] == [37.2] * 5 + [None] * 3
    assert {w.reason for w in windows[5:]} == {"missing"}
    assert [w.temperature_c for w in told(readings([37.2]), 0)] == [37.2]


def test_a_gap_says_why_there_is_nothing() -> None:
    windows = told([*readings([37.0] * 6), Gap("temperature", 60 * S, 180 * S, GapReason.LINK_LOST)], 180)
    assert [w.reason for w in windows] == [None, "link_lost", "link_lost"]


def test_the_trend_is_the_slope_whatever_single_values_do() -> None:
    rising = 36.0 + 0.6 * np.arange(0, 3600, 10) / 3600
    rising[::20] += 3.0
    windows = told(readings(rising), 3600)
    assert windows[-1].trend_c_per_h == pytest.approx(0.6, abs=0.05)
    assert windows[10].trend_c_per_h is None
    assert told(readings([37.0] * 360), 3600)[-1].trend_c_per_h == 0.0


def test_a_thermometer_on_a_table_has_no_temperature() -> None:
    windows = told(readings([21.5] * 12), 120)
    assert [(w.temperature_c, w.reason) for w in windows] == [(None, "out_of_range")] * 2


def test_skin_is_told_apart_and_is_never_a_fever() -> None:
    hot = readings([38.6] * 200, channel="skin_temperature")
    assert {w.site for w in told(hot, 2000)} == {Site.SKIN}
    assert alerts(hot, "fever") == []
    assert len(alerts(readings([38.6] * 200), "fever")) == 1


def test_a_fever_must_hold() -> None:
    short = [*[37.0] * 60, *[38.5] * 50, *[37.0] * 100]  # 500 s
    assert alerts(readings(short), "fever") == []
    (alert,) = alerts(readings([*[37.0] * 60, *[38.5] * 120, *[37.0] * 200]), "fever")
    assert alert.start_ns == 600 * S
    assert alert.raised_ns == 1200 * S
    assert alert.end_ns == 1800 * S


def test_one_reading_is_no_fever_but_some_apart_are() -> None:
    assert alerts(readings([39.0]), "fever") == []
    assert len(alerts(readings([39.0] * 4, step_s=300), "fever")) == 1


def test_a_temperature_that_dithers_around_the_limit_makes_one_alert() -> None:
    rng = np.random.default_rng(5)
    dithering = 37.9 + 0.4 * rng.standard_normal(2000)
    assert len(alerts(readings([*[37.0] * 60, *[38.3] * 70, *dithering, *[37.0] * 200]), "fever")) == 1


def test_the_fever_of_the_fixture_is_one_alert() -> None:
    items = [item for item in open_source(RECORDINGS / "fever.csv").items() if isinstance(item, Reading)]
    (alert,) = alerts(items, "fever")
    assert abs(alert.start_ns - 4800 * S) <= 900 * S
    assert alert.end_ns is not None and abs(alert.end_ns - 8320 * S) <= 600 * S


def test_low_oxygen_must_hold_and_dithering_makes_one_alert() -> None:
    def spo2(values: Iterable[float]) -> list[Item]:
        return [Reading(Quantity.SPO2, "spo2", k * S, float(value)) for k, value in enumerate(values)]

    assert alerts(spo2([*[97.0] * 60, *[86.0] * 50, *[97.0] * 60]), "low_oxygen") == []
    (alert,) = alerts(spo2([*[97.0] * 60, *[86.0] * 90, *[97.0] * 60]), "low_oxygen")
    assert (alert.start_ns, alert.end_ns) == (60 * S, 150 * S)
    dithering = [*[97.0] * 60, *[86.0] * 60, *([87.0] * 30 + [90.0] * 20 + [91.0] * 10) * 20, *[97.0] * 60]
    assert len(alerts(spo2(dithering), "low_oxygen")) == 1


def test_without_perfusion_there_is_no_low_oxygen() -> None:
    items: list[Item] = []
    for s in range(300):
        items += [
            Reading(Quantity.SPO2, "spo2", s * S, 80.0),
            Reading(Quantity.PERFUSION, "perfusion", s * S, 0.1),
        ]
    assert alerts(items, "low_oxygen") == []


def test_two_colours_without_calibration_warn_nobody() -> None:
    items = list(open_source(RECORDINGS / "two_colours.csv").items())
    limits = Limits(low_oxygen_pct=99.0, low_oxygen_clear_pct=99.5, low_oxygen_hold_s=10.0)
    pipeline = Pipeline(limits, live=False, channel="ppg_red", acc_channel="acc")
    findings = [f for item in items for f in pipeline.push(item)] + pipeline.flush()
    assert not [f for f in findings if isinstance(f, Alert) and f.rule == "low_oxygen"]
