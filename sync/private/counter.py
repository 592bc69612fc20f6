"""How far the ledger has come, remembered outside the database: a database put back from a copy is found out.

A copy of the whole disk put back is not: then only the clinic, which remembers what it was answered, can tell.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from sync.private.errors import LedgerError

NAME = "ledger.counter"


# Of ε, in thousandths, by (length in days, index) of each window that was answered.
Spent = dict[tuple[int, int], int]


class Counter:
    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def read(self) -> Spent | None:
        """None where there is none (a first start, a reinstallation). Raises LedgerError for a file that is none."""
        try:
            raw = json.loads(self.path.read_text(encoding="ascii"))
            return {(int(length), int(index)): int(milli) for length, index, milli in raw["spent_milli"]}
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise LedgerError(f"{self.path}: {problem.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise LedgerError(
                f"{self.path}: not what was written there; with it removed, the ledger counts anew"
            ) from None

    def write(self, spent: Spent) -> None:
        """On the disk when this returns, whole or not at all."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self.path.with_suffix(".new")
            text = json.dumps({"spent_milli": [[*window, milli] for window, milli in sorted(spent.items())]})
            with new.open("w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
            descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as problem:
            raise LedgerError(f"{self.path}: {problem.strerror}") from None
