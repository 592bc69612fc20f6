"""However many windows of breathing are looked at together, each is told bit for bit what it would be told alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatSource
from device_pipeline.config import Limits
from device_pipeline.respiration.fusion import Fusion
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.respiration.spectra import POINTS, Spectrum
from device_pipeline.respiration.traces import BEAT_TRACES, Smoother, trace_beats
from device_pipeline.run import Pipeline
from models.respiration import RATES_N, SOURCES, RespirationModel
from sensors.samples import Gap, GapReason, Item, Samples
from tests.device_pipeline.breathing import S, ecg, ppg

Floats = NDArray[np.float64]


def some_windows(k: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, Floats]:
    """Windows of different numbers of beats, some too few, with holes in what is known of them."""
    rng = np.random.default_rng(seed)
    t_ns = np.sort(rng.integers(-2 * S, 34 * S, (k, 70)), axis=1)
    n = np.array([4, *rng.integers(12, 70, k - 1)])
    for row, last in enumerate(n):
        t_ns[row, :last] = np.sort(rng.choice(36_000, last, replace=False)) * 1_000_000 - 2 * S
    values = rng.normal(size=(k, 70, BEAT_TRACES))
    values[rng.random(values.shape) < 0.1] = np.nan
    waves = rng.normal(size=(k, POINTS))
    waves[rng.random(waves.shape) < 0.05] = np.nan
    return t_ns, n, values, waves


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("k", [2, 3, 5, 8])
def test_spectra_and_logits_do_not_depend_on_what_is_beside_them(source: str, k: int) -> None:
    spectrum, model = Spectrum(), RespirationModel()
    t_ns, n, values, waves = some_windows(k, seed=k)
    clear, together = spectrum.windows(t_ns, n, values, waves)
    logits = iter(model.logits(source, together.power, together.alike, together.pulse_bpm))
    assert clear[1:].any()
    assert not clear[0]
    for row in range(k):
        length = int(n[row])  # alone, nothing stands behind its own beats
        mine = (t_ns[row : row + 1, :length], n[row : row + 1], values[row : row + 1, :length], waves[row : row + 1])
        is_clear, alone = spectrum.windows(*mine)
        assert is_clear.tolist() == [clear[row]]
        for own in model.logits(source, alone.power, alone.alike, alone.pulse_bpm):
            assert own.tolist() == next(logits).tolist()


@pytest.mark.parametrize("at_once", [2, 3, 8])
def test_a_rate_does_not_depend_on_how_many_windows_are_tracked_at_once(at_once: int) -> None:
    rng = np.random.default_rng(7)
    n = 30
    ecg_said: list[Floats | None] = [rng.normal(size=RATES_N) if k % 5 else None for k in range(n)]
    # the second source comes in the middle of some that are given at once
    ppg_said: list[Floats | None] = [rng.normal(size=RATES_N) if k > 12 and k % 4 else None for k in range(n)]

    def told(step: int) -> list[tuple[float, float]]:
        fusion = Fusion()
        parts = [fusion.push(ecg_said[k : k + step], ppg_said[k : k + step]) for k in range(0, n, step)]
        return [rate for part in [*parts, fusion.flush()] for rate in part]

    assert told(at_once) == told(1)
    assert len(told(1)) == n


def pieces(item: Samples, length: int) -> Iterable[Samples]:
    return (item.cut(start, start + length) for start in range(0, len(item), length))


@pytest.mark.parametrize("hole_s", [0.5, 3.0, 40.0])
def test_a_block_of_minutes_is_told_what_its_seconds_are(hole_s: float) -> None:
    wave = ecg(15)
    before, after = wave.cut(0, round(70 * wave.fs_hz)), wave.cut(round((70 + hole_s) * wave.fs_hz), len(wave))
    gap = Gap(wave.channel, before.end_ns, after.start_ns, GapReason.LINK_LOST)

    def told(items: Iterable[Item], channel: str) -> list[Respiration]:
        pipeline = Pipeline(Limits(), live=False, origin_ns=0, channel=channel)
        found = [finding for item in items for finding in pipeline.push(item)]
        return [finding for finding in [*found, *pipeline.flush()] if isinstance(finding, Respiration)]

    whole = told([before, gap, after], wave.channel)
    assert whole == told([*pieces(before, 97), gap, *pieces(after, 97)], wave.channel)
    assert len({window.rate_bpm for window in whole}) > 3
    pulse = ppg(15)
    assert told([pulse], pulse.channel) == told(pieces(pulse, 50), pulse.channel)


@pytest.mark.parametrize("source", [BeatSource.ECG, BeatSource.PPG])
def test_samples_that_are_to_be_forgotten_are_not_looked_at_while_they_are_still_kept(source: BeatSource) -> None:
    """A hole ends at sample `drop`: a beat and moments so near it that what lies before the hole would be reached."""
    drop, fs_hz = 400, 100.0
    t_ns = np.arange(1000) * 10_000_000 + np.where(np.arange(1000) >= drop, 5 * S, 0)
    x = np.random.default_rng(3).normal(size=1000)
    beats = [Beat(int(t_ns[drop]) + late_ns, source, 0.9) for late_ns in (52_000_000, 950_000_000)]
    first = np.array([drop, drop])
    kept = trace_beats(source, beats, None, t_ns, x, fs_hz, first)
    gone = trace_beats(source, beats, None, t_ns[drop:], x[drop:], fs_hz)
    assert np.array_equal(kept.values, gone.values, equal_nan=True)
    smoother, at_ns = Smoother(fs_hz), t_ns[drop] + np.array([390_000_000, 640_000_000])
    smooth = smoother.at(at_ns, t_ns, x, first)
    assert smooth.tolist() == smoother.at(at_ns, t_ns[drop:], x[drop:]).tolist()
    assert not np.isnan(smooth).any()
