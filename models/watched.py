"""Counts what models see and say, in the bins on their cards: bounded, and cheap enough for every beat of a day.

The names of a card's `reference` say what is counted:

    N           the score of the label N
    context[3]  the number at place 3 of the input `context` (from 0, flattened)
    wave        the standard deviation of the input `wave`, or its one number where it has one only
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard, Reference
from models.drift import counts
from models.errors import CardError

AT_ONCE = 256  # calls that wait to be counted
_MOST_NUMBERS = 1 << 17  # that wait
_PLACE = re.compile(r"^(?P<input>\w+)\[(?P<place>\d+)\]$")
Floats = NDArray[np.float64]


class Watched:
    """One model. `seen`: the counts of each quantity so far."""

    def __init__(self, card: ModelCard) -> None:
        """Raises CardError for a name of the reference that is neither a label nor an input."""
        self.card = card
        self._labels: list[tuple[str, int]] = []
        self._inputs: dict[str, list[tuple[str, int | None]]] = {}
        known = {spec.name: int(np.prod(spec.shape)) for spec in card.inputs}
        for name in card.reference:
            place = _PLACE.match(name)
            if name in card.labels:
                self._labels.append((name, card.labels.index(name)))
            elif place and int(place["place"]) < known.get(place["input"], 0):
                self._inputs.setdefault(place["input"], []).append((name, int(place["place"])))
            elif name in known:
                self._inputs.setdefault(name, []).append((name, 0 if known[name] == 1 else None))
            else:
                raise CardError(f"{card.name} {card.version}: reference {name!r}, a label or an input expected")
        numbers = len(card.labels) + sum(known[name] for name in self._inputs)
        self._at_once = max(1, min(AT_ONCE, _MOST_NUMBERS // numbers))
        self._waiting: list[tuple[Floats, ...]] = []
        self.seen: dict[str, NDArray[np.int64]] = {}
        self._empty()

    def push(self, inputs: Mapping[str, NDArray[Any]], scores: Floats) -> None:
        self._waiting.append((scores.copy(), *[inputs[name].copy() for name in self._inputs]))
        if len(self._waiting) >= self._at_once:
            self._count()

    def take(self) -> dict[str, NDArray[np.int64]]:
        """The counts since it was last asked."""
        self._count()
        taken = self.seen
        self._empty()
        return taken

    def _empty(self) -> None:
        self.seen = {name: np.zeros(len(r.shares), np.int64) for name, r in self.card.reference.items()}

    def _count(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        reference = self.card.reference
        scores, *inputs = (np.array(rows).reshape(len(waiting), -1) for rows in zip(*waiting, strict=True))
        for name, place in self._labels:
            self._add(name, scores[:, place], reference[name])
        for rows, wanted in zip(inputs, self._inputs.values(), strict=True):
            for name, at in wanted:
                self._add(name, rows.std(axis=1) if at is None else rows[:, at], reference[name])

    def _add(self, name: str, values: Floats, reference: Reference) -> None:
        self.seen[name] += counts(values[np.isfinite(values)], reference.edges)


class WatchedModels:
    """An Observer of every model whose card has a reference."""

    def __init__(self) -> None:
        self._watched: dict[int, Watched | None] = {}
        self._cards: list[ModelCard] = []  # held, so that an id stays theirs

    def __call__(self, card: ModelCard, inputs: Mapping[str, NDArray[Any]], scores: Floats) -> None:
        try:
            watched = self._watched[id(card)]
        except KeyError:
            watched = self._watched[id(card)] = _watched(card)
            self._cards.append(card)
        if watched is not None:
            watched.push(inputs, scores)

    def take(self) -> list[tuple[ModelCard, dict[str, NDArray[np.int64]]]]:
        """Of each model that was called since it was last asked: its card, and the counts of each quantity."""
        taken = [(watched.card, watched.take()) for watched in self._watched.values() if watched is not None]
        return [(card, seen) for card, seen in taken if any(count.any() for count in seen.values())]


def _watched(card: ModelCard) -> Watched | None:
    """A card whose reference names nothing of its model is not watched: whoever runs must not fail for it."""
    try:
        return Watched(card) if card.reference else None
    except CardError:
        return None
