"""What the privacy page says follows from ε, is worded as is bound, and is worked out for the clinic's own share."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from sync.clinic.af_decision import THRESHOLDS, flagged, flagged_once, flagged_twice, percent
from sync.clinic.card import LEAST_WORN, WITHIN_BPM, WITHIN_FACTOR
from sync.clinic.pages.privacy import make_privacy
from sync.clinic.settings import Settings
from sync.count_noise import count_within
from tests.rigs.clinic import ClinicRig
from tests.rigs.html_page import HtmlPage
from tests.rigs.visitor import Visitor

# As "what we print" has it, said of a patient instead of to the wearer.
HIDES_A_DAY = (
    "All cards of a person together hide any single day (ε = 2): someone certain of all other days of that person, and"
    " 50/50 about that one, guesses right at most about 88 % of the time."
)
LASTING = "Long-lasting conditions are visible to the clinic; that is the purpose."


@pytest.mark.parametrize(("share", "threshold"), [(20, 6), (25, 7), (100, 28), (5, 2)])
def test_the_table_is_that_of_the_noise_with_the_clinics_own_threshold(share: int, threshold: int) -> None:
    table = make_privacy(Settings(af_share_percent=share)).table
    thresholds = sorted({*THRESHOLDS, threshold})
    assert table.heads == tuple(f"{each} or more" for each in thresholds)
    assert thresholds[table.own] == threshold
    for row in table.once:
        assert row.cells == tuple(percent(flagged(int(row.head), each)) for each in thresholds)
    for row in table.twice:
        assert row.cells == tuple(percent(flagged_twice((int(row.head),) * 2, each)) for each in thresholds)
    assert table.in_a_year == tuple(percent(flagged_once(0, each, 13)) for each in thresholds)


def test_the_widths_are_those_that_cards_use() -> None:
    view = make_privacy(Settings())
    assert view.count_within == count_within(0.5) == 6
    worn = [[int(number) for number in re.findall(r"\d+", row.worn)] for row in view.widths]
    assert [row[0] for row in worn] == [least for least, _ in WITHIN_BPM] == [least for least, _ in WITHIN_FACTOR]
    assert all(lower[1] == upper[0] - 1 for upper, lower in pairwise(worn))
    assert worn[-1][0] == LEAST_WORN
    assert [row.heart_rate for row in view.widths] == ["± 3 bpm", "± 4 bpm", "± 6 bpm"]
    assert "1.35" in view.widths[-1].variability


def test_what_is_claimed_is_claimed_in_the_bound_words(clinic: ClinicRig, visitor: Visitor) -> None:
    text = HtmlPage(visitor.get("/privacy").text).root.text
    assert HIDES_A_DAY in text
    assert LASTING in text
    # no ε without the day it is of, or what it is summed over
    for at in re.finditer(r"ε", text):
        around = text[max(0, at.start() - 120) : at.end() + 120]
        assert "day" in around or "year" in around, around


def test_examples_say_both_what_noise_does_and_what_it_does_not_mean(clinic: ClinicRig, visitor: Visitor) -> None:
    page = HtmlPage(visitor.get("/privacy").text)
    (section,) = [each for each in page.all("section") if each.attributes.get("aria-labelledby") == "examples"]
    assert len(list(section.all("h3"))) == 4
    assert section.text.count("is another question") == 2
    assert section.text.count("as likely as any other beforehand") == 2
    assert "In two periods in a row" in section.text


def test_it_says_what_a_withdrawal_leaves(clinic: ClinicRig, visitor: Visitor) -> None:
    text = HtmlPage(visitor.get("/privacy").text).root.text
    assert "which periods had been answered" in text
    assert "The pseudonym stays in the audit log alone" in text
    assert "cannot be unread" in text
