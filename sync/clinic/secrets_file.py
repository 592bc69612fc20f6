"""The clinic's private keys: one file that only its owner can read, written once and never again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.clinic.new_file import is_there, new_file
from sync.sealing import ClinicKeys

NAME = "clinic.keys"


@dataclass(frozen=True, slots=True, repr=False)
class ClinicSecrets:
    """`sealing`: opens what devices seal; `signing`: signs receipts."""

    sealing: X25519PrivateKey
    signing: Ed25519PrivateKey

    @property
    def public(self) -> ClinicKeys:
        return ClinicKeys(self.sealing.public_key().public_bytes_raw(), self.signing.public_key().public_bytes_raw())


def make_secrets(folder: Path) -> ClinicSecrets:
    """Raises ClinicError where there are some: devices have pinned them."""
    made = ClinicSecrets(X25519PrivateKey.generate(), Ed25519PrivateKey.generate())
    text = json.dumps(
        {"sealing": made.sealing.private_bytes_raw().hex(), "signing": made.signing.private_bytes_raw().hex()}
    )
    path = folder / NAME
    if is_there(path):
        raise ClinicError(f"{path}: there are keys already, and devices may have pinned them")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None
    with new_file(path) as file:
        file.write(text.encode("ascii"))
    return made


def load_secrets(folder: Path) -> ClinicSecrets:
    """Raises ClinicError where there are none, ClinicStoreError."""
    path = folder / NAME
    try:
        raw = json.loads(path.read_text(encoding="ascii"))
        if path.stat().st_mode & 0o077:
            raise ClinicStoreError(f"{path}: others can read it: chmod 600 {path}")
        return ClinicSecrets(
            X25519PrivateKey.from_private_bytes(bytes.fromhex(raw["sealing"])),
            Ed25519PrivateKey.from_private_bytes(bytes.fromhex(raw["signing"])),
        )
    except FileNotFoundError:
        raise ClinicError(f"{folder}: no clinic here; vitalkeep-clinic init makes one") from None
    except OSError as problem:
        raise ClinicStoreError(f"{path}: {problem.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise ClinicStoreError(f"{path}: these are no keys of a clinic") from None
