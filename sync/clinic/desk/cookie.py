"""The cookie of a session: over TLS one that no other host can set; without TLS only on this machine.

Which of the two it is follows from how this very request came, and a cookie of the other kind is not looked at.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

OVER_TLS = "__Host-vitalkeep"
ON_THIS_MACHINE = "vitalkeep"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def is_private(request: Request) -> bool:
    """Nobody in between reads what is sent: TLS, or both ends on this machine."""
    if request.url.scheme == "https":
        return True
    peer = request.client.host if request.client else ""
    return peer in _LOOPBACK and (request.url.hostname or "") in _LOOPBACK


def cookie_name(request: Request) -> str:
    return OVER_TLS if request.url.scheme == "https" else ON_THIS_MACHINE


def read_cookie(request: Request) -> str | None:
    if not is_private(request):
        return None
    return request.cookies.get(cookie_name(request)) or None


def give_cookie(request: Request, response: Response, token: str) -> None:
    response.set_cookie(
        cookie_name(request), token, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )


def take_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(
        cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )
