"""A net in service on trial, and one in shadow beside it: whatever becomes of them, there is an answer.

What fails in service gives way within the same call to what was before; what fails in shadow is never heard of but in
the record. A model cannot tell such a net from another.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.errors import ModelError
from models.interpreter import Net
from models.shadow_score import told
from models.watch import Watch

MOST_WAITING = 10_000
_Call = Callable[[Net], NDArray[np.float64]]
_FAILURES = (ModelError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class Pair:
    """What both said of one and the same inputs: cards, labels and scores."""

    shadow: ModelCard
    said: tuple[str, float]
    active: ModelCard
    active_said: tuple[str, float]


@dataclass(slots=True)
class Trial:
    """Of one model in one process, shared by its nets. `watch`: of what is in service, None where that is what came
    with the program. `before`: makes the net that it gives way to. `reverted` and `shadow_failed` are called once."""

    watch: Watch | None
    before: Callable[[int], Net]
    reverted: Callable[[str], None]
    shadow: Callable[[int], Net] | None
    shadow_failed: Callable[[str], None]
    is_back: bool = False

    def revert(self, reason: str) -> None:
        if not self.is_back:
            self.is_back = True
            self.reverted(reason)

    def drop_shadow(self, reason: str) -> None:
        if self.shadow is not None:
            self.shadow = None
            self.shadow_failed(reason)

    def alerted(self) -> None:
        if self.watch is not None and not self.is_back and (reason := self.watch.alerted()) is not None:
            self.revert(reason)

    def passed(self, hours: float) -> None:
        if self.watch is not None:
            self.watch.passed(hours)


@dataclass(slots=True)
class Waiting:
    """Pairs that nobody has taken yet; the oldest give way. `is_resting`: for now nothing runs in shadow."""

    is_resting: bool = False
    pairs: deque[Pair] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))

    def take(self) -> list[Pair]:
        taken = list(self.pairs)
        self.pairs.clear()
        return taken


class TriedNet(Net):
    """Raises what the net before it raises, and else nothing."""

    def __init__(self, active: Net, trial: Trial, waiting: Waiting | None, threads: int = 1) -> None:
        """`waiting` None: nothing runs in shadow here."""
        self.card = active.card
        self._active = active
        self._trial = trial
        self._waiting = waiting
        self._threads = threads
        self._is_before = trial.watch is None
        self._shadow: Net | None = None

    @property
    def step(self) -> float:
        return self._active.step

    def __call__(self, **inputs: NDArray[Any]) -> NDArray[np.float64]:
        scores = self._served(lambda net: net(**inputs), 1)
        if self._waiting is not None and self._trial.shadow is not None and not self._waiting.is_resting:
            self._beside(self._waiting, lambda net: net(**inputs)[None], scores[None])
        return scores

    def rows(self, **inputs: NDArray[Any]) -> NDArray[np.float64]:
        scores = self._served(lambda net: net.rows(**inputs), max(1, len(next(iter(inputs.values())))))
        if self._waiting is not None and self._trial.shadow is not None and not self._waiting.is_resting:
            self._beside(self._waiting, lambda net: net.rows(**inputs), scores)
        return scores

    def _served(self, call: _Call, n: int) -> NDArray[np.float64]:
        """`n` calls at once."""
        trial = self._trial
        if trial.is_back and not self._is_before:
            self._go_back()
        if self._is_before:
            return call(self._active)
        begin_ns = time.thread_time_ns()
        try:
            scores = _numbers(call(self._active))
        except _FAILURES as problem:
            trial.revert(f"it failed: {type(problem).__name__}")
            self._go_back()
            return call(self._active)
        took_us = (time.thread_time_ns() - begin_ns) / 1e3 / n
        if trial.watch is not None and (reason := trial.watch.called(took_us)) is not None:
            trial.revert(reason)
        return scores

    def _go_back(self) -> None:
        self._active = self._trial.before(self._threads)
        self.card = self._active.card
        self._is_before = True

    def _beside(self, waiting: Waiting, call: _Call, scores: NDArray[np.float64]) -> None:
        trial = self._trial
        try:
            if self._shadow is None and trial.shadow is not None:
                self._shadow = trial.shadow(self._threads)
            assert self._shadow is not None, "asked for only where there is one"
            said = _numbers(call(self._shadow))
        except _FAILURES as problem:
            self._shadow = None
            trial.drop_shadow(f"it failed in shadow: {type(problem).__name__}")
            return
        for theirs, ours in zip(said, scores, strict=True):
            waiting.pairs.append(
                Pair(self._shadow.card, told(self._shadow.card, theirs), self.card, told(self.card, ours))
            )


def _numbers(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(scores).all():
        raise ModelError("scores that are no numbers")
    return scores
