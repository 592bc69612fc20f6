"""Fibrillation told against annotated: every count is one that can be made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.evaluation.af import AfScore, AfTruth, Span, average, gross, interval, score_af, truth_of

S = 10**9
BEATS_NS = np.arange(0, 1000) * S  # one a second


def spans(*seconds: tuple[int, int]) -> tuple[Span, ...]:
    return tuple((start * S, end * S) for start, end in seconds)


def truth(*af: tuple[int, int], flutter: tuple[tuple[int, int], ...] = ()) -> AfTruth:
    return AfTruth(spans(*af), spans(*flutter), spans(*flutter), annotated=True)


def scored(
    af: AfTruth, *told: tuple[int, int], known: tuple[tuple[int, int], ...] = ((0, 1000),), learning_s: int = 0
) -> AfScore:
    return score_af(BEATS_NS, af, spans(*told), spans(*known), 1000 * S, learning_ns=learning_s * S)


def test_beats_durations_and_episodes_are_counted_apart() -> None:
    found = scored(truth((100, 200), (400, 420)), (150, 230), (600, 610))
    assert (found.tp, found.fn, found.fp, found.tn) == (50, 70, 40, 840)
    assert (found.af_ns, found.told_ns, found.both_ns, found.scored_ns) == (120 * S, 90 * S, 50 * S, 1000 * S)
    assert (found.episodes, found.episodes_found, found.told, found.told_true) == (2, 1, 2, 1)
    assert found.sensitivity == 50 / 120
    assert found.specificity == 840 / 880
    assert found.positive_predictivity == 50 / 90
    assert found.duration_sensitivity == 50 / 120
    assert found.duration_positive_predictivity == 50 / 90
    assert found.duration_specificity == 840 / 880
    assert found.episode_sensitivity == found.episode_positive_predictivity == 0.5
    assert found.false_episodes_per_day == pytest.approx(86.4)
    assert found.unknown == 0
    assert found.reason is None


def test_flutter_is_masked_and_told_apart() -> None:
    found = scored(truth((100, 200), flutter=((200, 300),)), (250, 320), (150, 180))
    assert (found.tp, found.fn, found.fp, found.tn) == (30, 70, 20, 780)
    assert (found.flutter_beats, found.flutter_told) == (100, 50)
    assert found.scored_ns == 900 * S
    assert (found.told, found.told_true) == (1, 1)  # one in flutter is neither right nor wrong
    assert found.told_ns == 50 * S


def test_one_episode_over_flutter_is_one() -> None:
    found = scored(truth((100, 200), flutter=((200, 300),)), (110, 400))
    assert (found.told, found.told_true, found.episodes, found.episodes_found) == (1, 1, 1, 1)


def test_nothing_in_the_learning_period_counts() -> None:
    found = scored(truth((100, 500)), (0, 350), (900, 910), learning_s=300)
    assert (found.tp, found.fn, found.fp, found.tn) == (50, 150, 10, 490)
    assert (found.af_ns, found.scored_ns) == (200 * S, 700 * S)
    assert (found.episodes, found.told, found.told_true) == (1, 2, 1)
    within = scored(truth((100, 200)), (120, 180), learning_s=300)
    assert (within.episodes, within.told) == (0, 0)


def test_an_unknown_rhythm_is_not_told_and_counted() -> None:
    found = scored(truth((100, 200)), known=((0, 150), (300, 1000)))
    assert found.unknown == 150
    assert (found.tp, found.fn, found.fp) == (0, 100, 0)


def test_a_figure_that_rests_on_nothing_is_absent() -> None:
    none = scored(truth())
    assert none.sensitivity is None
    assert none.positive_predictivity is None
    assert none.episode_sensitivity is None
    assert none.duration_sensitivity is None
    assert none.specificity == 1.0
    assert scored(truth((0, 1000))).specificity is None
    nothing = score_af(BEATS_NS[:100], truth((0, 50)), (), (), 100 * S, learning_ns=300 * S)
    assert nothing.reason == "no beat counts after the learning period"
    assert nothing.false_episodes_per_day is None


def test_a_rhythm_lasts_until_the_next_and_the_last_until_the_end() -> None:
    known = truth_of([10, 20, 30, 40, 50], ["(N", "", "(AFIB", "(AFL", "(AFIB"], 100)
    assert known == AfTruth(((30, 40), (50, 100)), ((0, 10), (40, 50)), ((40, 50),), annotated=True)


@pytest.mark.parametrize("text", ["(N", "(AT", "(J", "(SVTA", "(B", "(P", "(PAT", "(NOD"])
def test_another_rhythm_is_no_fibrillation(text: str) -> None:
    assert truth_of([0], [text], 100) == AfTruth((), (), (), annotated=True)


@pytest.mark.parametrize("text", ["(VFL", "(VF", "(VFIB"])
def test_ventricular_flutter_is_masked(text: str) -> None:
    assert truth_of([0], [text], 100) == AfTruth((), ((0, 100),), (), annotated=True)


def test_where_no_rhythm_is_annotated_there_is_no_fibrillation() -> None:
    assert truth_of([5, 10], ["", "note"], 100) == AfTruth((), (), (), annotated=False)


def test_spans_that_touch_are_one_and_may_come_in_any_order() -> None:
    found = scored(truth((100, 200), (200, 300)), (250, 300), (100, 250))
    assert (found.told, found.tp, found.fp) == (1, 200, 0)


def test_gross_sums_and_average_takes_each_record_alike() -> None:
    one, other = scored(truth((0, 100)), (0, 50)), scored(truth((0, 300)), (0, 300))
    none = scored(truth())
    assert gross([one, other, none]).sensitivity == 350 / 400
    assert average([one, other, none], "sensitivity") == (0.75, 2)
    assert average([none], "sensitivity") == (None, 0)


def test_an_interval_holds_its_figure_and_needs_three_records() -> None:
    held = [scored(truth((0, 100)), (0, told)) for told in (50, 60, 90, 95)]
    spread = interval(held, "sensitivity")
    assert spread is not None
    assert 0.5 <= spread[0] < gross(held).sensitivity < spread[1] <= 0.95  # type: ignore[operator]
    assert interval(held, "sensitivity") == spread
    assert interval(held[:2], "sensitivity") is None
