"""Asks an app in this process, as a client that waits for each answer; no socket is opened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping

import httpx
from starlette.types import ASGIApp


class AsgiClient:
    def __init__(self, app: ASGIApp, base_url: str = "http://clinic.example") -> None:
        self.app = app
        self._base_url = base_url
        # The app's own mistakes come back as it answers them.
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def post(
        self, path: str, content: bytes | Iterator[bytes], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return self.request("POST", path, content, headers)

    def request(
        self,
        method: str,
        path: str,
        content: bytes | Iterator[bytes] = b"",
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    ) -> httpx.Response:
        body = content if isinstance(content, bytes) else _pieces(content)

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url=self._base_url) as client:
                return await client.request(method, path, content=body, headers=headers or {})

        return asyncio.run(ask())


async def _pieces(content: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece
