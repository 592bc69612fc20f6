"""How hard a wearer moves, in g, from a three-axis accelerometer; unknown where nothing was measured.

The dynamic acceleration is the norm of the three axes, high-passed at 0.5 Hz: gravity leaves whatever the orientation,
and no axis has to be named (van Hees et al. 2013, doi:10.1371/journal.pone.0061691, the HFEN family of measures).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, sosfilt_zi

from sensors.samples import Gap, Samples

HIGH_PASS_HZ = 0.5
MIN_COVER = 0.5  # of the samples that a stretch should hold: below this its motion is unknown


class MotionLevel:
    """Takes blocks of one accelerometer and answers for any stretch that it has passed; obeys the law of the cut."""

    def __init__(self) -> None:
        self._sos: NDArray[np.float64] | None = None
        self._zi: NDArray[np.float64] | None = None
        self._fs_hz = 0.0
        self._t_ns = np.empty(0, np.int64)
        self._square = np.empty(0, np.float64)
        self.known_until_ns: int | None = None  # every stretch that ends here or before can be asked for

    def push(self, block: Samples | Gap) -> None:
        """Samples of shape (n, 3) in g, or the gap that stands between them."""
        if isinstance(block, Gap):
            self._zi = None
            self._advance(block.end_ns)
            return
        if len(block) == 0:
            return
        if self._sos is None or block.fs_hz != self._fs_hz:
            self._fs_hz = block.fs_hz
            self._sos = butter(2, HIGH_PASS_HZ, "highpass", fs=block.fs_hz, output="sos")
            self._zi = None
        v = block.values
        norm = np.sqrt(v[:, 0] * v[:, 0] + v[:, 1] * v[:, 1] + v[:, 2] * v[:, 2])
        if self._zi is None:
            self._zi = sosfilt_zi(self._sos) * norm[0]
        dynamic, self._zi = sosfilt(self._sos, norm, zi=self._zi)
        steps = np.rint((block.offset + np.arange(len(block))) * block.step_ns).astype(np.int64)
        self._t_ns = np.concatenate((self._t_ns, block.anchor_ns + steps))
        self._square = np.concatenate((self._square, dynamic * dynamic))
        self._advance(block.end_ns)

    def rms_g(self, start_ns: int, end_ns: int) -> float | None:
        """Root mean square of the dynamic acceleration in [start_ns, end_ns); None where too little was measured."""
        first, last = np.searchsorted(self._t_ns, (start_ns, end_ns))
        if last - first < max(1.0, MIN_COVER * self._fs_hz * (end_ns - start_ns) * 1e-9):
            return None
        return float(np.sqrt(np.mean(self._square[first:last].copy())))

    def forget(self, before_ns: int) -> None:
        """Drops what is needed only for stretches before `before_ns`."""
        first = int(np.searchsorted(self._t_ns, before_ns))
        self._t_ns, self._square = self._t_ns[first:], self._square[first:]

    def _advance(self, t_ns: int) -> None:
        self.known_until_ns = t_ns if self.known_until_ns is None else max(self.known_until_ns, t_ns)
