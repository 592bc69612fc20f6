"""Signing in and out in a real browser: a password manager can help, and nothing is left for whoever comes next."""

from __future__ import annotations

import re
from typing import Any

from sync.clinic.desk.sessions import IDLE_S
from tests.rigs.browser import Browser
from tests.rigs.clinic_server import ClinicServer
from tests.sync.clinic.browser.conftest import Visiting
from tests.sync.clinic.browser.pages import PAGES, sign_in

SESSION = "vitalkeep"


def test_after_signing_out_the_back_button_shows_nothing(browser: Browser, story: ClinicServer) -> None:
    with browser.visit(story.url) as visit:
        sign_in(visit)
        page = visit.go(PAGES["patient"])
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in*")
        page.go_back()
        page.wait_for_load_state()
        assert "/sign-in" in page.url
        assert "Patient 17" not in page.content()
        assert SESSION not in {cookie["name"] for cookie in page.context.cookies()}


def test_a_session_that_was_left_ends_and_one_comes_back_to_where_one_was(
    browser: Browser, small: ClinicServer
) -> None:
    with browser.visit(small.url) as visit:
        sign_in(visit)
        small.rig.clock.now_s += IDLE_S
        page = visit.page
        page.get_by_role("link", name="Patients").click()
        page.wait_for_url(re.compile(r"/sign-in\?next=/patients$"))
        sign_in(visit)
        assert page.url == f"{small.url}/patients"


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(visiting: Visiting, cookies: list[Any]) -> None:
    with visiting() as visit:
        assert visit.go("/").evaluate("document.cookie") == ""
    assert SESSION in {cookie["name"] for cookie in cookies}
    for cookie in cookies:
        assert cookie["httpOnly"] is True
        assert cookie["sameSite"] == "Strict"
        assert cookie["expires"] == -1


def test_sign_in_lets_a_password_manager_help(browser: Browser, story: ClinicServer) -> None:
    """Success criteria 1.3.5 and 3.3.8: what is asked for is named, and can be pasted."""
    with browser.visit(story.url) as visit:
        page = visit.go("/sign-in")
        assert page.get_by_label("Name").get_attribute("autocomplete") == "username"
        assert page.get_by_label("Password").get_attribute("autocomplete") == "current-password"
        assert page.get_by_label("Password").get_attribute("type") == "password"


def test_a_wrong_password_is_told_where_it_is_read_out(browser: Browser, small: ClinicServer) -> None:
    with browser.visit(small.url) as visit:
        page = visit.go("/sign-in")
        page.get_by_label("Name").fill("reception")
        page.get_by_label("Password").fill("seven quiet herons waded")
        with page.expect_response("**/sign-in") as answer:
            page.get_by_role("button", name="Sign in").click()
        assert answer.value.status in (200, 401, 403)
        page.wait_for_load_state()
        if answer.value.status >= 400:
            visit.drop_status(answer.value.status)
        assert page.locator("[role=alert], [role=status]").count() >= 1
        assert page.get_by_label("Password").input_value() == ""
