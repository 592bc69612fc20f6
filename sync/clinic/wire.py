"""What devices speak to: three paths, no cookie, and an answer to a message only when it is on the disk.

No error says again what was sent, and nothing about who sent it is kept. Receipts are answered with 200 whatever they
say, so that all look alike from outside.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync.clinic.backup.erasure import erase_keys
from sync.clinic.clinic import Clinic
from sync.clinic.errors import ClinicStoreError
from sync.clinic.inbox import Inbox
from sync.clinic.openapi import API_VERSION, ERRORS, document
from sync.clinic.rate_limit import RateLimit
from sync.clinic.receiver import Receiver
from sync.receipt import Receipt, Status
from sync.release import ENVELOPE_BYTES, ReleaseError

BODY_WITHIN_S = 30.0
Answering = Callable[[Request], Awaitable[Response]]


def routes(clinic: Clinic, *, most_per_address: int) -> list[Route]:
    """`most_per_address`: requests within ten minutes; 0: no limit."""
    receiver = Receiver(clinic.secrets, clinic.database, clinic.clock, lambda: erase_keys(clinic))
    inbox = Inbox(receiver, clinic.database.kind)
    limit = RateLimit(most_per_address, clinic.clock)
    keys = clinic.secrets.public
    about = {
        "api": int(API_VERSION),
        "name": clinic.name,
        "id": keys.id.hex(),
        "sealing": keys.sealing.hex(),
        "signing": keys.signing.hex(),
    }

    async def about_it(_: Request) -> Response:
        return JSONResponse(about)

    async def openapi(_: Request) -> Response:
        return JSONResponse(document(clinic.name))

    trouble: str | None = None

    async def message(request: Request) -> Response:
        nonlocal trouble
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                data = await _body(request)
        except TimeoutError:
            clinic.counters.message("too_slow")
            return error(408)
        except ClientDisconnect:
            clinic.counters.message("too_slow")
            return error(400)  # to nobody
        if data is None:
            clinic.counters.message("too_large")
            return error(413)
        try:
            receipt = await inbox.receipt(data)
        except ReleaseError:
            clinic.counters.message("no_envelope")
            return error(400)
        except ClinicStoreError as problem:
            clinic.counters.message("not_now")
            clinic.counters.database_error()
            if str(problem) != trouble:  # once, and not for each message that comes meanwhile
                trouble = str(problem)
                print(f"messages cannot be stored: {trouble}", file=sys.stderr, flush=True)
            return error(503)
        except Exception:
            clinic.counters.message("internal")
            raise
        if trouble is not None:
            trouble = None
            print("messages are stored again", file=sys.stderr, flush=True)
        _count(clinic, receipt)
        return Response(receipt, media_type="application/octet-stream")

    def limited(answer: Answering) -> Answering:
        async def limited_answer(request: Request) -> Response:
            if not limit.admits(request.client.host if request.client else ""):
                if request.method == "POST":
                    clinic.counters.message("too_many")
                return error(429)
            return await answer(request)

        return limited_answer

    return [
        Route("/v1/clinic", limited(about_it), methods=["GET"]),
        Route("/v1/messages", limited(message), methods=["POST"]),
        Route("/openapi.json", limited(openapi), methods=["GET"]),
    ]


async def _body(request: Request) -> bytes | None:
    """None as soon as it is too long."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > ENVELOPE_BYTES:
            return None
    return data


def _count(clinic: Clinic, receipt: bytes) -> None:
    said = Receipt.decode(receipt)
    reason = said.reason.name.lower() if said.status is Status.REFUSED else ""
    clinic.counters.message(said.status.name.lower(), reason)


def error(status: int) -> Response:
    code, words = ERRORS[status]
    return JSONResponse({"error": code, "message": words}, status_code=status)
