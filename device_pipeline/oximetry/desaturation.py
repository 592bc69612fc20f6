"""A Desaturation is one drop of the oxygen saturation from where it was, told when it is over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Desaturation:
    """[start_ns, end_ns) from the beginning of the fall to the end of the recovery; `nadir_pct` the lowest in it."""

    start_ns: int
    end_ns: int
    nadir_pct: float

    def __repr__(self) -> str:
        return f"<Desaturation start_ns={self.start_ns}>"
