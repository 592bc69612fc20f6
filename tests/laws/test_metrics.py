"""The law of the metric: at every prefix the streaming value equals the batch definition."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device_pipeline.metrics.metric import Metric
from device_pipeline.metrics.registry import METRICS
from tests.device_pipeline.annotated import beat_samples

# whole microseconds from the shortest to the longest interval that is ever taken as one
_NN_MS = st.integers(250_000, 3_000_000).map(lambda us: us / 1000)
_INTERVALS = st.lists(st.tuples(_NN_MS, st.booleans()), max_size=60)


def assert_equals_batch_at_every_prefix(metric: type[Metric], nn_ms: Sequence[float], follows: Sequence[bool]) -> None:
    nn, followed = np.array(nn_ms, dtype=np.float64), np.array(follows, dtype=np.bool_)
    streaming = metric()
    assert streaming.value() is None
    for n, (one_ms, one_follows) in enumerate(zip(nn_ms, follows, strict=True), start=1):
        streaming.update(one_ms, one_follows)
        value, defined = streaming.value(), metric.batch(nn[:n], followed[:n])
        if value is None or defined is None:
            assert value is None
            assert defined is None
        else:
            assert n >= metric.min_intervals
            assert math.isclose(value, defined, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@given(intervals=_INTERVALS)
@example(intervals=[(800.0, True)] * 40)
@example(intervals=[(3000.0 - 0.001 * (k % 2), True) for k in range(60)])
@example(intervals=[(750.0, True), (800.0, True), (850.001, True)])
def test_streaming_equals_batch_at_every_prefix(metric: type[Metric], intervals: list[tuple[float, bool]]) -> None:
    assert_equals_batch_at_every_prefix(metric, [nn for nn, _ in intervals], [follows for _, follows in intervals])


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_streaming_equals_batch_on_a_real_record(metric: type[Metric]) -> None:
    samples, _ = beat_samples("mitdb", "101", "atr")
    rr_ms = np.diff(samples) * 1000.0 / 360.0
    follows = np.abs(np.diff(rr_ms, prepend=rr_ms[0])) < 100.0
    assert_equals_batch_at_every_prefix(metric, rr_ms.tolist(), follows.tolist())


def test_names_are_unique_and_end_in_their_unit() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert metric.name.endswith("_" + metric.unit.replace("%", "pct"))
        assert metric.source
        assert metric.min_intervals >= 1


def test_no_difference_is_formed_across_an_interval_left_out() -> None:
    for metric in METRICS:
        touching, apart = metric(), metric()
        for nn_ms in (800.0, 900.0):
            touching.update(nn_ms, True)
            apart.update(nn_ms, False)
        if metric.name in {"rmssd_ms", "pnn50_pct"}:
            assert touching.value() is not None
            assert apart.value() is None
        else:
            assert touching.value() == apart.value()


def test_a_difference_of_exactly_50_ms_is_not_above_50() -> None:
    (pnn50,) = (metric() for metric in METRICS if metric.name == "pnn50_pct")
    for nn_ms in (800.0, 850.0, 800.0, 850.5):
        pnn50.update(nn_ms, True)
    assert pnn50.value() == pytest.approx(100.0 / 3.0)
