"""What a payload does not say of itself, and was agreed upon before it came."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unsaid:
    """`channels` and `resolution_bits` (of a sample) are those of a delta frame that stands alone; `factor` is what one
    count of a compressed Polar frame is worth, 1 where the device told none."""

    channels: int = 3
    resolution_bits: int = 16
    factor: float = 1.0


NOTHING_UNSAID = Unsaid()
