"""The rules of ANSI/AAMI EC57 beat-by-beat comparison, each on a hand-made case."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from device_pipeline.evaluation.ec57 import BeatScore, average, flutter_segments, gross, pair_beats, score_beats

FS_HZ = 1000.0


def at(*samples: int) -> NDArray[np.int64]:
    return np.array(samples, dtype=np.int64)


def score(
    reference: NDArray[np.int64],
    test: NDArray[np.int64],
    *,
    learning_s: float = 0.0,
    end_sample: int | None = None,
    excluded: list[tuple[int, int]] | None = None,
) -> BeatScore:
    return score_beats(reference, test, FS_HZ, learning_s=learning_s, end_sample=end_sample, excluded=excluded or [])


def counts(s: BeatScore) -> tuple[int, int, int]:
    return s.tp, s.fn, s.fp


def test_a_beat_at_150_ms_matches_and_one_at_151_does_not() -> None:
    assert counts(score(at(1000, 2000), at(1150, 2151))) == (1, 1, 1)
    assert counts(score(at(1000, 2000), at(850, 1849))) == (1, 1, 1)


def test_a_window_that_is_no_whole_number_of_samples_is_never_widened() -> None:
    # 150 ms at 250 Hz are 37.5 samples: 37 (148 ms) is inside, 38 (152 ms) is not.
    assert counts(score_beats(at(1000), at(1037), 250.0, learning_s=0)) == (1, 0, 0)
    assert counts(score_beats(at(1000), at(1038), 250.0, learning_s=0)) == (0, 1, 1)


def test_each_beat_is_paired_at_most_once() -> None:
    assert counts(score(at(1000), at(990, 1010))) == (1, 0, 1)
    assert counts(score(at(990, 1010), at(1000))) == (1, 1, 0)


def test_a_beat_takes_the_nearest_partner_not_the_first() -> None:
    s = score(at(1000), at(880, 1010))
    assert counts(s) == (1, 0, 1)
    assert s.mean_error_ms == pytest.approx(10.0)
    s = score(at(880, 1010), at(1000))
    assert counts(s) == (1, 1, 0)
    assert s.mean_error_ms == pytest.approx(-10.0)


def test_missed_and_extra_beats_count_one_each() -> None:
    assert counts(score(at(1000, 2000, 3000), at(1000, 2500, 3000))) == (2, 1, 1)


def test_the_learning_period_is_left_out() -> None:
    reference = at(299_000, 300_500, 301_500)
    test = at(298_000, 300_500, 302_500)
    assert counts(score(reference, test, learning_s=300.0)) == (1, 1, 1)


def test_a_beat_at_the_border_of_the_learning_period_is_judged_with_its_partner() -> None:
    assert counts(score(at(300_010, 301_000), at(299_990, 301_000), learning_s=300.0)) == (2, 0, 0)
    assert counts(score(at(299_990, 301_000), at(300_010, 301_000), learning_s=300.0)) == (1, 0, 0)


def test_the_first_sample_after_the_learning_period_counts() -> None:
    assert counts(score(at(300_000), at(300_000), learning_s=300.0)) == (1, 0, 0)
    assert counts(score(at(299_999, 400_000), at(400_000), learning_s=300.0)) == (1, 0, 0)


def test_a_record_shorter_than_the_learning_period_has_nothing_to_score_and_says_why() -> None:
    s = score(at(1000, 2000), at(1000, 2000), learning_s=300.0, end_sample=60_000)
    assert counts(s) == (0, 0, 0)
    assert s.reason == "the record lasts 60 s, the learning period alone 300 s"
    assert s.sensitivity is None
    assert s.positive_predictivity is None
    assert s.f1 is None
    assert s.mean_error_ms is None


def test_without_any_beat_there_is_a_reason_and_no_figure() -> None:
    s = score(at(), at(), end_sample=100_000)
    assert s.reason is not None
    assert s.f1 is None


def test_beats_of_one_side_alone_have_one_figure_alone() -> None:
    only_reference = score(at(1000), at())
    assert (only_reference.sensitivity, only_reference.positive_predictivity, only_reference.f1) == (0.0, None, 0.0)
    only_test = score(at(), at(1000))
    assert (only_test.sensitivity, only_test.positive_predictivity, only_test.f1) == (None, 0.0, 0.0)


def test_nothing_inside_ventricular_flutter_counts_on_either_side() -> None:
    reference, test = at(1000, 3000, 3500, 6000), at(1000, 3200, 4000, 6000)
    assert counts(score(reference, test, excluded=[(2000, 5000)])) == (2, 0, 0)
    assert counts(score(reference, test)) == (2, 2, 2)


def test_a_detection_inside_flutter_still_answers_the_beat_beside_it() -> None:
    assert counts(score(at(1990), at(2010), excluded=[(2000, 5000)])) == (1, 0, 0)


def test_brackets_bound_a_flutter_segment() -> None:
    segments = flutter_segments(at(10, 100, 150, 200, 260), ["N", "[", "!", "]", "N"], ["", "", "", "", ""])
    assert segments == [(100, 200)]


def test_a_flutter_rhythm_lasts_until_the_bracket_or_the_next_rhythm() -> None:
    both = flutter_segments(at(100, 120, 200, 230, 400), ["[", "+", "]", "+", "N"], ["", "(VFL\0", "", "(N", ""])
    assert both == [(100, 200)]
    rhythm_alone = flutter_segments(at(120, 230, 400), ["+", "+", "N"], ["(VFL", "(N", ""])
    assert rhythm_alone == [(120, 229)]


def test_a_rhythm_change_inside_brackets_does_not_end_the_segment() -> None:
    assert flutter_segments(at(100, 150, 200), ["[", "+", "]"], ["", "(N", ""]) == [(100, 200)]


def test_flutter_that_is_never_closed_lasts_to_the_end() -> None:
    assert flutter_segments(at(100, 500), ["[", "N"], ["", ""], end_sample=900) == [(100, 900)]
    assert flutter_segments(at(100, 500), ["[", "N"], ["", ""]) == [(100, 500)]


def test_atrial_flutter_and_vt_are_scored() -> None:
    assert flutter_segments(at(100, 500), ["+", "+"], ["(AFL", "(VT"]) == []


def test_beats_after_the_end_do_not_count() -> None:
    assert counts(score(at(1000, 9000), at(1000, 8500), end_sample=5000)) == (1, 0, 0)


def test_timing_error_is_test_minus_reference() -> None:
    s = score(at(1000, 2000, 3000), at(1010, 2020, 2970))
    errors = np.array([10.0, 20.0, -30.0])
    assert s.mean_error_ms == pytest.approx(errors.mean())
    assert s.sd_error_ms == pytest.approx(errors.std(ddof=1))
    assert s.rms_error_ms == pytest.approx(np.sqrt((errors**2).mean()))


def test_gross_sums_beats_and_average_takes_the_mean_of_records() -> None:
    good = score(np.arange(1, 91, dtype=np.int64) * 1000, np.arange(1, 91, dtype=np.int64) * 1000)
    bad = score(np.arange(1, 11, dtype=np.int64) * 1000, at())
    silent = score(at(), at(), learning_s=300.0)
    assert gross([good, bad, silent]).sensitivity == pytest.approx(0.9)
    mean = average([good, bad, silent])
    assert mean.records == 2
    assert mean.sensitivity == pytest.approx(0.5)
    assert mean.positive_predictivity == 1.0
    assert gross([silent]).reason == "no record has anything to score"


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        score_beats(at(1), at(1), 0.0)


def test_a_hundred_thousand_beats_are_each_matched_once() -> None:
    rng = np.random.default_rng(1)
    reference = np.cumsum(rng.integers(150, 350, size=100_000))
    test = np.sort(reference + rng.integers(-30, 31, size=100_000))
    score = score_beats(reference, test, 250.0, learning_s=0.0)
    assert (score.tp, score.fn, score.fp) == (100_000, 0, 0)


beats = st.lists(st.integers(0, 3000), max_size=25, unique=True).map(lambda x: np.array(sorted(x), dtype=np.int64))


@given(beats, beats, st.integers(0, 300))
def test_pairs_are_one_to_one_in_order_and_inside_the_window(
    reference: NDArray[np.int64], test: NDArray[np.int64], window: int
) -> None:
    i, j = pair_beats(reference, test, window)
    assert len(i) == len(j)
    assert all(a < b for a, b in itertools.pairwise(i.tolist()))
    assert all(a < b for a, b in itertools.pairwise(j.tolist()))
    assert (np.abs(reference[i] - test[j]) <= window).all()


@given(beats, st.integers(0, 300))
def test_a_detector_that_is_the_reference_is_perfect(reference: NDArray[np.int64], window: int) -> None:
    i, j = pair_beats(reference, reference, window)
    assert i.tolist() == j.tolist() == list(range(len(reference)))


@given(beats, beats)
def test_counts_add_up_to_the_beats_of_each_side(reference: NDArray[np.int64], test: NDArray[np.int64]) -> None:
    s = score(reference, test)
    assert s.tp + s.fn == len(reference)
    assert s.tp + s.fp == len(test)
