"""The spectrum of NN intervals, one for each HRV window that gives values; shown are their median and spread.

It is the spectrum whose bands the HRV table gives the powers of (device_pipeline/nn_spectrum.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from device_pipeline.nn_spectrum import HF_HZ, LF_HZ, SEGMENT_S, VLF_HZ, welch
from vitalkeep.plot import ink
from vitalkeep.plot.intervals_seen import SeenInterval
from vitalkeep.plot.trend import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = (("VLF", *VLF_HZ), ("LF", *LF_HZ), ("HF", *HF_HZ))
_SHOWN_TO_HZ = 0.5
_QUARTILES_FROM = 5  # windows; of fewer the whole range is shown
_LEAST_S = 120.0  # LF needs about 2 minutes (Task Force 1996)
# The frequencies of a whole window; those of a shorter one are laid on them.
_FREQ_HZ = np.arange(round(_SHOWN_TO_HZ * SEGMENT_S) + 1) / SEGMENT_S


@dataclass(frozen=True, slots=True, repr=False)
class Spectrum:
    """`n` windows; densities in ms²/Hz at `freq_hz`, empty where no window gives one.

    `low` to `high`: the quartiles of the windows; of less than 5, the lowest and the highest.
    """

    freq_hz: Floats
    low: Floats
    middle: Floats
    high: Floats
    n: int

    def __repr__(self) -> str:
        return f"<Spectrum n={self.n}>"


def spectrum(windows: Sequence[Sequence[SeenInterval]]) -> Spectrum:
    densities = []
    for window in windows:
        counted = [interval for interval in window if interval.counts]
        if len(counted) < 2 or counted[-1].t_s - counted[0].t_s < _LEAST_S:
            continue
        nn_ms = np.array([interval.rr_ms for interval in counted])
        end_s = np.array([interval.t_s for interval in counted]) - counted[0].t_s + nn_ms[0] / 1e3
        found = welch(nn_ms, end_s)
        if found is not None:
            densities.append(np.interp(_FREQ_HZ, found.frequency_hz, found.density_ms2_per_hz))
    if not densities:
        nothing = np.zeros(0)
        return Spectrum(nothing, nothing, nothing, nothing, 0)
    spread = [25, 50, 75] if len(densities) >= _QUARTILES_FROM else [0, 50, 100]
    low, middle, high = np.percentile(np.array(densities), spread, axis=0)
    return Spectrum(_FREQ_HZ, low, middle, high, len(densities))


def draw_spectrum(ax: Axes, shown: Spectrum) -> None:
    ax.set_xlim(0.0, _SHOWN_TO_HZ)
    ax.set_xlabel("frequency, Hz", labelpad=2)
    ax.set_ylabel("density, ms²/Hz", labelpad=2)
    papers = (ink.ABSENT_PAPER, ink.POOR_PAPER, ink.REGULAR)
    for (name, low_hz, high_hz), paper in zip(BANDS, papers, strict=True):
        ax.axvspan(low_hz, high_hz, facecolor=paper, linewidth=0)
        ax.text(
            (low_hz + high_hz) / 2, 0.97, name, transform=ax.get_xaxis_transform(), ha="center", va="top", color=ink.INK
        )
    if not shown.n:
        ax.set_ylim(0, 1)
        ax.set_yticks([])
        ax.text(0.5, 0.45, "None: " + ABSENT, transform=ax.transAxes, ha="center", va="center", color=ink.MUTED)
        return
    seen = (shown.freq_hz >= BANDS[0][1]) & (shown.freq_hz <= _SHOWN_TO_HZ)
    freq_hz = shown.freq_hz[seen]
    edge = (shown.high if shown.n > 1 else shown.middle)[seen]
    top = top_density(freq_hz, edge)
    ax.set_ylim(0.0, top)
    if edge.max() > top:
        ax.text(
            0.045,
            0.86 * top,
            f"VLF goes up to {edge.max():,.0f}",
            color=ink.MUTED,
            size=7,
            va="top",
            ha="left",
            zorder=4,
        )
    if shown.n > 1:
        ax.fill_between(freq_hz, shown.low[seen], shown.high[seen], color=ink.BAND, linewidth=0)
    ax.plot(freq_hz, shown.middle[seen], color=ink.LINE, linewidth=1.2)


def top_density(freq_hz: Floats, density: Floats) -> float:
    """The scale shows LF and HF: a VLF peak far above them may leave it."""
    beyond = density[freq_hz >= BANDS[1][1]]
    return float(min(1.15 * density.max(), 2.0 * beyond.max())) or 1.0


ABSENT = "no HRV window of 2 min\nor more gives values"


def in_words(shown: Spectrum) -> str:
    if not shown.n:
        return "none: no HRV window of 2 min or more gives values"
    if shown.n == 1:
        return "of one window"
    return f"median of {shown.n} windows, {'quartiles' if shown.n >= _QUARTILES_FROM else 'range'} shaded"
