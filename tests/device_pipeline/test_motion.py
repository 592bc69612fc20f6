"""The motion level is the moving part of the acceleration, in g, and says where it does not know."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.signal.motion import MotionLevel
from sensors.samples import Gap, GapReason, Kind, Samples
from tests.laws.cuts import cut_items, random_lengths, singles

FS_HZ = 50.0
SECOND_NS = 1_000_000_000


def acceleration(values: NDArray[np.float64], start_s: float = 0.0) -> Samples:
    return Samples(Kind.ACC, "acc", FS_HZ, int(start_s * SECOND_NS), SECOND_NS / FS_HZ, 0, values)


def shaken(seconds: float, amplitude_g: float, axis: tuple[float, float, float]) -> NDArray[np.float64]:
    """Gravity along `axis`, and a swing of 2 Hz on it."""
    t = np.arange(round(seconds * FS_HZ)) / FS_HZ
    swing = 1 + amplitude_g * np.sin(2 * np.pi * 2 * t)
    return np.outer(swing, np.asarray(axis) / np.linalg.norm(axis))


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (1.0, -2.0, 3.0)])
def test_gravity_leaves_whatever_the_orientation(axis: tuple[float, float, float]) -> None:
    level = MotionLevel()
    level.push(acceleration(shaken(20, 0.3, axis)))
    rms_g = level.rms_g(10 * SECOND_NS, 12 * SECOND_NS)
    assert rms_g == pytest.approx(0.3 / np.sqrt(2), rel=0.05)

    still = MotionLevel()
    still.push(acceleration(shaken(20, 0.0, axis)))
    assert still.rms_g(0, 2 * SECOND_NS) == pytest.approx(0.0, abs=1e-9)


def test_a_stretch_without_samples_is_unknown_and_not_still() -> None:
    level = MotionLevel()
    level.push(acceleration(shaken(10, 0.3, (0, 0, 1))))
    level.push(Gap("acc", 10 * SECOND_NS, 14 * SECOND_NS, GapReason.LOST_FRAME))
    level.push(acceleration(shaken(10, 0.3, (0, 0, 1)), start_s=14))
    assert level.rms_g(10 * SECOND_NS, 12 * SECOND_NS) is None
    assert level.rms_g(9 * SECOND_NS + SECOND_NS // 2, 12 * SECOND_NS) is None
    assert level.rms_g(8 * SECOND_NS, 10 * SECOND_NS) is not None
    assert level.rms_g(16 * SECOND_NS, 18 * SECOND_NS) is not None
    assert level.known_until_ns == 24 * SECOND_NS


def test_the_level_does_not_depend_on_the_cut() -> None:
    rng = np.random.default_rng(3)
    block = acceleration(rng.normal((0, 0, 1), 0.4, (700, 3)))
    whole = MotionLevel()
    whole.push(block)
    for lengths in (singles(), random_lengths(1, 90)):
        pieces = MotionLevel()
        for piece in cut_items([block], lengths):
            assert isinstance(piece, Samples)
            pieces.push(piece)
        for k in range(6):
            stretch = (2 * k * SECOND_NS, 2 * (k + 1) * SECOND_NS)
            assert pieces.rms_g(*stretch) == whole.rms_g(*stretch)


def test_what_is_forgotten_is_gone_and_the_rest_stays() -> None:
    level = MotionLevel()
    level.push(acceleration(shaken(20, 0.3, (0, 0, 1))))
    before = level.rms_g(10 * SECOND_NS, 12 * SECOND_NS)
    level.forget(10 * SECOND_NS)
    assert level.rms_g(10 * SECOND_NS, 12 * SECOND_NS) == before
    assert level.rms_g(4 * SECOND_NS, 6 * SECOND_NS) is None
