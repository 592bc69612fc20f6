"""The side of an oximeter: every window answered, every desaturation once, every hour summed up.

A window has a saturation where half of its seconds have one. Time passes with what the oximeter itself says, so
nothing that other channels do can change it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.desaturations import DEEP_DROP_PCT, Desaturations
from device_pipeline.oximetry.oxygenation import Oxygenation
from device_pipeline.oximetry.seconds import SECOND_NS, Second, Seconds
from device_pipeline.oximetry.settled import Settled
from device_pipeline.oximetry.spo2 import Spo2
from sensors.samples import Gap, Item, Reading

WINDOW_S = 10
HOUR_S = 3600
MIN_VALID_SHARE = 0.5
LOW_PCT = 90.0
METHOD = "oximeter"

Told = Spo2 | Desaturation | Oxygenation


class Oximeter:
    """Takes everything a device sends and reads its saturation, perfusion and gaps."""

    def __init__(self, *, origin_ns: int, live: bool) -> None:
        self._origin_ns = origin_ns
        self._seconds = Seconds(origin_ns, live)
        self._settled = Settled()
        self._drops = Desaturations()
        self._window: list[Second] = []
        self._hour: list[float] = []
        self._hour_start_ns: int | None = None
        self._counts = [0, 0]  # desaturations of this hour, and the deep ones of them
        self._last_ns = 0  # the end of the last second taken

    @property
    def is_heard(self) -> bool:
        """Whether any saturation, or its absence, has come at all."""
        return self._seconds.is_heard

    def begin(self, start_ns: int) -> None:
        self._seconds.begin(start_ns)

    def push(self, item: Item) -> Sequence[Told]:
        if not isinstance(item, Reading | Gap):
            return ()
        return self._take(self._seconds.push(item), ended=False)

    def flush(self, end_ns: int) -> Sequence[Told]:
        out = self._take(self._seconds.flush(end_ns), ended=True)
        self._close_window(out)
        self._close_hour(out)
        return out

    def _take(self, seconds: list[Second], ended: bool) -> list[Told]:
        out: list[Told] = []
        for second in seconds:
            for settled in self._settled.push(second):
                self._add(settled, out)
        if ended:
            for settled in self._settled.flush():
                self._add(settled, out)
        return out

    def _add(self, second: Second, out: list[Told]) -> None:
        if self._window and self._grid(second.start_ns, WINDOW_S) != self._grid(self._window[0].start_ns, WINDOW_S):
            self._close_window(out)
        hour_ns = self._grid(second.start_ns, HOUR_S)
        if self._hour_start_ns is not None and hour_ns != self._grid(self._hour_start_ns, HOUR_S):
            self._close_hour(out)
        self._window.append(second)
        if self._hour_start_ns is None:
            self._hour_start_ns = second.start_ns
        self._last_ns = second.start_ns + SECOND_NS
        if second.spo2_pct is not None:
            self._hour.append(second.spo2_pct)
        for drop in self._drops.push(second):
            self._counts[0] += 1
            self._counts[1] += drop.drop_pct >= DEEP_DROP_PCT
            out.append(drop.found)

    def _grid(self, t_ns: int, length_s: int) -> int:
        return t_ns - (t_ns - self._origin_ns) % (length_s * SECOND_NS)

    def _close_window(self, out: list[Told]) -> None:
        seconds, self._window = self._window, []
        if not seconds:
            return
        start_ns = seconds[0].start_ns
        known = [second.spo2_pct for second in seconds if second.spo2_pct is not None]
        share = len(known) / len(seconds)
        told = share >= MIN_VALID_SHARE
        blame = Counter(second.reason for second in seconds if second.reason is not None)
        out.append(
            Spo2(
                start_ns=start_ns,
                length_ns=seconds[-1].start_ns + SECOND_NS - start_ns,
                spo2_pct=sum(known) / len(known) if told else None,
                quality=share if known else None,
                reason=None if told else max(blame, key=lambda reason: (blame[reason], reason)),
                method=METHOD,
            )
        )

    def _close_hour(self, out: list[Told]) -> None:
        if self._hour_start_ns is None:
            return
        known, self._hour = self._hour, []
        out.append(
            Oxygenation(
                start_ns=self._hour_start_ns,
                length_ns=self._last_ns - self._hour_start_ns,
                valid_s=len(known),
                mean_pct=sum(known) / len(known) if known else None,
                min_pct=min(known, default=None),
                below_90_s=sum(value < LOW_PCT for value in known),
                drops_3=self._counts[0],
                drops_4=self._counts[1],
            )
        )
        self._hour_start_ns, self._counts = None, [0, 0]
