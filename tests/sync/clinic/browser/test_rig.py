"""What the browser is told of, the test is told of: else the tests beside this one would prove nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.rigs.accessible import charts, overflow, space_text, tab_to, violations
from tests.rigs.browser import Browser, World
from tests.rigs.server_thread import ServerThread

STRICT = {"Content-Security-Policy": "default-src 'none'"}
PAGES = {
    "quiet": ("<p>quiet</p>", {}),
    "console": ("<script>console.error('said')</script>", {}),
    "throws": ("<script>throw new Error('thrown')</script>", {}),
    "inline": ("<script>document.title = 'ran'</script>", STRICT),
    "style": ("<p style='color: red'>styled</p>", STRICT),
    "elsewhere": ("<img src='http://clinic.example/dot.png' alt=''>", {}),
    "unnamed": ("<main><h1>A form</h1><form><input name=a></form></main>", {}),
    "pale": ("<main><h1>Pale</h1><p style='color: #bbb; background: #fff'>Who reads this?</p></main>", {}),
    "wide": ("<main><h1>Wide</h1><div style='width: 2000px'>so far</div></main>", {}),
    "cut": ("<main><h1>Cut</h1><div style='width: 50px; overflow: hidden'>Donaudampfschiff</div></main>", {}),
    "tight": (
        "<main><h1>Tight</h1><p style='height: 1.3em; line-height: 1.2; overflow: hidden'>a line of text</p></main>",
        {},
    ),
    "chart": ("<svg width=90 height=50><text x=5 y=20>one</text><text x=9 y=20>two</text></svg>", {}),
    "outside": ("<svg width=90 height=50><text x=80 y=20>too long</text></svg>", {}),
    "ringless": ("<style>a { outline: none }</style><a href=#a>one</a> <a href=#b>two</a>", {}),
    "missing": ("<img src='/missing.png' alt=''>", {}),
}


@pytest.fixture(scope="module")
def planted() -> Iterator[str]:
    async def page(request: Request) -> HTMLResponse:
        body, headers = PAGES[request.path_params["name"]]
        head = "<!doctype html><html lang=en><title>planted</title><link rel=icon href=data:,>"
        return HTMLResponse(head + body, headers=headers)

    with ServerThread(Starlette(routes=[Route("/page/{name}", page)])) as server:
        yield server.url


def test_a_quiet_page_is_quiet(browser: Browser, planted: str) -> None:
    with browser.visit(planted) as visit:
        assert visit.go("/page/quiet").inner_text("p") == "quiet"
        assert visit.requests == [f"{planted}/page/quiet"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("console", "said"),
        ("throws", "thrown"),
        ("inline", "Content Security Policy"),
        ("style", "Content Security Policy"),
        ("missing", "status of 404"),
    ],
)
def test_what_the_browser_complains_of_fails_the_test(browser: Browser, planted: str, name: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told), browser.visit(planted) as visit:
        page = visit.go(f"/page/{name}")
        page.wait_for_load_state("networkidle")
        assert page.title() == "planted"


def test_what_is_asked_for_elsewhere_is_refused_and_fails_the_test(browser: Browser, planted: str) -> None:
    with pytest.raises(AssertionError, match=r"clinic\.example/dot\.png"), browser.visit(planted) as visit:
        visit.go("/page/elsewhere").wait_for_load_state("networkidle")


def test_a_page_with_another_status_fails_the_test(browser: Browser, planted: str) -> None:
    with browser.visit(planted) as visit:
        visit.go("/none", status=404)
        with pytest.raises(AssertionError, match="200, expected 404"):
            visit.go("/page/quiet", status=404)


@pytest.mark.parametrize(("name", "told"), [("unnamed", "label: "), ("pale", "color-contrast: ")])
def test_what_stands_in_the_way_is_told(browser: Browser, planted: str, name: str, told: str) -> None:
    with browser.visit(planted) as visit:
        (found,) = violations(visit.go(f"/page/{name}"))
        assert found.startswith(told)


@pytest.mark.parametrize(("name", "told"), [("wide", "the page is 2"), ("cut", "cut off at the side: div")])
def test_what_does_not_fit_is_told(browser: Browser, planted: str, name: str, told: str) -> None:
    with browser.visit(planted) as visit:
        assert overflow(visit.go("/page/quiet")) == []
        assert overflow(visit.go(f"/page/{name}"))[0].startswith(told)


def test_what_fits_until_its_text_is_spaced_is_told(browser: Browser, planted: str) -> None:
    with browser.visit(planted) as visit:
        page = visit.go("/page/tight")
        assert overflow(page) == []
        space_text(page)
        assert overflow(page)[0].startswith("cut off below: p")


@pytest.mark.parametrize(("name", "told"), [("chart", "on top of each other: one | two"), ("outside", "out of its")])
def test_what_cannot_be_read_in_a_drawing_is_told(browser: Browser, planted: str, name: str, told: str) -> None:
    with browser.visit(planted) as visit:
        assert charts(visit.go(f"/page/{name}"))[0].startswith(told)


def test_where_the_keyboard_is_has_to_be_seen(browser: Browser, planted: str) -> None:
    with browser.visit(planted) as visit:
        first, second = tab_to(visit.go("/page/ringless"), "two")
        assert (first.name, first.outline, second.outline, second.seen) == ("one", 0.0, 0.0, True)
        with pytest.raises(AssertionError, match="'three' cannot be reached"):
            tab_to(visit.page, "three", most=3)


def test_what_the_browser_itself_asks_of_the_world_is_noted() -> None:
    world = World()
    with socket.create_connection(world.address.split(":")) as connection:  # type: ignore[arg-type]
        connection.sendall(b"CONNECT clinic.example:443 HTTP/1.1\r\n\r\n")
        assert connection.recv(1) == b""
    world.close()
    assert world.asked == ["CONNECT clinic.example:443 HTTP/1.1"]
