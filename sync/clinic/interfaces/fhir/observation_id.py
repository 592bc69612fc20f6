"""The id of an Observation: the same for ever, found without a list of ids, and nothing can be read from it.

One block of AES: the beginning of the device's id, which question, which window, and zeros that show that it is one of
ours. The key comes from the clinic's own; whoever has none sees 32 letters and digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.clinic.catalogue import QUESTIONS, Question
from sync.clinic.secrets_file import ClinicSecrets

DEVICE_BYTES = 8
_WINDOW_BYTES = 2
_TEXT = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Named:
    """`device`: the first 8 bytes of its id."""

    device: bytes
    asked: Question
    window: int


class ObservationIds:
    """Used by any number of threads."""

    def __init__(self, secrets: ClinicSecrets) -> None:
        derive = HKDF(hashes.SHA256(), 32, salt=None, info=b"vitalkeep observation ids 1")
        key = derive.derive(secrets.signing.private_bytes_raw())
        # A single block each, and no two are the same: the mode that chains nothing is the right one.
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())

    def __repr__(self) -> str:
        return "ObservationIds()"

    def encode(self, device: bytes, asked: Question, window: int) -> str:
        block = device[:DEVICE_BYTES] + _tag(asked) + window.to_bytes(_WINDOW_BYTES, "big")
        encryptor = self._cipher.encryptor()
        return (encryptor.update(block.ljust(16, b"\0")) + encryptor.finalize()).hex()

    def decode(self, text: str) -> Named | None:
        """None for what is none of ours."""
        if _TEXT.fullmatch(text) is None:
            return None
        decryptor = self._cipher.decryptor()
        block = decryptor.update(bytes.fromhex(text)) + decryptor.finalize()
        device, tag = block[:DEVICE_BYTES], block[DEVICE_BYTES : DEVICE_BYTES + 2]
        window, rest = block[DEVICE_BYTES + 2 : DEVICE_BYTES + 4], block[DEVICE_BYTES + 4 :]
        asked = next((each for each in QUESTIONS if _tag(each) == tag), None)
        if asked is None or any(rest):
            return None
        return Named(device, asked, int.from_bytes(window, "big"))


def _tag(asked: Question) -> bytes:
    return sha256(f"{asked.name} {asked.version}".encode("ascii")).digest()[:2]
