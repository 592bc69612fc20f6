"""One key within one backup: how a frame is marked, sealed and opened.

A key is used under a name that only this backup has (HKDF-SHA256, salted with the backup's id), so the number of a
frame is a nonce that never comes twice. The mark tells whoever holds the clinic's backup key which key opens a frame;
to all others it is 16 bytes at random, other ones in each backup.
"""

from __future__ import annotations

import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.clinic.backup.key_store import BackupKey

HEADER = struct.Struct(">4s16s16s")  # magic, clinic, backup
MAGIC = b"VKB1"
MARK_BYTES = 16
FRAME_BYTES = 16384  # two years of one patient fit into one: then the size says no more than that there is a patient
_TAG_BYTES = 16
_LENGTH = struct.Struct(">H")
PAYLOAD_BYTES = FRAME_BYTES - MARK_BYTES - _TAG_BYTES - _LENGTH.size


class FrameError(Exception):
    """A frame that was changed, or stands elsewhere than it stood."""


class Marks:
    """Names keys by marks."""

    def __init__(self, header: bytes, clinic_key: BackupKey) -> None:
        self._key = _derived(clinic_key.key, header, b"vitalkeep backup 1 marks")

    def of(self, key_id: bytes) -> bytes:
        return hmac.digest(self._key, key_id, hashlib.sha256)[:MARK_BYTES]


class SectionKey:
    """Seals and opens the frames of one section. `header`: that of the backup; all of it is bound to each frame."""

    def __init__(self, header: bytes, mark: bytes, key: BackupKey) -> None:
        self.mark = mark
        self._header = header
        self._cipher = ChaCha20Poly1305(_derived(key.key, header, b"vitalkeep backup 1 section"))

    def seal(self, number: int, payload: bytes) -> bytes:
        """FRAME_BYTES, always. `number`: of the frame within the file, from 0 on; `payload`: at most PAYLOAD_BYTES."""
        padded = (_LENGTH.pack(len(payload)) + payload).ljust(PAYLOAD_BYTES + _LENGTH.size, b"\0")
        if len(padded) > PAYLOAD_BYTES + _LENGTH.size:
            raise ValueError(f"{len(payload)} bytes of payload, at most {PAYLOAD_BYTES} fit")
        return self.mark + self._cipher.encrypt(_nonce(number), padded, self._bound(number))

    def open(self, number: int, frame: bytes) -> bytes:
        """The payload. Raises FrameError."""
        try:
            padded = self._cipher.decrypt(_nonce(number), frame[MARK_BYTES:], self._bound(number))
        except InvalidTag:
            raise FrameError(f"frame {number} was changed, or is not where it was written") from None
        (length,) = _LENGTH.unpack_from(padded)
        return padded[_LENGTH.size : _LENGTH.size + length]

    def _bound(self, number: int) -> bytes:
        return self._header + number.to_bytes(8, "big") + self.mark


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _derived(key: bytes, header: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=header, info=purpose).derive(key)
