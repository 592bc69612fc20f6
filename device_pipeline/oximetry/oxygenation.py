"""An Oxygenation sums up one hour of an oximeter: only seconds that have a saturation count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Fewer valid seconds say nothing about an hour: two events in five minutes are not 24 an hour.
LEAST_INDEX_S = 600


@dataclass(frozen=True, slots=True, repr=False)
class Oxygenation:
    """[start_ns, start_ns + length_ns), an hour of the grid or what there was of it.

    `valid_s` seconds had a saturation; `mean_pct` and `min_pct` of them, None where there was none; `below_90_s` of
    them lay below 90 %. `drops_3` desaturations of 3 % or more ended in it, `drops_4` of those of 4 % or more.
    """

    start_ns: int
    length_ns: int
    valid_s: int
    mean_pct: float | None
    min_pct: float | None
    below_90_s: int
    drops_3: int
    drops_4: int

    def __repr__(self) -> str:
        return f"<Oxygenation start_ns={self.start_ns}>"


@dataclass(frozen=True, slots=True, repr=False)
class OxygenSummary:
    """Several hours together. `odi3_per_h`, `odi4_per_h`: desaturations per valid hour, None under `LEAST_INDEX_S`."""

    valid_s: int
    mean_pct: float | None
    min_pct: float | None
    below_90_s: int
    below_90_pct: float | None
    odi3_per_h: float | None
    odi4_per_h: float | None

    def __repr__(self) -> str:
        return "<OxygenSummary>"


def summed(hours: Iterable[Oxygenation]) -> OxygenSummary | None:
    """None where there is no hour."""
    told = list(hours)
    if not told:
        return None
    valid_s = sum(hour.valid_s for hour in told)
    below_90_s = sum(hour.below_90_s for hour in told)
    mean = sum(hour.mean_pct * hour.valid_s for hour in told if hour.mean_pct is not None)
    long_enough = valid_s >= LEAST_INDEX_S
    return OxygenSummary(
        valid_s=valid_s,
        mean_pct=mean / valid_s if valid_s else None,
        min_pct=min((hour.min_pct for hour in told if hour.min_pct is not None), default=None),
        below_90_s=below_90_s,
        below_90_pct=100.0 * below_90_s / valid_s if valid_s else None,
        odi3_per_h=3600.0 * sum(hour.drops_3 for hour in told) / valid_s if long_enough else None,
        odi4_per_h=3600.0 * sum(hour.drops_4 for hour in told) / valid_s if long_enough else None,
    )
