"""What holds for every page, empty or full: no script, a way through without eyes, and no number that stands bare."""

from __future__ import annotations

import pytest

from sync.clinic.pages.renderer import NOT_MEDICAL
from tests.rigs.clinic import ClinicRig
from tests.rigs.html_page import HtmlPage, require_page
from tests.rigs.visitor import Visitor
from tests.sync.clinic.pages.practice import ALL, MONTH, add_patient, add_patients, card, month, quarter

PATHS = ("/", "/patients", "/cohort", "/privacy", "/pair", "/audit", "/settings")
HOSTILE = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "</title></code><img src=x>",
    "{{ view }} {% raw %} ${7*7}",
    "\u202egnp.evil \u200fabc",
    "&lt;b&gt; ' \" ` &",
    "W" * 200,
)
# PRIVACY.md, "what we print, and what we never print"
NEVER = ("anonymous", "anonymised", "untraceable", "gdpr", "differentially private", "differential privacy")


def _filled(clinic: ClinicRig) -> str:
    """A clinic in which something of each kind is the case; the pseudonym of somebody with all of it."""
    medians = [quarter("resting_hr_median", 61.0), quarter("rmssd_median", 33.45), quarter("rmssd_median", 33.45, 8)]
    months = [answer for window in (22, 24, 27, 28, 29) for answer in card(9.0, 26.0, window)]
    full = add_patient(clinic, "Patient 17", [*months, *medians], statistics=ALL)
    add_patient(clinic, "Patient 2", card(40.0, -7.0))
    add_patient(clinic, None, card(3.0, 20.0, window=24))
    add_patient(clinic, "Patient 3", [month("af_days", 1.0)])
    add_patient(clinic, "Patient 4", enrolled=clinic.clock.today())
    clinic.token("Patient 5")
    withdrawn = clinic.enrolled("Patient 6")
    clinic.take(withdrawn.delete())
    return full


def _read(visitor: Visitor, path: str) -> HtmlPage:
    response = visitor.get(path)
    assert response.status_code == 200, path
    assert response.headers["cache-control"] == "no-store"
    page = HtmlPage(response.text)
    require_page(page)
    return page


@pytest.mark.parametrize("path", PATHS)
def test_an_empty_clinic_has_every_page(visitor: Visitor, path: str) -> None:
    page = _read(visitor, path)
    assert NOT_MEDICAL in page.all("footer")[0].text
    (current,) = [link for link in page.all("a") if link.attributes.get("aria-current") == "page"]
    assert current.attributes["href"] == path


def test_a_full_clinic_has_every_page(clinic: ClinicRig, visitor: Visitor) -> None:
    full = _filled(clinic)
    add_patients(
        clinic, [(f"Patient {100 + k}", [*card(float(k % 9), 25.0), *card(1.0, 25.0, 28)]) for k in range(110)]
    )
    for path in (*PATHS, "/?page=2&silent=2", "/patients?search=patient&sort=newest&page=2", f"/patients/{full}"):
        page = _read(visitor, path)
        lower = page.root.text.lower()
        assert not [word for word in NEVER if word in lower], path
    assert len(_read(visitor, f"/patients/{full}").all(css_class="figure")) > 10
    assert len(_read(visitor, "/cohort").all(css_class="figure")) >= 6
    assert len(_read(visitor, "/").all(css_class="figure")) >= 2


def test_no_link_leads_nowhere(clinic: ClinicRig, visitor: Visitor) -> None:
    paths = [*PATHS, f"/patients/{_filled(clinic)}"]
    links = {link.attributes["href"] for path in paths for link in _read(visitor, path).all("a")}
    for link in sorted(link for link in links if link.startswith("/")):
        assert visitor.get(link).status_code == 200, link


def test_labels_are_text_whatever_is_in_them(clinic: ClinicRig, visitor: Visitor) -> None:
    for label in HOSTILE:
        pseudonym = add_patient(clinic, label, card(20.0), enrolled=clinic.clock.today())
        clinic.token(label)
        for path in ("/", "/patients", f"/patients/{pseudonym}", "/pair"):
            page = _read(visitor, path)
            assert not page.all("img")
            assert "".join(page.root._texts()).count(label) >= 1, (path, label)
            # what is typed from right to left turns nothing around it
            assert all(each.tag in ("bdi", "title", "span") for each in page.all() if label in each.children), (
                path,
                label,
            )


@pytest.mark.parametrize(
    "path",
    [
        "/patients/P-00000000",
        "/patients/p-00000000",
        "/patients/P-0000000",
        "/patients/P-OOOOOOOO",
        "/patients/P-00000000%0A",
        "/patients/%2e%2e%2fsettings",
        "/patients/<script>",
        "/patients/",
        "/nothing",
    ],
)
def test_what_is_not_there_is_said_and_not_repeated(visitor: Visitor, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code in (400, 404)
    assert "script" not in response.text


def test_a_pseudonym_is_matched_to_the_letter(clinic: ClinicRig, visitor: Visitor) -> None:
    pseudonym = add_patient(clinic, None, card())
    assert visitor.get(f"/patients/{pseudonym}").status_code == 200
    assert visitor.get(f"/patients/{pseudonym.lower()}").status_code == 404
    assert visitor.get(f"/patients/%20{pseudonym}").status_code == 404


def test_nobody_sees_a_page_unasked(clinic: ClinicRig, visitor: Visitor) -> None:
    pseudonym = add_patient(clinic, None, card())
    visitor.cookies.clear()
    for path in (*PATHS, f"/patients/{pseudonym}"):
        assert visitor.get(path).status_code == 303
    for path in ("/pair", "/pair/revoke", "/settings", f"/patients/{pseudonym}"):
        assert visitor.post(path, {"label": "x", "days": "3", "pseudonym": pseudonym}).status_code == 303
    assert clinic.rows("SELECT count(*) FROM pairings") == [(0,)]
    assert clinic.rows("SELECT label FROM devices") == [(None,)]


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=99999999", "page=x", "silent=9", "page=%C2%B2", "sort=x"])
def test_an_address_that_was_tampered_with_shows_the_first_page(
    clinic: ClinicRig, visitor: Visitor, query: str
) -> None:
    add_patient(clinic, "Patient 17", card(20.0))
    for path in ("/", "/patients", "/pair", "/audit"):
        assert visitor.get(f"{path}?{query}").status_code == 200
    assert "Patient 17" in visitor.get(f"/?{query}").text
    assert "Patient 17" in visitor.get(f"/patients?{query}").text


def test_the_name_that_is_shown_may_be_another(clinic: ClinicRig, visitor: Visitor) -> None:
    clinic.set_meta("shown_name", "<b>Ward 3</b>")
    page = _read(visitor, "/")
    assert page.all(css_class="clinic")[0].text == "<b>Ward 3</b>"


def test_windows_are_those_that_are_due() -> None:
    from sync.clinic.silence import newest_due
    from tests.rigs.clinic import TODAY
    from tests.sync.clinic.pages.practice import QUARTER

    assert (newest_due(28, TODAY), newest_due(84, TODAY)) == (MONTH, QUARTER)
