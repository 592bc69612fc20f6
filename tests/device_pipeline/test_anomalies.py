"""A minute is told by the wearer's own beats: after they are known, from trusted beats alone, whatever else fails."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, replace

import numpy as np
import pytest

from device_pipeline.anomaly.anomalies import FIRST_DAY_NS, LEAST_IN_WINDOW, MOST_KEPT, Anomalies, Learning
from device_pipeline.anomaly.anomaly import Anomaly
from device_pipeline.anomaly.shapes import WINDOW_S
from device_pipeline.beat import Beat, BeatSource
from device_pipeline.track import Window
from models.beat_input import POINTS
from models.errors import ModelError
from models.morphology import LEAST_BEATS, Morphology
from models.morphology_calibration import Calibration
from tests.models.test_morphology import beats

_S = 1_000_000_000
_PER_MINUTE = 60


@dataclass
class Minutes:
    """Feeds minute after minute; every `odd_every`th beat of a minute looks ventricular."""

    anomalies: Anomalies
    at: int = 0

    def minute(
        self, odd: int = 0, *, good: float = 1.0, trusted: int = _PER_MINUTE, reason: str | None = None
    ) -> Anomaly:
        start_ns = self.at * WINDOW_S * _S
        self.at += 1
        t_ns = [start_ns + k * _S for k in range(_PER_MINUTE)]
        waves = beats(_PER_MINUTE, self.at)
        waves[:odd] = beats(odd, 1000 + self.at, wide=3.5)
        self.anomalies.add(t_ns, waves)
        seen = tuple(Beat(t, BeatSource.ECG, None) for t in t_ns[:trusted])
        good_ns = round(good * WINDOW_S * _S)
        end_ns = start_ns + WINDOW_S * _S
        poor_ns = end_ns - start_ns - good_ns
        return self.anomalies.tell(Window(BeatSource.ECG, start_ns, end_ns, seen, good_ns, poor_ns, 0.9, reason))


def calibrated() -> Minutes:
    minutes = Minutes(Anomalies(Morphology))
    for _ in range(LEAST_BEATS // _PER_MINUTE):
        minutes.minute()
    return minutes


def test_until_the_wearer_is_known_there_is_a_reason_and_no_number() -> None:
    minutes = Minutes(Anomalies(Morphology))
    told = [minutes.minute() for _ in range(LEAST_BEATS // _PER_MINUTE + 1)]
    assert [one.score for one in told[:-1]] == [None] * (len(told) - 1)
    assert told[1].reason == f"calibrating (60 of {LEAST_BEATS} beats)"
    assert told[1].odd_n is None
    assert told[-1].reason is None
    assert told[-1].score is not None
    assert told[-1].n_beats == _PER_MINUTE


def test_odd_beats_are_counted_and_the_oddest_is_the_score() -> None:
    minutes = calibrated()
    usual, odd = minutes.minute(), minutes.minute(odd=5)
    assert usual.score is not None
    assert odd.score is not None
    assert usual.odd_n is not None
    assert odd.odd_n is not None
    assert usual.odd_n <= 3
    assert 5 <= odd.odd_n <= 8
    assert odd.score > usual.score


def test_poor_signal_gives_no_number() -> None:
    minutes = calibrated()
    poor = minutes.minute(good=0.4, reason="noise")
    assert (poor.score, poor.odd_n, poor.reason) == (None, None, "noise")
    few = minutes.minute(trusted=LEAST_IN_WINDOW - 1)
    assert (few.score, few.reason, few.n_beats) == (None, "too_few_beats", LEAST_IN_WINDOW - 1)


def test_beats_that_are_not_trusted_are_neither_told_nor_learnt_from() -> None:
    minutes = Minutes(Anomalies(Morphology))
    for _ in range(LEAST_BEATS // 20):
        minutes.minute(trusted=20)
    assert minutes.anomalies.calibration is not None
    assert minutes.anomalies.calibration.n < LEAST_BEATS + 20
    told = minutes.minute(trusted=20)
    assert told.n_beats == 20


def test_a_calibration_from_before_is_used_at_once_and_stays() -> None:
    known = calibrated().anomalies.calibration
    assert known is not None
    anomalies = Anomalies(Morphology, known)
    assert not anomalies.is_learning
    assert Minutes(anomalies).minute().score is not None
    assert anomalies.calibration == known


def test_a_calibration_of_another_version_is_made_anew() -> None:
    known = calibrated().anomalies.calibration
    assert known is not None
    anomalies = Anomalies(Morphology, replace(known, version="0.0.1"))
    assert anomalies.is_learning
    assert Minutes(anomalies).minute().reason == f"calibrating (0 of {LEAST_BEATS} beats)"


def test_a_version_that_takes_over_meanwhile_learns_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = calibrated()
    assert minutes.minute().score is not None
    monkeypatch.setattr(Morphology, "version", "9.9.9")
    told = minutes.minute()
    assert (told.score, told.reason) == (None, f"calibrating (0 of {LEAST_BEATS} beats)")


def test_a_model_that_cannot_be_used_is_told_as_a_reason() -> None:
    def broken() -> Morphology:
        raise ModelError("no weights")

    told = Minutes(Anomalies(broken)).minute()
    assert (told.score, told.reason, told.n_beats) == (None, "no_model", 0)


def test_a_model_that_breaks_on_the_way_is_told_as_a_reason() -> None:
    class Breaks(Morphology):
        def calibrate(self, waves: np.ndarray, pace_s: np.ndarray) -> Calibration:
            raise RuntimeError("the runtime failed")

    minutes = Minutes(Anomalies(Breaks))
    told = [minutes.minute() for _ in range(LEAST_BEATS // _PER_MINUTE + 1)]
    assert told[-1].reason == "no_model"


def test_what_is_kept_to_learn_from_is_bounded_and_ends_with_the_first_day() -> None:
    learning = Learning()
    waves = np.zeros((_PER_MINUTE, POINTS))
    times = []
    for minute in range(1500):
        if learning.add(minute * WINDOW_S * _S, waves, np.full(_PER_MINUTE, 0.8)):
            times.append(minute)
        assert len(learning.waves()[0]) <= MOST_KEPT if minute % 100 == 0 else True
        if learning.is_over:
            break
    assert times[:3] == [4, 9, 19]
    assert times[-1] == FIRST_DAY_NS // (WINDOW_S * _S)
    assert learning.is_over


@pytest.mark.parametrize("way", [1, 7, 60])
def test_how_the_waves_came_changes_nothing(way: int) -> None:
    whole, parts = calibrated(), Minutes(Anomalies(Morphology))
    original = parts.anomalies.add

    def in_parts(t_ns: list[int], waves: np.ndarray) -> None:
        for k in range(0, len(t_ns), way):
            original(t_ns[k : k + way], waves[k : k + way])

    parts.anomalies.add = in_parts  # type: ignore[method-assign,assignment]
    for _ in range(LEAST_BEATS // _PER_MINUTE):
        parts.minute()
    assert parts.anomalies.calibration == whole.anomalies.calibration
    assert parts.minute(odd=3) == whole.minute(odd=3)


def test_no_repr_tells_of_the_wearer() -> None:
    assert repr(calibrated().minute(odd=2)) == f"<Anomaly start_ns={300 * _S}>"


def test_what_is_kept_to_learn_from_weighs_no_more_than_its_waves() -> None:
    waves, learning = np.zeros((_PER_MINUTE, POINTS)), Learning()
    tracemalloc.start()
    try:
        for minute in range(400):
            learning.add(minute * WINDOW_S * _S, waves, np.full(_PER_MINUTE, 0.8))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2 * MOST_KEPT * POINTS * 4
