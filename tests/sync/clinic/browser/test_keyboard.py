"""All that a mouse can do at the desk, a keyboard can do; and where it is can be seen."""

from __future__ import annotations

from itertools import pairwise

from playwright.sync_api import Page

from tests.rigs.accessible import Stop, stop, tab_to
from tests.rigs.browser import Browser
from tests.rigs.clinic_server import PASSWORD, ClinicServer
from tests.rigs.clinic_story import people
from tests.sync.clinic.browser.conftest import Visiting
from tests.sync.clinic.browser.pages import PAGES


def _require_seen(stops: list[Stop]) -> None:
    for each in stops:
        assert each.outline >= 2, f"no ring around {each.name}"
        assert each.seen, f"out of sight: {each.name}"


def _press(page: Page, key: str) -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def test_one_signs_in_opens_a_patient_pairs_and_signs_out_without_a_mouse(
    browser: Browser, small: ClinicServer
) -> None:
    pseudonym = next(person.pseudonym for person in people() if person.number == 17)
    with browser.visit(small.url) as visit:
        page = visit.go("/patients")
        _require_seen(tab_to(page, "Name"))
        page.keyboard.type("reception")
        _require_seen(tab_to(page, "Password"))
        page.keyboard.type(PASSWORD)
        _press(page, "Enter")
        assert page.url == f"{small.url}/patients"

        _require_seen(tab_to(page, "Patient 17"))
        _press(page, "Enter")
        assert page.url.endswith(pseudonym)

        _require_seen(tab_to(page, "Pair"))
        _press(page, "Enter")
        assert page.url.endswith("/pair")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the skip link
        stops = []
        while stop(page).tag != "input":
            page.keyboard.press("Tab")
            stops.append(stop(page))
        _require_seen(stops)
        page.keyboard.type("Patient 132")
        _press(page, "Enter")
        assert page.get_by_text("Patient 132").count() >= 1
        (row,) = small.rig.rows("SELECT count(*) FROM pairings WHERE label = 'Patient 132'")
        assert row == (1,)

        _require_seen(tab_to(page, "Sign out"))
        _press(page, "Enter")
        assert "/sign-in" in page.url


def test_the_first_stop_leads_past_the_navigation(visiting: Visiting) -> None:
    with visiting() as visit:
        for path in PAGES.values():
            page = visit.go(path)
            page.keyboard.press("Tab")
            first = stop(page)
            assert first.name == "Skip to the content"
            _require_seen([first])
            page.keyboard.press("Enter")
            assert stop(page).tag == "main"


def test_the_keyboard_goes_as_the_eye_does(visiting: Visiting) -> None:
    """Down the page, and along each line; nobody is caught, and each stop has a name and a ring."""
    with visiting() as visit:
        for name, path in PAGES.items():
            page = visit.go(path)
            stops: list[Stop] = []
            for _ in range(40):
                page.keyboard.press("Tab")
                at = stop(page)
                if at.tag == "body" or at in stops:  # once around
                    break
                stops.append(at)
            _require_seen(stops)
            assert all(each.name for each in stops), name
            for before, after in pairwise(stops[1:]):
                assert after.top > before.top - 40 or after.left > before.left, f"{name}: {before} then {after}"
