"""Whatever is left out, the beats, rates and alerts of a live run stay the same, and what waited comes as it is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, Quality
from device_pipeline.config import Limits
from device_pipeline.effort import Effort, Level
from device_pipeline.hrv import Hrv
from device_pipeline.motion.activity import Activity
from device_pipeline.oximetry.saturation import Saturation
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.rhythm import RhythmSpan
from device_pipeline.run import Finding, Pipeline
from device_pipeline.side_registry import OPTIONAL, SIDES
from device_pipeline.temperature.temperature import Temperature
from device_pipeline.temperature.thermometer import Thermometer
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, Item
from tests.device_pipeline.test_pipeline import in_time, intervals, seconds

KEPT = (Beat, Quality, Gap, Window, HeartRate, Hrv, RhythmSpan, Alert, Spo2, Activity, Temperature)
LENGTH_S = 240
LOW = Limits(tachycardia_bpm=70.0, tachycardia_clear_bpm=60.0)


def played(levels: Mapping[int, Level]) -> list[tuple[int, Finding]]:
    """(second of arrival, finding); `levels`: from which second on which."""
    effort = Effort()
    pipeline = Pipeline(LOW, effort=effort)
    items: list[Item] = in_time(seconds(0, LENGTH_S), intervals(0, LENGTH_S))
    out: list[tuple[int, Finding]] = []
    for item in items:
        second = int((item.end_ns if hasattr(item, "end_ns") else item.t_ns) / 1e9)
        effort.level = levels.get(second, effort.level)
        out += [(second, finding) for finding in pipeline.push(item)]
    return out + [(LENGTH_S, finding) for finding in pipeline.flush()]


def breaths(found: list[tuple[int, Finding]]) -> list[Respiration]:
    return [finding for _, finding in found if isinstance(finding, Respiration)]


def others(found: list[tuple[int, Finding]]) -> list[tuple[int, Finding]]:
    """Those of what is never left out."""
    return [one for one in found if isinstance(one[1], KEPT)]


FULL = played({})


@pytest.mark.parametrize("level", [*Level])
def test_beats_rates_and_alerts_are_the_same_at_every_level_and_as_early(level: Level) -> None:
    assert others(played({0: level})) == others(FULL)
    assert any(isinstance(finding, Alert) for _, finding in FULL)


def test_rare_windows_come_later_and_are_the_same() -> None:
    rare = played({0: Level.CADENCE})
    assert breaths(rare) == breaths(FULL)
    assert len(breaths(FULL)) > 10
    moments = [{second for second, finding in found if isinstance(finding, Respiration)} for found in (FULL, rare)]
    assert len(moments[1]) <= 6 < len(moments[0])


def test_optional_models_rest_and_come_back_as_after_a_hole() -> None:
    assert breaths(played({0: Level.MODELS})) == []
    rested = played({80: Level.MODELS, 160: Level.FULL})
    assert [one for one in rested if one[0] < 80] == [one for one in FULL if one[0] < 80]
    found = breaths(rested)
    starts_s = [finding.start_ns / 1e9 for finding in found]
    assert starts_s == sorted(starts_s)
    assert not [start for start in starts_s if 85 < start < 150]
    assert [start for start in starts_s if start > 165]


def test_nothing_that_a_rule_watches_is_optional() -> None:
    assert not any(issubclass(side, Saturation | Thermometer) for side in OPTIONAL)
    assert {str(side) for side in OPTIONAL} <= {str(side) for side in SIDES}
