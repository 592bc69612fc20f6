"""HTTPS that tells no more than it must: fixed headers, no user agent, no cookie, no redirect, certificates checked.

Each message has a connection of its own. Proxies of the environment are not used. http:// goes to this machine only.
"""

from __future__ import annotations

import ssl
from contextlib import closing

import httpx

from sync.pairing import on_this_machine
from sync.uplink.transport import TransportError

TIMEOUT_S = 30.0


class HttpsTransport:
    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        # the certificates that this system trusts
        self._tls = ssl.create_default_context()

    def post(self, url: str, data: bytes, most_bytes: int) -> bytes:
        headers = {"Content-Type": "application/octet-stream", "Accept": "application/octet-stream"}
        return self._answer(url, "POST", headers, data, most_bytes)

    def get(self, url: str, most_bytes: int) -> bytes:
        return self._answer(url, "GET", {"Accept": "application/json"}, None, most_bytes)

    def _answer(self, url: str, method: str, headers: dict[str, str], data: bytes | None, most_bytes: int) -> bytes:
        if not url.startswith("https://") and not on_this_machine(url):
            raise TransportError("the address is not https://, and not of this machine")
        try:
            # built by hand: a client would add a user agent, and the encodings it knows
            request = httpx.Request(method, url, headers={**headers, "Connection": "close"}, content=data)
            with (
                httpx.Client(
                    verify=self._tls, trust_env=False, follow_redirects=False, timeout=self._timeout_s
                ) as client,
                closing(client.send(request, stream=True)) as answer,
            ):
                if answer.status_code != 200:
                    raise TransportError(f"answered with HTTP {answer.status_code}")
                received = b""
                for chunk in answer.iter_raw():
                    received += chunk
                    if len(received) > most_bytes:
                        raise TransportError(f"answered with more than {most_bytes} bytes")
                return received
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as problem:
            raise TransportError(type(problem).__name__) from None
