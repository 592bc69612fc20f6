"""QRS complexes as arrays: the same for any cutting, exact in place, and no decision leans on an earlier one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from device_pipeline.signal.filters import Track
from device_pipeline.signal.qrs import Complexes, Qrs
from device_pipeline.signal.r_peak import RPeaks
from models.qrs import PLACES_S
from tests.device_pipeline.ecg_signal import Floats, beat_times, ecg

FS_HZ = 250.0


def _found(x: Floats, steps: list[int], fs_hz: float = FS_HZ) -> Complexes:
    stage = Qrs(fs_hz)
    out = []
    at = k = 0
    while at < len(x):
        out.append(stage.push(x[at : at + steps[k % len(steps)]]))
        stage.forget(stage.final)
        at, k = at + steps[k % len(steps)], k + 1
    out.append(stage.flush())
    return Complexes(
        *(
            np.concatenate([getattr(part, name) for part in out])
            for name in ("at", "peak", "energy", "score", "like", "refused_at", "refused_score")
        )
    )


def _times(n: int = 60) -> Floats:
    return beat_times((0.8 + 0.05 * np.random.default_rng(3).standard_normal(n)).tolist())


@pytest.mark.parametrize("steps", [[7, 1, 90], [1000], [33, 4000]])
def test_every_figure_is_the_same_for_any_cutting(steps: list[int]) -> None:
    x = ecg(_times(), FS_HZ, noise_mv=0.05)
    whole, cut = _found(x, [len(x)]), _found(x, steps)
    assert np.array_equal(whole.at, cut.at)
    assert np.array_equal(whole.score, cut.score)
    assert np.array_equal(whole.refused_at, cut.refused_at)
    assert np.array_equal(whole.refused_score, cut.refused_score)


def test_beats_are_told_once_in_order_and_further_apart_than_the_refractory_time() -> None:
    rng = np.random.default_rng(1)
    x = ecg(_times(), FS_HZ) + 0.4 * rng.standard_normal(len(ecg(_times(), FS_HZ)))
    found = _found(x, [500])
    assert all(b - a > 0.19 * FS_HZ for a, b in pairwise(found.peak.tolist()))


def test_what_was_before_a_mistake_changes_nothing_after_it() -> None:
    """Ten seconds after a burst of noise the beats are those that a detector without it finds, and as sure."""
    times = _times(80)
    x = ecg(times, FS_HZ)
    hit = x.copy()
    hit[5000:6250] += np.random.default_rng(4).normal(0.0, 3.0, 1250)
    calm, shaken = _found(x, [len(x)]), _found(hit, [len(x)])
    late = calm.at > 6250 + 30 * FS_HZ
    assert np.array_equal(calm.at[late], shaken.at[shaken.at > 6250 + 30 * FS_HZ])


def test_an_r_peak_is_told_to_a_fraction_of_a_sample() -> None:
    times = _times()
    error_s = _found(ecg(times, FS_HZ, noise_mv=0.0), [500]).at / FS_HZ - times
    assert np.std(error_s) < 0.0005


def test_the_r_peak_is_the_extremum_that_the_net_is_sure_of_and_between_two_where_it_is_not() -> None:
    t = np.arange(1000) / FS_HZ
    x = np.exp(-0.5 * ((t - 2.0) / 0.01) ** 2) - 1.3 * np.exp(-0.5 * ((t - 2.05) / 0.01) ** 2)
    raw = Track()
    raw.add(x)
    find = RPeaks(FS_HZ, PLACES_S)
    peak = np.array([2.02 * FS_HZ] * 3)
    early, late = (-0.5 * ((PLACES_S - off_s) / 0.01) ** 2 for off_s in (-0.025, 0.025))
    found_s = find.find(raw, peak, np.stack((early, late, np.logaddexp(early, late)))) / FS_HZ
    assert found_s == pytest.approx([2.0, 2.05, 2.02], abs=0.004)
