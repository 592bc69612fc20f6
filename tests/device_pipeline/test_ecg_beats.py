"""Each hazard of an ECG, on an artificial signal whose beats are known."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest

from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.errors import SignalError
from sensors.samples import Gap, GapReason, Kind, Samples
from tests.device_pipeline.ecg_signal import NO_P, NORMAL, TALL_T, WIDE, Floats, beat_times, block, ecg

FS_HZ = 250.0
Out = Beat | Quality | Gap


def run(*items: Samples | Gap, fs_hz: float = FS_HZ) -> list[Out]:
    stage = EcgBeats(fs_hz, "ecg")
    out: list[Out] = []
    for item in items:
        out += stage.push(item)
    return out + stage.flush()


def beats(out: Iterable[Out]) -> list[Beat]:
    return [item for item in out if isinstance(item, Beat)]


def found_s(out: Iterable[Out]) -> Floats:
    return np.array([beat.t_ns / 1e9 for beat in beats(out)])


def assert_found(out: Iterable[Out], times_s: Floats, within_s: float = 0.02) -> None:
    got = found_s(out)
    assert len(got) == len(times_s)
    assert np.abs(got - times_s).max() < within_s


def _regular(n: int = 60, rr_s: float = 0.8) -> Floats:
    return beat_times((rr_s + 0.05 * np.random.default_rng(3).standard_normal(n)).tolist())


@pytest.mark.parametrize("fs_hz", [100.0, 125.0, 130.0, 200.0, 250.0, 360.0, 500.0, 1000.0])
def test_every_beat_is_found_to_the_millisecond_at_any_rate(fs_hz: float) -> None:
    times = _regular()
    out = run(block(ecg(times, fs_hz), fs_hz), fs_hz=fs_hz)
    assert_found(out, times, within_s=0.004)
    found = beats(out)
    assert [beat.rr_s for beat in found[:1]] == [None]
    assert np.array([beat.rr_s for beat in found[1:]]) == pytest.approx(np.diff(times), abs=0.005)
    assert {beat.source for beat in found} == {BeatSource.ECG}


@pytest.mark.parametrize("r_mv", [-1.0, 0.1, -0.1, 10.0])
def test_inverted_small_and_large_beats_are_found(r_mv: float) -> None:
    times = _regular()
    assert_found(run(block(ecg(times, FS_HZ, r_mv=r_mv, noise_mv=0.02 * abs(r_mv)), FS_HZ)), times)


@pytest.mark.parametrize("step_mv", [0.0, 2e-7, 0.04, 0.08])
def test_coarse_and_fine_converters_give_the_same_beats(step_mv: float) -> None:
    times = _regular()
    x = ecg(times, FS_HZ, noise_mv=0.0)
    out = run(block(np.round(x / step_mv) * step_mv if step_mv else x, FS_HZ))
    assert_found(out, times)


def test_a_tall_t_wave_is_no_beat_and_no_noise() -> None:
    times = _regular()
    out = run(block(ecg(times, FS_HZ, shape=TALL_T), FS_HZ))
    assert_found(out, times)
    assert all(item.good for item in out if isinstance(item, Quality))


def test_wide_beats_are_found_where_their_r_peak_is() -> None:
    times = _regular()
    assert_found(run(block(ecg(times, FS_HZ, shape=WIDE), FS_HZ)), times)


def test_bigeminy_of_narrow_and_wide_beats_is_found_whole() -> None:
    narrow = beat_times([1.6] * 30)
    x = ecg(narrow, FS_HZ) + ecg(narrow + 0.5, FS_HZ, shape=WIDE, noise_mv=0.0, length_s=float(narrow[-1]) + 1.0)
    assert_found(run(block(x, FS_HZ)), np.sort(np.concatenate([narrow, narrow + 0.5])))


def test_beats_a_third_as_high_as_their_neighbours_are_found() -> None:
    times = _regular()
    end_s = float(times[-1]) + 1.0
    x = ecg(times[::2], FS_HZ, length_s=end_s) + ecg(times[1::2], FS_HZ, r_mv=0.35, noise_mv=0.0, length_s=end_s)
    assert_found(run(block(x, FS_HZ)), times)


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
@pytest.mark.parametrize("fs_hz", [130.0, 250.0])
def test_mains_hum_and_wander_change_no_beat(mains_hz: float, fs_hz: float) -> None:
    times = _regular()
    x = ecg(times, fs_hz)
    t = np.arange(len(x)) / fs_hz
    x = x + 0.3 * np.sin(2 * np.pi * mains_hz * t) + 1.5 * np.sin(2 * np.pi * 0.25 * t)
    assert_found(run(block(x, fs_hz), fs_hz=fs_hz), times)


@pytest.mark.parametrize("hr_bpm", [30, 40, 60, 120, 180, 220])
def test_slow_and_fast_hearts(hr_bpm: int) -> None:
    times = beat_times([60 / hr_bpm] * hr_bpm)
    shape = NORMAL if hr_bpm <= 120 else (*NO_P[1:3], (0.15, 0.2, 0.03))
    out = run(block(ecg(times, FS_HZ, shape=shape), FS_HZ))
    assert_found(out, times)
    assert sum(beat.rr_s is None for beat in beats(out)) == 1


def test_the_beats_of_the_learning_time_are_not_lost() -> None:
    times = _regular(4)
    out = run(block(ecg(times, FS_HZ), FS_HZ))
    assert_found(out, times)
    assert_found(run(block(ecg(times, FS_HZ)[:250], FS_HZ)), times[:1])


def _paused(pause_s: float) -> Floats:
    first = beat_times([0.8] * 30)
    return np.concatenate([first, beat_times([0.8] * 30, first_s=float(first[-1]) + pause_s)])


@pytest.mark.parametrize("pause_s", [2.4, 4.5, 8.0])
def test_a_pause_in_a_good_signal_is_an_interval(pause_s: float) -> None:
    times = _paused(pause_s)
    out = run(block(ecg(times, FS_HZ), FS_HZ))
    assert_found(out, times)
    assert max(beat.rr_s or 0.0 for beat in beats(out)) == pytest.approx(pause_s, abs=0.01)


def test_p_waves_without_a_ventricle_are_no_beats() -> None:
    times = _paused(4.5)
    x = ecg(times, FS_HZ)
    x += ecg(np.arange(25.4, 28.5, 0.8), FS_HZ, shape=[(0.0, 0.12, 0.022)], noise_mv=0.0, length_s=len(x) / FS_HZ)
    assert_found(run(block(x, FS_HZ)), times)


def test_no_beats_are_made_out_of_the_noise_of_an_asystole_and_final_goes_on() -> None:
    times = _paused(20.0)
    x = ecg(times, FS_HZ, noise_mv=0.02)
    stage = EcgBeats(FS_HZ, "ecg")
    out: list[Out] = []
    whole = block(x, FS_HZ)
    for at in range(0, len(x), 25):
        piece = whole.cut(at, min(at + 25, len(x)))
        out += stage.push(piece)
        assert stage.final_ns is not None
        assert piece.end_ns - stage.final_ns < 5e9
    assert_found(out + stage.flush(), times)
    silent = [item for item in out if isinstance(item, Quality) and item.reason == "no_beats"]
    assert silent
    assert silent[0].start_ns > (times[30] + 4.0) * 1e9


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_beats_come_back_after_a_change_of_amplitude(factor: float) -> None:
    times = _regular(80)
    x = ecg(times, FS_HZ)
    x[round(30 * FS_HZ) :] *= factor
    got = found_s(run(block(x, FS_HZ)))
    for t in times[(times < 29.5) | (times > 34.0)]:
        assert np.abs(got - t).min() < 0.02
    assert abs(len(got) - len(times)) <= 4


def test_no_interval_bridges_beats_lost_to_a_change_of_amplitude() -> None:
    times = _regular(80)
    x = ecg(times, FS_HZ)
    x[round(30 * FS_HZ) :] *= 0.1
    out = run(block(x, FS_HZ))
    assert len(beats(out)) < len(times)
    assert max(beat.rr_s or 0.0 for beat in beats(out)) < 1.2


def test_no_interval_bridges_a_stretch_drowned_in_noise() -> None:
    times = _regular(80)
    x = ecg(times, FS_HZ)
    x[5500:6500] += np.random.default_rng(6).normal(0.0, 5.0, 1000)
    during = [b for b in beats(run(block(x, FS_HZ))) if 22.2e9 < b.t_ns < 27.5e9]
    assert np.mean([b.rr_s is None for b in during if b.t_ns < 26e9]) > 0.6
    assert next(b.rr_s for b in during if b.t_ns > 26e9) is None


def test_one_violent_spike_costs_no_later_beat() -> None:
    times = _regular()
    x = ecg(times, FS_HZ)
    at = round((times[20] + 0.45) * FS_HZ)
    x[at : at + 3] += 300.0
    got = found_s(run(block(x, FS_HZ)))
    for t in times[(times < times[20] + 0.1) | (times > times[21] + 0.1)]:
        assert np.abs(got - t).min() < 0.02


def test_a_violent_artefact_does_not_blind_the_detector() -> None:
    times = _regular(80)
    x = ecg(times, FS_HZ)
    x[5000:6250] += np.repeat(np.random.default_rng(4).normal(0.0, 10.0, 50), 25)
    out = run(block(x, FS_HZ))
    got = found_s(out)
    for t in times[(times < 19.7) | (times > 27.0)]:
        assert np.abs(got - t).min() < 0.02
    assert len(got[got > 27.0]) == np.count_nonzero(times > 27.0)
    during = [q for q in out if isinstance(q, Quality) and q.end_ns > 20.5e9 and q.start_ns < 24.5e9]
    assert not any(q.good for q in during)


def test_clipped_beats_are_still_beats() -> None:
    times = _regular()
    assert_found(run(block(np.clip(ecg(times, FS_HZ), -0.1, 0.5), FS_HZ)), times)


def test_no_interval_bridges_a_stuck_converter() -> None:
    times = _regular()
    x = ecg(times, FS_HZ)
    x[5000:5375] = 5.0
    out = run(block(x, FS_HZ))
    assert any(b.rr_s is None for b in beats(out) if 21.2e9 < b.t_ns < 23e9)
    assert any(q.reason in {"clipped", "baseline"} for q in out if isinstance(q, Quality) and q.start_ns < 21.5e9)


def test_a_beat_is_out_within_one_and_a_half_seconds() -> None:
    times = _regular(40)
    whole = block(ecg(times, FS_HZ), FS_HZ)
    stage = EcgBeats(FS_HZ, "ecg")
    late = []
    for at in range(len(whole)):
        piece = whole.cut(at, at + 1)
        late += [(piece.end_ns - b.t_ns) / 1e9 for b in beats(stage.push(piece)) if b.t_ns > 2.5e9]
    assert len(late) > 30
    assert max(late) < 1.5


def test_final_says_what_is_out() -> None:
    times = _regular(40)
    whole = block(ecg(times, FS_HZ), FS_HZ)
    stage = EcgBeats(FS_HZ, "ecg")
    assert stage.final_ns is None
    final = 0
    for at in range(0, len(whole), 10):
        out = stage.push(whole.cut(at, min(at + 10, len(whole))))
        for item in out:
            assert (item.t_ns if isinstance(item, Beat) else item.end_ns) >= final
        assert stage.final_ns is not None
        assert stage.final_ns >= final
        final = stage.final_ns
    stage.flush()
    assert stage.final_ns == whole.end_ns


def _with_gap(away_s: float, x: Floats, at: int) -> list[Out]:
    end_ns = round(at / FS_HZ * 1e9)
    gap = Gap("ecg", end_ns, end_ns + round(away_s * 1e9), GapReason.LOST_FRAME)
    return run(block(x[:at], FS_HZ), gap, block(x[at:], FS_HZ, start_ns=gap.end_ns))


@pytest.mark.parametrize("away_s", [0.5, 10.0, 60.0])
def test_no_interval_bridges_a_gap_and_its_edges_make_no_beats(away_s: float) -> None:
    times = _regular()
    x = ecg(times, FS_HZ) + 3.0
    at = round((times[30] + 0.4) * FS_HZ)
    x[at:] -= 5.0
    out = _with_gap(away_s, x, at)
    assert_found(out, np.where(np.arange(len(times)) > 30, times + away_s, times))
    assert [k for k, beat in enumerate(beats(out)) if beat.rr_s is None] == [0, 31]


def test_a_beat_close_before_a_gap_is_not_lost() -> None:
    times = _regular()
    at = round((times[30] + 0.08) * FS_HZ)
    got = found_s(_with_gap(10.0, ecg(times, FS_HZ), at))
    assert np.abs(got - times[30]).min() < 0.02


def test_gaps_without_samples_between_are_quiet() -> None:
    stage = EcgBeats(FS_HZ, "ecg")
    assert stage.push(Gap("ecg", 0, 10, GapReason.SILENT)) == []
    assert stage.push(Gap(None, 10, 20, GapReason.LINK_LOST)) == []
    assert stage.final_ns == 20
    assert stage.flush() == []


@pytest.mark.parametrize("value_mv", [0.0, 5.0])
def test_a_flat_line_is_an_absence(value_mv: float) -> None:
    times = _regular()
    x = ecg(times, FS_HZ)
    x[5000:7500] = value_mv
    out = run(block(x, FS_HZ))
    gaps = [item for item in out if isinstance(item, Gap)]
    assert {(gap.channel, gap.reason) for gap in gaps} == {("ecg", GapReason.FLAT_LINE)}
    assert (gaps[0].start_ns, gaps[-1].end_ns) == (20_000_000_000, 30_000_000_000)
    assert all(a.end_ns == b.start_ns for a, b in pairwise(gaps))
    covered = [item for item in out if isinstance(item, Quality)]
    assert not any(q.start_ns < 30e9 and q.end_ns > 20e9 for q in covered)
    assert_found(out, times[(times < 19.9) | (times > 30.05)])
    after = next(beat for beat in beats(out) if beat.t_ns > 30e9)
    assert after.rr_s is None


def test_zeros_give_gaps_alone_and_final_goes_on() -> None:
    stage = EcgBeats(FS_HZ, "ecg")
    whole = block(np.zeros(round(60 * FS_HZ)), FS_HZ)
    out: list[Out] = []
    for at in range(0, len(whole), 50):
        out += stage.push(whole.cut(at, at + 50))
        assert stage.final_ns is not None
        assert whole.t_ns(at + 50) - stage.final_ns < 5e9
    out += stage.flush()
    assert all(isinstance(item, Gap) for item in out)
    assert sum(item.end_ns - item.start_ns for item in out if isinstance(item, Gap)) == whole.end_ns


def test_samples_of_something_else_are_refused() -> None:
    stage = EcgBeats(FS_HZ, "ecg")
    with pytest.raises(ValueError, match="expected"):
        stage.push(block(np.zeros(10), 130.0))
    with pytest.raises(ValueError, match="expected"):
        stage.push(Samples(Kind.PPG, "ecg", FS_HZ, 0, 4e6, 0, np.zeros(10)))
    with pytest.raises(SignalError, match="80"):
        EcgBeats(25.0, "ecg")
