"""A Respiration is the breaths a minute of one window, or the reason why they cannot be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Respiration:
    """Mean respiration rate of [start_ns, start_ns + length_ns), breaths per minute.

    `rate_bpm` None where it cannot be told, and then `reason` says why. `quality` 0 to 1, None where there was nothing
    to judge. `method` names what it was read from and how, with its version.
    """

    start_ns: int
    length_ns: int
    rate_bpm: float | None
    quality: float | None
    reason: str | None
    method: str

    def __repr__(self) -> str:
        return f"<Respiration start_ns={self.start_ns}>"
