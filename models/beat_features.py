"""The numbers that the beat net sees: how a beat lies in time, its shape beside the usual ones, and who is like it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.beat_shape import SHAPE, shape
from models.beat_times import TIMES, times
from models.kept_shapes import Shapes
from models.usual_beats import ALIKE, EARLY, UNITY, Usual, alike
from models.waveform import Floats

PAST, AHEAD = 120, 10  # beats that are looked at before and after one
MOST = 4.0  # a number beyond is cut
COMPANY = (
    "like_last", "like_next", "like_last2", "like_next2", "last_usual", "next_usual", "calm", "near_share",
    "near_close", "near_turn", "near_turn_next", "near_early", "near_count", "fit", "own_share", "own_turn",
    "own_usual",
)  # fmt: skip
USUAL = ("usual_rr", "usual_spread", "usual_share", "other_share", "usual_turn", "other_turn")
NAMES = TIMES + SHAPE + COMPANY + USUAL


@dataclass(frozen=True, slots=True)
class Held:
    """Beats of one lead in order: `units` (n, POINTS), `moved` (shifts, n, k), `rr_s` and `turn` (n,)."""

    units: Floats
    moved: NDArray[np.float32]
    rr_s: Floats
    turn: Floats


@dataclass(frozen=True, slots=True)
class Setting:
    """What is usual where some beats lie; `origin`: the place among those held of the first that `usual` is from."""

    usual: Usual
    shapes: Shapes
    origin: int


def features(held: Held, rows: range, settings: list[Setting], cell: NDArray[np.int64]) -> Floats:
    """Of the beats `rows`, each in the setting that `cell` (n,) says: (n, len(NAMES)), within MOST."""
    at = np.arange(rows.start, rows.stop)
    where = at[:, None] + np.arange(-PAST, AHEAD + 1)
    there = (where >= 0) & (where < len(held.turn))
    turns = np.where(there, held.turn[np.clip(where, 0, len(held.turn) - 1)], 0.0)
    usual_s = np.array([setting.usual.rr_s for setting in settings])[cell]
    long_s = np.array([setting.shapes.rr_s for setting in settings])[cell]
    usual = np.stack([setting.usual.units for setting in settings])[cell]
    longer = np.stack([setting.shapes.usual for setting in settings])[cell]
    before_s = np.where(np.isnan(held.rr_s[at]), usual_s, held.rr_s[at])
    parts = (
        times(held.rr_s, turns, at, PAST, AHEAD, usual_s, long_s),
        shape(held.units[rows.start : rows.stop], usual[:, 0], usual[:, 1], longer, before_s),
        _company(held, rows, settings, cell, there, turns),
        np.stack([setting.usual.told for setting in settings])[cell],
    )
    return np.asarray(np.clip(np.concatenate(parts, axis=1), -MOST, MOST))


def _company(
    held: Held,
    rows: range,
    settings: list[Setting],
    cell: NDArray[np.int64],
    there: NDArray[np.bool_],
    turns: Floats,
) -> Floats:
    n = len(rows)
    everyone = np.arange(n)
    own = held.moved[:, rows.start : rows.stop]
    base = max(0, rows.start - PAST)
    band = alike(own, held.moved[0, base : rows.stop + AHEAD])
    where = everyone[:, None] + (rows.start - PAST - base) + np.arange(PAST + AHEAD + 1)
    cosines = np.where(there, band[everyone[:, None], np.clip(where, 0, band.shape[1] - 1)], 0.0)
    around = np.clip(np.arange(rows.start, rows.stop)[:, None] + np.arange(-10, AHEAD + 1), 0, len(held.turn) - 1)
    medoids = np.array([setting.usual.medoids[0] + setting.origin for setting in settings])[cell]
    usual_like = np.einsum("snwk,nk->snw", held.moved[:, around], held.moved[0, medoids]).max(axis=0)
    usual_like = np.where(there[:, PAST - 10 :], usual_like, 0.0)
    same = (cosines > ALIKE) & there
    same[:, PAST] = False
    count = same.sum(axis=1)
    total = np.maximum(count, 1)
    turns_next = np.zeros_like(turns)
    turns_next[:, :-1] = turns[:, 1:]
    kept = np.stack([setting.shapes.complexes for setting in settings])[cell]
    fits = np.einsum("snk,njk->snj", own, kept).max(axis=0).astype(np.float64)
    mine = np.argmax(fits, axis=1)
    unit = UNITY**2
    columns = (
        cosines[:, PAST - 1] / unit * 2,
        cosines[:, PAST + 1] / unit * 2,
        cosines[:, PAST - 2] / unit * 2,
        cosines[:, PAST + 2] / unit * 2,
        usual_like[:, 9] / unit * 2,
        usual_like[:, 11] / unit * 2,
        np.sort(usual_like, axis=1)[:, 10] / unit * 2,
        count / np.maximum(there.sum(axis=1), 1) * 3,
        same[:, PAST - 10 :].sum(axis=1) / 7,
        np.einsum("nk,nk->n", same, turns) / total / 150,
        np.einsum("nk,nk->n", same, turns_next) / total / 150,
        (same & (turns < -EARLY)).sum(axis=1) / total * 3,
        np.minimum(count, 12) / 4,
        fits[everyone, mine] / unit * 2,
        np.stack([setting.shapes.share for setting in settings])[cell][everyone, mine] * 3,
        np.stack([setting.shapes.turn for setting in settings])[cell][everyone, mine] / 150,
        (mine == np.array([setting.shapes.place for setting in settings])[cell]) * 1.0,
    )
    return np.stack(columns, axis=1)
