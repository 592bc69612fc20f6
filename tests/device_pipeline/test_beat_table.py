"""EC57's table of beats and its rules for V and S, each on a hand-made case."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.beat import BeatLabel
from device_pipeline.evaluation.beat_table import (
    LEAST_RECORDS,
    BeatTable,
    ClassScore,
    average_score,
    beat_table,
    gross_score,
    gross_spread,
    gross_table,
)
from device_pipeline.evaluation.ec57 import compare_beats

FS_HZ = 1000.0
V, S = BeatLabel.V, BeatLabel.S


def table(reference: str, test: str, **segments: list[tuple[int, int]]) -> BeatTable:
    """A beat a second; what stands at the same place in both is a pair, `.` is no beat and `-` one without a label."""
    ours = [(k, label) for k, label in enumerate(reference) if label != "."]
    theirs = [(k, None if label == "-" else BeatLabel(label)) for k, label in enumerate(test) if label != "."]
    at = np.array([1000 * (k + 1) for k, _ in ours], dtype=np.int64)
    found = np.array([1000 * (k + 1) for k, _ in theirs], dtype=np.int64)
    compared = compare_beats(at, found, FS_HZ, learning_s=0.0)
    labels = [BeatLabel(label) for _, label in ours]
    return beat_table(at, labels, found, [label for _, label in theirs], compared, **segments)


def test_every_pair_stands_in_the_row_of_the_reference_and_the_column_of_the_test() -> None:
    rows = table("NSVFQ", "VQNSF").rows()
    told = {(row, column) for row, counts in rows.items() for column, n in counts.items() if n}
    assert told == {("N", "v"), ("S", "q"), ("V", "n"), ("F", "s"), ("Q", "f")}


def test_beats_without_a_partner_stand_under_o() -> None:
    rows = table("NV.N", "N.VN").rows()
    assert rows["V"]["o"] == 1
    assert rows["O"]["v"] == 1
    assert rows["N"]["n"] == 2


def test_beats_without_a_partner_in_a_time_that_cannot_be_read_stand_under_x() -> None:
    rows = table("NV.N", "N.VN", unread=[(1500, 2500)], unreadable=[(3000, 3000)]).rows()
    assert (rows["V"]["x"], rows["V"]["o"]) == (1, 0)
    assert (rows["X"]["v"], rows["O"]["v"]) == (1, 0)


def test_a_v_that_the_reference_calls_fusion_or_unclassifiable_is_no_false_v() -> None:
    assert table("NSFQ.", "VVVVV").of(V) == ClassScore(tp=0, fn=0, fp=3, tn=0)


def test_an_s_that_the_reference_calls_unclassifiable_is_no_false_s_and_a_fusion_is_one() -> None:
    assert table("NVFQ.", "SSSSS").of(S) == ClassScore(tp=0, fn=0, fp=4, tn=0)


def test_a_v_called_anything_else_or_missed_is_a_missed_v() -> None:
    score = table("VVVVVV", "NSFQV.").of(V)
    assert (score.tp, score.fn) == (1, 5)
    assert score.sensitivity == pytest.approx(1 / 6)


def test_the_false_positive_rate_is_of_the_beats_found_that_are_no_v() -> None:
    # a beat that was missed is not among them, an extra one is
    score = table("NNNN.N", "NVN.NS").of(V)
    assert (score.fp, score.tn) == (1, 4)
    assert score.false_positive_rate == pytest.approx(0.2)


def test_a_beat_without_a_label_counts_as_unclassifiable() -> None:
    counted = table("VN", "-N")
    assert counted.rows()["V"]["q"] == 1
    assert counted.labelled


def test_a_figure_without_beats_is_none_with_a_reason() -> None:
    counted = table("NN", "NN")
    assert counted.of(V).sensitivity is None
    assert counted.of(V).positive_predictivity is None
    assert counted.reason(V) == "the reference has no V beat that counts"
    assert table("NV", "NN").reason(V) == "no beat is called V"
    assert table("NV", "--").reason(V) == "the beats found have no labels"
    assert table("NV", "NV").reason(V) is None


def test_gross_sums_beats_and_average_takes_the_mean_of_those_that_have_the_figure() -> None:
    tables = [table("VVV", "VVV"), table("VN", "NN"), table("NN", "NN")]
    scores = [one.of(V) for one in tables]
    assert gross_table(tables).of(V) == gross_score(scores)
    assert gross_score(scores).sensitivity == pytest.approx(3 / 4)
    assert average_score(scores)["sensitivity"] == pytest.approx(1 / 2)


def test_the_spread_is_over_records_and_says_nothing_of_few() -> None:
    alike = [ClassScore(9, 1, 1, 89)] * LEAST_RECORDS
    assert gross_spread(alike)["sensitivity"] == pytest.approx((0.9, 0.9))
    one_bad = [*alike[1:], ClassScore(0, 10, 0, 90)]
    ends = gross_spread(one_bad)["sensitivity"]
    assert ends is not None
    assert ends[0] < 0.72 < ends[1]
    assert gross_spread(alike[1:])["sensitivity"] is None
    assert gross_spread([ClassScore(0, 0, 0, 100)] * LEAST_RECORDS)["sensitivity"] is None
