"""/metrics: for a collector on this machine, or with a token of scope metrics; nothing in it is about a person.

Through a proxy everybody comes from this machine: what was forwarded, or asks for another host, needs a token.
"""

from __future__ import annotations

from importlib.metadata import version

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync.clinic.clinic import Clinic
from sync.clinic.desk.guard import bearer_token
from sync.clinic.errors import ClinicStoreError
from sync.clinic.interfaces.access import bearer_of, refusal
from sync.clinic.interfaces.prometheus import MEDIA_TYPE, State, exposition
from sync.clinic.tables.devices import Devices

PATH = "/metrics"
_FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-real-ip", "via")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def metrics_route(clinic: Clinic) -> Route:
    began_s = clinic.clock.monotonic_s()
    bearer = bearer_of(clinic, "metrics")

    def state() -> State:
        enrolled: int | None = None
        try:
            with clinic.database.reading() as tx:
                enrolled = Devices(tx).count()
        except ClinicStoreError:
            clinic.counters.database_error()
        uptime_s = clinic.clock.monotonic_s() - began_s
        return State(version("vitalkeep"), clinic.database.kind, uptime_s, enrolled, clinic.database.connections())

    def is_known(token: str) -> bool:
        try:
            return bearer(token) is not None
        except ClinicStoreError:
            clinic.counters.database_error()
            return False

    async def metrics(request: Request) -> Response:
        token = bearer_token(request)
        if not (_is_of_this_machine(request) if token is None else await run_in_threadpool(is_known, token)):
            return refusal(401)
        text = exposition(clinic.counters, await run_in_threadpool(state))
        return Response(text, headers={"Cache-Control": "no-store", "Content-Type": MEDIA_TYPE})

    return Route(PATH, metrics, methods=["GET"])


def _is_of_this_machine(request: Request) -> bool:
    peer = request.client.host if request.client else ""
    forwarded = any(name in request.headers for name in _FORWARDED)
    return peer in _LOOPBACK and not forwarded and (request.url.hostname or "") in _LOOPBACK
