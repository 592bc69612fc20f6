"""What an oximeter says, laid on whole seconds: a saturation, or nothing and why.

A reading stands until the next one, for five seconds at most; where none follows in time it stands for one. What an
oximeter says without enough blood under it, and what it cannot mean, is no saturation.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_pipeline.windows import LONGEST_HOLE_NS
from sensors.samples import Gap, Quantity, Reading

SECOND_NS = 1_000_000_000
# The last one of a stream stands no longer than the first: a lost notification or two are bridged, a lost probe is not.
JOIN_NS = 5 * SECOND_NS
# Below it the pulse is so small that finger oximeters state no accuracy, or a lesser one: ours to choose.
MIN_PERFUSION_PCT = 0.3
PERFUSION_STANDS_NS = 15 * SECOND_NS
# Severe apnoea goes below 50 %, where oximeters state no accuracy but show a trend; below 35 % most show nothing, and
# what is found there is made by whoever drew a line from a value to the zero of a probe that is off.
LEAST_PCT, MOST_PCT = 35.0, 100.0

LOW_PERFUSION = "low_perfusion"
OUT_OF_RANGE = "out_of_range"
MISSING = "missing"
SILENT = "silent"
SPO2_CHANNELS = frozenset({"spo2", "spo2_pct"})


@dataclass(frozen=True, slots=True, repr=False)
class Second:
    """Saturation of the second from `start_ns`; `reason` where there is none."""

    start_ns: int
    spo2_pct: float | None
    reason: str | None

    def __repr__(self) -> str:
        return f"<Second start_ns={self.start_ns}>"


class Seconds:
    """Readings of saturation and perfusion, and gaps, in order of arrival; every second once, in order of time.

    A second takes what holds at its middle. `origin_ns`: where the grid of seconds begins.
    """

    def __init__(self, origin_ns: int, live: bool) -> None:
        self._origin_ns = origin_ns
        self._nothing = SILENT if live else MISSING
        self._begun_ns: int | None = None
        self._next = 0
        self._heard = False
        self._channel: str | None = None
        self._pending: Reading | None = None
        self._perfusion: Reading | None = None

    @property
    def is_heard(self) -> bool:
        """Whether any saturation, or its absence, has come at all."""
        return self._heard

    def begin(self, start_ns: int) -> None:
        self._begun_ns = start_ns

    def push(self, item: Reading | Gap) -> list[Second]:
        out: list[Second] = []
        if isinstance(item, Gap):
            if self._is_mine(item):
                self._hear(item.start_ns)
                self._pass_pending(item.start_ns, out)
                self._tell(item.end_ns, None, item.reason.value, out)
        elif item.quantity is Quantity.PERFUSION:
            self._perfusion = item
        elif item.quantity is Quantity.SPO2 and (self._pending is None or item.t_ns >= self._pending.t_ns):
            self._channel = self._channel or item.channel
            self._hear(item.t_ns)
            self._pass_pending(item.t_ns, out)
            self._pending = item
        return out

    def flush(self, end_ns: int) -> list[Second]:
        out: list[Second] = []
        if self._heard:
            self._pass_pending(end_ns, out)
        return out

    def _is_mine(self, gap: Gap) -> bool:
        if gap.channel in SPO2_CHANNELS:
            return True
        return gap.channel is None and self._heard

    def _hear(self, t_ns: int) -> None:
        if not self._heard:
            self._heard = True
            begun_ns = self._begun_ns
            near = begun_ns is not None and 0 <= t_ns - begun_ns <= LONGEST_HOLE_NS
            self._skip_to(begun_ns if near and begun_ns is not None else t_ns)

    def _skip_to(self, t_ns: int) -> None:
        self._next = max(self._next, (t_ns - self._origin_ns) // SECOND_NS)

    def _pass_pending(self, until_ns: int, out: list[Second]) -> None:
        """Time has come to `until_ns`: what the last reading covers, and the hole after it."""
        last, self._pending = self._pending, None
        if last is not None:
            joined = until_ns - last.t_ns <= JOIN_NS
            value, reason = self._judged(last)
            self._tell(until_ns if joined else last.t_ns + SECOND_NS, value, reason, out)
        self._tell(until_ns, None, self._nothing, out)

    def _judged(self, reading: Reading) -> tuple[float | None, str | None]:
        if not LEAST_PCT <= reading.value <= MOST_PCT:
            return None, OUT_OF_RANGE
        perfusion = self._perfusion
        if (
            perfusion is not None
            and perfusion.value < MIN_PERFUSION_PCT
            and abs(reading.t_ns - perfusion.t_ns) <= PERFUSION_STANDS_NS
        ):
            return None, LOW_PERFUSION
        return reading.value, None

    def _tell(self, until_ns: int, spo2_pct: float | None, reason: str | None, out: list[Second]) -> None:
        """Every second not told yet whose middle lies before `until_ns`."""
        stop = (until_ns - self._origin_ns + SECOND_NS // 2 - 1) // SECOND_NS
        if (stop - self._next) * SECOND_NS > LONGEST_HOLE_NS:
            self._next = stop
        while self._next < stop:
            out.append(Second(self._origin_ns + self._next * SECOND_NS, spo2_pct, reason))
            self._next += 1
