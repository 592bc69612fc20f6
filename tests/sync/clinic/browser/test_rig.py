"""What the browser is told of, the test is told of: else the tests beside this one would prove nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

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


def test_what_the_browser_itself_asks_of_the_world_is_noted() -> None:
    world = World()
    with socket.create_connection(world.address.split(":")) as connection:  # type: ignore[arg-type]
        connection.sendall(b"CONNECT clinic.example:443 HTTP/1.1\r\n\r\n")
        assert connection.recv(1) == b""
    world.close()
    assert world.asked == ["CONNECT clinic.example:443 HTTP/1.1"]
