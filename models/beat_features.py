"""The numbers that the beat net sees: how a beat lies in time, its shape beside the usual ones, and who is like it.

Every sum here is one of whole numbers, hence exact: the same beat among the same neighbours gives the same numbers,
however many beats are worked out together.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.beat_input import BEFORE, POINTS
from models.usual_beats import ALIKE, COMPARED, EARLY, UNITY, Usual
from models.waveform import Floats

PAST, AHEAD = 120, 10  # beats that are looked at before and after one
LOCAL = 48  # intervals before a beat that its own is compared with
MOST = 4.0  # a number beyond is cut
_SHIFT = 5
_QRS = np.arange(BEFORE - 11, BEFORE + 14)
_WHOLE = np.arange(BEFORE - 16, BEFORE + 58)
_P = np.arange(BEFORE - 34, BEFORE - 9)
_EARLY_P = np.arange(BEFORE - 50, BEFORE - 25)
_T = np.arange(BEFORE + 18, BEFORE + 62)
Ints = NDArray[np.int64]


def later(rr_s: Floats, seen: int) -> Floats:
    """How much longer each interval from the `seen`-th on is than the median of those up to it, thousandths.

    Shape (n - seen,); 0 where the interval is not known.
    """
    padded = np.concatenate([np.full(LOCAL, np.nan), rr_s])[seen:]
    m = _middle(np.sort(sliding_window_view(padded, LOCAL + 1), axis=1), 0.5)
    turn = np.clip(np.rint((rr_s[seen:] / m - 1) * 1000), -800, 800)
    return np.asarray(np.nan_to_num(turn))


def _middle(ordered: Floats, share: float) -> Floats:
    """The value below which `share` of each row lies; rows ascending, NaN last; 0.8 where a row has nothing else."""
    known = np.count_nonzero(~np.isnan(ordered), axis=1)
    place = np.minimum((known * share).astype(np.int64), np.maximum(known - 1, 0))
    return np.where(known > 0, np.nan_to_num(ordered[np.arange(len(ordered)), place]), 0.8)


def _cosine(a: Floats, b: Floats) -> Floats:
    """Correlation along the last axis of whole numbers."""
    return _cosine_of(a, b, _sums(a))


def _cosine_of(a: Floats, b: Floats, of_a: tuple[Floats, Floats]) -> Floats:
    """The same where `_sums` of `a` are known."""
    sa, aa = of_a
    sb, bb = _sums(b)
    ab = a.shape[-1] * np.einsum("...k,...k->...", a, b) - sa * sb
    return np.asarray(ab / (np.sqrt(aa) * np.sqrt(bb) + 1e-3))


def _sums(a: Floats) -> tuple[Floats, Floats]:
    """What `_cosine` needs of one side alone: the sum along the last axis, and n times its variance's numerator."""
    total = a.sum(-1)
    return total, a.shape[-1] * np.einsum("...k,...k->...", a, a) - total * total


def _level(part: Floats) -> Floats:
    """Without the line from the mean of its first four points to that of its last four; whole numbers."""
    n = part.shape[1]
    left, right = part[:, :4].sum(axis=1, keepdims=True) / 4, part[:, -4:].sum(axis=1, keepdims=True) / 4
    share = (np.arange(n) - 1.5) / (n - 4)
    return np.asarray(np.rint(part - (left + share * (right - left))))


def _size(part: Floats) -> Floats:
    return np.asarray(part.max(axis=1) - part.min(axis=1)) + 1.0


def _polarity(part: Floats) -> Floats:
    """-1 where all of it points downwards, 1 upwards."""
    return np.asarray((part.max(axis=1) + part.min(axis=1)) / _size(part))


def _spread(part: Floats) -> tuple[Floats, Floats]:
    """(centre, spread) in points of where the slope of each row is, from whole numbers."""
    slope = np.diff(part, axis=1)
    energy = slope * slope
    t = np.arange(energy.shape[1], dtype=np.float64)
    total = energy.sum(axis=1) + 1.0
    centre = np.einsum("nk,k->n", energy, t) / total
    square = np.einsum("nk,k->n", energy, t * t) / total
    return centre, np.sqrt(np.maximum(square - centre * centre, 0.0))


NAMES = (
    "before", "after", "before_last", "after_next", "before_median", "before_ratio", "both", "before_rank_iqr",
    "iqr", "unrest", "jumps", "early_past", "early_next", "rank", "before_min3", "no_before", "no_after", "early_after",
    "like", "shift", "like_other", "like_whole", "like_p", "like_t", "size", "slope", "area", "spread", "spread_ratio",
    "centre", "polarity", "polarity_usual", "share_usual", "share_other", "rest", "p_size", "p_size_usual", "p_part",
    "p_rest", "early_p_size", "early_p_rest", "t_rest", "t_part", "qrs_rest", "like_last", "like_next", "like_last2",
    "like_next2", "last_usual", "next_usual", "calm", "near_share", "near_close", "near_turn", "near_turn_next",
    "near_early", "near_count", "usual_rr", "usual_spread", "usual_share", "other_share", "usual_turn", "other_turn",
)  # fmt: skip


def features(
    units: Floats,
    norms: NDArray[np.float32],
    rr_s: Floats,
    turn: Floats,
    rows: range,
    usual: list[Usual],
    cell: Ints,
    origins: Ints,
) -> Floats:
    n = len(rows)
    lo, hi = rows.start, rows.stop
    w = np.arange(-PAST, AHEAD + 1)
    at = np.arange(lo, hi)
    where = at[:, None] + w
    there = (where >= 0) & (where < len(units))
    where = np.clip(where, 0, len(units) - 1)
    # --- intervals
    padded = np.concatenate([np.full(PAST, np.nan), rr_s, np.full(AHEAD + 2, np.nan)])
    near = sliding_window_view(padded, LOCAL + AHEAD + 1)[lo + PAST - LOCAL : hi + PAST - LOCAL]
    ordered = np.sort(near, axis=1)
    m = _middle(ordered, 0.5)
    q1, q3 = _middle(ordered, 0.25), _middle(ordered, 0.75)
    mu = np.array([u.rr_s for u in usual])[cell]
    p = PAST + at

    def rr(k: int) -> Floats:
        r = padded[p + k]
        return np.where(np.isnan(r), mu, r)

    b0, a1, a2, p1, p2, p3 = rr(0), rr(1), rr(2), rr(-1), rr(-2), rr(-3)
    steps = np.abs(np.diff(near, axis=1))
    unrest = _middle(np.sort(steps, axis=1), 0.5)
    unrest = np.where(np.isnan(steps).all(axis=1), 0.0, unrest)
    known = np.count_nonzero(~np.isnan(steps), axis=1)
    jumps = np.count_nonzero(steps > 0.1 * m[:, None], axis=1) / np.maximum(known, 1)
    turns = np.where(there, turn[where], 0.0)
    early = turns < -EARLY
    rank = np.count_nonzero(near < b0[:, None], axis=1) / np.maximum(np.count_nonzero(~np.isnan(near), axis=1), 1)
    columns = [
        (b0 / mu - 1) * 4,
        (a1 / mu - 1) * 3,
        (p1 / mu - 1) * 3,
        (a2 / mu - 1) * 3,
        (b0 / m - 1) * 4,
        (b0 / p1 - 1) * 3,
        ((b0 + a1) / (2 * mu) - 1) * 4,
        (b0 - q1) / (q3 - q1 + 0.03 * m),
        (q3 - q1) / m * 6,
        unrest / m * 8,
        jumps * 3,
        early[:, PAST - 10 : PAST].sum(axis=1) / 3,
        early[:, PAST + 1 :].sum(axis=1) / 3,
        rank * 3,
        (b0 / np.minimum(np.minimum(p1, p2), p3) - 1) * 4,
        np.isnan(padded[p]) * 2.0,
        np.isnan(padded[p + 1]) * 2.0,
        turns[:, PAST + 1] / 300,
    ]
    # --- shape
    x = units[lo:hi]
    u = np.stack([c.units for c in usual])[cell]
    first, other = u[:, 0], u[:, 1]
    moved = np.arange(-_SHIFT, _SHIFT + 1)
    shifted = x[:, _QRS[None, :] + moved[:, None]]  # (n, 11, q)
    of_shifted = _sums(shifted)
    cos = _cosine_of(shifted, first[:, None, _QRS], of_shifted)
    best = np.argmax(cos - np.abs(moved) * 1e-3, axis=1)
    like = cos[np.arange(n), best]
    shift = moved[best]
    cos2 = _cosine_of(shifted, other[:, None, _QRS], of_shifted)
    like2 = cos2.max(axis=1)
    spots = np.clip(np.arange(POINTS) + np.where(like > 0.6, shift, 0)[:, None], 0, POINTS - 1)
    x = np.take_along_axis(x, spots, axis=1)

    xq, fq, oq = x[:, COMPARED], first[:, COMPARED], other[:, COMPARED]
    size, usual_size = _size(xq), _size(fq)
    slope, usual_slope = np.abs(np.diff(xq, axis=1)).max(axis=1), np.abs(np.diff(fq, axis=1)).max(axis=1) + 1.0
    lx, lf = _level(xq), _level(fq)
    area, usual_area = np.abs(lx).sum(axis=1), np.abs(lf).sum(axis=1) + 1.0
    (cx, sx), (cf, sf) = _spread(xq), _spread(fq)
    xx, ff, oo = (np.einsum("nk,nk->n", a, a) + 1.0 for a in (lx, lf, _level(oq)))
    lo_ = _level(oq)
    xf, xo, fo = np.einsum("nk,nk->n", lx, lf), np.einsum("nk,nk->n", lx, lo_), np.einsum("nk,nk->n", lf, lo_)
    det = np.maximum(ff * oo - fo * fo, 0.02 * ff * oo)
    part1, part2 = (xf * oo - xo * fo) / det, (xo * ff - xf * fo) / det
    rest = 1 - (part1 * xf + part2 * xo) / xx
    px, pf = _level(x[:, _P]), _level(first[:, _P])
    pp = np.einsum("nk,nk->n", pf, pf) + 1.0
    p_part = np.einsum("nk,nk->n", px, pf) / pp
    p_rest = np.sqrt(((px - pf) ** 2).sum(axis=1) / len(_P)) / usual_size
    ex, ef = _level(x[:, _EARLY_P]), _level(first[:, _EARLY_P])
    tx, tf = _level(x[:, _T]), _level(first[:, _T])
    tt = np.einsum("nk,nk->n", tf, tf) + 1.0
    columns += [
        like * 3,
        shift / 2.0,
        like2 * 3,
        _cosine(x[:, _WHOLE], first[:, _WHOLE]) * 3,
        _cosine(px, pf) * 2,
        _cosine(tx, tf) * 2,
        (size / usual_size - 1) * 2,
        (slope / usual_slope - 1) * 2,
        (area / usual_area - 1) * 2,
        sx / 3 - 1,
        (sx / (sf + 0.5) - 1) * 2,
        (cx - cf) / 3,
        _polarity(lx) * 2,
        _polarity(lf) * 2,
        part1 * 2,
        part2 * 2,
        rest * 4,
        np.minimum(_size(px) / usual_size * 8, 4),
        np.minimum(_size(pf) / usual_size * 8, 4),
        p_part,
        p_rest * 30,
        _size(ex) / usual_size * 5,
        np.sqrt(((ex - ef) ** 2).sum(axis=1) / len(_P)) / usual_size * 20,
        np.sqrt(((tx - tf) ** 2).sum(axis=1) / len(_T)) / usual_size * 10,
        np.einsum("nk,nk->n", tx, tf) / tt,
        np.sqrt(((lx - lf) ** 2).sum(axis=1) / len(COMPARED)) / usual_size * 8,
    ]
    # --- neighbours
    base = max(0, lo - PAST)
    band = norms[lo:hi] @ norms[base : hi + AHEAD].T
    cosines = np.where(there, np.take_along_axis(band, np.minimum(where - base, band.shape[1] - 1), axis=1), 0.0)
    firsts = np.array([c.medoids[0] for c in usual])[cell] + origins[cell]
    usual_like = np.einsum("nwk,nk->nw", norms[where[:, PAST - 10 :]], norms[firsts], dtype=np.float64)
    usual_like = np.where(there[:, PAST - 10 :], usual_like, 0.0)
    alike = (cosines > ALIKE) & there
    alike[:, PAST] = False
    count = alike.sum(axis=1)
    total = np.maximum(count, 1)
    after = np.zeros_like(turns)
    after[:, :-1] = turns[:, 1:]
    unit2 = UNITY**2
    columns += [
        cosines[:, PAST - 1] / unit2 * 2,
        cosines[:, PAST + 1] / unit2 * 2,
        cosines[:, PAST - 2] / unit2 * 2,
        cosines[:, PAST + 2] / unit2 * 2,
        usual_like[:, 9] / unit2 * 2,
        usual_like[:, 11] / unit2 * 2,
        np.sort(usual_like, axis=1)[:, 10] / unit2 * 2,
        count / np.maximum(there.sum(axis=1), 1) * 3,
        alike[:, PAST - 10 :].sum(axis=1) / 7,
        (alike * turns).sum(axis=1) / total / 150,
        (alike * after).sum(axis=1) / total / 150,
        (alike & early).sum(axis=1) / total * 3,
        np.minimum(count, 12) / 4,
    ]
    rows_ = np.stack(columns, axis=1)
    rows_ = np.concatenate([rows_, np.stack([c.told for c in usual])[cell]], axis=1)
    return np.asarray(np.clip(rows_, -MOST, MOST))
