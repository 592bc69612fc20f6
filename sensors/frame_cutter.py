"""Frames out of a byte stream: the same whatever notifications it was cut into, and in bounded memory.

At each position the protocol says whether a frame stands there. What cannot be one costs a single byte, so garbage
resynchronises at the first frame that is whole.
"""

from __future__ import annotations

from collections.abc import Callable

NO_FRAME = 0

Look = Callable[[bytes], int | None]
"""The length of the frame at the start of the bytes; NO_FRAME where none can begin there; None for more bytes.

More bytes may turn None into an answer, never one answer into another. A frame is never longer than the cutter's limit.
"""


class FrameCutter:
    """A Reassembler. `longest`: bytes of the longest frame that `look` can wait for."""

    def __init__(self, look: Look, longest: int) -> None:
        self._look = look
        self._longest = longest
        self._left = b""

    @property
    def waiting(self) -> int:
        """Bytes kept; fewer than the longest frame has."""
        return len(self._left)

    def push(self, piece: bytes) -> list[bytes]:
        stream, at, frames = self._left + piece, 0, []
        while at < len(stream):
            window = stream[at : at + self._longest]
            length = self._look(window)
            if length is None and len(window) < self._longest:
                break
            if length:
                frames.append(stream[at : at + length])
            at += length or 1
        self._left = stream[at:]
        return frames
