"""Sealed to one clinic, signed by one device: HPKE (RFC 9180) and Ed25519 (RFC 8032), both of `cryptography`.

Both sides share this module; it sees no wearer and knows no network. The header of an envelope is part of what is
sealed (as HPKE's info), so a sealed content cannot be moved to another device, id or clinic.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from sync.release import Content, Release, ReleaseError, header, pack, unpack

_PURPOSE = b"vitalkeep release 1"


class SealError(ReleaseError):
    """Sealed to another, or changed on its way."""


@dataclass(frozen=True, slots=True)
class ClinicKeys:
    """The public keys of a clinic, 32 bytes each: `sealing` X25519, `signing` Ed25519 (of its receipts)."""

    sealing: bytes
    signing: bytes

    @property
    def id(self) -> bytes:
        """16 bytes that name the clinic by its keys."""
        return hashlib.sha256(b"vitalkeep clinic 1" + self.sealing + self.signing).digest()[:16]


def device_id(public_key: bytes) -> bytes:
    return hashlib.sha256(b"vitalkeep device 1" + public_key).digest()[:16]


def seal(content: Content, id_: bytes, sequence: int, signing_key: Ed25519PrivateKey, clinic: ClinicKeys) -> Release:
    """Fresh randomness at every call: who needs the same bytes again keeps them."""
    device = device_id(signing_key.public_key().public_bytes_raw())
    head = header(device, id_, sequence)
    key = X25519PublicKey.from_public_bytes(clinic.sealing)
    sealed = _suite().encrypt(pack(content), key, _PURPOSE + clinic.id + head)
    return Release(device, id_, sequence, sealed, signing_key.sign(_PURPOSE + head + sealed))


def verify(release: Release, public_key: bytes) -> None:
    """Raises ReleaseError where `public_key` (Ed25519) is not the one that signed."""
    if device_id(public_key) != release.device:
        raise ReleaseError("the key is not the one of the device named in the envelope")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(release.signature, _PURPOSE + release.signed)
    except InvalidSignature:
        raise ReleaseError("the signature is not the device's") from None


def unseal(release: Release, sealing_key: X25519PrivateKey, clinic: ClinicKeys) -> Content:
    """Raises SealError, and ReleaseError where what was sealed is no content."""
    try:
        data = _suite().decrypt(release.sealed, sealing_key, _PURPOSE + clinic.id + release.header)
    except (InvalidTag, ValueError):
        raise SealError("the content is not sealed to this clinic, or was changed") from None
    return unpack(data)


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
