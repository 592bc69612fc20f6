"""What `vitalkeep evaluate --what` can measure: each kind is one module, loaded when asked for, and one row here.

A kind takes what was asked on the command line, prints its figures, and returns the exit code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEFAULT = "beats"
# The options that each kind reads besides --what, --json and --jobs; one that it does not read is refused.
TAKES: dict[str, frozenset[str]] = {
    "beats": frozenset({"reference", "beats", "tolerance_ms", "learning_s", "channel"}),
    "hrv": frozenset({"reference", "beats", "channel"}),
    "respiration": frozenset({"channel"}),
    "rhythm": frozenset({"reference", "beats", "channel", "fs_hz", "learning_s"}),
    "heart-rate": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line of one evaluation. `reference` and `beats` are file extensions without a dot."""

    paths: tuple[Path, ...]
    reference: str
    beats: str | None
    channel: str | None
    tolerance_s: float
    learning_s: float
    fs_hz: float | None
    as_json: bool
    jobs: int | None


def kind(what: str) -> Callable[[Asked], int]:
    """The evaluation named `what`, a key of TAKES. Raises ValueError for another."""
    match what:
        case "beats":
            from vitalkeep.cli.evaluate_beats import evaluate_beats

            return evaluate_beats
        case "hrv":
            from vitalkeep.cli.evaluate_hrv import evaluate_hrv

            return evaluate_hrv
        case "respiration":
            from vitalkeep.cli.evaluate_respiration import evaluate_respiration

            return evaluate_respiration
        case "rhythm":
            from vitalkeep.cli.evaluate_rhythm import evaluate_rhythm

            return evaluate_rhythm
        case "heart-rate":
            from vitalkeep.cli.evaluate_heart_rate import evaluate_heart_rate

            return evaluate_heart_rate
        case _:
            raise ValueError(f"no evaluation {what!r}; there are: {', '.join(TAKES)}")
