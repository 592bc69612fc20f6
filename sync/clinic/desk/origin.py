"""Whether a request that changes something comes from one of our own pages, as the browser itself tells.

Pages are served with `Referrer-Policy: no-referrer`, and a form of such a page is sent with `Origin: null` (Fetch,
"append a request Origin header"): then Sec-Fetch-Site has to say same-origin. What tells neither is refused.
"""

from __future__ import annotations

from starlette.requests import Request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def is_from_own_page(request: Request) -> bool:
    origins = request.headers.getlist("origin")
    sites = request.headers.getlist("sec-fetch-site")
    if len(origins) > 1 or len(sites) > 1:
        return False
    if sites and sites[0] != "same-origin":
        return False
    if origins and origins[0] != "null":
        return origins[0].lower() == own_origin(request)
    return bool(sites)


def own_origin(request: Request) -> str:
    """Scheme, host and port at which this request reached us, as a browser writes them."""
    scheme = request.url.scheme
    host = request.headers.get("host", "").lower()
    return f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"
