"""A Temperature is what a thermometer said over one window, and where it is going."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Site(StrEnum):
    """Where a thermometer sits: skin is some degrees colder than the body, and follows the room."""

    BODY = "body"  # ear, mouth, armpit, rectum, gut; or a thermometer that does not say
    SKIN = "skin"  # finger, toe, wrist, a patch


@dataclass(frozen=True, slots=True, repr=False)
class Temperature:
    """Median of [start_ns, start_ns + length_ns) in degrees Celsius, where the thermometer sits.

    `temperature_c` None where it cannot be told, and then `reason` says why. `trend_c_per_h`: the slope over the time
    before, None where that is too short to tell.
    """

    start_ns: int
    length_ns: int
    temperature_c: float | None
    trend_c_per_h: float | None
    reason: str | None
    site: Site

    def __repr__(self) -> str:
        return f"<Temperature start_ns={self.start_ns}>"
