"""How the trunk lies, from where gravity points in a sensor on the chest; not known rather than wrong.

Which way a strap hangs is learned from its wearer: who walks is upright. What is assumed is that the sensor's third
axis points out of the chest, as on the Polar H10 and the Movesense sensors, and that its axes are right-handed. So
lying on the back or the front is known at once, the rest once some steps were seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_pipeline.motion.activity import Posture

STEADY_G = (0.85, 1.15)  # of the mean acceleration: else it is more than gravity, or turns about
UPRIGHT_DEG, LYING_DEG = 40.0, 55.0  # between them: reclined, and not known
FLAT = 0.8  # of gravity along the axis out of the chest: flat on the back or the front
SIDE = 0.7
LEARN_STEPS = 30  # in one window
LEARNT_UNTIL_DEG = 60.0  # a walk that says otherwise than the last ones: the strap was put on anew

Vector = NDArray[np.float64]
_OUT: Vector = np.array([0.0, 0.0, 1.0])


class Trunk:
    """One sensor on one chest, window by window."""

    def __init__(self) -> None:
        self._up: Vector | None = None

    def walks(self, mean_g: Vector) -> Posture | None:
        """A window in which its wearer walked; `mean_g`, shape (3,), is its mean acceleration."""
        length = float(np.sqrt((mean_g * mean_g).sum()))
        if not STEADY_G[0] <= length <= STEADY_G[1]:
            return None
        direction = mean_g / length
        if self._up is None or float(direction @ self._up) < np.cos(np.radians(LEARNT_UNTIL_DEG)):
            self._up = direction
        else:
            mixed = 0.8 * self._up + 0.2 * direction
            self._up = mixed / np.sqrt((mixed * mixed).sum())
        return Posture.UPRIGHT

    def rests(self, mean_g: Vector) -> Posture | None:
        """A window without a walk."""
        length = float(np.sqrt((mean_g * mean_g).sum()))
        if not STEADY_G[0] <= length <= STEADY_G[1]:
            return None
        direction = mean_g / length
        if self._up is None:
            out = float(direction[2])
            return Posture.SUPINE if out >= FLAT else Posture.PRONE if out <= -FLAT else None
        up = float(direction @ self._up)
        if up >= np.cos(np.radians(UPRIGHT_DEG)):
            return Posture.UPRIGHT
        if up > np.cos(np.radians(LYING_DEG)):
            return None
        front = _OUT - (_OUT @ self._up) * self._up
        front_length = float(np.sqrt((front * front).sum()))
        if front_length < 0.5:
            return None  # the axis points up rather than out: not as assumed
        front = front / front_length
        left = np.cross(self._up, front)
        # what is up in the world is up in the sensor: on the left side that is the right of the body
        to_front, to_left = float(direction @ front), float(direction @ left)
        if abs(to_front) >= SIDE:
            return Posture.SUPINE if to_front > 0 else Posture.PRONE
        if abs(to_left) >= SIDE:
            return Posture.RIGHT if to_left > 0 else Posture.LEFT
        return None
