"""Whatever a net on trial or in shadow does, the model gets an answer, and what failed is told once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.in_service import supplying
from models.interpreter import Net, beside, load
from models.screen import CARD, Screen
from models.training.golden import made
from models.tried_net import Trial, TriedNet, Waiting
from models.watch import CALLS, SLOW_IN_A_ROW, Before, Watch

with np.load(CARD.with_name("screen.golden.npz")) as _golden:
    INPUTS = {"wave": _golden["wave"][0], "features": _golden["features"][0]}


class Odd(Net):
    """Says what it is told to, or raises it."""

    def __init__(self, said: NDArray[Any] | Exception) -> None:
        self.card = beside(CARD).card
        self._said = said
        self.calls = 0

    def __call__(self, **inputs: NDArray[Any]) -> NDArray[np.float64]:
        self.calls += 1
        if isinstance(self._said, Exception):
            raise self._said
        return self._said

    def rows(self, **inputs: NDArray[Any]) -> NDArray[np.float64]:
        return np.stack([self(**inputs)] * len(inputs["wave"]))


class Told:
    def __init__(self) -> None:
        self.reverted: list[str] = []
        self.dropped: list[str] = []

    def trial(self, watch: Watch | None = None, shadow: Net | None = None, before: Net | None = None) -> Trial:
        back = beside(CARD) if before is None else before
        return Trial(
            watch,
            lambda _: back,
            self.reverted.append,
            None if shadow is None else lambda _: shadow,
            self.dropped.append,
        )


FAILURES: list[NDArray[Any] | Exception] = [RuntimeError("x"), ValueError("x"), np.array([np.nan, 0, 0, 0])]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_what_fails_in_service_gives_way_within_the_same_call(failure: NDArray[Any] | Exception) -> None:
    told = Told()
    bad = Odd(failure)
    trial = told.trial(Watch(Before(100.0)))
    net, other = TriedNet(bad, trial, None), TriedNet(bad, trial, None)
    for one in (net, net, other):
        assert np.array_equal(one(**INPUTS), beside(CARD)(**INPUTS))
    assert len(told.reverted) == 1
    assert "it failed" in told.reverted[0]
    assert bad.calls == 1


def test_what_came_before_may_fail_and_is_heard() -> None:
    net = TriedNet(Odd(RuntimeError("x")), Told().trial(), None)
    with pytest.raises(RuntimeError):
        net(**INPUTS)


def test_what_is_slow_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    told, clock = Told(), iter(range(0, 10**12, 900_000))
    monkeypatch.setattr("models.tried_net.time.thread_time_ns", lambda: next(clock))
    slow = Odd(np.array([1.0, 0, 0, 0]))
    net = TriedNet(slow, told.trial(Watch(Before(100.0)), before=Odd(np.array([0, 1.0, 0, 0]))), None)
    for _ in range(CALLS * SLOW_IN_A_ROW + 2):
        last = net(**INPUTS)
    assert len(told.reverted) == 1
    assert slow.calls == CALLS * SLOW_IN_A_ROW
    assert last[1] == 1.0


def test_what_warns_too_often_gives_way() -> None:
    told = Told()
    trial = told.trial(Watch(Before(100.0, 0, 1000.0)))
    trial.passed(1.0)
    for _ in range(10):
        trial.alerted()
    assert len(told.reverted) == 1
    net = TriedNet(Odd(np.array([1.0, 0, 0, 0])), trial, None)
    assert np.array_equal(net(**INPUTS), beside(CARD)(**INPUTS))


def test_the_shadow_is_written_down_and_changes_no_answer() -> None:
    told, waiting = Told(), Waiting()
    net = TriedNet(beside(CARD), told.trial(shadow=Odd(np.array([0, 0.9, 0.1, 0]))), waiting)
    for _ in range(3):
        assert np.array_equal(net(**INPUTS), beside(CARD)(**INPUTS))
    pairs = waiting.take()
    assert [pair.said for pair in pairs] == [("A", 0.9)] * 3
    assert pairs[0].active_said[0] == "N"
    assert waiting.take() == []


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_what_fails_in_shadow_is_dropped_and_changes_no_answer(failure: NDArray[Any] | Exception) -> None:
    told, waiting = Told(), Waiting()
    shadow = Odd(failure)
    net = TriedNet(beside(CARD), told.trial(shadow=shadow), waiting)
    for _ in range(3):
        assert np.array_equal(net(**INPUTS), beside(CARD)(**INPUTS))
    assert (shadow.calls, len(told.dropped), waiting.take()) == (1, 1, [])


def test_where_nobody_takes_scores_nothing_runs_in_shadow() -> None:
    shadow = Odd(np.zeros(4))
    TriedNet(beside(CARD), Told().trial(shadow=shadow), None)(**INPUTS)
    assert shadow.calls == 0


def test_any_model_that_is_given_no_net_gets_the_one_in_service() -> None:
    asked: list[Path] = []

    def supply(card: Path, threads: int) -> Net | None:
        asked.append(card)
        return Odd(np.array([0, 0, 1.0, 0])) if card == CARD else None

    ecg, beats = made("regular", 5)
    with supplying(supply):
        assert Screen().score(ecg, 200.0, beats).label == "O"
        assert asked == [CARD]
    assert Screen().score(ecg, 200.0, beats).label == "N"
    assert type(load(CARD)) is Net


def test_where_the_device_must_rest_nothing_runs_in_shadow() -> None:
    shadow, waiting = Odd(np.zeros(4)), Waiting(is_resting=True)
    net = TriedNet(beside(CARD), Told().trial(shadow=shadow), waiting)
    net(**INPUTS)
    waiting.is_resting = False
    net(**INPUTS)
    assert shadow.calls == 1


def test_many_rows_at_once_are_told_and_give_way_as_single_calls_do() -> None:
    told, waiting = Told(), Waiting()
    rows = {name: np.stack([value] * 3) for name, value in INPUTS.items()}
    net = TriedNet(beside(CARD), told.trial(shadow=beside(CARD)), waiting)
    assert np.array_equal(net.rows(**rows), beside(CARD).rows(**rows))
    assert len(waiting.take()) == 3
    failing = TriedNet(Odd(RuntimeError("x")), told.trial(Watch(Before(100.0))), None)
    assert np.array_equal(failing.rows(**rows), beside(CARD).rows(**rows))
    assert len(told.reverted) == 1


def test_nothing_that_a_net_can_do_is_left_to_a_net_without_weights() -> None:
    public = {name for name in vars(Net) if not name.startswith("_") or name == "__call__"}
    assert public <= set(vars(TriedNet))
