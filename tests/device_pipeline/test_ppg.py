"""Pulses are found where there are pulses, and a stretch without trust gives no number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.beats.ppg import PpgBeats
from device_pipeline.errors import SignalError
from sensors.samples import Gap, GapReason, Item, Kind, Samples
from tests.laws.cuts import cut_items, random_lengths, singles, whole

Floats = NDArray[np.float64]
Out = Beat | Quality | Gap
SECOND_NS = 1_000_000_000
RISE_S = 0.07


def beat_times(hr_bpm: float, seconds: float, wander: float = 0.03) -> Floats:
    """Beats of a heart whose interval swings by `wander` with a breath of 4 s."""
    t, times = 0.3, []
    while t < seconds:
        times.append(t)
        t += 60 / hr_bpm * (1 + wander * np.sin(2 * np.pi * t / 4))
    return np.array(times)


def pulse_wave(
    beats_s: Floats, fs_hz: float, seconds: float, dicrotic: float = 0.25, heights: Floats | None = None
) -> Floats:
    """Each pulse climbs as half a Gaussian whose steepest point is the beat, falls slower, and has a dicrotic wave."""
    t = np.arange(round(seconds * fs_hz)) / fs_hz
    out = np.zeros(len(t))
    interval = np.append(np.diff(beats_s), 1.0)
    for beat, rr, height in zip(beats_s, interval, np.ones(len(beats_s)) if heights is None else heights, strict=True):
        rise = min(RISE_S, 0.15 * rr)
        x = t - (beat + rise)
        out += height * np.exp(-0.5 * (x / np.where(x < 0, rise, min(0.16, 0.3 * rr))) ** 2)
        if rr > 0.5:
            out += height * dicrotic * np.exp(-0.5 * ((x - 0.36) / 0.06) ** 2)
    return out


def ppg(values: Floats, fs_hz: float = 125.0, start_s: float = 0.0, channel: str = "ppg") -> Samples:
    return Samples(Kind.PPG, channel, fs_hz, round(start_s * SECOND_NS), SECOND_NS / fs_hz, 0, values)


def acceleration(values: Floats, fs_hz: float = 52.0, start_s: float = 0.0) -> Samples:
    return Samples(Kind.ACC, "acc", fs_hz, round(start_s * SECOND_NS), SECOND_NS / fs_hz, 0, values)


def still(seconds: float, fs_hz: float = 52.0, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal((0.0, 0.6, 0.8), 0.005, (round(seconds * fs_hz), 3))


def result(items: Iterable[Item], fs_hz: float = 125.0, with_acc: bool = False) -> list[Out]:
    stage = PpgBeats(fs_hz, "ppg", with_acc)
    out: list[Out] = []
    for item in items:
        assert isinstance(item, Samples | Gap)
        out += stage.push(item)
    return out + stage.flush()


def beats_of(out: list[Out]) -> list[Beat]:
    return [o for o in out if isinstance(o, Beat)]


def qualities_of(out: list[Out]) -> list[Quality]:
    return [o for o in out if isinstance(o, Quality)]


def times_s(out: list[Out]) -> Floats:
    return np.array([b.t_ns * 1e-9 for b in beats_of(out)])


def assert_no_number(out: list[Out]) -> None:
    assert beats_of(out) == []
    assert not any(q.good for q in qualities_of(out))


def assert_found(out: list[Out], truth_s: Floats, seconds: float, tolerance_s: float) -> None:
    """Every pulse but those at the very edges, once, at the same distance from the truth."""
    inner = truth_s[(truth_s > 0.5) & (truth_s < seconds - 1.0)]
    found = times_s(out)
    found = found[(found > inner[0] - 0.1) & (found < inner[-1] + 0.1)]
    assert len(found) == len(inner)
    late = found - inner
    assert np.abs(late).max() < 0.03
    assert np.abs(late - np.median(late)).max() < tolerance_s


@pytest.mark.parametrize("fs_hz", [20.0, 25.0, 30.0, 64.0, 125.0, 500.0])
@pytest.mark.parametrize("hr_bpm", [40.0, 72.0, 140.0])
def test_every_pulse_is_found_once_at_any_rate(fs_hz: float, hr_bpm: float) -> None:
    truth = beat_times(hr_bpm, 40)
    out = result([ppg(pulse_wave(truth, fs_hz, 40), fs_hz)], fs_hz)
    assert_found(out, truth, 40, tolerance_s=0.008 if fs_hz > 30 else 0.015)
    assert all(b.source is BeatSource.PPG for b in beats_of(out))


@pytest.mark.parametrize("hr_bpm", [30.0, 50.0, 110.0, 180.0, 220.0])
def test_hearts_from_30_to_220_per_minute(hr_bpm: float) -> None:
    truth = beat_times(hr_bpm, 40, wander=0.02)
    assert_found(result([ppg(pulse_wave(truth, 125, 40))]), truth, 40, tolerance_s=0.008)


def test_intervals_are_those_between_the_beats() -> None:
    out = result([ppg(pulse_wave(beat_times(70, 60), 125, 60))])
    beats = beats_of(out)
    assert beats[0].rr_s is None
    for before, beat in pairwise(beats):
        assert beat.rr_s == pytest.approx((beat.t_ns - before.t_ns) * 1e-9, abs=1e-9)


@pytest.mark.parametrize("hr_bpm", [45.0, 60.0, 80.0])
@pytest.mark.parametrize("dicrotic", [0.3, 0.5])
def test_a_dicrotic_wave_is_no_pulse(hr_bpm: float, dicrotic: float) -> None:
    truth = beat_times(hr_bpm, 40)
    assert_found(result([ppg(pulse_wave(truth, 125, 40, dicrotic))]), truth, 40, tolerance_s=0.008)


def test_a_premature_beat_is_a_pulse_though_a_low_one() -> None:
    truth = beat_times(70, 60, wander=0.01)
    truth[20::7] -= 0.25
    heights = np.ones(len(truth))
    heights[20::7] = 0.5
    wave = pulse_wave(truth, 125, 60, dicrotic=0.1, heights=heights)
    assert_found(result([ppg(wave)]), truth, 60, tolerance_s=0.02)


def test_an_interval_that_may_hide_a_beat_is_not_told() -> None:
    truth = beat_times(70, 60, wander=0.01)
    truth[20::7] -= 0.25
    heights = np.ones(len(truth))
    heights[20::7] = 0.12
    beats = beats_of(result([ppg(pulse_wave(truth, 125, 60, dicrotic=0.0, heights=heights))]))
    told = [b.rr_s for b in beats if b.rr_s is not None]
    assert len(told) > 40
    assert max(told) < 1.0


def test_an_echo_that_every_pulse_has_makes_no_interval_doubtful() -> None:
    truth = beat_times(48, 60)
    late = pulse_wave(truth + 0.6, 125, 60, dicrotic=0.0, heights=np.full(len(truth), 0.15))
    beats = beats_of(result([ppg(pulse_wave(truth, 125, 60, dicrotic=0.0) + late)]))
    assert len(beats) > 40
    assert all(b.rr_s is not None for b in beats[1:])


def test_a_heart_that_pauses_is_told() -> None:
    truth = beat_times(70, 60, wander=0.01)
    truth[30:] += 0.8
    told = [b.rr_s for b in beats_of(result([ppg(pulse_wave(truth, 125, 60))])) if b.rr_s is not None]
    assert max(told) == pytest.approx(60 / 70 + 0.8, abs=0.02)


@pytest.mark.parametrize("side", [1, -1])
def test_a_sensor_that_filters_its_wave_until_it_rings_is_read(side: int) -> None:
    truth = beat_times(60, 40)
    t = np.arange(40 * 125)[:, None] / 125 - truth - 0.06
    wave = np.exp(-0.5 * (t / 0.06) ** 2) - 0.2 * np.exp(-0.5 * ((t - 0.16) / 0.06) ** 2)
    assert_found(result([ppg(side * wave.sum(axis=1))]), truth, 40, tolerance_s=0.008)


@pytest.mark.parametrize("offset", [0.0, 5e4])
def test_a_wave_that_is_upside_down_gives_the_same_beats(offset: float) -> None:
    truth = beat_times(66, 40)
    wave = 900 * pulse_wave(truth, 125, 40)
    assert_found(result([ppg(offset - wave)]), truth, 40, tolerance_s=0.008)


def test_slow_wander_of_the_baseline_moves_no_beat() -> None:
    truth = beat_times(75, 60)
    t = np.arange(60 * 125) / 125
    wave = pulse_wave(truth, 125, 60) + 1.5 * np.sin(2 * np.pi * 0.15 * t) + 0.05 * t
    assert_found(result([ppg(wave)]), truth, 60, tolerance_s=0.02)


def hazards() -> list[Item]:
    """Pulses, noise, a flat line, a gap of either sensor, shaking: two sensors at two rates, in blocks out of step."""
    rng = np.random.default_rng(11)
    wave = pulse_wave(beat_times(80, 64), 125, 64) + rng.normal(0, 0.01, 64 * 125)
    wave[20 * 125 : 26 * 125] = rng.normal(0, 1, 6 * 125)
    wave[33 * 125 : 38 * 125 + 7] = 0.5
    move = still(64)
    move[48 * 52 : 52 * 52] += rng.normal(0, 0.5, (4 * 52, 3))
    first, later = ppg(wave), acceleration(move)
    return [
        first.cut(0, 3000),
        later.cut(0, 900),
        first.cut(3000, 7000),
        Gap("ppg", first.t_ns(7000), first.t_ns(7100), GapReason.LOST_FRAME),
        later.cut(900, 2000),
        Gap("acc", later.t_ns(2000), later.t_ns(2300), GapReason.LOST_FRAME),
        later.cut(2300, len(later)),
        first.cut(7100, len(first)),
    ]


@pytest.mark.parametrize("with_acc", [True, False])
def test_outputs_do_not_depend_on_the_cut(with_acc: bool) -> None:
    def cut(lengths: Iterator[int]) -> list[Out]:
        return result(cut_items(hazards(), lengths), with_acc=with_acc)

    expected = cut(whole())
    assert len(beats_of(expected)) > 40
    assert ("motion" in {q.reason for q in qualities_of(expected)}) is with_acc
    assert cut(singles()) == expected
    for seed in range(3):
        assert cut(random_lengths(seed, 1000)) == expected


def test_outputs_do_not_depend_on_which_sensor_comes_first() -> None:
    wave = ppg(pulse_wave(beat_times(80, 40), 125, 40))
    rng = np.random.default_rng(5)
    move = acceleration(still(40) + np.repeat(rng.random(40) < 0.3, 52)[:, None] * rng.normal(0, 0.4, (40 * 52, 3)))
    expected = result([wave, move], with_acc=True)
    assert result([move, wave], with_acc=True) == expected
    assert result([move, wave]) == expected, "an accelerometer that comes first announces itself"


def test_stretches_touch_and_cover_all_that_is_no_gap() -> None:
    wave = pulse_wave(beat_times(80, 40), 125, 40)
    wave[15 * 125 : 19 * 125] = wave[15 * 125]
    out = result([ppg(wave)])
    spans = sorted((o.start_ns, o.end_ns) for o in out if isinstance(o, Quality | Gap))
    assert spans[0][0] == 0
    assert spans[-1][1] == 40 * SECOND_NS
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    for kind in (Beat, Quality, Gap):
        starts = [o.t_ns if isinstance(o, Beat) else o.start_ns for o in out if isinstance(o, kind)]
        assert starts == sorted(starts)


def test_a_flat_line_is_an_absence_that_no_interval_bridges() -> None:
    wave = pulse_wave(beat_times(80, 40), 125, 40)
    wave[15 * 125 : 21 * 125] = wave[15 * 125]
    out = result([ppg(wave)])
    gaps = [o for o in out if isinstance(o, Gap)]
    assert {(g.channel, g.reason) for g in gaps} == {("ppg", GapReason.FLAT_LINE)}
    assert gaps[0].start_ns == pytest.approx(15 * SECOND_NS, abs=0.02 * SECOND_NS)
    assert gaps[-1].end_ns == pytest.approx(21 * SECOND_NS, abs=0.02 * SECOND_NS)
    after = [b for b in beats_of(out) if b.t_ns > 21 * SECOND_NS]
    assert after[0].rr_s is None
    assert all(b.rr_s is not None for b in after[1:])


def test_zeros_are_a_flat_line_and_nothing_else() -> None:
    out = result([ppg(np.zeros(30 * 125))])
    assert all(isinstance(o, Gap) and o.reason is GapReason.FLAT_LINE for o in out)


def test_no_interval_bridges_a_gap() -> None:
    wave = ppg(pulse_wave(beat_times(80, 40), 125, 40))
    gap = Gap(None, wave.t_ns(2000), wave.t_ns(2050), GapReason.LOST_FRAME)
    out = result([wave.cut(0, 2000), gap, wave.cut(2050, len(wave))])
    after = [b for b in beats_of(out) if b.t_ns > gap.end_ns]
    assert after[0].rr_s is None
    assert all(not isinstance(o, Gap) for o in out), "only the absences that the stage finds itself"


@pytest.mark.parametrize("seed", range(4))
def test_noise_alone_gives_no_number(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert_no_number(result([ppg(rng.normal(0, 1, 90 * 125))]))


@pytest.mark.parametrize("seed", range(4))
def test_a_drunkards_walk_gives_no_number(seed: int) -> None:
    walk = np.cumsum(np.random.default_rng(seed).normal(0, 1, 90 * 125))
    assert_no_number(result([ppg(walk)]))


def test_noise_in_between_breaks_the_intervals() -> None:
    rng = np.random.default_rng(2)
    wave = pulse_wave(beat_times(80, 60), 125, 60)
    wave[24 * 125 : 34 * 125] += rng.normal(0, 2, 10 * 125)
    out = result([ppg(wave)])
    inside = [q for q in qualities_of(out) if 24 <= q.start_ns / SECOND_NS < 34]
    assert all(not q.good and q.reason == "noise" for q in inside)
    assert [b for b in beats_of(out) if 24 < b.t_ns / SECOND_NS < 34] == []
    assert next(b for b in beats_of(out) if b.t_ns > 34 * SECOND_NS).rr_s is None


def test_clipped_pulses_are_called_clipped() -> None:
    wave = np.clip(pulse_wave(beat_times(70, 40), 125, 40), 0.15, 0.6)
    out = result([ppg(wave)])
    assert_no_number(out)
    assert {q.reason for q in qualities_of(out)} == {"clipped"}


def test_pulses_that_drown_in_the_steps_of_the_converter_are_low_perfusion() -> None:
    wave = np.round(20_000 + 2.4 * pulse_wave(beat_times(70, 40), 125, 40))
    out = result([ppg(wave)])
    assert_no_number(out)
    assert "low_perfusion" in {q.reason for q in qualities_of(out)}


def test_a_moving_arm_gives_no_number_however_good_the_wave() -> None:
    wave = ppg(pulse_wave(beat_times(80, 40), 125, 40))
    t = np.arange(40 * 52) / 52
    swing = np.where((t > 16) & (t < 28), 0.4 * np.sin(2 * np.pi * 1.4 * t), 0.0)
    move = acceleration(still(40) * (1 + swing)[:, None])
    assert all(q.good for q in qualities_of(result([wave, move]))), "an accelerometer not announced is ignored"
    gated = result([wave, move], with_acc=True)
    for q in qualities_of(gated):
        moving = 15.9 < q.start_ns / SECOND_NS < 27.9
        assert q.good is not moving or q.start_ns / SECOND_NS > 27
    assert [b for b in beats_of(gated) if 16 < b.t_ns / SECOND_NS < 28] == []
    assert {q.reason for q in qualities_of(gated)} == {None, "motion"}


def test_the_more_the_arm_moves_the_better_the_wave_must_look() -> None:
    rng = np.random.default_rng(8)
    wave = ppg(pulse_wave(beat_times(80, 40), 125, 40) + 0.02 * np.cumsum(rng.normal(0, 1, 40 * 125)))
    index = []
    for moved_g in (0.0, 0.05, 0.08, 0.3):
        swing = moved_g * np.sqrt(2) * np.sin(2 * np.pi * 1.4 * np.arange(40 * 52) / 52)
        out = result([wave, acceleration((1 + swing)[:, None] * (0.0, 0.6, 0.8))], with_acc=True)
        index.append([q.index for q in qualities_of(out)][5:-5])
    assert all(a > b > c > d for a, b, c, d in zip(*index, strict=True) if a > 0.2)


def test_where_motion_is_unknown_the_wave_alone_decides() -> None:
    wave = ppg(pulse_wave(beat_times(80, 40), 125, 40))
    gap = Gap("acc", 0, 40 * SECOND_NS, GapReason.SILENT)
    first = acceleration(still(0.1), start_s=-1)
    assert result([first, gap, wave], with_acc=True) == result([wave])


def test_a_second_accelerometer_is_ignored() -> None:
    wave, move = ppg(pulse_wave(beat_times(80, 40), 125, 40)), acceleration(still(40))
    shaken = Samples(Kind.ACC, "acc_2", 52.0, 0, SECOND_NS / 52, 0, 9 * np.random.default_rng(0).random((2080, 3)))
    assert result([move, shaken, wave]) == result([move, wave])


def test_a_named_accelerometer_that_never_comes_holds_nothing_back() -> None:
    wave = ppg(pulse_wave(beat_times(80, 40), 125, 40))
    stage = PpgBeats(125.0, "ppg", acc_channel="acc")
    assert stage.push(wave) == []
    out = stage.push(Gap("acc", 0, 40 * SECOND_NS, GapReason.SILENT))
    assert stage.final_ns is not None
    assert stage.final_ns > 30 * SECOND_NS
    assert out + stage.flush() == result([wave])


def test_finality_trails_by_six_seconds_at_most_even_without_beats() -> None:
    rng = np.random.default_rng(4)
    for values in (pulse_wave(beat_times(80, 40), 125, 40), rng.normal(0, 1, 40 * 125)):
        stage = PpgBeats(125.0, "ppg")
        assert stage.final_ns is None
        for piece in cut_items([ppg(values)], random_lengths(0, 40)):
            assert isinstance(piece, Samples)
            out = stage.push(piece)
            assert stage.final_ns is not None
            assert piece.end_ns - stage.final_ns <= 6 * SECOND_NS
            assert all((o.t_ns if isinstance(o, Beat) else o.end_ns) <= stage.final_ns for o in out)
        stage.flush()
        assert stage.final_ns == 40 * SECOND_NS


def test_nothing_is_final_before_the_accelerometer_has_passed_it() -> None:
    wave, move = ppg(pulse_wave(beat_times(80, 40), 125, 40)), acceleration(still(40))
    stage = PpgBeats(125.0, "ppg", with_acc=True)
    assert stage.push(wave) == []
    out = stage.push(move.cut(0, 52 * 11))
    assert qualities_of(out)[-1].end_ns == 10 * SECOND_NS == stage.final_ns


def test_other_channels_and_their_gaps_change_nothing() -> None:
    wave = ppg(pulse_wave(beat_times(80, 30), 125, 30))
    other = Gap("resp", wave.t_ns(1000), wave.t_ns(1500), GapReason.LOST_FRAME)
    stranger = ppg(np.ones(500), channel="ppg_2")
    assert result([wave.cut(0, 1000), other, stranger, wave.cut(1000, len(wave))]) == result([wave])


def test_a_stretch_too_short_to_judge_is_not_good() -> None:
    assert_no_number(result([ppg(pulse_wave(beat_times(80, 2), 125, 2))]))
    assert_no_number(result([ppg(np.array([1.0]))]))


@pytest.mark.parametrize("fs_hz", [10.0, 1000.0])
def test_a_rate_that_no_pulse_can_be_read_from_is_refused(fs_hz: float) -> None:
    with pytest.raises(SignalError, match="20 to 500 Hz expected"):
        PpgBeats(fs_hz, "ppg")


def test_a_block_of_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 125 Hz"):
        PpgBeats(125.0, "ppg").push(ppg(np.zeros(10), fs_hz=100.0))
