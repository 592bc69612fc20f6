"""On real nights the desaturation index goes with the apnoea that an expert marked, and tells many from few."""

from __future__ import annotations

import numpy as np

from benchmarks.oximetry import MANY_PCT, auc, nights, summary
from tests.data import shared_data


def test_the_index_follows_the_apnoea_of_real_nights() -> None:
    path = shared_data("hugcdn2014", "hugcdn2014_compact_derived.npz")
    held = list(nights(path))[::4]
    minutes = np.array([100 * night.apnoea.mean() for night in held])
    told = [summary(night) for night in held]
    index = np.array([night.odi3_per_h for night in told], dtype=np.float64)
    assert auc(minutes >= MANY_PCT, index) > 0.93
    assert np.corrcoef(index, minutes)[0, 1] > 0.85
    for night, found in zip(held, told, strict=True):
        assert found.valid_s > 0.95 * np.count_nonzero(night.spo2_pct)
        assert found.min_pct is not None and found.min_pct >= 35
