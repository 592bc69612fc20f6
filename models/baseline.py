"""Whether a day of the wearer's own is unlike the days before it: learnt on the device, from those days alone.

What ships (`weights/baseline.npz`) is no knowledge of persons but how few days are weighed: how much a number may be
expected to move from day to day before it has been seen to, and how far out one ordinary day in so many lies, by
simulation (`training/baseline.py`). The rest is refitted from the days it is given each time, without chance: the same
days give the same answer.

Each number is measured from the median of its own days in units of their spread; the shrunk covariance of scikit-learn
(OAS; Chen, Wiesel, Eldar & Hero 2010) says which of them go together. An absent number is left out of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.errors import ModelError
from models.held_weights import FLOAT_STEP, arrays_of
from models.score import Score

CARD = Path(__file__).with_name("weights") / "baseline.json"
# In the order of the weights. Ratios rather than differences matter for those in LOGARITHMIC; added first.
NUMBERS = ("resting_hr_bpm", "rmssd_ms", "respiration_bpm", "temperature_c", "spo2_pct", "steps")
LOGARITHMIC = {"rmssd_ms": 1.0, "steps": 1000.0}
LEAST_DAYS = 4
LOOK_BACK = 60  # days; what is usual may change with the seasons, and with age
UNUSUAL_FROM = 29 / 30  # of ordinary days one in thirty is called unusual
USUAL_SHARE = 0.95  # of ordinary days, within the range of one number
PRIOR_DAYS = 6.0  # how many days the expected spread is worth
_CLIPPED_AT = 3.0  # spreads: a day farther out teaches no more than that
_MOST_ALIKE = 0.99  # two numbers are never one and the same
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class Weights:
    """`spread` (NUMBERS,): of a number from day to day, expected. `distance` (days, numbers, levels): how far out
    ordinary days lie, squared; along its axes `days` rising, 1, 2, … numbers, and `levels` rising."""

    name: str
    version: str
    spread: Floats
    days: Floats
    levels: Floats
    distance: Floats

    def quantiles(self, days: int, numbers: int) -> Floats:
        """The squared distance of each level, for so many days and numbers; between those of the table by 1 / days."""
        return np.array(
            [
                np.interp(-1.0 / days, -1.0 / self.days, self.distance[:, numbers - 1, level])
                for level in range(len(self.levels))
            ]
        )


@dataclass(frozen=True, slots=True, repr=False)
class Placed:
    """One number among the wearer's own: `low` to `high` is usual, `side` "above", "below" or "within"; `days` of
    history; `share` of the distance that is this number's doing."""

    name: str
    value: float
    low: float
    high: float
    side: str
    days: int
    share: float

    def __repr__(self) -> str:
        return f"<Placed {self.name} days={self.days}>"


@dataclass(frozen=True, slots=True, repr=False)
class Judged:
    """`score`: "usual" or "unusual", its probability the share of ordinary days that lie less far out. `numbers`: the
    one that does most first. `waiting`: numbers that have fewer than LEAST_DAYS days, and how many."""

    score: Score
    numbers: tuple[Placed, ...]
    waiting: dict[str, int]

    def __repr__(self) -> str:
        return f"<Judged {self.score.model} {self.score.version}>"


@cache
def weights() -> Weights:
    """Read once. Raises ModelError where they are not those of their card."""
    card = ModelCard.read(CARD)
    return _weights(CARD.with_name(card.weights).read_bytes(), card)


def _weights(data: bytes, card: ModelCard) -> Weights:
    arrays = arrays_of(data, card)
    try:
        made = Weights(card.name, card.version, *(arrays[part] for part in ("spread", "days", "levels", "distance")))
    except KeyError as problem:
        raise ModelError(f"{card.weights}: no {problem}, expected spread, days, levels and distance") from None
    if made.spread.shape != (len(NUMBERS),) or made.distance.shape != (len(made.days), len(NUMBERS), len(made.levels)):
        raise ModelError(f"{card.weights}: weights of {made.distance.shape}, expected those of {len(NUMBERS)} numbers")
    return made


class GoldenBaseline:
    """A `day` (NUMBERS,) and the days `before` (LOOK_BACK, NUMBERS), below zero where absent, in; the shares of
    ordinary days that lie farther out and less far out than it, out."""

    step = FLOAT_STEP

    def __init__(self, data: bytes, card: ModelCard) -> None:
        self._weights = _weights(data, card)

    def __call__(self, **inputs: Floats) -> Floats:
        day, *before = (
            {name: float(x) for name, x in zip(NUMBERS, row, strict=True) if x >= 0}
            for row in (inputs["day"], *inputs["before"])
        )
        found = judged(day, before, self._weights)
        if isinstance(found, dict):
            raise ValueError(f"{found} days before, at least {LEAST_DAYS} expected")
        return np.array([1.0 - found.score.probability, found.score.probability])


def judged(
    day: Mapping[str, float], before: Sequence[Mapping[str, float]], table: Weights | None = None
) -> Judged | dict[str, int]:
    """`day`: its numbers by name, those of NUMBERS that are known. `before`: days before it, each with those numbers
    that were made in the same way as this day's. Where no number has LEAST_DAYS days: how many each has.

    Raises ValueError for a number of another name, or one that is not finite.
    """
    table = table or weights()
    for name, value in day.items():
        scaled(name, value)
    have = {name: sum(name in row for row in before) for name in day}
    known = [name for name in NUMBERS if have.get(name, 0) >= LEAST_DAYS]
    if not known:
        return have
    names = [*known, *(name for name in day if name not in known)]
    x = np.array([scaled(name, day[name]) for name in names])[: len(known)]
    rows = np.array([[scaled(name, row[name]) if name in row else np.nan for name in known] for row in before])
    centre, spread = fitted(rows, table.spread[[NUMBERS.index(name) for name in known]])
    z = (x - centre) / spread
    distance, parts = far(z, together((rows - centre) / spread))
    days = [have[name] for name in known]
    probability = level(table, distance, min(days), len(known))
    placed = []
    for k, name in enumerate(known):
        usual = np.interp(USUAL_SHARE, table.levels, table.quantiles(days[k], 1)) ** 0.5
        side = "above" if z[k] > usual else "below" if z[k] < -usual else "within"
        low, high = (unscaled(name, float(centre[k] + sign * usual * spread[k])) for sign in (-1, 1))
        placed.append(Placed(name, day[name], low, high, side, days[k], float(parts[k])))
    placed.sort(key=lambda number: -number.share)
    label = "unusual" if probability >= UNUSUAL_FROM else "usual"
    waiting = {name: n for name, n in have.items() if name not in known}
    return Judged(Score(label, probability, table.name, table.version), tuple(placed), waiting)


def scaled(name: str, value: float) -> float:
    """As it is compared. Raises ValueError."""
    if name not in NUMBERS:
        raise ValueError(f"{name!r}, expected one of {', '.join(NUMBERS)}")
    if not np.isfinite(value):
        raise ValueError(f"{name} is not finite, expected to be left out")
    return float(np.log(value + LOGARITHMIC[name])) if name in LOGARITHMIC else value


def unscaled(name: str, value: float) -> float:
    if name not in LOGARITHMIC:
        return value
    return max(0.0, float(np.exp(value)) - LOGARITHMIC[name])


def fitted(rows: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """Centre and spread of each column of `rows` (days, numbers; NaN where absent): the median, and the root of the
    squared distance from it, weighed with `expected`; what lies far out counts as less far."""
    centre = np.nanmedian(rows, axis=0)
    off = np.abs(rows - centre)
    cut = _CLIPPED_AT * np.maximum(1.4826 * np.nanmedian(off, axis=0), expected)
    days = np.sum(np.isfinite(off), axis=0)
    squares = np.nansum(np.minimum(off, cut) ** 2, axis=0)
    return centre, np.sqrt((PRIOR_DAYS * expected**2 + squares) / (PRIOR_DAYS + days - 1))


def together(z: Floats) -> Floats:
    """How the columns of `z` (days, numbers; NaN where absent) go together: their correlation, shrunk towards none."""
    whole = np.clip(z[np.isfinite(z).all(axis=1)], -_CLIPPED_AT, _CLIPPED_AT)
    if len(whole) < LEAST_DAYS or z.shape[1] == 1:
        return np.eye(z.shape[1])
    from sklearn.covariance import oas

    covariance, _ = oas(whole, assume_centered=True)
    root = np.sqrt(np.maximum(np.diag(covariance), 1e-9))
    correlation = _MOST_ALIKE * covariance / np.outer(root, root)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation, dtype=np.float64)


def far(z: Floats, correlation: Floats) -> tuple[float, Floats]:
    """The squared Mahalanobis distance of `z` (numbers,), and the share of each number in it."""
    parts = z * np.linalg.solve(correlation, z)
    distance = float(parts.sum())
    return distance, parts / max(distance, 1e-12)


def level(table: Weights, distance: float, days: int, numbers: int) -> float:
    """The share of ordinary days that lie less far out, by straight lines between the levels of the table."""
    at = np.concatenate(([0.0], table.quantiles(days, numbers)))
    return float(np.interp(distance, at, np.concatenate(([0.0], table.levels))))
