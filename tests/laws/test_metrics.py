"""The law of the metric: at every prefix the streaming value equals the batch definition."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device_pipeline.metrics.kept import Kept
from device_pipeline.metrics.metric import Metric
from device_pipeline.metrics.registry import METRICS
from device_pipeline.nn_series import NnSeries
from tests.device_pipeline.annotated import beat_samples

# whole microseconds from the shortest to the longest interval that is ever taken as one
_NN_MS = st.integers(250_000, 3_000_000).map(lambda us: us / 1000)
_INTERVALS = st.lists(st.tuples(_NN_MS, st.sampled_from([0.0, 0.0, 1.0, 1650.0, 5e3])), max_size=60)


def assert_equals_batch_at_every_prefix(
    metric: type[Metric], nn_ms: Sequence[float], gap_ms: Sequence[float], every: int = 1
) -> None:
    nn, gap = np.array(nn_ms, dtype=np.float64), np.array(gap_ms, dtype=np.float64)
    streaming = metric()
    assert streaming.value() is None
    for n, (one_ms, one_gap_ms) in enumerate(zip(nn_ms, gap_ms, strict=True), start=1):
        streaming.update(one_ms, one_gap_ms)
        if n % every and n < len(nn_ms):
            continue
        value, defined = streaming.value(), metric.batch(NnSeries(nn[:n], gap[:n]))
        if value is None or defined is None:
            assert value is None
            assert defined is None
        else:
            assert n >= metric.min_intervals
            assert math.isclose(value, defined, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@given(intervals=_INTERVALS)
@example(intervals=[(800.0, 0.0)] * 40)
@example(intervals=[(3000.0 - 0.001 * (k % 2), 0.0) for k in range(60)])
@example(intervals=[(750.0, 0.0), (800.0, 0.0), (850.001, 0.0)])
def test_streaming_equals_batch_at_every_prefix(metric: type[Metric], intervals: list[tuple[float, float]]) -> None:
    assert_equals_batch_at_every_prefix(metric, [nn for nn, _ in intervals], [gap for _, gap in intervals])


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_streaming_equals_batch_on_a_real_record(metric: type[Metric]) -> None:
    samples, _ = beat_samples("mitdb", "101", "atr")
    rr_ms = np.diff(samples) * 1000.0 / 360.0
    gap_ms = np.where(np.abs(np.diff(rr_ms, prepend=rr_ms[0])) < 100.0, 0.0, 1650.0)
    # what is kept and worked out anew at every prefix takes its time
    every = 97 if issubclass(metric, Kept) else 1
    assert_equals_batch_at_every_prefix(metric, rr_ms.tolist(), gap_ms.tolist(), every)


def test_names_are_unique_and_end_in_their_unit() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    ending = {"%": "_pct", "ms²": "_ms2", "n.u.": "_nu", "": ""}
    for metric in METRICS:
        assert metric.name.endswith(ending.get(metric.unit, "_" + metric.unit.lower()))
        assert metric.source
        assert 1 <= metric.min_intervals < metric.max_intervals
        assert metric.absent in {"gaps", "undefined"}


def test_what_is_of_differences_does_not_see_a_step_across_a_hole() -> None:
    rng = np.random.default_rng(3)
    nn_ms, gap_ms = rng.normal(800, 40, 400), np.zeros(400)
    gap_ms[200] = 1700.0
    stepped_ms = nn_ms + np.where(np.arange(400) < 200, 0.0, 300.0)
    for metric in METRICS:
        if metric.name in {"rmssd_ms", "sdsd_ms", "pnn50_pct", "pnn20_pct", "sd1_ms", "dfa_alpha1"}:
            level, stepped = metric.batch(NnSeries(nn_ms, gap_ms)), metric.batch(NnSeries(stepped_ms, gap_ms))
            assert level is not None
            assert level == pytest.approx(stepped, rel=1e-9), metric.name


def test_no_difference_is_formed_across_an_interval_left_out() -> None:
    successive = {"rmssd_ms", "pnn50_pct", "pnn20_pct"}
    for metric in METRICS:
        if metric.min_intervals > 2:
            continue
        touching, apart = metric(), metric()
        for nn_ms in (800.0, 900.0):
            touching.update(nn_ms, 0.0)
            apart.update(nn_ms, 1.0)
        if metric.name in successive:
            assert touching.value() is not None
            assert apart.value() is None
        else:
            assert touching.value() == apart.value()


def test_a_difference_of_exactly_50_ms_is_not_above_50() -> None:
    (pnn50,) = (metric() for metric in METRICS if metric.name == "pnn50_pct")
    for nn_ms in (800.0, 850.0, 800.0, 850.5):
        pnn50.update(nn_ms, 0.0)
    assert pnn50.value() == pytest.approx(100.0 / 3.0)
