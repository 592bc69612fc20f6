"""An Alert says what was seen, when it began and, once it is over, when it ended; it is a notice, never a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, repr=False)
class Grounds:
    """What an alert that a model has part in stands on, so that somebody can look for himself.

    The model saw [start_ns, end_ns); `beats_ns` are the beats it is about, the newest of many; `score`, 0 to 1, is how
    sure the model was. What to look at lies in [strip_start_ns, strip_end_ns).
    """

    start_ns: int
    end_ns: int
    beats_ns: tuple[int, ...]
    score: float
    model: str
    version: str
    strip_start_ns: int
    strip_end_ns: int

    def __repr__(self) -> str:
        return f"<Grounds {self.model} {self.version}>"


@dataclass(frozen=True, slots=True, repr=False)
class Alert:
    """Named by `start_ns` and `rule`: the same alert comes out once when raised (`end_ns` None) and once when over.

    `raised_ns` is the moment up to which the data had been seen when the hold was met. `grounds`: of an alert that a
    model has part in, what raised it.
    """

    rule: str
    start_ns: int
    raised_ns: int
    end_ns: int | None
    text: str
    grounds: Grounds | None = None

    def __repr__(self) -> str:
        return f"<Alert {self.rule}>"

    def ended(self, end_ns: int) -> Alert:
        return replace(self, end_ns=end_ns)
