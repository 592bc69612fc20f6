"""All that the clinic's process answers to, put together."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from sync.clinic import wire
from sync.clinic.clinic import Clinic
from sync.clinic.desk.desk import Desk
from sync.clinic.desk.peer import Forwarded, Network
from sync.clinic.desk.proxy import ProxySignIn
from sync.clinic.desk.refusal import refused
from sync.clinic.desk.sign_in import sign_in_routes
from sync.clinic.desk.threshold import Threshold
from sync.clinic.interfaces.routes import interface_routes
from sync.clinic.interfaces.timed import Timed
from sync.clinic.openapi import ERRORS
from sync.clinic.pages.assets import Assets
from sync.clinic.pages.renderer import Renderer
from sync.clinic.pages.routes import page_routes


def make_app(
    clinic: Clinic, *, most_per_address: int, proxy: ProxySignIn | None = None, proxies: Sequence[Network] = ()
) -> ASGIApp:
    """`most_per_address`: requests of one device's address within ten minutes; 0: no limit.

    `proxy`: who signs staff in; None: their password does. `proxies`: whose word about who is behind them counts.
    """
    desk = Desk(clinic, proxy)
    assets = Assets()
    renderer = Renderer(assets)
    routes = [
        *wire.routes(clinic, most_per_address=most_per_address),
        *sign_in_routes(desk, renderer),
        *page_routes(desk, assets, renderer),
        *interface_routes(clinic, desk),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Timed, counters=clinic.counters, clock=clinic.clock)],
        exception_handlers={HTTPException: _http_error, Exception: _internal_error},
    )
    app.state.desk = desk
    # It would lead to an absolute address, made from what the request says the host is.
    app.router.redirect_slashes = False
    return Forwarded(Threshold(app), proxies)


async def _http_error(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    if _is_of_the_wire(request):
        answer = wire.error(problem.status_code if problem.status_code in ERRORS else 400)
    else:
        answer = refused(request, problem.status_code)
    answer.headers.update(problem.headers or {})
    return answer


async def _internal_error(request: Request, _: Exception) -> Response:
    return wire.error(500) if _is_of_the_wire(request) else refused(request, 500)


def _is_of_the_wire(request: Request) -> bool:
    return request.url.path.startswith(("/v1/", "/openapi.json"))
