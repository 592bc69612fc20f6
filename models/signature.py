"""Ed25519 (RFC 8032), in one place. What is signed always begins with what it is, so no signature serves two purposes.

`cryptography` is loaded only when something is really to be verified.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

KEY_BYTES = 32
SIGNATURE_BYTES = 64
MANIFEST = b"vitalkeep.bundle/1\0"
REVOCATIONS = b"vitalkeep.revocations/1\0"


@dataclass(frozen=True, slots=True)
class Signature:
    """`key`: the public key, 32 bytes, of whom it claims to be; nothing is known before it has been verified."""

    key: bytes
    signature: bytes

    def is_of(self, purpose: bytes, message: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(self.signature, purpose + message)
        except (InvalidSignature, ValueError):
            return False
        return True


def fingerprint(key: bytes) -> str:
    """SHA-256 of a public key, 64 hexadecimal digits."""
    return hashlib.sha256(key).hexdigest()


def spaced(fingerprint: str) -> str:
    """As people compare it: groups of four digits."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))
