"""Transport: the seam between what is sent and how. It carries bytes and knows nothing of what they are."""

from __future__ import annotations

from typing import Protocol


class TransportError(Exception):
    """Nothing came back that can be an answer. The message says what happened to the connection, no more."""


class Transport(Protocol):
    def post(self, url: str, data: bytes, most_bytes: int) -> bytes:
        """The whole answer to `data`, at most `most_bytes` of it. Raises TransportError."""

    def get(self, url: str, most_bytes: int) -> bytes:
        """Raises TransportError."""
