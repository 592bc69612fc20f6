"""The guard: a page is shown to who is signed in, and a form is taken from our own pages alone.

Every page goes through `guarded_route`. A page is a plain function of the request and of who asks:

    def patients(request: Request, staff: SignedIn) -> Response: ...

    guarded_route(desk, "/patients", patients)
    guarded_route(desk, "/settings", settings, methods=("GET", "POST"))

It runs in a worker thread. Of a POST the form has been read, bounded and checked, and stands without its CSRF field in
`request.state.form: dict[str, str]`; each form holds `<input type="hidden" name="csrf" value="{{ staff.csrf }}">`.
"""

from __future__ import annotations

import hmac
import sys
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sync.clinic.desk.desk import Caller, Desk
from sync.clinic.desk.form import read_form
from sync.clinic.desk.origin import SAFE_METHODS, is_from_own_page
from sync.clinic.desk.proxy import ForgedNameError
from sync.clinic.desk.refusal import for_programs, refused
from sync.clinic.desk.signed_in import SignedIn
from sync.clinic.errors import ClinicStoreError

__all__ = ["CSRF_FIELD", "SignedIn", "bearer_token", "guarded", "guarded_route"]

CSRF_FIELD = "csrf"


Page = Callable[[Request, SignedIn], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
# What an API token is called, where it is a good one for this page; None: it is not. Runs in a worker thread.
Bearer = Callable[[str], str | None]


def guarded(desk: Desk, page: Page, *, bearer: Bearer | None = None) -> Endpoint:
    """`bearer`: who may also read this page with `Authorization: Bearer TOKEN`; None: nobody.

    Not signed in: a page leads to /sign-in, a program gets 401. A page may raise HTTPException of any status for an
    answer in our own words, and ClinicStoreError for 503.
    """

    async def answer(request: Request) -> Response:
        try:
            response = await _answered(desk, page, bearer, request)
        except HTTPException as problem:
            response = refused(request, problem.status_code)
            response.headers.update(problem.headers or {})
        except ForgedNameError:
            response = refused(request, 403, "Who you are is told by the proxy alone.")
        except ClinicStoreError as problem:
            desk.clinic.counters.database_error()
            print(problem, file=sys.stderr, flush=True)
            response = refused(request, 503)
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer


def guarded_route(
    desk: Desk, path: str, page: Page, *, methods: Sequence[str] = ("GET",), bearer: Bearer | None = None
) -> Route:
    return Route(path, guarded(desk, page, bearer=bearer), methods=list(methods))


async def _answered(desk: Desk, page: Page, bearer: Bearer | None, request: Request) -> Response:
    reads = request.method in SAFE_METHODS
    if not reads and not is_from_own_page(request):
        return refused(request, 403)
    token = bearer_token(request) if bearer is not None and reads else None
    if bearer is not None and token is not None:
        name = await run_in_threadpool(bearer, token)
        if name is None:
            return refused(request, 401)
        return await run_in_threadpool(page, request, SignedIn(f"token:{name}", ""))
    caller = desk.caller(request)
    if caller is None:
        return _not_signed_in(desk, request)
    if not reads:
        form = await read_form(request)
        if not hmac.compare_digest(form.pop(CSRF_FIELD, "").encode(), caller.staff.csrf.encode()):
            return refused(request, 403)
        request.state.form = form
    if not await run_in_threadpool(desk.is_on_staff, caller):
        desk.sessions.end_all(caller.staff.name, caller.credential)
        return _not_signed_in(desk, request, caller)
    return await run_in_threadpool(page, request, caller.staff)


def _not_signed_in(desk: Desk, request: Request, caller: Caller | None = None) -> Response:
    if desk.proxy is not None:
        if caller is not None:
            return refused(request, 403, "You are not on the staff of this clinic.")
        return refused(request, 401, "The proxy in front of this server has not signed you in.")
    if for_programs(request):
        return refused(request, 401)
    if request.method not in SAFE_METHODS:
        return RedirectResponse("/sign-in", status_code=303)
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(asked, safe='/')}", status_code=303)


def bearer_token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
