"""Around everything the process answers: what every answer carries, and what becomes of a mistake of ours.

Each answer says what a browser may do with it, those to mistakes as well. A mistake is answered in plain words and told
on standard error by its kind and its place: what it says may hold a figure.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync.clinic.desk.peer import is_malformed
from sync.clinic.desk.refusal import refused

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), hid=(),"
        b" payment=(), publickey-credentials-get=(), accelerometer=(), gyroscope=(), magnetometer=(), midi=()",
    ),
)
HSTS = (b"strict-transport-security", b"max-age=31536000")


class Threshold:
    """Inside of Forwarded, outside of all else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # there is nothing else here
        begun = done = False
        ours = (*HEADERS, HSTS) if scope["scheme"] == "https" else HEADERS
        names = {name for name, _ in ours}

        async def send_with_headers(message: Message) -> None:
            nonlocal begun, done
            if message["type"] == "http.response.start":
                begun = True
                kept = [each for each in message.get("headers", ()) if each[0].lower() not in names]
                message = {**message, "headers": [*kept, *ours]}
            await send(message)
            done = message["type"] == "http.response.body" and not message.get("more_body", False)

        if is_malformed(scope):
            # Nothing of it may be asked for: not even its host.
            response = refused(Request({**scope, "path": "/", "headers": [(b"host", b"x")]}), 400)
            response.headers["Connection"] = "close"
            await response(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as problem:
            place = traceback.extract_tb(problem.__traceback__)[-1]
            where = f"{Path(place.filename).name}, line {place.lineno}"
            print(f"internal error: {type(problem).__name__} in {where}", file=sys.stderr, flush=True)
            if not begun:
                await refused(Request(scope), 500)(scope, receive, send_with_headers)
            elif not done:
                raise BrokenAnswerError from None


class BrokenAnswerError(RuntimeError):
    """An answer that had begun cannot be finished: the connection ends."""
