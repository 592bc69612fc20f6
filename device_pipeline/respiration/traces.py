"""What breathing leaves in each beat of an ECG or a PPG, and in the wave itself four times a second.

Every number is made from the samples around one beat (or one moment) alone, so that no cut of the input can change it.
Their units do not matter: whoever reads them compares each trace only with itself.

The three ways in which breathing shows (Charlton et al. 2018, doi:10.1109/RBME.2017.2763681): the height of the wave
changes with the filling of the heart and the axis of the chest, its baseline with the impedance and the venous blood,
its rhythm with the vagus nerve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatSource

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Starts = NDArray[np.int64]  # indices of samples

GRID_HZ = 4.0
GRID_NS = 250_000_000
BEAT_TRACES = 8
# samples this far before and after a beat are looked at
REACH_S = {BeatSource.ECG: (0.12, 0.34), BeatSource.PPG: (0.25, 0.35)}
LONGEST_CYCLE_NS = 2_000_000_000  # between beats further apart one was missed
_SMOOTH_S = 0.4  # to either side: no more than breathing is left of the wave
_SMOOTH_HZ = 100.0  # no more samples than this are needed for it
_STEEP_S = 0.008
NO_STARTS: Starts = np.zeros(1, np.int64)


@dataclass(frozen=True, slots=True)
class Traces:
    """`t_ns` (n,) of beats, `values` (n, BEAT_TRACES); NaN where a beat has no interval."""

    t_ns: Times
    values: Floats


def trace_beats(
    source: BeatSource,
    beats: list[Beat],
    next_ns: int | None,
    t_ns: Times,
    x: Floats,
    fs_hz: float,
    first: Starts = NO_STARTS,
) -> Traces:
    """The traces in `beats`, at least one; the samples `x` were taken at `t_ns`; `next_ns` the beat after the last.

    `first`, of each beat: none of its samples before that one are looked at.
    """
    at_ns = np.array([beat.t_ns for beat in beats], dtype=np.int64)
    rr_s = np.array([np.nan if beat.rr_s is None else beat.rr_s for beat in beats])
    at = _nearest(t_ns, at_ns, first)
    end = None if next_ns is None else int(_nearest(t_ns, np.array([next_ns]), first[-1:])[0])
    cycle = _cycle_means(x, at, at_ns, end, next_ns)
    before_s, after_s = REACH_S[source]
    before = round(before_s * fs_hz)
    around = at[:, None] + np.arange(-before, round(after_s * fs_hz) + 1)
    around = np.minimum(np.maximum(around, first[:, None]), len(x) - 1)
    make = _ecg if source is BeatSource.ECG else _ppg
    off_s = seconds(at_ns - t_ns[at])
    return Traces(at_ns, np.stack((cycle, rr_s, *make(x[around], before, fs_hz, cycle, off_s)), axis=1))


def seconds(ns: Times) -> Floats:
    return np.asarray(ns * 1e-9, dtype=np.float64)


def _nearest(t_ns: Times, at_ns: Times, first: Starts) -> NDArray[np.intp]:
    right = np.minimum(np.maximum(np.searchsorted(t_ns, at_ns), first + 1), len(t_ns) - 1)
    nearest = right - (2 * at_ns < t_ns[right - 1] + t_ns[right])
    return np.asarray(np.maximum(nearest, first), dtype=np.intp)


def _cycle_means(x: Floats, at: NDArray[np.intp], at_ns: Times, end: int | None, end_ns: int | None) -> Floats:
    """Mean of the wave from each beat to the next: the heart's own wave cancels out."""
    bounds = np.append(at, at[-1] if end is None else max(end, int(at[-1])))
    n = bounds[1:] - bounds[:-1]
    last_ns = int(at_ns[-1]) + LONGEST_CYCLE_NS + 1 if end_ns is None else end_ns
    whole = (np.diff(at_ns, append=last_ns) <= LONGEST_CYCLE_NS) & (n > 0)
    # Each sum ends at the next bound, the last too: one that ran on to the end of `x` would add in another order.
    sums = np.add.reduceat(np.append(x[bounds[0] : bounds[-1]], 0.0), bounds - bounds[0])[:-1]
    return np.where(whole, sums / np.maximum(n, 1), np.nan)


def _ecg(z: Floats, r: int, fs_hz: float, cycle: Floats, off_s: Floats) -> tuple[Floats, ...]:
    """`z` (n, m) around the R peaks, which are at `r`."""

    def at(s: float) -> int:
        return r + round(s * fs_hz)

    level = z[:, : at(-0.06) + 1].sum(axis=1) / (at(-0.06) + 1)
    qrs = z[:, at(-0.05) : at(0.08) + 1]
    up, down = qrs.max(axis=1), qrs.min(axis=1)
    lag = max(1, round(_STEEP_S * fs_hz))
    steep = np.abs(qrs[:, lag:] - qrs[:, :-lag]).max(axis=1)
    late = z[:, at(0.2) :]
    return up - down, up - level, down - level, level, steep, late.sum(axis=1) / late.shape[1] - level


def _ppg(z: Floats, u: int, fs_hz: float, cycle: Floats, off_s: Floats) -> tuple[Floats, ...]:
    """`z` (n, m) around the upstrokes, which are at `u`."""
    rows = np.arange(len(z))
    trough = z[:, : u + round(0.02 * fs_hz) + 1].min(axis=1)
    later = z[:, u:]
    peak = later.max(axis=1)
    height = peak - trough
    near = z[:, u - round(0.08 * fs_hz) : u + round(0.12 * fs_hz) + 1]
    lag = max(1, round(_STEEP_S * fs_hz))
    slope = (near[:, lag:] - near[:, :-lag]).max(axis=1)
    top = np.minimum(np.maximum(later.argmax(axis=1), 1), later.shape[1] - 2)
    left, mid, right = later[rows, top - 1], later[rows, top], later[rows, top + 1]
    bend = np.minimum(left - 2 * mid + right, -1e-300)
    shift = np.minimum(np.maximum(0.5 * (left - right) / bend, -1.0), 1.0)
    fullness = (cycle - trough) / np.maximum(height, 1e-300)
    return height, trough, peak, slope, fullness, (top + shift) / fs_hz - off_s


class Smoother:
    """The wave itself, smoothed, at moments GRID_NS apart."""

    def __init__(self, fs_hz: float) -> None:
        self._half = max(1, round(_SMOOTH_S * fs_hz))
        self._every = max(1, int(fs_hz // _SMOOTH_HZ))
        weights = np.hanning(2 * self._half + 3)[1:-1][:: self._every]
        self._weights = weights / weights.sum()
        self._step_ns = 1e9 / fs_hz

    def at(self, at_ns: Times, t_ns: Times, x: Floats, first: Starts = NO_STARTS) -> Floats:
        """(n,) at the moments `at_ns`; NaN where samples around are missing. `first` as in `trace_beats`."""
        few = len(x) - first <= 2 * self._half + 1
        if few.all():
            return np.full(len(at_ns), np.nan)
        centre = np.maximum(_nearest(t_ns, at_ns, first), self._half + first)
        centre = np.maximum(np.minimum(centre, len(x) - 1 - self._half), self._half)
        around = sliding_window_view(x, 2 * self._half + 1)[:, :: self._every][centre - self._half]
        around *= self._weights
        smooth = around.sum(axis=1)
        far = np.abs(t_ns[centre] - at_ns) > 1.5 * self._step_ns
        torn = t_ns[centre + self._half] - t_ns[centre - self._half] > (2 * self._half + 2) * self._step_ns * 1.02
        return np.where(few | far | torn, np.nan, smooth)
