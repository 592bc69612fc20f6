"""How far the ledger has come, remembered outside the database: a database put back from a copy is found out.

A copy of the whole disk put back is not: then only the clinic, which remembers what it was answered, can tell.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from sync.private.errors import LedgerError

NAME = "ledger.counter"


@dataclass(frozen=True, slots=True)
class Reached:
    """`spent_milli`: of ε, by (length in days, index) of each window answered. `sequences`: of each clinic, the number
    of the newest message, by its id in hexadecimal."""

    spent_milli: dict[tuple[int, int], int] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)

    def with_all_of(self, other: Reached) -> Reached:
        """Of each number the greater one."""
        spent, sequences = dict(self.spent_milli), dict(self.sequences)
        for window, milli in other.spent_milli.items():
            spent[window] = max(milli, spent.get(window, 0))
        for clinic, sequence in other.sequences.items():
            sequences[clinic] = max(sequence, sequences.get(clinic, 0))
        return Reached(spent, sequences)


class Counter:
    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def read(self) -> Reached | None:
        """None where there is none (a first start, a reinstallation). Raises LedgerError for a file that is none."""
        try:
            raw = json.loads(self.path.read_text(encoding="ascii"))
            spent = {(int(length), int(index)): int(milli) for length, index, milli in raw["spent_milli"]}
            return Reached(spent, {str(clinic): int(number) for clinic, number in raw["sequences"].items()})
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise LedgerError(f"{self.path}: {problem.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise LedgerError(
                f"{self.path}: not what was written there; with it removed, the ledger counts anew"
            ) from None

    def write(self, reached: Reached) -> None:
        """On the disk when this returns, whole or not at all."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self.path.with_suffix(".new")
            spent = [[*window, milli] for window, milli in sorted(reached.spent_milli.items())]
            text = json.dumps({"spent_milli": spent, "sequences": dict(sorted(reached.sequences.items()))})
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
