"""Receipt: what the clinic answers to a message, always of one size, signed with the key that the device has pinned.

It is about one envelope: its id and the SHA-256 of all its bytes. Big-endian: magic (4), id (16), SHA-256 (32), status
(1), reason (1), zeros (10), signature of all before it (64). A message leaves the outbox for a valid receipt only.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.release import Release

MAGIC = b"VKA1"
RECEIPT_BYTES = 128
SIGNATURE_BYTES = 64
_BODY = struct.Struct(">4s16s32sBB10x")
_PURPOSE = b"vitalkeep receipt 1"


class ReceiptError(Exception):
    """Bytes that are no receipt, or not this clinic's, or not about this message."""


class Status(IntEnum):
    STORED = 1
    DUPLICATE = 2  # the same bytes had been stored before
    REFUSED = 3  # for ever


class Reason(IntEnum):
    NONE = 0
    SIGNATURE = 1
    UNKNOWN_DEVICE = 2
    TOKEN = 3
    SEQUENCE = 4
    ID_REUSED = 5
    SEAL = 6
    CONTENT = 7
    BOUNDS = 8
    ANSWERED = 9
    WITHDRAWN = 10

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Reason.NONE: "",
    Reason.SIGNATURE: "the signature is not the device's",
    Reason.UNKNOWN_DEVICE: "the clinic does not know this device: pair again",
    Reason.TOKEN: "the pairing code was used before, is too old, or is not of this clinic: ask for a new one",
    Reason.SEQUENCE: "a later message of this device has come already: its data were put back from an older copy",
    Reason.ID_REUSED: "another message with this id has come already",
    Reason.SEAL: "the content is not sealed to this clinic, or was changed",
    Reason.CONTENT: "the content is not one that this clinic knows",
    Reason.BOUNDS: "a figure is outside of what its statistic can give",
    Reason.ANSWERED: "the clinic has another answer about this time already",
    Reason.WITHDRAWN: "consent was withdrawn, and everything deleted",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """`digest`: SHA-256 of the envelope, 32 bytes. A reason stands beside REFUSED, and only there."""

    id: bytes
    digest: bytes
    status: Status
    reason: Reason
    signature: bytes

    def __post_init__(self) -> None:
        sizes = len(self.id), len(self.digest), len(self.signature)
        if sizes != (16, 32, SIGNATURE_BYTES):
            raise ReceiptError(f"parts of {sizes} bytes, expected {(16, 32, SIGNATURE_BYTES)}")
        if (self.status is Status.REFUSED) != (self.reason is not Reason.NONE):
            raise ReceiptError(f"status {self.status.name} with reason {self.reason.name}")

    def encode(self) -> bytes:
        """RECEIPT_BYTES, always."""
        return _body(self.id, self.digest, self.status, self.reason) + self.signature

    @classmethod
    def decode(cls, data: bytes) -> Receipt:
        """Raises ReceiptError. `decode(r.encode()) == r`, and `decode(d).encode() == d` for whatever it takes."""
        if len(data) != RECEIPT_BYTES:
            raise ReceiptError(f"{len(data)} bytes, expected {RECEIPT_BYTES}")
        magic, id_, digest, status, reason = _BODY.unpack_from(data)
        if magic != MAGIC:
            raise ReceiptError(f"begins with {magic.hex()}, expected {MAGIC.hex()}")
        try:
            receipt = cls(id_, digest, Status(status), Reason(reason), data[-SIGNATURE_BYTES:])
        except ValueError:
            raise ReceiptError(f"status {status} with reason {reason}, which nobody knows here") from None
        if receipt.encode() != data:
            raise ReceiptError("bytes that must be zero are not")
        return receipt


def issue(release: Release, status: Status, reason: Reason, key: Ed25519PrivateKey) -> Receipt:
    digest = digest_of(release)
    body = _body(release.id, digest, status, reason)
    return Receipt(release.id, digest, status, reason, key.sign(_PURPOSE + body))


def check(receipt: Receipt, release: Release, public_key: bytes) -> None:
    """Raises ReceiptError where it is not about this very envelope, or `public_key` (Ed25519) did not sign it."""
    if (receipt.id, receipt.digest) != (release.id, digest_of(release)):
        raise ReceiptError("the receipt is about another message")
    body = _body(receipt.id, receipt.digest, receipt.status, receipt.reason)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(receipt.signature, _PURPOSE + body)
    except (InvalidSignature, ValueError):
        raise ReceiptError("the receipt is not signed by this clinic") from None


def digest_of(release: Release) -> bytes:
    return hashlib.sha256(release.encode()).digest()


def _body(id_: bytes, digest: bytes, status: Status, reason: Reason) -> bytes:
    return _BODY.pack(MAGIC, id_, digest, status, reason)
