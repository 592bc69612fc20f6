"""How the shape of a beat differs from the wearer's usual one: the complex, what lies before it and what after.

Every sum is one of whole numbers, hence exact.
"""

from __future__ import annotations

import numpy as np

from models.beat_input import BEFORE, POINTS, RATE_HZ
from models.usual_beats import COMPARED
from models.waveform import Floats, Ints

SHAPE = (
    "like", "shift", "like_other", "like_whole", "like_p", "like_t", "size", "slope", "area", "spread",
    "spread_ratio", "centre", "polarity", "polarity_usual", "share_usual", "share_other", "rest", "p_size",
    "p_size_usual", "p_part", "p_rest", "early_p_size", "early_p_rest", "t_rest", "t_part", "qrs_rest",
    "p_left", "p_left_at", "p_left_part", "p_left_size", "left_rest", "p_any", "p_any_at",
    "long_like", "long_whole", "long_polarity", "long_size", "long_spread", "long_spread_ratio", "long_rest",
    "long_p", "long_t", "long_p_size", "usual_long",
)  # fmt: skip
_SHIFT = 5  # points that a beat is moved by, at most, to lie on the usual one
_MOVED = np.arange(-_SHIFT, _SHIFT + 1)
_MOVES_FROM = 0.6  # cosine below which it is not moved
_QRS = np.arange(BEFORE - 11, BEFORE + 14)
_WHOLE = np.arange(BEFORE - 16, BEFORE + 58)
_P = np.arange(BEFORE - 34, BEFORE - 9)
_EARLY = np.arange(BEFORE - 50, BEFORE - 25)
_AHEAD = np.arange(BEFORE - 50, BEFORE - 9)  # where a P wave may lie
_T = np.arange(BEFORE + 18, BEFORE + 62)
_GONE = 10  # points after a beat that are its complex
_P_POINTS = 19
_HOPS = np.arange(0, len(_AHEAD) - _P_POINTS + 1, 2)[:, None] + np.arange(_P_POINTS)


def shape(units: Floats, first: Floats, other: Floats, longer: Floats, before_s: Floats) -> Floats:
    """Of beats `units` (n, POINTS), whole numbers: (n, len(SHAPE)).

    `first`, `other`, `longer` (n, POINTS): the usual beat, the next most usual, that of the last minutes; `before_s`
    (n,): the interval before.
    """
    rows = np.arange(len(units))
    shifted = units[:, _QRS + _MOVED[:, None]]
    sums = _sums(shifted)
    x, like, shift = _moved(units, shifted, sums, first)
    y, long_like, _ = _moved(units, shifted, sums, longer)
    qrs, usual, theirs = _level(x[:, COMPARED]), _level(first[:, COMPARED]), _level(other[:, COMPARED])
    size, usual_size = _size(x[:, COMPARED]), _size(first[:, COMPARED])
    (centre, spread), (usual_centre, usual_spread) = _spread(x[:, COMPARED]), _spread(first[:, COMPARED])
    part, other_part, rest = _mixture(qrs, usual, theirs)
    p, usual_p, t, usual_t = (_level(beat[:, where]) for where in (_P, _T) for beat in (x, first))
    gone = np.rint(before_s * RATE_HZ).astype(np.int64)[:, None]  # where the beat before lies
    seen = _EARLY + gone > BEFORE + _GONE
    early, usual_early = (_level(np.where(seen, beat[:, _EARLY], 0.0)) for beat in (x, first))
    left = _left(x, first, gone)
    short_p = usual_p[:, 3 : 3 + _P_POINTS]
    slid = left[:, _HOPS]
    left_cosine = _cosine(slid, short_p[:, None, :])
    best = np.argmax(left_cosine, axis=1)
    left_part = _dot(slid[rows, best], short_p) / (_dot(short_p, short_p) + 1.0)
    any_cosine = _cosine(_level(x[:, _AHEAD])[:, _HOPS], short_p[:, None, :])
    long_qrs, long_seen = _level(longer[:, COMPARED]), _level(y[:, COMPARED])
    long_size, long_spread = _size(long_qrs), _spread(longer[:, COMPARED])[1]
    long_p = _level(longer[:, _P])
    columns = (
        like * 3,
        shift / 2.0,
        _cosine_of(shifted, sums, other[:, None, _QRS]).max(axis=1) * 3,
        _cosine(x[:, _WHOLE], first[:, _WHOLE]) * 3,
        _cosine(p, usual_p) * 2,
        _cosine(t, usual_t) * 2,
        (size / usual_size - 1) * 2,
        (_steepest(x) / (_steepest(first) + 1.0) - 1) * 2,
        (np.abs(qrs).sum(axis=1) / (np.abs(usual).sum(axis=1) + 1.0) - 1) * 2,
        spread / 3 - 1,
        (spread / (usual_spread + 0.5) - 1) * 2,
        (centre - usual_centre) / 3,
        _polarity(qrs) * 2,
        _polarity(usual) * 2,
        part * 2,
        other_part * 2,
        rest * 4,
        _size(p) / usual_size * 8,
        _size(usual_p) / usual_size * 8,
        _dot(p, usual_p) / (_dot(usual_p, usual_p) + 1.0),
        _apart(p, usual_p) / usual_size * 30,
        _size(early) / usual_size * 5,
        _apart(early, usual_early) / usual_size * 20,
        _apart(t, usual_t) / usual_size * 10,
        _dot(t, usual_t) / (_dot(usual_t, usual_t) + 1.0),
        _apart(qrs, usual) / usual_size * 8,
        left_cosine.max(axis=1) * 2,
        best / 5 - 1,
        left_part,
        (slid.max(axis=2) - slid.min(axis=2)).max(axis=1) / usual_size * 6,
        np.sqrt(_dot(left, left) / len(_AHEAD)) / usual_size * 20,
        any_cosine.max(axis=1) * 2,
        np.argmax(any_cosine, axis=1) / 5 - 1,
        long_like * 3,
        _cosine(y[:, _WHOLE], longer[:, _WHOLE]) * 3,
        _polarity(long_qrs) * 2,
        (_size(long_seen) / long_size - 1) * 2,
        long_spread / 3 - 1,
        (spread / (long_spread + 0.5) - 1) * 2,
        _apart(long_seen, long_qrs) / long_size * 8,
        _cosine(_level(y[:, _P]), long_p) * 2,
        _cosine(_level(y[:, _T]), _level(longer[:, _T])) * 2,
        _size(long_p) / long_size * 8,
        _cosine(first[:, _QRS], longer[:, _QRS]) * 2,
    )
    return np.stack(columns, axis=1)


def _moved(units: Floats, shifted: Floats, sums: tuple[Floats, Floats], usual: Floats) -> tuple[Floats, Floats, Ints]:
    """(beats as they lie best on the usual one, cosine there, points moved by)."""
    cosine = _cosine_of(shifted, sums, usual[:, None, _QRS])
    best = np.argmax(cosine - np.abs(_MOVED) * 1e-3, axis=1)
    like, shift = cosine[np.arange(len(units)), best], _MOVED[best]
    where = np.clip(np.arange(POINTS) + np.where(like > _MOVES_FROM, shift, 0)[:, None], 0, POINTS - 1)
    return np.take_along_axis(units, where, axis=1), like, shift


def _mixture(qrs: Floats, usual: Floats, other: Floats) -> tuple[Floats, Floats, Floats]:
    """How much of the usual complex and of the other is in each, and the share of its energy that neither explains."""
    xx, uu, oo = _dot(qrs, qrs) + 1.0, _dot(usual, usual) + 1.0, _dot(other, other) + 1.0
    xu, xo, uo = _dot(qrs, usual), _dot(qrs, other), _dot(usual, other)
    det = np.maximum(uu * oo - uo * uo, 0.02 * uu * oo)
    part, other_part = (xu * oo - xo * uo) / det, (xo * uu - xu * uo) / det
    return part, other_part, 1 - (part * xu + other_part * xo) / xx


def _left(x: Floats, first: Floats, gone: Ints) -> Floats:
    """What remains before the complex once the beat before, were it a usual one, is taken off: (n, len(_AHEAD))."""
    spot = _AHEAD + gone
    end = first[:, -6:].sum(axis=1, keepdims=True) / 6
    tail = np.take_along_axis(first, np.clip(spot, 0, POINTS - 1), axis=1)
    tail = np.where((spot < POINTS) & (spot > BEFORE + _GONE - 2), tail, end)
    seen = spot > BEFORE + _GONE
    return np.where(seen, _level(np.where(seen, np.rint(x[:, _AHEAD] - tail), 0.0)), 0.0)


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.einsum("...k,...k->...", a, b))


def _apart(a: Floats, b: Floats) -> Floats:
    """Root mean square of the difference."""
    return np.asarray(np.sqrt(_dot(a - b, a - b) / a.shape[-1]))


def _cosine(a: Floats, b: Floats) -> Floats:
    """Correlation along the last axis of whole numbers."""
    return _cosine_of(a, _sums(a), b)


def _cosine_of(a: Floats, of_a: tuple[Floats, Floats], b: Floats) -> Floats:
    """The same where `_sums` of `a` are known."""
    (sa, aa), (sb, bb) = of_a, _sums(b)
    ab = a.shape[-1] * _dot(a, b) - sa * sb
    return np.asarray(ab / (np.sqrt(aa) * np.sqrt(bb) + 1e-3))


def _sums(a: Floats) -> tuple[Floats, Floats]:
    """What a correlation needs of one side: its sum along the last axis, and n times its sum of squares about it."""
    total = a.sum(-1)
    return total, a.shape[-1] * _dot(a, a) - total * total


def _level(part: Floats) -> Floats:
    """Without the line from the mean of its first four points to that of its last four; whole numbers."""
    n = part.shape[1]
    left, right = part[:, :4].sum(axis=1, keepdims=True) / 4, part[:, -4:].sum(axis=1, keepdims=True) / 4
    share = (np.arange(n) - 1.5) / (n - 4)
    return np.asarray(np.rint(part - (left + share * (right - left))))


def _steepest(beats: Floats) -> Floats:
    return np.asarray(np.abs(np.diff(beats[:, COMPARED], axis=1)).max(axis=1))


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
    centre = (energy @ t) / total
    square = (energy @ (t * t)) / total
    return np.asarray(centre), np.asarray(np.sqrt(np.maximum(square - centre * centre, 0.0)))
