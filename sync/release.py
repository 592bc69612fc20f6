"""Release: the one type with an encoder. What leaves the device is a Release or nothing, and all are of one size.

This module imports nothing of ours, so that whoever sends a Release cannot reach what it was made from. An envelope,
big-endian: magic (4), device (16), id (16), sequence (8), sealed content (916), signature of all before it (64). The
content, before it is sealed: its length (2), JSON, zeros up to 868 bytes. Answers and control messages look alike.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import asdict, dataclass
from typing import Any

MAGIC = b"VKR1"
ENVELOPE_BYTES = 1024
SIGNATURE_BYTES = 64
_HEADER = struct.Struct(">4s16s16sQ")
HEADER_BYTES = _HEADER.size
SEALED_BYTES = ENVELOPE_BYTES - HEADER_BYTES - SIGNATURE_BYTES
SEAL_OVERHEAD_BYTES = 48  # HPKE: a key of X25519 and a tag
CONTENT_BYTES = SEALED_BYTES - SEAL_OVERHEAD_BYTES
_MOST_SEQUENCE = (1 << 63) - 1


class ReleaseError(Exception):
    """Bytes that are no Release. The message says what was found and expected, and nothing of the content."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A noisy answer about one window of days. `value` is public by the ledger's arithmetic, never the true one."""

    statistic: str
    version: int
    length_days: int
    window: int
    value: float
    epsilon_milli: int


@dataclass(frozen=True, slots=True)
class Enrol:
    """A device introduces itself with the one-time `token` of its pairing code; `device_key`: Ed25519, hexadecimal.
    With an empty token one that is enrolled says what is consented to from now on.

    `statistics`: what the wearer consented to, each with the version of the text.
    """

    token: str
    device_key: str
    statistics: dict[str, int]


@dataclass(frozen=True, slots=True)
class Delete:
    """The wearer took consent back: every row of this device goes."""

    reason: str = "withdrawn"


Content = Answer | Enrol | Delete
_KINDS: dict[str, type[Answer] | type[Enrol] | type[Delete]] = {"answer": Answer, "enrol": Enrol, "delete": Delete}


@dataclass(frozen=True, slots=True)
class Release:
    """`device` 16 bytes: the beginning of the SHA-256 of its public key; `id` 16 random bytes: sent again, it is the
    same message; `sequence`: counts the device's messages to this clinic, from 1 on."""

    device: bytes
    id: bytes
    sequence: int
    sealed: bytes
    signature: bytes

    def __post_init__(self) -> None:
        sizes = len(self.device), len(self.id), len(self.sealed), len(self.signature)
        expected = 16, 16, SEALED_BYTES, SIGNATURE_BYTES
        if sizes != expected or not 0 < self.sequence <= _MOST_SEQUENCE:
            raise ReleaseError(f"parts of {sizes} bytes, expected {expected} and a sequence number from 1 on")

    @property
    def header(self) -> bytes:
        return header(self.device, self.id, self.sequence)

    @property
    def signed(self) -> bytes:
        """What the signature is about."""
        return self.header + self.sealed

    def encode(self) -> bytes:
        """ENVELOPE_BYTES, always."""
        return self.signed + self.signature

    @classmethod
    def decode(cls, data: bytes) -> Release:
        """Raises ReleaseError. `decode(r.encode()) == r`, and `decode(d).encode() == d` for whatever it takes."""
        if len(data) != ENVELOPE_BYTES:
            raise ReleaseError(f"{len(data)} bytes, expected {ENVELOPE_BYTES}")
        magic, device, id_, sequence = _HEADER.unpack_from(data)
        if magic != MAGIC:
            raise ReleaseError(f"begins with {magic.hex()}, expected {MAGIC.hex()}")
        return cls(device, id_, sequence, data[HEADER_BYTES:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:])


def header(device: bytes, id_: bytes, sequence: int) -> bytes:
    return _HEADER.pack(MAGIC, device, id_, sequence)


def pack(content: Content) -> bytes:
    """CONTENT_BYTES, always. Raises ReleaseError where it would not fit."""
    kind = next(name for name, type_ in _KINDS.items() if isinstance(content, type_))
    text = json.dumps({"kind": kind, **asdict(content)}, sort_keys=True, separators=(",", ":"), allow_nan=False)
    data = text.encode("ascii")
    if len(data) + 2 > CONTENT_BYTES:
        raise ReleaseError(f"{len(data)} bytes of content, at most {CONTENT_BYTES - 2} expected")
    return (struct.pack(">H", len(data)) + data).ljust(CONTENT_BYTES, b"\0")


def unpack(data: bytes) -> Content:
    """The inverse of `pack`, of bytes that may be hostile. Raises ReleaseError."""
    if len(data) != CONTENT_BYTES:
        raise ReleaseError(f"{len(data)} bytes of content, expected {CONTENT_BYTES}")
    (length,) = struct.unpack_from(">H", data)
    if length + 2 > CONTENT_BYTES or any(data[2 + length :]):
        raise ReleaseError("content that is not padded with zeros, as it must be")
    try:
        raw = json.loads(data[2 : 2 + length].decode("ascii"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ReleaseError("content that is no JSON") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("kind"), str) or raw["kind"] not in _KINDS:
        raise ReleaseError(f"content of an unknown kind, expected one of {sorted(_KINDS)}")
    return _content(raw)


def _content(raw: dict[str, Any]) -> Content:
    kind = raw.pop("kind")
    expected = set(_KINDS[kind].__slots__)
    if set(raw) != expected:
        raise ReleaseError(f"{kind} with {len(raw)} fields, expected {sorted(expected)}")
    if kind == "answer":
        _require(raw, str, "statistic")
        _require(raw, int, "version", "length_days", "window", "epsilon_milli")
        _require(raw, (int, float), "value")
        if not math.isfinite(raw["value"]):  # 1e999 is JSON
            raise ReleaseError("value is out of all bounds")
        return Answer(**{**raw, "value": float(raw["value"])})
    if kind == "enrol":
        _require(raw, str, "token", "device_key")
        _require(raw, dict, "statistics")
        statistics = raw["statistics"]
        if not all(isinstance(version, int) and not isinstance(version, bool) for version in statistics.values()):
            raise ReleaseError("enrol with statistics that are no versions by name")
        return Enrol(**raw)
    _require(raw, str, "reason")
    return Delete(**raw)


def _require(raw: dict[str, Any], kinds: type | tuple[type, ...], *names: str) -> None:
    for name in names:
        value = raw[name]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ReleaseError(f"{name} is {type(value).__name__}")
        if isinstance(value, int) and abs(value) > _MOST_SEQUENCE:
            raise ReleaseError(f"{name} is out of all bounds")


def _refuse(_: str) -> float:
    raise ValueError
