"""Each RR interval against the one before it; the ellipse is of the normal pairs alone, and only where HRV is told.

SD1 and SD2: standard deviations across and along the line of identity (M. Brennan et al. 2001, IEEE Trans Biomed Eng
48:1342).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vitalkeep.plot import ink
from vitalkeep.plot.intervals_seen import SeenInterval
from vitalkeep.plot.trend import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_DOTS = 2500
_FEW_DOTS = 500
_CELLS = 220
_LEAST_PAIRS = 30


@dataclass(frozen=True, slots=True, repr=False)
class Poincare:
    """`normal` and `other`: pairs (interval, next interval) in ms, shape (n, 2). SDs in ms, None below 30 pairs."""

    normal: Floats
    other: Floats
    sd1_ms: float | None
    sd2_ms: float | None

    def __repr__(self) -> str:
        return f"<Poincare n={len(self.normal)}>"


def poincare(windows: Sequence[Sequence[SeenInterval]]) -> Poincare:
    normal: list[tuple[float, float]] = []
    other: list[tuple[float, float]] = []
    for window in windows:
        for before, interval in pairwise(window):
            if interval.follows:
                (normal if before.counts and interval.counts else other).append((before.rr_ms, interval.rr_ms))
    pairs = np.array(normal, dtype=np.float64).reshape(-1, 2)
    sd1_ms = sd2_ms = None
    if len(pairs) >= _LEAST_PAIRS:
        sd1_ms = float(np.std((pairs[:, 1] - pairs[:, 0]) / np.sqrt(2), ddof=1))
        sd2_ms = float(np.std((pairs[:, 1] + pairs[:, 0]) / np.sqrt(2), ddof=1))
    return Poincare(pairs, np.array(other, dtype=np.float64).reshape(-1, 2), sd1_ms, sd2_ms)


def draw_poincare(ax: Axes, shown: Poincare) -> None:
    ax.grid(axis="both", color=ink.RULE, linewidth=0.4)
    ax.set_xlabel("RR interval, ms", labelpad=2)
    ax.set_ylabel("next RR interval, ms", labelpad=2)
    low, high = limits(shown)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.plot([low, high], [low, high], color=ink.MUTED, linewidth=0.6, linestyle=(0, (4, 3)))
    if not len(shown.normal) and not len(shown.other):
        ax.text(0.5, 0.6, "No two intervals\nfollow each other", transform=ax.transAxes, ha="center", color=ink.MUTED)
        return
    _cloud(ax, shown.other, low, high, ink.OTHER, "x", 3.0 if len(shown.other) < _FEW_DOTS else 1.8)
    _cloud(ax, shown.normal, low, high, ink.LINE, ".", 2.6)
    if shown.sd1_ms is not None and shown.sd2_ms is not None:
        from matplotlib.patches import Ellipse

        x, y = (float(value) for value in shown.normal.mean(axis=0))
        ax.add_patch(
            Ellipse(
                (x, y),
                2 * shown.sd2_ms,
                2 * shown.sd1_ms,
                angle=45,
                fill=False,
                edgecolor=ink.INK,
                linewidth=1.1,
                zorder=4,
            )
        )


def in_words(shown: Poincare) -> str:
    if shown.sd1_ms is None or shown.sd2_ms is None:
        return f"no ellipse: HRV is told for fewer than {_LEAST_PAIRS} pairs"
    return f"SD1 {shown.sd1_ms:.1f} ms, SD2 {shown.sd2_ms:.1f} ms, {len(shown.normal):,} normal pairs"


def limits(shown: Poincare) -> tuple[float, float]:
    """One scale for both axes; the outermost hundredth of what is no normal pair does not widen it."""
    edges: list[float] = []
    if len(shown.normal):
        edges += [float(shown.normal.min()), float(shown.normal.max())]
    if len(shown.other):
        edges += np.percentile(shown.other, [1, 99]).tolist()
    if not edges:
        return 400.0, 1200.0
    low, high = min(edges), max(edges)
    spare = max(0.06 * (high - low), (200 - (high - low)) / 2)
    return max(0.0, float(np.floor((low - spare) / 50) * 50)), float(np.ceil((high + spare) / 50) * 50)


def _cloud(ax: Axes, pairs: Floats, low: float, high: float, color: str, marker: str, size: float) -> None:
    """Each pair a dot; of a great many, how often a place was met."""
    inside = pairs[((pairs >= low) & (pairs <= high)).all(axis=1)]
    if len(inside) <= _MOST_DOTS:
        if len(inside):
            ax.plot(
                inside[:, 0],
                inside[:, 1],
                marker,
                color=color,
                markersize=size,
                markeredgewidth=0.5 if marker == "x" else 0,
            )
        return
    ax.imshow(
        density(inside, low, high, color),
        extent=(low, high, low, high),
        origin="lower",
        interpolation="nearest",
        aspect="auto",
        zorder=2,
    )


def density(pairs: Floats, low: float, high: float, color: str) -> NDArray[np.float64]:
    """An image (row, column, RGBA) of `color`, the less transparent the more pairs fell into its cell."""
    edges = np.linspace(low, high, _CELLS + 1)
    counts = np.histogram2d(pairs[:, 1], pairs[:, 0], bins=(edges, edges))[0]
    image = np.empty((_CELLS, _CELLS, 4))
    image[..., :3] = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    image[..., 3] = np.where(counts > 0, 0.25 + 0.75 * np.log1p(counts) / np.log1p(counts.max()), 0.0)
    return image
