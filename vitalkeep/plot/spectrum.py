"""The spectrum of NN intervals, one for each HRV window that gives values; shown are their median and spread.

Welch's method over NN resampled at 4 Hz by a cubic spline; bands as in Task Force of ESC and NASPE 1996,
*Circulation* 93:1043, Table 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vitalkeep.plot import ink
from vitalkeep.plot.intervals_seen import SeenInterval
from vitalkeep.plot.trend import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = (("VLF", 0.003, 0.04), ("LF", 0.04, 0.15), ("HF", 0.15, 0.4))
_SHOWN_TO_HZ = 0.5
_RESAMPLED_HZ = 4.0
_PIECE_S = 120.0
_QUARTILES_FROM = 5  # windows; of fewer the whole range is shown
_LEAST_S = 120.0  # LF needs about 2 minutes (Task Force 1996)


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
    freq_hz = np.zeros(0)
    for window in windows:
        counted = [interval for interval in window if interval.counts]
        if len(counted) < 2 or counted[-1].t_s - counted[0].t_s < _LEAST_S:
            continue
        freq_hz, density = nn_density([i.t_s for i in counted], [i.rr_ms for i in counted])
        densities.append(density)
    if not densities:
        nothing = np.zeros(0)
        return Spectrum(nothing, nothing, nothing, nothing, 0)
    spread = [25, 50, 75] if len(densities) >= _QUARTILES_FROM else [0, 50, 100]
    low, middle, high = np.percentile(np.array(densities), spread, axis=0)
    return Spectrum(freq_hz, low, middle, high, len(densities))


def nn_density(t_s: Sequence[float], nn_ms: Sequence[float]) -> tuple[Floats, Floats]:
    """(frequency in Hz, density in ms²/Hz) of NN intervals that end at `t_s`, over at least 2 minutes."""
    from scipy.interpolate import CubicSpline
    from scipy.signal import welch

    at_s = np.arange(t_s[0], t_s[-1], 1 / _RESAMPLED_HZ)
    even_ms = CubicSpline(t_s, nn_ms)(at_s)
    piece = round(_PIECE_S * _RESAMPLED_HZ)
    freq_hz, density = welch(
        even_ms, fs=_RESAMPLED_HZ, window="hann", nperseg=min(piece, len(even_ms)), nfft=2 * piece, detrend="linear"
    )
    return freq_hz, density


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
