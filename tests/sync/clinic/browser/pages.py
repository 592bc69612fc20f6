"""The pages that a browser is sent to, and how one signs in."""

from __future__ import annotations

from tests.rigs.browser import Visit
from tests.rigs.clinic_server import PASSWORD, STAFF
from tests.rigs.clinic_story import people

_PSEUDONYMS = {person.number: person.pseudonym for person in people()}


def patient(number: int) -> str:
    return f"/patients/{_PSEUDONYMS[number]}"


# By name; what a patient's page has to bear: many cards, a median that is not shown, consent to little, no card yet,
# labels that mean harm or do not fit.
PAGES = {
    "today": "/",
    "patients": "/patients",
    "patient": patient(17),
    "little worn": patient(15),
    "silent": patient(52),
    "agreed to little": patient(42),
    "no card yet": patient(131),
    "script as a label": patient(100),
    "right to left": patient(105),
    "long label": patient(106),
    "cohort": "/cohort",
    "privacy": "/privacy",
    "pair": "/pair",
    "audit": "/audit",
    "settings": "/settings",
}
CHARTS = ("patient", "little worn", "silent", "agreed to little", "cohort")


def sign_in(visit: Visit, next_path: str = "/") -> None:
    page = visit.page if "/sign-in" in visit.page.url else visit.go(next_path)
    page.get_by_label("Name").fill(STAFF[1])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
