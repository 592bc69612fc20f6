"""How long each request took, by the template of its route: a path may name a patient, and is never written down."""

from __future__ import annotations

from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync.clinic.clock import ClinicClock
from sync.clinic.counters import Counters

NO_ROUTE = "none"


class Timed:
    """Around all routes."""

    def __init__(self, app: ASGIApp, counters: Counters, clock: ClinicClock) -> None:
        self._app = app
        self._counters = counters
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = self._clock.monotonic_s()
        status = 500

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            self._counters.request(_template(scope), status, self._clock.monotonic_s() - began_s)


def _template(scope: Scope) -> str:
    route = scope.get("route")
    if isinstance(route, Mount):
        return route.path  # nothing below it has this path
    return f"{scope.get('root_path', '')}{route.path}" if isinstance(route, Route) else NO_ROUTE
