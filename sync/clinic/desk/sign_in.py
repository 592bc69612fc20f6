"""Signing in and out: a wrong name and a wrong password get the same words after the same time; nothing typed is shown.

The form to sign in is guarded as all others are, so that nobody is signed in as somebody else without knowing it: its
token is bound to a cookie of its own.
"""

from __future__ import annotations

import hmac
import math
import re
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sync.clinic.desk.cookie import (
    give_cookie,
    give_door_cookie,
    is_private,
    read_cookie,
    read_door_cookie,
    take_cookie,
)
from sync.clinic.desk.desk import BusyError, Desk
from sync.clinic.desk.form import read_form
from sync.clinic.desk.guard import CSRF_FIELD, guarded_route
from sync.clinic.desk.origin import is_from_own_page
from sync.clinic.desk.proxy import ForgedNameError
from sync.clinic.desk.refusal import refused
from sync.clinic.desk.signed_in import SignedIn
from sync.clinic.errors import ClinicStoreError
from sync.clinic.pages.renderer import Frame, Renderer
from sync.clinic.tables.audit import Action, Audit

_WRONG = "The name or the password is not right."
_AGAIN = "This page was open for too long, or the browser keeps no cookies. Try again."
_BUSY = "Too many are signing in at this moment. Try again in a minute."
_NOT_PRIVATE = (
    "Passwords are taken over https alone, or on the clinic's own machine."
    " Behind a proxy: it has to pass X-Forwarded-Proto and the host."
)
_NEXT = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1000}")


@dataclass(frozen=True, slots=True, repr=False)
class SignInView:
    """`notice`: what went wrong, in our words; None: nothing. `next`: a path of this server."""

    next: str
    notice: str | None = None
    signed_out: bool = False
    by_proxy: bool = False


def sign_in_routes(desk: Desk, renderer: Renderer) -> list[Route]:
    door = _Door(desk, renderer)
    return [
        Route("/sign-in", _told(door.show), methods=["GET"]),
        Route("/sign-in", _told(door.take), methods=["POST"]),
        guarded_route(desk, "/sign-out", door.sign_out, methods=("POST",)),
    ]


def local_path(path: str) -> str:
    """Of this server and of no other; else the first page."""
    return path if _NEXT.fullmatch(path) and not path.startswith(("/sign-in", "/sign-out")) else "/"


class _Door:
    def __init__(self, desk: Desk, renderer: Renderer) -> None:
        self._desk = desk
        self._renderer = renderer

    async def show(self, request: Request) -> Response:
        path = local_path(request.query_params.get("next", "/"))
        signed_out = "signed-out" in request.query_params
        if self._desk.proxy is not None:
            return self._page(request, SignInView(path, signed_out=signed_out, by_proxy=True))
        if not is_private(request):
            return refused(request, 403, _NOT_PRIVATE)
        caller = self._desk.caller(request)
        if caller is not None and await run_in_threadpool(self._desk.is_on_staff, caller):
            return RedirectResponse(path, status_code=303)
        return self._page(request, SignInView(path, signed_out=signed_out))

    async def take(self, request: Request) -> Response:
        desk = self._desk
        if desk.proxy is not None:
            return refused(request, 403, "Here the proxy signs people in, and no password does.")
        if not is_private(request):
            return refused(request, 403, _NOT_PRIVATE)
        if not is_from_own_page(request):
            return refused(request, 403)
        form = await read_form(request)
        path = local_path(form.get("next", "/"))
        door = read_door_cookie(request)
        expected = desk.token_for(f"door {door}") if door else secrets.token_hex(32)
        if not hmac.compare_digest(form.get(CSRF_FIELD, "").encode(), expected.encode()):
            return self._page(request, SignInView(path, _AGAIN), 403)
        name, address = form.get("name", "").strip().lower(), request.client.host if request.client else ""
        if (wait_s := math.ceil(desk.throttle.wait_s(name, address))) > 0:
            words = f"Too many tries. Wait {wait_s} second{'' if wait_s == 1 else 's'}, then try again."
            response = self._page(request, SignInView(path, words), 429)
            response.headers["Retry-After"] = str(wait_s)
            return response
        try:
            member = await desk.check(name, form.get("password", ""))
        except ClinicStoreError:
            desk.throttle.was_nothing(name, address)
            raise
        except BusyError:
            desk.throttle.was_nothing(name, address)
            return self._page(request, SignInView(path, _BUSY), 503)
        if member is None:
            return self._page(request, SignInView(path, _WRONG), 403)
        desk.throttle.was_right(name, address)
        if (old := read_cookie(request)) is not None:
            desk.sessions.end(old)
        token, _ = desk.sessions.begin(member.name, member.credential)
        response = RedirectResponse(path, status_code=303)
        give_cookie(request, response, token)
        return response

    def sign_out(self, request: Request, staff: SignedIn) -> Response:
        if (token := read_cookie(request)) is not None:
            self._desk.sessions.end(token)
        clinic = self._desk.clinic
        with clinic.database.writing() as tx:
            Audit(tx, clinic.secrets, clinic.clock).add(staff.name, Action.SIGN_OUT)
        response = RedirectResponse("/sign-in?signed-out", status_code=303)
        take_cookie(request, response)
        return response

    def _page(self, request: Request, view: SignInView, status: int = 200) -> Response:
        door = read_door_cookie(request) or secrets.token_urlsafe(32)
        frame = Frame(self._desk.clinic.name, csrf="" if view.by_proxy else self._desk.token_for(f"door {door}"))
        response = self._renderer.page("sign_in.html", frame, view, status)
        if not view.by_proxy:
            give_door_cookie(request, response, door)
        return response


def _told(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def told(request: Request) -> Response:
        try:
            response = await answer(request)
        except HTTPException as problem:
            response = refused(request, problem.status_code)
        except ForgedNameError:
            response = refused(request, 403)
        except ClinicStoreError as problem:
            print(problem, file=sys.stderr, flush=True)
            response = refused(request, 503)
        response.headers["Cache-Control"] = "no-store"
        return response

    return told
