"""A process that puts messages into an outbox, and drops them now and then, until somebody kills it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sync.outbox import Outbox, Peer
from sync.release import SEALED_BYTES, Release

CLINIC = bytes(range(16))
PEER = Peer(CLINIC, "clinic", "http://127.0.0.1:1", bytes(32), bytes(32))


def release(sequence: int) -> Release:
    return Release(bytes(16), sequence.to_bytes(16, "big"), sequence, bytes([sequence % 251]) * SEALED_BYTES, bytes(64))


def main(folder: Path, first: int) -> None:
    """Tells on stdout what is about to be done, and what is."""
    outbox = Outbox(folder)
    outbox.know(PEER)
    sequence = first
    while True:
        sequence += 1
        if sequence % 5 == 0:
            os.write(1, b"dropping 0\n")
            outbox.drop(CLINIC)
            os.write(1, b"dropped 0\n")
        os.write(1, b"putting %d\n" % sequence)
        outbox.put(CLINIC, release(sequence), 0)
        os.write(1, b"put %d\n" % sequence)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
