"""Programs are let in by a token in the Authorization header, never by one in an address; staff by their session.

Whoever is refused is told so as programs are told, unless a browser asks: 401 says how to ask (RFC 6750).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sync.clinic.clinic import Clinic
from sync.clinic.desk.guard import Bearer
from sync.clinic.tables.tokens import Tokens

Endpoint = Callable[[Request], Awaitable[Response]]
CHALLENGE = 'Bearer realm="vitalkeep clinic"'
# by status: the one text each has, beside FHIR; nothing of a request is said again
REFUSALS: dict[int, tuple[str, str]] = {
    400: ("bad_request", "this request cannot be read"),
    401: ("sign_in", "a token of the right scope in the Authorization header expected"),
    403: ("forbidden", "this is not allowed"),
    404: ("not_found", "there is nothing of this name"),
    500: ("internal", "our mistake"),
    503: ("not_now", "the database cannot be used now; ask again"),
}


def bearer_of(clinic: Clinic, scope: str) -> Bearer:
    """What guarded takes: the name of the token's holder, where it is of this scope."""

    def name(token: str) -> str | None:
        with clinic.database.reading() as tx:
            holder = Tokens(tx).holder(token)
        return holder.name if holder is not None and holder.scope == scope else None

    return name


def refusal(status: int) -> Response:
    status = status if status in REFUSALS else 400
    code, words = REFUSALS[status]
    response = JSONResponse({"error": code, "message": words}, status, {"Cache-Control": "no-store"})
    if status == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def told_to_programs(endpoint: Endpoint) -> Endpoint:
    """A program that is not let in is not led to a page where people sign in."""

    async def answer(request: Request) -> Response:
        response = await endpoint(request)
        if response.status_code < 300 or _is_browser(request):
            return response
        return refusal(401 if response.status_code == 303 else response.status_code)

    return answer


def _is_browser(request: Request) -> bool:
    return "authorization" not in request.headers and "text/html" in request.headers.get("accept", "")
