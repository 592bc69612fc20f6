"""An Alert says what was seen, when it began and, once it is over, when it ended; it is a notice, never a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, repr=False)
class Alert:
    """Named by `start_ns` and `rule`: the same alert comes out once when raised (`end_ns` None) and once when over.

    `raised_ns` is the moment up to which the data had been seen when the hold was met.
    """

    rule: str
    start_ns: int
    raised_ns: int
    end_ns: int | None
    text: str

    def __repr__(self) -> str:
        return f"<Alert {self.rule}>"

    def ended(self, end_ns: int) -> Alert:
        return replace(self, end_ns=end_ns)
