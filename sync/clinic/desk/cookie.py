"""The cookies: over TLS ones that no other host can set; without TLS only on this machine.

Which of the two it is follows from how this very request came, and a cookie of the other kind is not looked at. One
names a session, the other, `door`, only ties the form to sign in to the browser that asked for it.
"""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

_NAME = "vitalkeep"
_DOOR = "vitalkeep-door"
_OVER_TLS = "__Host-"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def is_private(request: Request) -> bool:
    """Nobody in between reads what is sent: TLS, or both ends on this machine."""
    if request.url.scheme == "https":
        return True
    peer = request.client.host if request.client else ""
    return peer in _LOOPBACK and (request.url.hostname or "") in _LOOPBACK


def read_cookie(request: Request) -> str | None:
    return _read(request, _NAME)


def give_cookie(request: Request, response: Response, token: str) -> None:
    _give(request, response, _NAME, token)


def take_cookie(request: Request, response: Response) -> None:
    """Away, at the browser."""
    response.delete_cookie(
        _full(request, _NAME), path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )


def read_door_cookie(request: Request) -> str | None:
    return _read(request, _DOOR)


def give_door_cookie(request: Request, response: Response, token: str) -> None:
    _give(request, response, _DOOR, token)


def _full(request: Request, name: str) -> str:
    return _OVER_TLS + name if request.url.scheme == "https" else name


def _read(request: Request, name: str) -> str | None:
    if not is_private(request):
        return None
    value = request.cookies.get(_full(request, name), "")
    return value if _TOKEN.fullmatch(value) else None  # as they are given out, and nothing else


def _give(request: Request, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        _full(request, name), value, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )
