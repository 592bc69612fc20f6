"""Nobody is kept from reading a page: not by eyes, hands, a small screen, a large text, the dark, or paper."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rigs.accessible import charts, overflow, space_text, violations
from tests.rigs.browser import Browser
from tests.rigs.clinic_server import ClinicServer
from tests.sync.clinic.browser.conftest import Visiting
from tests.sync.clinic.browser.pages import PAGES

LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {},
    "dark": {"dark": True},
    "phone": {"width": 360, "height": 740, "phone": True},
    "at 400 %": {"width": 320, "height": 256},  # of a window of 1280: success criterion 1.4.10
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_in_the_way(visiting: Visiting, name: str, look: str) -> None:
    """No rule of axe's is broken; all is read by scrolling down, also where the text is spaced out (1.4.12)."""
    with visiting(**LOOKS[look]) as visit:
        page = visit.go(PAGES[name])
        assert violations(page) == []
        assert overflow(page) == []
        assert charts(page) == []
        space_text(page)
        assert overflow(page) == []


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(("path", "status"), [("/sign-in", 200), ("/no-such-page", 404)])
def test_nothing_is_in_the_way_before_anybody_is_signed_in(
    browser: Browser, story: ClinicServer, path: str, status: int, look: str
) -> None:
    with browser.visit(story.url, **LOOKS[look]) as visit:
        page = visit.go(path, status)
        assert violations(page) == []
        assert overflow(page) == []


def test_each_page_says_where_one_is(visiting: Visiting) -> None:
    titles: dict[str, str] = {}
    with visiting() as visit:
        for name, path in PAGES.items():
            page = visit.go(path)
            assert page.locator("h1").count() == 1, name
            here = page.locator("nav [aria-current=page]")
            assert here.count() == 1, name
            assert path.startswith(str(here.get_attribute("href"))), name
            titles[page.title()] = name
        assert len(titles) == len(PAGES), titles


def test_the_dark_is_dark(visiting: Visiting) -> None:
    grounds = []
    for dark in (False, True):
        with visiting(dark=dark) as visit:
            page = visit.go("/")
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
            grounds.append(sum(colour[:3]) / 3)
    assert grounds[0] > 220
    assert grounds[1] < 60
