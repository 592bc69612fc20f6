"""Where the R peak of a complex lies, on the samples as they came, to a fraction of one.

Which of the extrema of a complex is its R peak depends on its shape; a net says how likely each place is. Where that
leaves no doubt, the R peak is the extremum there, so that intervals between like beats are as even as the heart. Where
the net is torn between places, it is the middle of those that lie together: no further from the right one than need be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_pipeline.signal.filters import Floats, Track

SMOOTH_S = 0.02  # its first zero lies at 50 Hz
BASELINE_S = 0.15  # to either side: longer than any QRS, shorter than wander
TOGETHER = 4  # places to either side that lie together: within 50 ms
NEARBY = 2  # places to either side of an extremum that speak for it
SURE = 0.85  # their share that leaves no doubt
SNAP_S = 0.025  # an extremum further from the middle is another wave


class RPeaks:
    """`places_s`: the places, evenly apart, from the peak of the energy, of which a net tells the likelihood."""

    def __init__(self, fs_hz: float, places_s: Floats) -> None:
        self._fs_hz = fs_hz
        self._places = places_s * fs_hz
        self._far = max(1, int(float(places_s[-1]) * fs_hz))
        self._smooth = max(1, round(SMOOTH_S * fs_hz))
        self._wide = round(BASELINE_S * fs_hz)
        self.reach = max(self._far + 2 + self._smooth, self._wide)
        # the middle of an even number of samples lies between two
        self._half = (self._smooth - 1) / 2 - (self._smooth - 1) // 2
        self._spread: dict[float, Floats] = {}

    def find(self, raw: Track, peak: Floats, likely: Floats) -> Floats:
        """R peaks of the complexes whose energy peaks at the counts `peak` of `raw`, shape (n,) to (n,).

        `likely` (n, places): the logits of the places. All of `peak` lie equally far from whole samples.
        """
        share = np.exp(likely - likely.max(axis=1)[:, None])
        share /= share.sum(axis=1)[:, None]
        row = np.arange(len(peak))
        middle = self._middles(share)
        whole = np.floor(peak + 0.5)
        shift = float(whole[0] - peak[0])
        z = self._around(raw, whole.astype(np.int64))
        slope = z[:, 1:] - z[:, :-1]
        extreme = slope[:, :-1] * slope[:, 1:] <= 0.0
        offsets = np.arange(-self._far, self._far + 1) + self._half + shift
        near = _neighbours(share, NEARBY) @ self._between(shift)
        extreme &= near >= SURE
        extreme &= np.abs(offsets - middle[:, None]) <= SNAP_S * self._fs_hz
        size = np.where(extreme, near * np.abs(z[:, 1:-1]), -1.0)
        best = np.argmax(size, axis=1)
        left, here, right = z[row, best], z[row, best + 1], z[row, best + 2]
        bend = left - 2 * here + right
        bent = np.abs(bend) > 1e-12
        part = np.clip(np.where(bent, 0.5 * (left - right) / np.where(bent, bend, 1.0), 0.0), -0.5, 0.5)
        found = size[row, best] >= 0.0
        return np.asarray(peak + np.where(found, offsets[best] + part, middle), dtype=np.float64)

    def _middles(self, share: Floats) -> Floats:
        """The middle of the likeliest places that lie together, in samples from the peak of the energy."""
        n = share.shape[1]
        best = np.argmax(_neighbours(share, TOGETHER), axis=1)
        together = np.where(np.abs(np.arange(n)[None, :] - best[:, None]) <= TOGETHER, share, 0.0)
        return np.asarray((together @ self._places) / together.sum(axis=1), dtype=np.float64)

    def _around(self, raw: Track, middle: NDArray[np.int64]) -> Floats:
        """Column k: the mean of SMOOTH_S around the place k - far - 1 off `middle`, from the mean of BASELINE_S."""
        far, smooth, wide, reach = self._far, self._smooth, self._wide, self.reach
        held = raw.view(raw.start, raw.end)
        first = middle - raw.start - reach
        if first[0] >= 0 and first[-1] + 2 * reach < len(held):
            rows = np.lib.stride_tricks.sliding_window_view(held, 2 * reach + 1)[first]
        else:
            # beyond either end the last sample known stands
            rows = held[np.clip(first[:, None] + np.arange(2 * reach + 1), 0, len(held) - 1)]
        rows -= rows[:, reach, None].copy()
        sums = np.zeros((len(rows), rows.shape[1] + 1))
        np.cumsum(rows, axis=1, out=sums[:, 1:])
        base = (sums[:, reach + wide + 1] - sums[:, reach - wide]) / (2 * wide + 1)
        left = reach - far - 1 - (smooth - 1) // 2
        n = 2 * far + 3
        z = sums[:, left + smooth : left + smooth + n] - sums[:, left : left + n]
        z *= 1.0 / smooth
        z -= base[:, None]
        return np.asarray(z, dtype=np.float64)

    def _between(self, shift: float) -> Floats:
        """How the figures of the places make up that of every sample: (places, samples)."""
        known = self._spread.get(shift)
        if known is None:
            at = np.arange(-self._far, self._far + 1) + self._half + shift
            known = np.stack([np.interp(at, self._places, one) for one in np.eye(len(self._places))])
            self._spread[shift] = known
        return known


def _neighbours(share: Floats, reach: int) -> Floats:
    """The sum of each place and of `reach` to either side."""
    n = share.shape[1]
    sums = np.zeros((len(share), n + 2 * reach + 1))
    np.cumsum(share, axis=1, out=sums[:, reach + 1 : n + reach + 1])
    sums[:, n + reach + 1 :] = sums[:, n + reach, None]
    return np.asarray(sums[:, 2 * reach + 1 :] - sums[:, :n], dtype=np.float64)
