"""The file: a header in the clear, frames of one size, each under a key, and an end that says nothing was taken away.

Header: magic (4), the clinic's id (16), the backup's id (16, at random). The first section, under the clinic's backup
key, begins with what the backup is and holds the clinic's own rows; then a section for each device and each code that
is out, in no order that says anything; the last frame, under the clinic's key again, has the SHA-256 of all before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sync.clinic.backup.errors import BackupError
from sync.clinic.backup.key_store import BackupKey
from sync.clinic.backup.sealed_frame import (
    FRAME_BYTES,
    HEADER,
    MAGIC,
    MARK_BYTES,
    PAYLOAD_BYTES,
    FrameError,
    Marks,
    SectionKey,
)
from sync.clinic.backup.table import parsed

ID_BYTES = 16


class BackupWriter:
    """Sections one after the other, then end()."""

    def __init__(self, file: BinaryIO, header: bytes) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._frames = 0
        self._write(header)

    def section(self, key: SectionKey, lines: Iterable[bytes]) -> None:
        """`lines`: each with its newline."""
        waiting = bytearray()
        for line in lines:
            waiting += line
            while len(waiting) >= PAYLOAD_BYTES:
                self._frame(key, bytes(waiting[:PAYLOAD_BYTES]))
                del waiting[:PAYLOAD_BYTES]
        if waiting:
            self._frame(key, bytes(waiting))

    def end(self, clinic: SectionKey) -> int:
        """The size of the file."""
        end = {"frames": self._frames, "sha256": self._hash.hexdigest()}
        self.section(clinic, [json.dumps(["end", end]).encode("ascii") + b"\n"])
        return HEADER.size + self._frames * FRAME_BYTES

    def _frame(self, key: SectionKey, payload: bytes) -> None:
        self._write(key.seal(self._frames, payload))
        self._frames += 1

    def _write(self, data: bytes) -> None:
        self._hash.update(data)
        self._file.write(data)


@dataclass(frozen=True, slots=True)
class Line:
    """`subject`: whose section it stands in; None: the clinic's."""

    subject: bytes | None
    text: bytes


class BackupReader:
    """Reads from the beginning to the end, once. What is under a key that was erased is passed over and counted."""

    def __init__(
        self,
        file: BinaryIO,
        clinic: bytes,
        clinic_key: BackupKey,
        keys: dict[bytes, BackupKey],
        erased: Iterable[bytes],
    ) -> None:
        """`keys`: by subject; `erased`: the ids of keys that there are no more. Raises BackupError."""
        self._file = file
        self._hash = hashlib.sha256()
        self.header = self._read(HEADER.size)
        if len(self.header) != HEADER.size or not self.header.startswith(MAGIC):
            raise BackupError("this is no backup of a clinic")
        _, found, _ = HEADER.unpack(self.header)
        if found != clinic:
            raise BackupError(f"a backup of clinic {found.hex()}; the keys here are those of clinic {clinic.hex()}")
        marks = Marks(self.header, clinic_key)
        self._clinic = SectionKey(self.header, marks.of(clinic_key.id), clinic_key)
        self._subjects = {marks.of(key.id): (subject, key) for subject, key in keys.items()}
        self._erased = {marks.of(id_) for id_ in erased}
        self.left_out: set[bytes] = set()  # marks of sections whose key was erased
        self.missing: set[bytes] = set()  # marks of sections whose key nobody here knows of

    def lines(self) -> Iterator[Line]:
        """All but the end, which is checked. Raises BackupError, at last where something was changed or cut away."""
        number = 0
        key: SectionKey | None = self._clinic
        subject: bytes | None = None
        rest = b""
        before = self._hash.digest()
        ended = False
        while frame := self._read(FRAME_BYTES):
            if len(frame) != FRAME_BYTES:
                raise BackupError("the backup was cut: its last part is not whole")
            if ended:
                raise BackupError("the backup was changed: something stands behind its end")
            mark = frame[:MARK_BYTES]
            if number == 0 and mark != self._clinic.mark:
                raise BackupError("the backup was changed, or made with other backup keys than those here")
            if key is None or mark != key.mark:
                if rest:
                    raise BackupError("the backup was changed: a section is not whole")
                key, subject = self._section(mark)
            if key is not None:
                try:
                    rest += key.open(number, frame)
                except FrameError as problem:
                    raise BackupError(f"the backup was changed: {problem}") from None
                *lines, rest = rest.split(b"\n")
                for text in lines:
                    if subject is None and text.startswith(b'["end"'):
                        _check_end(text, number, before)
                        ended = True
                    else:
                        yield Line(subject, text)
            number += 1
            before = self._hash.digest()
        if not ended:
            raise BackupError("the backup was cut: its end is missing")

    def _section(self, mark: bytes) -> tuple[SectionKey | None, bytes | None]:
        if mark == self._clinic.mark:
            return self._clinic, None
        if mark in self._subjects:
            subject, key = self._subjects[mark]
            return SectionKey(self.header, mark, key), subject
        (self.left_out if mark in self._erased else self.missing).add(mark)
        return None, None

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        return data


def _check_end(text: bytes, number: int, before: bytes) -> None:
    """`before`: the SHA-256 of all before this frame."""
    _, end = parsed(text)
    if end != {"frames": number, "sha256": before.hex()}:
        raise BackupError("the backup was changed: it is not what its end says")
