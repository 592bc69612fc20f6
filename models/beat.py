"""What kind each beat is, by its shape beside the wearer's usual beats and its place in time: N, S, V, F or Q of AAMI.

Exactly one answer for each beat, in order, LOOK_AHEAD beats later: what follows a beat tells more of it than it does
itself. The answers do not depend on how the beats were grouped. No diagnosis.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.beat_context import BeatContext
from models.beat_features import AHEAD
from models.gradual import Gradual
from models.interpreter import Net, load
from models.waveform import Floats

CARD = Path(__file__).with_name("weights") / "beat.json"
LOOK_AHEAD = AHEAD


@dataclass(frozen=True, slots=True, repr=False)
class Typed:
    """`label`: N, S, V, F or Q; `probabilities` in the order of the card's labels, summing to 1."""

    label: str
    probabilities: tuple[float, ...]
    score: float

    def __repr__(self) -> str:
        return "<Typed>"


class BeatTyper:
    """Of the beats of one lead, in order."""

    def __init__(self, net: Net | None = None, threads: int = 1) -> None:
        """Raises ModelError where the weights beside the card cannot be used."""
        self._net = net if net is not None else load(CARD, threads)
        self._begin()
        self._weigh()

    @property
    def name(self) -> str:
        return self._net.card.name

    @property
    def version(self) -> str:
        return self._net.card.version

    @property
    def look_ahead(self) -> int:
        return LOOK_AHEAD

    def push(self, waves: Floats, before_s: Sequence[float | None] | Floats) -> list[Typed]:
        """`waves` (n, POINTS) of models/beat_input.py; `before_s` (n,) the interval before each, None or NaN where it
        is not known. Returns what is known by now, oldest first."""
        intervals_s = np.array([np.nan if value is None else value for value in before_s], dtype=np.float64)
        self._intervals_s += intervals_s.tolist()
        return self._typed(self._context.push(np.asarray(waves, dtype=np.float64), intervals_s))

    def flush(self) -> list[Typed]:
        """The beats end here: the answers that were still open. What comes then is another stretch of beats."""
        answers = self._typed(self._context.flush())
        self._begin()
        return answers

    def reset(self) -> None:
        """Forgets every beat, and what was not answered yet."""
        self._begin()

    def _begin(self) -> None:
        self._context = BeatContext()
        self._gradual = Gradual()
        self._intervals_s: deque[float] = deque()  # before each beat that was not answered yet

    def _weigh(self) -> None:
        """As the card of the net in service says, which may be another one from a call on (models/tried_net.py)."""
        self._card = self._net.card
        thresholds = self._card.thresholds
        self._s = self._card.labels.index("S")
        self._lean = np.array([thresholds.get(f"weight of {label}", 1.0) for label in self._card.labels])

    def _typed(self, rows: Floats) -> list[Typed]:
        if not len(rows):
            return []
        labels = self._net.card.labels
        said = self._net.rows(features=rows.astype(np.float32))
        if self._net.card is not self._card:
            self._weigh()
        said = said * self._lean
        early = np.argmax(said, axis=1) == self._s
        for k, is_s in enumerate(early.tolist()):
            if self._gradual.denies(is_s, self._intervals_s.popleft()):
                said[k, self._s] = 0.0
        said /= said.sum(axis=1, keepdims=True)
        best = np.argmax(said, axis=1).tolist()
        return [Typed(labels[k], tuple(row), row[k]) for k, row in zip(best, said.tolist(), strict=True)]
