"""How long to wait before the next try: twice as long each time up to a limit, and never two devices in step."""

from __future__ import annotations

from random import Random


class Backoff:
    """`next_s` after every failure, `reset` when it went well."""

    def __init__(self, first_s: float, most_s: float, random: Random) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._random = random
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next_s(self) -> float:
        """Between half of the step and all of it."""
        step_s = min(self._most_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return step_s * (0.5 + 0.5 * self._random.random())
