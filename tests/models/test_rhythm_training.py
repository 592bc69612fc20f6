"""The rhythm net learns from people of whom none lies on both sides of a split, and from flutter nothing."""

from __future__ import annotations

import numpy as np
import pytest

from models.rhythm_input import LEAST, WINDOW
from models.training.rhythm import FOLDS, calibration, folds, weights
from models.training.rhythm_records import PUT_IN, SETS, Heard, stretches, windows, with_early_beats


def heard(person: str, n: int = 400, of: str = "mitdb", af: int = 0, seed: int = 0) -> Heard:
    rr_s = np.random.default_rng(seed).normal(0.8, 0.05, n)
    return Heard(of, person, "", np.concatenate([[0.0], np.cumsum(rr_s)]), np.full(n + 1, af))


def test_all_records_of_one_person_lie_in_one_fold_and_folds_are_alike_in_size() -> None:
    records = [heard(str(k // 2)) for k in range(40)]
    fold = folds(records)
    assert (fold[::2] == fold[1::2]).all()
    assert np.bincount(fold[::2]).tolist() == [20 // FOLDS] * FOLDS
    assert (folds(records) == fold).all()


def test_windows_say_how_much_of_them_is_fibrillation_and_what_is_unknown() -> None:
    record = heard("1")
    record.af[201:] = 1
    held = windows([record])
    assert set(held.n.tolist()) == {WINDOW, 32}
    assert held.af.min() == 0
    assert held.af.max() == 1
    assert ((held.af > 0) & (held.af < 1)).any()
    record.af[:50] = -1
    assert (windows([record]).af[:1] == -1).all()


def test_no_window_reaches_over_a_hole() -> None:
    record = heard("1")
    record.times_s[200:] += 60.0
    parts = [rr_s for rr_s, _, _ in stretches(record)]
    assert [len(part) for part in parts] == [199, 200]
    record.times_s[100:] += 5.0  # an interval that is a gap ends no stretch, and is in none
    assert [len(rr_s) for rr_s, _, _ in stretches(record)] == [198, 200]


def test_early_beats_are_put_in_and_time_goes_on() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        rr_s = rng.normal(0.9, 0.03, 2 * WINDOW)
        odd_s = with_early_beats(rr_s, rng)
        assert (odd_s > 0.2).all()
        assert (odd_s < 3.0).all()


def test_sinus_rhythm_recorded_for_long_gives_windows_with_early_beats() -> None:
    held = windows([heard("1", 4000, "nsrdb")])
    odd = held.set == PUT_IN
    assert odd.sum() > 20
    assert (held.af[odd] == 0).all()
    assert held.n[odd].min() >= LEAST


def test_people_of_one_set_count_alike_but_for_how_long_they_were_heard() -> None:
    records = [heard("1", 400), heard("2", 400), heard("3", 1600)]
    held = windows(records)
    of_person = np.bincount(held.person, weights(held, records, np.ones(len(held.af), bool)))
    assert of_person[0] == pytest.approx(of_person[1])
    assert 1 < of_person[2] / of_person[0] < 2
    assert SETS[held.set[0]] == "mitdb"


def test_a_calibrated_logit_is_the_log_odds_of_being_right() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, 20_000)
    is_af = rng.random(len(true)) < 1 / (1 + np.exp(-true))
    slope, offset = calibration((true * 2 + 1).astype(np.float32), is_af, np.full(len(true), 1 / len(true)))
    assert slope == pytest.approx(0.5, abs=0.03)
    assert offset == pytest.approx(-0.5, abs=0.06)
