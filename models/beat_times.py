"""How a beat lies in time among the wearer's intervals: early or late, alone or in a run, in a steady rhythm or not.

Nothing here is a sum of fractions: the numbers of a beat are the same, however many are worked out together.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from models.usual_beats import EARLY
from models.waveform import Floats, Ints

LOCAL = 48  # intervals before a beat that its own is compared with
TIMES = (
    "before", "after", "before_last", "after_next", "before_median", "before_ratio", "both", "before_rank_iqr",
    "iqr", "unrest", "jumps", "early_past", "early_next", "rank", "before_min3", "no_before", "no_after",
    "early_after", "run_back", "run_on", "run_onset", "close_unrest", "close_jump", "before_long", "after_long",
)  # fmt: skip
_RUN = 18  # beats back that a run is followed for
_FAST = 0.86  # of the usual interval
_JUMP = 0.1  # of the median interval


def later(rr_s: Floats, seen: int) -> Floats:
    """How much longer each interval from the `seen`-th on is than the median of those up to it, thousandths.

    Shape (n - seen,); 0 where the interval is not known.
    """
    padded = np.concatenate([np.full(LOCAL, np.nan), rr_s])[seen:]
    m = _middle(np.sort(sliding_window_view(padded, LOCAL + 1), axis=1), 0.5)
    return np.asarray(np.nan_to_num(np.clip(np.rint((rr_s[seen:] / m - 1) * 1000), -800, 800)))


def times(rr_s: Floats, turns: Floats, at: Ints, past: int, ahead: int, usual_s: Floats, long_s: Floats) -> Floats:
    """Of the beats `at` (n,) among intervals `rr_s`, NaN where not known: (n, len(TIMES)).

    `turns` (n, past + 1 + ahead): `later` of the beats around; `usual_s`, `long_s` (n,): what is usual, and for longer.
    """
    padded = np.concatenate([np.full(past, np.nan), rr_s, np.full(ahead + 2, np.nan)])
    place = past + at

    def interval(k: int) -> Floats:
        value = padded[place + k]
        return np.where(np.isnan(value), usual_s, value)

    before, after, after_next = interval(0), interval(1), interval(2)
    last, last2, last3 = interval(-1), interval(-2), interval(-3)
    near = padded[place[:, None] + np.arange(-LOCAL, ahead + 1)]
    ordered = np.sort(near, axis=1)
    m, q1, q3 = (_middle(ordered, share) for share in (0.5, 0.25, 0.75))
    steps = np.abs(np.diff(near, axis=1))
    known = np.count_nonzero(~np.isnan(steps), axis=1)
    unrest = np.where(known > 0, _middle(np.sort(steps, axis=1), 0.5), 0.0)
    early = turns < -EARLY
    around = padded[place[:, None] + np.arange(-_RUN, ahead)]
    fast = around < _FAST * long_s[:, None]  # never where the interval is not known
    back = np.cumprod(fast[:, _RUN::-1], axis=1).sum(axis=1)
    on = np.cumprod(fast[:, _RUN + 1 :], axis=1).sum(axis=1)
    begun = place - np.maximum(back, 1)
    onset = padded[begun + 1] / padded[begun]
    close = np.sort(np.nan_to_num(np.abs(np.diff(around[:, _RUN - 3 : _RUN + 5], axis=1))), axis=1)
    columns = (
        (before / usual_s - 1) * 4,
        (after / usual_s - 1) * 3,
        (last / usual_s - 1) * 3,
        (after_next / usual_s - 1) * 3,
        (before / m - 1) * 4,
        (before / last - 1) * 3,
        ((before + after) / (2 * usual_s) - 1) * 4,
        (before - q1) / (q3 - q1 + 0.03 * m),
        (q3 - q1) / m * 6,
        unrest / m * 8,
        np.count_nonzero(steps > _JUMP * m[:, None], axis=1) / np.maximum(known, 1) * 3,
        early[:, past - 10 : past].sum(axis=1) / 3,
        early[:, past + 1 :].sum(axis=1) / 3,
        np.count_nonzero(near < before[:, None], axis=1) / np.maximum(np.count_nonzero(~np.isnan(near), axis=1), 1) * 3,
        (before / np.minimum(np.minimum(last, last2), last3) - 1) * 4,
        np.isnan(padded[place]) * 2.0,
        np.isnan(padded[place + 1]) * 2.0,
        turns[:, past + 1] / 300,
        back / 6 - 1,
        on / 4 - 1,
        np.where(np.isnan(onset) | (back == 0), 0.0, (onset - 1) * 4),
        close[:, 3] / before * 12,
        close[:, 5] / before * 8,
        (before / long_s - 1) * 4,
        (after / long_s - 1) * 3,
    )
    return np.stack(columns, axis=1)


def _middle(ordered: Floats, share: float) -> Floats:
    """The value below which `share` of each row lies; rows ascending, NaN last; 0.8 where a row has nothing else."""
    known = np.count_nonzero(~np.isnan(ordered), axis=1)
    place = np.minimum((known * share).astype(np.int64), np.maximum(known - 1, 0))
    return np.where(known > 0, np.nan_to_num(ordered[np.arange(len(ordered)), place]), 0.8)
