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
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sync.clinic.desk.cookie import read_cookie
from sync.clinic.desk.desk import Desk
from sync.clinic.desk.form import read_form
from sync.clinic.desk.origin import SAFE_METHODS, is_from_own_page
from sync.clinic.desk.refusal import for_programs, refused
from sync.clinic.errors import ClinicStoreError

CSRF_FIELD = "csrf"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who asks. `name`: as the audit log has it: a name of staff, or `token:NAME`.

    `csrf`: the value of the hidden field CSRF_FIELD in every form; empty for an API token, which only reads.
    """

    name: str
    csrf: str = field(repr=False)


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
        except ClinicStoreError:
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
    token = _bearer_token(request) if bearer is not None and reads else None
    if bearer is not None and token is not None:
        name = await run_in_threadpool(bearer, token)
        if name is None:
            return refused(request, 401)
        return await run_in_threadpool(page, request, SignedIn(f"token:{name}", ""))
    staff = _staff(desk, request)
    if staff is None:
        return _to_sign_in(request)
    if not reads:
        form = await read_form(request)
        if not hmac.compare_digest(form.pop(CSRF_FIELD, "").encode(), staff.csrf.encode()):
            return refused(request, 403)
        request.state.form = form
    return await run_in_threadpool(page, request, staff)


def _staff(desk: Desk, request: Request) -> SignedIn | None:
    token = read_cookie(request)
    session = None if token is None else desk.sessions.find(token)
    return None if session is None else SignedIn(session.name, session.csrf)


def _to_sign_in(request: Request) -> Response:
    if for_programs(request):
        return refused(request, 401)
    if request.method not in SAFE_METHODS:
        return RedirectResponse("/sign-in", status_code=303)
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(asked, safe='/')}", status_code=303)


def _bearer_token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
