"""A Spo2 is the oxygen saturation of one window, or the reason why it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Spo2:
    """Oxygen saturation of [start_ns, start_ns + length_ns), per cent.

    `spo2_pct` None where it cannot be told, and then `reason` says why. `quality` 0 to 1, None where there was nothing
    to judge. `method` says whether an oximeter told it, or it comes of the uncalibrated ratio of two colours.
    """

    start_ns: int
    length_ns: int
    spo2_pct: float | None
    quality: float | None
    reason: str | None
    method: str

    def __repr__(self) -> str:
        return f"<Spo2 start_ns={self.start_ns}>"
