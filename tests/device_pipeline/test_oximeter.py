"""What an oximeter says becomes windows, desaturations and hours; what it does not know is never a number or a drop."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.oximeter import Oximeter
from device_pipeline.oximetry.oxygenation import Oxygenation, summed
from device_pipeline.oximetry.spo2 import Spo2
from sensors.files.open import open_source
from sensors.samples import Gap, GapReason, Item, Quantity, Reading, Samples

S = 1_000_000_000
RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"


def readings(values: Iterable[float | None], start_s: float = 0.0, step_s: float = 1.0) -> list[Item]:
    return [
        Reading(Quantity.SPO2, "spo2", round((start_s + k * step_s) * S), float(value))
        for k, value in enumerate(values)
        if value is not None
    ]


def perfused(index_pct: float, at_s: Iterable[int]) -> list[Item]:
    return [Reading(Quantity.PERFUSION, "perfusion", s * S, index_pct) for s in at_s]


def found(
    items: Iterable[Item], end_s: float | None = None, live: bool = False
) -> list[Spo2 | Desaturation | Oxygenation]:
    oximeter = Oximeter(origin_ns=0, live=live)
    oximeter.begin(0)
    out: list[Spo2 | Desaturation | Oxygenation] = []
    last_ns = 0
    for item in items:
        out += oximeter.push(item)
        last_ns = max(last_ns, item.t_ns if isinstance(item, Reading) else item.end_ns)
    return [*out, *oximeter.flush(last_ns + S if end_s is None else round(end_s * S))]


def drops(items: Iterable[Item]) -> list[tuple[float, float, float]]:
    return [(d.start_ns / S, d.end_ns / S, d.nadir_pct) for d in found(items) if isinstance(d, Desaturation)]


def windows(items: Iterable[Item], end_s: float | None = None, live: bool = False) -> list[Spo2]:
    return [w for w in found(items, end_s, live) if isinstance(w, Spo2)]


def course(*parts: tuple[float, float, int]) -> list[float]:
    """Straight from the first to the second saturation in so many seconds, rounded as devices do, one after another."""
    return [float(round(a + (b - a) * (k + 1) / n)) for a, b, n in parts for k in range(n)]


def test_a_window_is_the_mean_of_its_seconds() -> None:
    told = windows(readings([96.0, 98.0] * 10))
    assert [(w.start_ns / S, w.length_ns / S, w.spo2_pct, w.quality, w.reason) for w in told] == [
        (0, 10, 97.0, 1.0, None),
        (10, 10, 97.0, 1.0, None),
    ]
    assert {w.method for w in told} == {"oximeter"}


@pytest.mark.parametrize(("step_s", "phase_s"), [(1 / 3, 0.0), (1.0, 0.4), (2.0, 0.1), (4.0, 0.9)])
def test_the_rate_of_the_readings_does_not_matter(step_s: float, phase_s: float) -> None:
    values = course((97, 97, 60), (97, 90, 20), (90, 90, 10), (90, 97, 10), (97, 97, 60))
    thinned: list[float | None] = [values[min(len(values) - 1, int(k * step_s))] for k in range(int(160 / step_s))]
    ((start_s, end_s, nadir),) = drops(readings(thinned, phase_s, step_s))
    assert start_s == pytest.approx(61, abs=4)
    assert end_s == pytest.approx(98, abs=5)
    assert nadir == 90


def test_a_fall_of_three_per_cent_for_ten_seconds_is_a_desaturation_with_its_nadir() -> None:
    ((start_s, end_s, nadir),) = drops(
        readings(course((97, 97, 60), (97, 94, 12), (94, 94, 4), (94, 97, 8), (97, 97, 40)))
    )
    assert 59 <= start_s <= 63
    assert 78 <= end_s <= 84
    assert nadir == 94


@pytest.mark.parametrize(
    "values",
    [
        course((97, 97, 60), (97, 95, 12), (95, 95, 10), (95, 97, 8), (97, 97, 40)),  # two per cent
        course((97, 97, 60), (97, 90, 3), (90, 97, 4), (97, 97, 40)),  # over in seven seconds
        course((97, 97, 60), (97, 92, 1200)),  # sinks over twenty minutes
    ],
)
def test_what_is_shallow_short_or_slow_is_none(values: list[float]) -> None:
    assert drops(readings(values)) == []


def test_a_drop_is_counted_once_however_long_it_lasts_and_the_next_starts_from_where_it_left() -> None:
    values = course((97, 97, 60), (97, 90, 20), (90, 90, 600), (90, 85, 20), (85, 85, 10), (85, 90, 10), (90, 90, 60))
    first, second = drops(readings(values))
    assert first[2] == 90
    assert first[1] - first[0] <= 20 + 180 + 2
    assert second[0] >= 680 and second[2] == 85


def test_each_of_a_series_counts_where_it_recovers_only_in_part() -> None:
    series = [part for _ in range(6) for part in ((93.0, 85.0, 20), (85.0, 93.0, 10))]
    values = course((97, 97, 60), (97, 93, 10), *series, (93, 97, 10), (97, 97, 60))
    assert len(drops(readings(values))) == 6


def test_one_odd_second_makes_no_drop_deeper() -> None:
    values = course((97, 97, 60), (97, 95, 6), (95, 95, 20), (95, 97, 6), (97, 97, 30))
    values[75] = 88.0
    assert drops(readings(values)) == []


@pytest.mark.parametrize("reason", [GapReason.OFF_BODY, GapReason.MISSING, GapReason.LINK_LOST])
def test_a_probe_that_comes_off_is_no_desaturation(reason: GapReason) -> None:
    slipping = course((97, 97, 60), (97, 80, 12))
    back = course((85, 97, 15), (97, 97, 60))
    items: list[Item] = readings(slipping)
    items.append(Gap("spo2", 71 * S, 100 * S, reason))
    items += readings(back, 100)
    assert drops(items) == []
    assert {w.reason for w in windows(items) if 80 * S <= w.start_ns < 100 * S} == {reason.value}


def test_zeros_of_a_file_are_an_absence_and_no_drop() -> None:
    values: list[float | None] = [*course((97, 97, 60), (97, 70, 5)), *[None] * 40, *course((70, 97, 12), (97, 97, 60))]
    assert drops(readings(values)) == []
    told = windows(readings(values))
    assert [w.reason for w in told if w.start_ns in (70 * S, 90 * S)] == ["missing", "missing"]
    assert all(w.spo2_pct is None or w.spo2_pct > 90 for w in told)


def test_a_lost_notification_or_two_change_nothing() -> None:
    values: list[float | None] = [*course((97, 97, 60), (97, 88, 20), (88, 97, 15), (97, 97, 30))]
    whole = drops(readings(values))
    for k in (20, 68, 69, 70, 90):
        values[k] = None
    assert drops(readings(values)) == whole


def test_a_leap_is_no_saturation_until_it_has_stayed() -> None:
    values = course((97, 97, 60), (60, 60, 20), (97, 97, 60))
    assert drops(readings(values)) == []
    assert [w.reason for w in windows(readings(values)) if w.spo2_pct is None] == ["leap", "leap"]
    stays = windows(readings(course((97, 97, 60), (60, 60, 90))))
    assert stays[-1].spo2_pct == 60.0


def test_without_perfusion_there_is_no_number() -> None:
    items = [
        *readings(course((97, 97, 60), (85, 85, 30), (97, 97, 30))),
        *perfused(2.0, range(60)),
        *perfused(0.1, range(60, 90)),
        *perfused(2.0, range(90, 120)),
    ]
    items.sort(key=lambda item: item.t_ns if isinstance(item, Reading) else item.start_ns)
    told = windows(items)
    assert [w.reason for w in told if 60 * S <= w.start_ns < 90 * S] == ["low_perfusion"] * 3
    assert drops(items) == []


def test_what_an_oximeter_cannot_mean_is_out_of_range() -> None:
    told = windows(readings([97.0] * 20 + [20.0] * 20))
    assert [w.reason for w in told] == [None, None, "out_of_range", "out_of_range"]


def test_silence_is_told_as_what_it_is() -> None:
    assert windows(readings([97.0] * 10), end_s=30)[-1].reason == "missing"
    assert windows(readings([97.0] * 10), end_s=30, live=True)[-1].reason == "silent"


def test_nothing_is_told_where_no_oximeter_ever_spoke() -> None:
    assert found([Gap(None, 0, 60 * S, GapReason.SILENT), *perfused(2.0, range(60))], end_s=600) == []


def test_a_hole_of_more_than_a_day_is_not_told_window_by_window() -> None:
    told = windows([*readings([97.0] * 20), *readings([97.0] * 20, 300_000)])
    assert len(told) < 10


def test_hours_add_up_to_the_whole_and_few_minutes_have_no_index() -> None:
    dip = course((97, 97, 80), (97, 86, 20), (86, 86, 10), (86, 97, 10))
    told = found(readings(dip * 60))
    hours = [hour for hour in told if isinstance(hour, Oxygenation)]
    assert [hour.length_ns / S for hour in hours] == [3600, 3600]
    whole = summed(hours)
    assert whole is not None and whole.odi3_per_h is not None and whole.mean_pct is not None
    assert whole.valid_s == 7200
    assert whole.odi3_per_h == whole.odi4_per_h == pytest.approx(30, abs=0.5)
    assert whole.min_pct == 86
    assert whole.below_90_s == sum(value < 90 for value in dip) * 60
    assert whole.mean_pct == pytest.approx(sum(dip) / len(dip), abs=0.01)
    short = summed(hour for hour in found(readings([97.0] * 500)) if isinstance(hour, Oxygenation))
    assert short is not None and short.odi3_per_h is None and short.mean_pct == 97.0
    assert summed([]) is None


def _truth(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((RECORDINGS / f"{name}.truth.json").read_text("ascii"))
    return value


def test_the_night_of_the_fixture_has_the_drops_of_its_truth() -> None:
    items = [item for item in open_source(RECORDINGS / "oximeter_night.csv").items() if isinstance(item, Reading | Gap)]
    true = [row for row in _truth("oximeter_night")["episodes"] if row["kind"] == "desaturation"]
    told: Sequence[tuple[float, float, float]] = drops(items)
    assert [nadir for _, _, nadir in told] == [row["nadir_pct"] for row in true]
    for (start_s, end_s, _), row in zip(told, true, strict=True):
        assert start_s == pytest.approx(row["start_ns"] / S, abs=4)
        assert end_s == pytest.approx(row["end_ns"] / S, abs=6)


def test_health_values_are_not_in_a_repr() -> None:
    for thing in found(readings(course((97, 97, 60), (97, 81, 20), (81, 97, 20), (97, 97, 30)))):
        assert "81" not in repr(thing) and "97" not in repr(thing)


def test_samples_of_other_channels_pass_by() -> None:
    oximeter = Oximeter(origin_ns=0, live=True)
    assert not any(isinstance(item, Samples) for item in readings([97.0]))
    assert list(oximeter.flush(S)) == []
