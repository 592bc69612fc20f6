"""A pairing code in the browser: a picture with a name and the same in letters, made once, on one sheet of paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from sync.pairing import PairingCode
from tests.rigs.accessible import charts, overflow, violations
from tests.rigs.browser import Browser, Visit
from tests.rigs.clinic_server import ClinicServer
from tests.rigs.clinic_story import HOSTILE_LABELS
from tests.sync.clinic.browser.pages import sign_in
from tests.sync.clinic.browser.test_print import sheets


def _made(visit: Visit, label: str) -> Page:
    sign_in(visit, "/pair")
    page = visit.page
    page.get_by_label("Label").fill(label)
    page.get_by_role("button", name="Make a code").click()
    page.get_by_role("heading", name=re.compile("Pairing code")).wait_for()
    return page


@pytest.mark.parametrize("width", [360, 1280])
def test_a_code_is_a_picture_with_a_name_and_letters_that_pair(
    browser: Browser, small: ClinicServer, width: int
) -> None:
    with browser.visit(small.url, width=width) as visit:
        page = _made(visit, "Patient 132")
        picture = page.get_by_role("img", name=re.compile("code", re.IGNORECASE))
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] == pytest.approx(box["height"], abs=1)
        assert box["width"] > 150
        code = PairingCode.decode("".join(page.locator(".letters code").all_text_contents()))
        assert code.fingerprint == small.rig.keys.id
        assert violations(page) == []
        assert overflow(page) == []
        assert charts(page) == []
        assert sheets(page.pdf(prefer_css_page_size=True)) == 1


def test_a_code_is_not_shown_a_second_time(browser: Browser, small: ClinicServer) -> None:
    with browser.visit(small.url) as visit:
        page = _made(visit, HOSTILE_LABELS[0])
        token = "".join(page.locator(".letters code").all_text_contents())[-20:]
        page.get_by_role("link", name="Back to all codes").click()
        page.wait_for_url("**/pair")
        assert token not in page.content()
        assert page.get_by_role("cell", name="P-").count() >= 1
        assert page.get_by_text(HOSTILE_LABELS[0]).count() >= 1
        page.get_by_role("button", name=re.compile("Revoke")).click()
        page.get_by_text("None.").wait_for()
        assert small.rig.rows("SELECT count(*) FROM pairings") == [(0,)]
