"""What is held is found by time, whatever blocks it came in; a hole between samples stays a hole."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.held_ecg import HeldEcg
from sensors.samples import Kind, Samples

_S = 1_000_000_000
FS_HZ = 130.0


def block(offset: int, n: int, anchor_ns: int = 0, channel: str = "ecg") -> Samples:
    return Samples(Kind.ECG, channel, FS_HZ, anchor_ns, 1e9 / FS_HZ, offset, np.arange(offset, offset + n, dtype=float))


@pytest.mark.parametrize("length", [1, 17, 1300])
def test_a_span_does_not_depend_on_the_blocks(length: int) -> None:
    held = HeldEcg()
    for at in range(0, 1300, length):
        held.push(block(at, min(length, 1300 - at)))
    t_ns, values = held.span(2 * _S, 4 * _S)
    assert values.tolist() == list(range(260, 520))
    assert t_ns[0] >= 2 * _S
    assert not held.holes(t_ns).any()


def test_what_is_missing_is_a_hole_and_another_channel_is_not_held() -> None:
    held = HeldEcg()
    assert held.push(block(0, 130))
    assert not held.push(block(130, 130, channel="other"))
    assert held.push(block(133, 130))
    t_ns, values = held.span(0, 3 * _S)
    assert len(values) == 260
    assert np.flatnonzero(held.holes(t_ns)).tolist() == [129]


def test_what_was_forgotten_is_gone_block_by_block() -> None:
    held = HeldEcg()
    for at in range(0, 1300, 130):
        held.push(block(at, 130))
    held.forget(5 * _S)
    assert held.span(0, 4 * _S)[1].size == 0
    assert held.span(5 * _S, 6 * _S)[1].size == 130
