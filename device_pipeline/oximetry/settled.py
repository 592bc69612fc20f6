"""Around an absence an oximeter says what it guesses: those seconds are no saturation, and a leap is none either.

An oximeter averages over several beats. While its probe slips off it averages blood with nothing, and once it is back
it needs some beats to find them; a saturation that falls by a quarter of the blood within a second is not a saturation.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from device_pipeline.oximetry.seconds import SECOND_NS, Second

BEFORE_S, AFTER_S = 3, 5  # of an absence
# Real falls reach 20 points from one reading to the next where an oximeter tells a new value every few seconds only.
LEAP_PCT = 25.0
LEAP_S = 30  # a leap that stays is believed after so long

SETTLING = "settling"
LEAP = "leap"


class Settled:
    """Seconds in, the same seconds out, `BEFORE_S` of them later; some of them lose their value to a reason."""

    def __init__(self) -> None:
        self._held: deque[Second] = deque()
        self._after = 0  # seconds still to settle
        self._last_pct: float | None = None  # before a leap
        self._leapt = 0
        self._next_ns: int | None = None

    def push(self, second: Second) -> list[Second]:
        if self._next_ns is not None and second.start_ns != self._next_ns:
            self._absent()  # a hole that nobody tells second by second
        self._next_ns = second.start_ns + SECOND_NS
        value = second.spo2_pct
        if value is None:
            self._absent()
        elif self._after > 0:
            self._after -= 1
            second = replace(second, spo2_pct=None, reason=SETTLING)
        elif self._last_pct is not None and self._last_pct - value > LEAP_PCT and self._leapt < LEAP_S:
            self._leapt += 1
            second = replace(second, spo2_pct=None, reason=LEAP)
        else:
            self._last_pct, self._leapt = value, 0
        self._held.append(second)
        return [self._held.popleft()] if len(self._held) > BEFORE_S else []

    def flush(self) -> list[Second]:
        rest = list(self._held)
        self._held.clear()
        return rest

    def _absent(self) -> None:
        self._held = deque(
            held if held.spo2_pct is None else replace(held, spo2_pct=None, reason=SETTLING) for held in self._held
        )
        self._after = AFTER_S
        self._last_pct, self._leapt = None, 0
