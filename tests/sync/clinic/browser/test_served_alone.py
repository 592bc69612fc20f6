"""A page is all that this server served: nothing else is asked for, and nothing is left behind in the browser."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx

from tests.rigs.browser import Browser
from tests.rigs.clinic_server import ClinicServer
from tests.sync.clinic.browser.conftest import Visiting
from tests.sync.clinic.browser.pages import PAGES, sign_in


def test_a_page_is_itself_a_style_sheet_and_pictures_of_this_server(visiting: Visiting) -> None:
    """The rig refuses all else, and fails the test: this says what there is."""
    with visiting() as visit:
        for path in PAGES.values():
            visit.requests.clear()
            visit.go(path)
            asked = [urlsplit(each) for each in visit.requests]
            assert {each.netloc for each in asked} == {urlsplit(visit.url).netloc}
            paths = {each.path for each in asked} - {path}
            assert all(re.fullmatch(r"/static/[a-z]+\.[0-9a-f]{16}\.(css|svg|png)", each) for each in paths), paths


def test_nothing_is_left_in_the_browser_but_cookies(browser: Browser, story: ClinicServer) -> None:
    with browser.visit(story.url) as visit:
        sign_in(visit)
        for path in PAGES.values():
            page = visit.go(path)
            kept = page.evaluate(
                """async () => [localStorage.length, sessionStorage.length, (await caches.keys()).length,
                (await indexedDB.databases()).length]"""
            )
            assert kept == [0, 0, 0, 0]
            assert page.locator("script").count() == 0
        assert {cookie["name"] for cookie in page.context.cookies()} == {"vitalkeep", "vitalkeep-door"}


def test_each_link_leads_somewhere_on_this_server(visiting: Visiting, cookies: list[dict[str, str]]) -> None:
    found: set[str] = set()
    with visiting() as visit:
        for path in PAGES.values():
            page = visit.go(path)
            for where in page.locator("a[href]").evaluate_all("all => all.map(each => each.href)"):
                assert where.startswith(visit.url), where
                found.add(where.removeprefix(visit.url).partition("#")[0])
        # One patient stands for all.
        kinds = {re.sub(r"P-[0-9A-Z]{8}", "P", where): where for where in sorted(found) if where}
        jar = {str(each["name"]): str(each["value"]) for each in cookies}
        with httpx.Client(base_url=visit.url, cookies=jar, headers={"Accept": "text/html,*/*;q=0.8"}) as client:
            for where in kinds.values():
                assert client.get(where).status_code == 200, where
