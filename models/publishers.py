"""Whose models are let in: keys that came with the program, and keys that the wearer pinned, each for named models.

Nothing has been published apart from the program yet, so it brings no key.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from models.errors import TrustError
from models.signature import KEY_BYTES, fingerprint

_HEAD = "vitalkeep-key-1"
_MOST_TEXT = 512
_LABEL = re.compile(r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]{1,80}$")


@dataclass(frozen=True, slots=True)
class Publisher:
    """`models`: the names of those it may sign; None for all of them."""

    key: bytes
    label: str
    models: tuple[str, ...] | None = None

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.key)

    def may_sign(self, model: str) -> bool:
        return self.models is None or model in self.models


PUBLISHERS: tuple[Publisher, ...] = ()


def publisher_of(publishers: Iterable[Publisher], fingerprint: str) -> Publisher | None:
    return next((publisher for publisher in publishers if publisher.fingerprint == fingerprint), None)


def key_line(publisher: Publisher) -> str:
    """What a key file holds: one line."""
    return f"{_HEAD} {base64.b64encode(publisher.key).decode('ascii')} {publisher.label}\n"


def read_key(text: str, where: str) -> Publisher:
    """The key of a key file. Raises TrustError."""
    parts = text.strip().split(" ", 2) if len(text) <= _MOST_TEXT else []
    if len(parts) != 3 or parts[0] != _HEAD:
        raise TrustError(f"{where}: no public key, one line '{_HEAD} KEY NAME' expected")
    try:
        key = base64.b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise TrustError(f"{where}: a key of {len(key)} bytes, {KEY_BYTES} expected")
    if not _LABEL.match(parts[2]):
        raise TrustError(f"{where}: the name of the key is not 1 to 80 plain characters")
    return Publisher(key, parts[2])
