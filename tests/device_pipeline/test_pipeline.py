"""What the graph promises as a whole: who leads, who stands in, and that silence is told."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, BeatSource
from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from device_pipeline.run import Finding, Pipeline
from device_pipeline.track import Window
from device_pipeline.windows import LONGEST_HOLE_NS, HeartRate
from sensors.files.annotation import AnnotatedBeat
from sensors.samples import Gap, GapReason, Item, Kind, Quantity, Reading, Samples
from tests.device_pipeline.ecg_signal import beat_times, ecg

S = 1_000_000_000
FS_HZ = 130.0
RR_S = 0.8


def heart(start_s: float, length_s: float, channel: str = "ecg") -> Samples:
    values = ecg(beat_times([RR_S] * int(length_s / RR_S - 1)), FS_HZ, length_s=length_s)
    return Samples(Kind.ECG, channel, FS_HZ, round(start_s * S), 1e9 / FS_HZ, 0, values)


def intervals(start_s: float, length_s: float) -> list[Item]:
    times = np.arange(start_s + RR_S, start_s + length_s, RR_S)
    return [Reading(Quantity.RR, "rr", round(t * S), RR_S * 1e3) for t in times.tolist()]


def played(pipeline: Pipeline, items: list[Item], end_s: float | None = None) -> list[Finding]:
    out = [finding for item in items for finding in pipeline.push(item)]
    return out + pipeline.flush(None if end_s is None else round(end_s * S))


def in_time(*streams: list[Item]) -> list[Item]:
    return sorted((item for stream in streams for item in stream), key=_time)


def _time(item: Item) -> int:
    return item.t_ns if isinstance(item, Reading) else item.end_ns


def rates(findings: list[Finding]) -> list[HeartRate]:
    return [finding for finding in findings if isinstance(finding, HeartRate)]


def rules(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings if isinstance(finding, Alert)}


def seconds(start: int, length: int, channel: str = "ecg") -> list[Item]:
    block = heart(start, length, channel)
    n = round(FS_HZ)
    return [block.cut(k, min(k + n, len(block))) for k in range(0, len(block), n)]


def test_ecg_leads_and_intervals_are_never_merged_with_it() -> None:
    found = played(Pipeline(Limits()), in_time(seconds(0, 60), intervals(0, 60)))
    told = [rate for rate in rates(found) if rate.bpm is not None]
    assert told
    assert {rate.source for rate in told} == {BeatSource.ECG}


def test_intervals_stand_in_while_the_ecg_is_away() -> None:
    away: list[Item] = [Gap("ecg", 60 * S, 120 * S, GapReason.LOST_FRAME)]
    items = in_time(seconds(0, 60), away, seconds(120, 60), intervals(0, 180))
    found = rates(played(Pipeline(Limits()), items))
    by_start = {rate.start_ns // S: rate for rate in found}
    assert by_start[20].source is BeatSource.ECG
    assert by_start[80].source is BeatSource.RR
    assert by_start[80].bpm == pytest.approx(60 / RR_S, rel=1e-6)
    assert by_start[150].source is BeatSource.ECG


def test_of_a_file_one_lead_alone_is_read() -> None:
    items: list[Item] = [heart(0, 30, "I"), heart(0, 30, "II"), *intervals(0, 60)]
    found = played(Pipeline(Limits(), channel="II", live=False), items, end_s=60)
    assert {beat.source for beat in found if isinstance(beat, Beat)} >= {BeatSource.ECG}
    assert [rate.bpm for rate in rates(found) if rate.start_ns >= 30 * S] == [None] * 3


@pytest.mark.parametrize("reason", [GapReason.OFF_BODY, GapReason.LINK_LOST])
def test_a_sensor_that_is_silent_from_the_start_is_told(reason: GapReason) -> None:
    off: list[Item] = [Gap(None, k * S, (k + 1) * S, reason) for k in range(120)]
    found = played(Pipeline(Limits()), off)
    assert rules(found) == {"no_data"}
    assert all(rate.bpm is None for rate in rates(found))


def test_off_body_is_no_data_and_never_a_slow_heart() -> None:
    still = Samples(Kind.ECG, "ecg", FS_HZ, 60 * S, 1e9 / FS_HZ, 0, np.zeros(round(120 * FS_HZ)))
    pieces: list[Item] = [still.cut(k, k + 130) for k in range(0, len(still), 130)]
    off: list[Item] = [Gap(None, (60 + k) * S, (61 + k) * S, GapReason.OFF_BODY) for k in range(120)]
    found = played(Pipeline(Limits()), in_time(seconds(0, 60), pieces, off))
    assert rules(found) == {"no_data"}


def test_every_window_is_told_through_a_lost_link() -> None:
    lost: list[Item] = [Gap(None, 60 * S, 900 * S, GapReason.LINK_LOST)]
    found = rates(played(Pipeline(Limits()), [*seconds(0, 60), *lost, *seconds(900, 60)]))
    assert [rate.start_ns // S for rate in found] == list(range(0, 960, 10))
    assert {rate.reason for rate in found if 60 * S <= rate.start_ns < 900 * S} == {"link_lost"}


def test_a_hole_of_years_takes_no_time() -> None:
    start_s = 10 * LONGEST_HOLE_NS // S
    found = played(Pipeline(Limits()), [*seconds(0, 60), *seconds(start_s, 60)])
    assert len(rates(found)) < 20
    assert all(rate.length_ns <= 10 * S for rate in rates(found))


def test_grids_of_different_runs_fit_together() -> None:
    found = rates(played(Pipeline(Limits()), seconds(1_000_003, 60)))
    assert all(rate.start_ns % (10 * S) == 0 for rate in found)


def test_good_poor_and_absent_time_add_up_to_the_record() -> None:
    found = played(Pipeline(Limits(), live=False), [heart(0, 100)], end_s=100)
    windows = [window for window in found if isinstance(window, Window)]
    assert sum(window.length_ns for window in windows) == 100 * S
    assert sum(window.good_ns for window in windows) > 95 * S


def test_a_standstill_is_told_before_the_heart_beats_again() -> None:
    block = heart(0, 40)
    noise = np.random.Generator(np.random.PCG64(1)).normal(0, 0.004, len(block))
    values = block.values + noise
    values[round(30 * FS_HZ) :] = noise[round(30 * FS_HZ) :]
    quiet = Samples(Kind.ECG, "ecg", FS_HZ, 0, 1e9 / FS_HZ, 0, values)
    pipeline = Pipeline(Limits(), live=False)
    out = pipeline.push(quiet)
    assert "pause" in {finding.rule for finding in out if isinstance(finding, Alert)}


def test_marked_beats_are_beats_of_their_own_kind() -> None:
    pipeline = Pipeline(Limits(), live=False)
    out = [f for k in range(60) for f in pipeline.push(AnnotatedBeat(k * 200, k * 800_000_000, "N"))]
    out += pipeline.flush()
    assert pipeline.leading is BeatSource.ANNOTATION
    assert pipeline.mean_hr_bpm == pytest.approx(75.0)
    assert all(rate.quality is None for rate in rates(out))


def test_nothing_in_gives_nothing_out() -> None:
    assert Pipeline(Limits()).flush() == []


def test_an_irregular_rhythm_does_not_last_for_ever_on_nobody() -> None:
    times = np.cumsum(np.random.Generator(np.random.PCG64(3)).uniform(0.45, 1.1, 260))
    wild: list[Item] = [
        Reading(Quantity.RR, "rr", round(t * S), rr * 1e3)
        for t, rr in zip(times[1:].tolist(), np.diff(times).tolist(), strict=True)
    ]
    end_s = round(float(times[-1]))
    off: list[Item] = [Gap(None, (end_s + k) * S, (end_s + k + 1) * S, GapReason.OFF_BODY) for k in range(1, 400)]
    pipeline = Pipeline(Limits())
    found = [finding for item in [*wild, *off] for finding in pipeline.push(item)]
    told = [alert.end_ns is None for alert in found if isinstance(alert, Alert) and alert.rule == "irregular_rhythm"]
    assert told == [True, False], "raised once, and over while nobody wears the strap"


def test_noise_is_poor_signal_for_variability_too() -> None:
    noise = np.random.Generator(np.random.PCG64(5)).normal(0, 1.0, round(70 * FS_HZ))
    block = Samples(Kind.ECG, "ecg", FS_HZ, 0, 1e9 / FS_HZ, 0, noise)
    found = played(Pipeline(Limits(), live=False), [block], end_s=70)
    assert [hrv.reason for hrv in found if isinstance(hrv, Hrv)] == ["poor_signal"]
