"""The clinic's side of the wire: three paths, and an answer to a message only when it is on the disk.

No error says again what was sent, and nothing about who sent it is kept. Receipts are answered with 200 whatever they
say, so that all look alike from outside.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync.clinic.clock import ClinicClock
from sync.clinic.errors import ClinicStoreError
from sync.clinic.openapi import API_VERSION, ERRORS, document
from sync.clinic.rate_limit import RateLimit
from sync.clinic.receiver import Receiver
from sync.clinic.secrets_file import ClinicSecrets
from sync.clinic.store import ClinicStore
from sync.release import ENVELOPE_BYTES, ReleaseError

BODY_WITHIN_S = 30.0
Answering = Callable[[Request], Awaitable[Response]]


def make_app(
    secrets: ClinicSecrets, store: ClinicStore, clock: ClinicClock, *, most_per_address: int, name: str
) -> Starlette:
    """`most_per_address`: requests within ten minutes; 0: no limit."""
    receiver = Receiver(secrets, store, clock)
    limit = RateLimit(most_per_address, clock)
    one_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="receiver")
    keys = secrets.public
    about = {
        "api": int(API_VERSION),
        "name": name,
        "id": keys.id.hex(),
        "sealing": keys.sealing.hex(),
        "signing": keys.signing.hex(),
    }

    async def clinic(_: Request) -> Response:
        return JSONResponse(about)

    async def openapi(_: Request) -> Response:
        return JSONResponse(document(name))

    async def message(request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                data = await _body(request)
        except TimeoutError:
            return _error(408)
        except ClientDisconnect:
            return _error(400)  # to nobody
        if data is None:
            return _error(413)
        try:
            receipt = await asyncio.get_running_loop().run_in_executor(one_thread, receiver.take, data)
        except ReleaseError:
            return _error(400)
        except ClinicStoreError as problem:
            print(problem, file=sys.stderr)
            return _error(503)
        return Response(receipt, media_type="application/octet-stream")

    def limited(answer: Answering) -> Answering:
        async def limited_answer(request: Request) -> Response:
            if not limit.admits(request.client.host if request.client else ""):
                return _error(429)
            return await answer(request)

        return limited_answer

    return Starlette(
        routes=[
            Route("/v1/clinic", limited(clinic), methods=["GET"]),
            Route("/v1/messages", limited(message), methods=["POST"]),
            Route("/openapi.json", limited(openapi), methods=["GET"]),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _internal_error},
    )


async def _body(request: Request) -> bytes | None:
    """None as soon as it is too long."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > ENVELOPE_BYTES:
            return None
    return data


def _error(status: int) -> Response:
    code, words = ERRORS[status]
    return JSONResponse({"error": code, "message": words}, status_code=status)


async def _http_error(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    answer = _error(problem.status_code if problem.status_code in ERRORS else 400)
    answer.headers.update(problem.headers or {})
    return answer


async def _internal_error(_: Request, __: Exception) -> Response:
    return _error(500)
