"""Sample counts to time, for any cutting of the blocks."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.signal.timeline import Timeline
from sensors.samples import Kind, Samples


def _block(n: int, anchor_ns: int = 1_000, step_ns: float = 7_692_307.7, offset: int = 0) -> Samples:
    return Samples(Kind.ECG, "ecg", 130.0, anchor_ns, step_ns, offset, np.zeros(n))


@pytest.mark.parametrize("at", [0, 1, 57, 199])
def test_a_sample_has_the_time_its_block_gives_it_however_the_block_was_cut(at: int) -> None:
    whole = _block(200)
    cut = Timeline()
    for start in range(0, 200, 7):
        cut.add(whole.cut(start, min(start + 7, 200)))
    assert cut.t_ns(at) == whole.t_ns(at)
    assert cut.t_ns(at + 0.25) == whole.t_ns(at + 0.25)


def test_a_new_anchor_holds_from_its_first_sample_on() -> None:
    timeline = Timeline()
    first, second = _block(100), _block(100, anchor_ns=2_000_000_000, step_ns=7_700_000.0)
    timeline.add(first)
    timeline.add(second)
    assert timeline.t_ns(99) == first.t_ns(99)
    assert timeline.t_ns(100) == second.t_ns(0)
    assert timeline.t_ns(150.5) == second.t_ns(50.5)


def test_what_is_still_needed_survives_forgetting() -> None:
    timeline = Timeline()
    blocks = [_block(10, anchor_ns=k * 10**9) for k in range(5)]
    for block in blocks:
        timeline.add(block)
    timeline.forget(25)
    assert timeline.t_ns(25) == blocks[2].t_ns(5)
    assert timeline.t_ns(49) == blocks[4].t_ns(9)
    assert timeline.count == 50
