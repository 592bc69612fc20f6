"""The law of the cut for the ECG beat stage: identical output for whole, single samples and random cuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from device_pipeline.beat import Beat, Quality
from device_pipeline.beats.ecg import EcgBeats
from sensors.samples import Gap, GapReason, Samples
from tests.data import shared_data
from tests.device_pipeline.ecg_signal import WIDE, beat_times, block, ecg
from tests.laws.cuts import cut_items, random_lengths, singles, whole


def _run(items: Sequence[Samples | Gap], lengths: Iterator[int], fs_hz: float) -> list[Beat | Quality | Gap]:
    stage = EcgBeats(fs_hz, "ecg")
    out: list[Beat | Quality | Gap] = []
    for item in cut_items(items, lengths):
        assert isinstance(item, Samples | Gap)
        out += stage.push(item)
    return out + stage.flush()


def _same_however_cut(items: Sequence[Samples | Gap], fs_hz: float, ways: Sequence[Iterator[int]]) -> None:
    expected = _run(items, whole(), fs_hz)
    assert sum(isinstance(item, Beat) for item in expected) > 30
    assert sum(isinstance(item, Quality) for item in expected) > 10
    for way in ways:
        # pairs are compared so that a failure shows the first difference only, and no long listing
        got = _run(items, way, fs_hz)
        assert len(got) == len(expected)
        assert all(a == b for a, b in zip(got, expected, strict=True))


def _hazards(fs_hz: float) -> list[Samples | Gap]:
    """A spike while it learns, noise, a pause, wide beats, a flat line, a rail, an amplitude drop and two gaps."""
    rng = np.random.default_rng(8)
    times = beat_times([*(0.8 + 0.1 * rng.standard_normal(50)), 3.8, *([0.6] * 60)])
    end_s = float(times[-1]) + 1.0
    x = ecg(times, fs_hz, noise_mv=0.03, length_s=end_s)
    x += ecg(times[::7] + 0.35, fs_hz, shape=WIDE, noise_mv=0.0, length_s=end_s)
    x[100:103] += 8.0
    a, b, c, d = (round(s * fs_hz) for s in (12.0, 15.3, 22.0, 26.0))
    x[a:b] = 0.2
    x[c:d] += rng.normal(0.0, 1.0, d - c)
    x[round(30 * fs_hz) : round(31 * fs_hz)] = 4.0
    x[round(55 * fs_hz) :] *= 0.2
    first = block(x[: round(40.123 * fs_hz)], fs_hz)
    short = Gap("ecg", first.end_ns, first.end_ns + 900_000_000, GapReason.LOST_FRAME)
    second = block(x[len(first) : round(70 * fs_hz)], fs_hz, start_ns=short.end_ns)
    long = Gap("ecg", second.end_ns, second.end_ns + 40_000_000_000, GapReason.SILENT)
    third = block(x[len(first) + len(second) :], fs_hz, start_ns=long.end_ns)
    return [first, short, second, long, third]


@pytest.mark.parametrize("fs_hz", [130.0, 250.0])
def test_a_signal_full_of_hazards_gives_the_same_however_it_is_cut(fs_hz: float) -> None:
    ways = [singles(), random_lengths(1, 20), random_lengths(2, 300), random_lengths(3, 5000)]
    _same_however_cut(_hazards(fs_hz), fs_hz, ways)


@pytest.mark.parametrize("record", ["203", "108", "207"])
def test_a_real_record_gives_the_same_however_it_is_cut(record: str) -> None:
    wfdb = pytest.importorskip("wfdb")
    path = shared_data("mitdb", f"{record}.hea").with_suffix("")
    x = np.asarray(wfdb.rdrecord(str(path), channels=[0]).p_signal[:, 0], dtype=np.float64)
    _same_however_cut([block(x[100_000 : 100_000 + 100 * 360], 360.0)], 360.0, [singles()])
    _same_however_cut([block(x[: 600 * 360], 360.0)], 360.0, [random_lengths(k, 40 * 10**k) for k in range(4)])
