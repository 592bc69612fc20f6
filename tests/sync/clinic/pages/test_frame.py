"""What is around every page: landmarks, nothing of somebody else's, and files that are kept as long as they hold."""

from __future__ import annotations

import re

import pytest
from jinja2 import UndefinedError
from starlette.applications import Starlette
from starlette.routing import Route

from sync.clinic.pages.assets import Assets
from sync.clinic.pages.renderer import NAVIGATION, NOT_MEDICAL, Frame, Renderer
from tests.rigs.asgi_client import AsgiClient


@pytest.fixture
def assets() -> Assets:
    return Assets()


@pytest.fixture
def renderer(assets: Assets) -> Renderer:
    return Renderer(assets)


@pytest.fixture
def client(assets: Assets) -> AsgiClient:
    return AsgiClient(Starlette(routes=[Route("/static/{name}", assets.answer)]))


def test_every_page_says_that_it_is_no_medical_device(renderer: Renderer) -> None:
    assert NOT_MEDICAL in renderer.render("page.html", Frame("Heart clinic"))


def test_who_is_not_signed_in_sees_no_navigation(renderer: Renderer) -> None:
    assert "<nav" not in renderer.render("page.html", Frame("Heart clinic"))
    shown = renderer.render("page.html", Frame("Heart clinic", "/cohort", "doctor", "token"))
    assert shown.count("aria-current") == 1
    assert '<a href="/cohort" aria-current="page">' in shown
    assert all(f'href="{path}"' in shown for path, _ in NAVIGATION)
    assert '<input type="hidden" name="csrf" value="token">' in shown


def test_names_are_text_whatever_is_in_them(renderer: Renderer) -> None:
    hostile = "</title><script>alert(1)</script>\"'&"
    shown = renderer.render("page.html", Frame(hostile, "/", hostile, hostile))
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 4


def test_what_a_view_lacks_is_an_error_and_not_empty(renderer: Renderer) -> None:
    with pytest.raises(UndefinedError):
        renderer._environment.from_string("{{ view.nothing }}").render(view=object())


def test_no_page_is_kept_by_a_browser_or_a_proxy(renderer: Renderer) -> None:
    assert renderer.page("page.html", Frame("Heart clinic")).headers["cache-control"] == "no-store"


def test_a_hashed_name_is_kept_for_ever_and_a_plain_one_asked_about(assets: Assets, client: AsgiClient) -> None:
    hashed = client.get(assets.url("clinic.css"))
    assert (hashed.status_code, hashed.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in hashed.headers["cache-control"]
    plain = client.get("/static/clinic.css")
    assert plain.content == hashed.content
    assert plain.headers["cache-control"] == "no-cache"
    again = client.request("GET", "/static/clinic.css", headers={"If-None-Match": f'"x", W/{plain.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.request("GET", "/static/clinic.css", headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("name", ["nothing.css", "..%2Frenderer.py", "%2e%2e%2fassets.py", "clinic.0000.css", "%00"])
def test_no_other_file_is_served(client: AsgiClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_nothing_is_fetched_from_elsewhere(renderer: Renderer, client: AsgiClient) -> None:
    shown = renderer.render("page.html", Frame("Heart clinic", "/", "doctor", "token"))
    fetched = re.findall(r'<link[^>]* href="([^"]+)"', shown) + re.findall(r'src="([^"]+)"', shown)
    assert fetched
    assert all(address.startswith("/static/") for address in fetched)
    css = client.get("/static/clinic.css").text
    assert "url(" not in css
    assert "@import" not in css
