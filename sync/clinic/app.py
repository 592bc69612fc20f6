"""All that the clinic's process answers to, put together."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sync.clinic import wire
from sync.clinic.clinic import Clinic
from sync.clinic.openapi import ERRORS


def make_app(clinic: Clinic, *, most_per_address: int) -> Starlette:
    """`most_per_address`: requests of one device's address within ten minutes; 0: no limit."""
    return Starlette(
        routes=wire.routes(clinic, most_per_address=most_per_address),
        exception_handlers={HTTPException: _http_error, Exception: _internal_error},
    )


async def _http_error(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    answer = wire.error(problem.status_code if problem.status_code in ERRORS else 400)
    answer.headers.update(problem.headers or {})
    return answer


async def _internal_error(_: Request, __: Exception) -> Response:
    return wire.error(500)
