"""On paper a page is what was asked about: no navigation, nothing to press, black on white, on few sheets."""

from __future__ import annotations

import re

import pytest

from tests.rigs.accessible import charts, overflow
from tests.sync.clinic.browser.conftest import Visiting
from tests.sync.clinic.browser.pages import PAGES

A4_WIDTH = 680  # 210 mm less the margins, in CSS pixels
# Sheets of A4 that each page may take.
MOST = {"today": 2, "patient": 5, "cohort": 4, "privacy": 4, "patients": 8, "settings": 1}


def sheets(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@pytest.mark.parametrize("name", MOST)
def test_a_page_is_printed_on_few_sheets(visiting: Visiting, name: str) -> None:
    with visiting() as visit:
        page = visit.go(PAGES[name])
        pdf = page.pdf(prefer_css_page_size=True)
        assert pdf.startswith(b"%PDF-")
        assert 1 <= sheets(pdf) <= MOST[name]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_on_paper(visiting: Visiting, name: str) -> None:
    with visiting(width=A4_WIDTH) as visit:
        page = visit.go(PAGES[name])
        page.emulate_media(media="print")
        assert overflow(page, paper=True) == []
        assert charts(page) == []


@pytest.mark.parametrize("dark", [False, True])
def test_what_cannot_be_pressed_on_paper_is_not_there(visiting: Visiting, dark: bool) -> None:
    with visiting(dark=dark, width=A4_WIDTH) as visit:
        for path in PAGES.values():
            page = visit.go(path)
            page.emulate_media(media="print")
            for gone in page.locator("nav, button, input, .skip").all():
                assert not gone.is_visible(), f"{path}: {gone.evaluate('e => e.outerHTML')[:100]}"
            assert page.locator("h1").is_visible()
            assert page.get_by_text("Not a medical device").last.is_visible()
            ink, ground = (
                page.evaluate(f"getComputedStyle(document.body).{which}") for which in ("color", "backgroundColor")
            )
            assert (ink, ground) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
