"""The side of the thermometers: body and skin apart, a window a minute, none of it of a thermometer that lies around.

Time passes with what a thermometer itself says. A reading stands until the next one, for five minutes at most: a body
does not change faster than that, and a thermometer that fell silent says nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.temperature.trend import Trend
from device_pipeline.track import Window
from device_pipeline.windows import LONGEST_HOLE_NS
from sensors.samples import Gap, Item, Quantity, Reading

WINDOW_NS = 60 * 10**9
STANDS_NS = 300 * 10**9
# What a living wearer can have there; beyond it the thermometer lies on a table or in the sun.
RANGE_C = {Site.BODY: (30.0, 44.0), Site.SKIN: (15.0, 42.0)}
SKIN_CHANNELS = frozenset({"skin_temperature", "skin_temperature_c"})
BODY_CHANNELS = frozenset({"temperature", "temperature_c"})
OUT_OF_RANGE, MISSING, SILENT = "out_of_range", "missing", "silent"


class Thermometer:
    """See Side."""

    def __init__(self, *, origin_ns: int, live: bool) -> None:
        self._sites = {site: _Site(site, origin_ns, SILENT if live else MISSING) for site in Site}

    def begin(self, start_ns: int) -> None:
        for site in self._sites.values():
            site.begin(start_ns)

    def push(self, item: Item) -> Sequence[Temperature]:
        if isinstance(item, Reading):
            if item.quantity is not Quantity.TEMPERATURE:
                return ()
            return self._sites[Site.SKIN if item.channel in SKIN_CHANNELS else Site.BODY].push(item)
        if isinstance(item, Gap):
            if item.channel in BODY_CHANNELS:
                return self._sites[Site.BODY].miss(item)
            if item.channel in SKIN_CHANNELS:
                return self._sites[Site.SKIN].miss(item)
            if item.channel is None:
                return [told for site in self._sites.values() for told in site.miss(item)]
        return ()

    def see(self, windows: Sequence[Window], more: bool) -> Sequence[Temperature]:
        return ()

    def flush(self, end_ns: int) -> Sequence[Temperature]:
        return [told for site in self._sites.values() for told in site.flush(end_ns)]


class _Site:
    def __init__(self, site: Site, origin_ns: int, nothing: str) -> None:
        self._site = site
        self._origin_ns = origin_ns
        self._nothing = nothing
        self._begun_ns: int | None = None
        self._next_ns: int | None = None  # start of the window that is open
        self._known: list[float] = []  # valid readings in it
        self._refused = False
        self._last: tuple[int, float | None] | None = None
        self._reason: str | None = None
        self._trend = Trend()

    def begin(self, start_ns: int) -> None:
        self._begun_ns = start_ns

    def push(self, reading: Reading) -> list[Temperature]:
        low, high = RANGE_C[self._site]
        value = reading.value if low <= reading.value <= high else None
        out = self._come_to(reading.t_ns)
        if value is None:
            self._refused = True
        else:
            self._known.append(value)
        self._last, self._reason = (reading.t_ns, value), None
        return out

    def miss(self, gap: Gap) -> list[Temperature]:
        if self._next_ns is None:
            return []
        out = self._come_to(gap.start_ns)
        self._last, self._reason = None, gap.reason.value
        return out + self._come_to(gap.end_ns)

    def flush(self, end_ns: int) -> list[Temperature]:
        if self._next_ns is None:
            return []
        out = self._come_to(end_ns)
        if self._next_ns < end_ns:
            out.append(self._told(self._next_ns, end_ns))
        elif self._known:  # the reading that is itself the end
            out.append(self._told(self._next_ns, self._next_ns + WINDOW_NS))
        return out

    def _come_to(self, t_ns: int) -> list[Temperature]:
        out: list[Temperature] = []
        if self._next_ns is None:
            begun_ns = self._begun_ns
            near = begun_ns is not None and 0 <= t_ns - begun_ns <= LONGEST_HOLE_NS
            self._next_ns = self._start_of(begun_ns if near and begun_ns is not None else t_ns)
        if t_ns - self._next_ns > LONGEST_HOLE_NS:
            out.append(self._told(self._next_ns, self._next_ns + WINDOW_NS))
            self._next_ns = self._start_of(t_ns)
        while self._next_ns + WINDOW_NS <= t_ns:
            out.append(self._told(self._next_ns, self._next_ns + WINDOW_NS))
            self._next_ns += WINDOW_NS
        return out

    def _start_of(self, t_ns: int) -> int:
        return t_ns - (t_ns - self._origin_ns) % WINDOW_NS

    def _told(self, start_ns: int, end_ns: int) -> Temperature:
        known, self._known = self._known, []
        refused, self._refused = self._refused, False
        value: float | None = None
        reason: str | None = self._reason or self._nothing
        if known:
            value, reason = statistics.median(known), None
        elif refused:
            reason = OUT_OF_RANGE
        elif self._last is not None and start_ns - self._last[0] < STANDS_NS:
            value = self._last[1]
            reason = OUT_OF_RANGE if value is None else None
        trend = None if value is None else self._trend.add(start_ns, value)
        return Temperature(start_ns, end_ns - start_ns, value, trend, reason, self._site)
