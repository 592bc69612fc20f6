"""A drawing has a name, says what is in it, and its numbers stand in a table beside it."""

from __future__ import annotations

import re

import pytest

from tests.sync.clinic.browser.conftest import Visiting
from tests.sync.clinic.browser.pages import CHARTS, PAGES


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_a_picture_with_a_name_and_a_description(visiting: Visiting, name: str) -> None:
    with visiting() as visit:
        page = visit.go(PAGES[name])
        drawings = page.locator("main svg[role=img]").all()
        assert drawings, "no chart"
        names = []
        for drawing in drawings:
            title = drawing.locator("title").first.text_content() or ""
            description = drawing.locator("desc").first.text_content() or ""
            assert len(title) > 5
            assert len(description) > 20
            names.append(title)
        assert len(set(names)) == len(names), names
        for title in set(names):
            assert page.get_by_role("img", name=re.compile(re.escape(title))).count() >= 1


@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("name", CHARTS)
def test_the_numbers_of_a_chart_stand_in_a_table(visiting: Visiting, name: str, phone: bool) -> None:
    """Also on a phone, where its rows stand one below the other: it is still read out as a table."""
    with visiting(width=360 if phone else 1280, phone=phone) as visit:
        page = visit.go(PAGES[name])
        tables = page.get_by_role("table")
        assert tables.count() == page.locator("main table").count() >= 1
        assert page.get_by_role("rowheader").count() >= 1
        assert page.get_by_role("cell").count() >= 2
        for table in tables.all():
            assert table.locator("caption").count() == 1
            assert table.locator("thead th[scope=col]").count() >= 2
