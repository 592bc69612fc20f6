"""What is told of ten seconds of an ECG, or of a PPG where there is none: whether they can be read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Usable:
    """`usable` None where there is no whole window to judge, and then `reason` says why; False with what is wrong.

    `right`: how likely every beat of it was found and nothing else; `noisy`: how likely a person would call it noise;
    both None where the index alone was sure or no net can be asked: `method` is "index" then, else the net's name.
    `noisy` is None for every PPG.
    """

    start_ns: int
    length_ns: int
    usable: bool | None
    right: float | None
    noisy: float | None
    method: str
    reason: str | None

    def __repr__(self) -> str:
        return f"<Usable start_ns={self.start_ns}>"
