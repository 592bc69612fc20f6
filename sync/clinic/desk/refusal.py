"""What is refused is told in plain words: a status, what it means, what to do; nothing of the request is said again.

Pages are answered with HTML, what programs ask with JSON of the same two fields everywhere.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

# Asked by programs: everything else is a page.
FOR_PROGRAMS = ("/v1/", "/fhir/", "/metrics", "/openapi.json")

_WORDS: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "This request cannot be read", "Go back and try again."),
    401: ("sign_in", "You are not signed in", "Sign in and try again."),
    403: ("forbidden", "This is not allowed", "Open the page anew, and try from there."),
    404: ("not_found", "There is no such page", "What was here may have been withdrawn."),
    405: ("method_not_allowed", "This page takes no such request", "Open it by its link."),
    408: ("too_slow", "The request took too long", "Try again."),
    413: ("too_large", "This is too much at once", "A form here holds at most 64 KiB."),
    415: ("media_type", "This is no form", "Only forms of these pages are taken."),
    429: ("too_many", "Too many tries", "Wait as long as it says, then try again."),
    500: ("internal", "Our mistake", "Nothing of it was stored. Try again; if it stays, tell who runs this server."),
    503: ("not_now", "The database cannot be used now", "Try again in a minute."),
}


def refused(request: Request, status: int, why: str | None = None) -> Response:
    """`why`: a sentence of ours in place of what to do; never anything that was sent."""
    status = status if status in _WORDS else 400
    code, title, advice = _WORDS[status]
    if for_programs(request):
        return JSONResponse({"error": code, "message": why or title}, status_code=status)
    return HTMLResponse(_PAGE.format(title=title, advice=why or advice), status_code=status)


def for_programs(request: Request) -> bool:
    return request.url.path.startswith(FOR_PROGRAMS)


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · vitalkeep</title><link rel="stylesheet" href="/static/clinic.css"></head>
<body><main><section class="sheet narrow"><h1>{title}</h1><p>{advice}</p>
<p><a href="/">To the first page</a></p></section></main></body></html>
"""
