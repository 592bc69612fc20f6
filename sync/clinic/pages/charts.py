"""A chart is points with whiskers over time; what has no figure has a mark that says so, and nothing joins two points.

Across, places are percents of the width, so a chart is as wide as what it stands in and its letters stay as large as
they are; upward they are pixels. Numbers become places here, and a template puts them into SVG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

HEIGHT_PX = 190
STRIP_PX = 104.0
# The least time that is shown, so that a first card does not fill the whole width.
_LEAST_DAYS = 168
_MOST_MONTHS = 9


class Mark(Enum):
    FIGURE = "figure"
    HIDDEN = "hidden"  # something came and may not be shown
    GAP = "gap"  # nothing came


@dataclass(frozen=True, slots=True, repr=False)
class Datum:
    """One period. `value` and `interval`: of a FIGURE alone; `words`: what is told where a pointer rests on it."""

    first_day: date
    last_day: date
    mark: Mark
    words: str
    value: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A line that somebody set, across the whole chart."""

    value: float
    words: str


@dataclass(frozen=True, slots=True)
class YTick:
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class XTick:
    """`minor`: gives way where there is little room."""

    x: str
    words: str
    minor: bool


@dataclass(frozen=True, slots=True, repr=False)
class Whisker:
    x: str
    y: float
    low_y: float
    high_y: float
    words: str


@dataclass(frozen=True, slots=True, repr=False)
class Band:
    x: str
    width: str
    words: str


@dataclass(frozen=True, slots=True, repr=False)
class Chart:
    """`name` is unique on its page. `level`: its place and words."""

    name: str
    title: str
    description: str
    unit: str
    height: int
    y_ticks: tuple[YTick, ...]
    x_ticks: tuple[XTick, ...]
    whiskers: tuple[Whisker, ...]
    hidden: tuple[Band, ...]
    gaps: tuple[Band, ...]
    level: YTick | None = None

    @property
    def strays(self) -> bool:
        """Whether noise took a figure to where no true one can be, and so beyond its range."""
        return any(not each.high_y <= each.y <= each.low_y for each in self.whiskers)


def make_chart(
    name: str,
    title: str,
    unit: str,
    data: Sequence[Datum],
    *,
    bounds: tuple[float, float] | None = None,
    step: float | None = None,
    level: Level | None = None,
) -> Chart | None:
    """`bounds`: what is shown at least, None: what the whiskers need; `step`: between ticks. None without data."""
    if not data:
        return None
    time = _Time(min(datum.first_day for datum in data), max(datum.last_day for datum in data))
    scale = _Scale.of(data, bounds, step, level)
    shown = [datum for datum in data if datum.mark is Mark.FIGURE]
    hidden = [datum for datum in data if datum.mark is Mark.HIDDEN]
    gaps = [datum for datum in data if datum.mark is Mark.GAP]
    return Chart(
        name,
        title,
        _description(shown, hidden, gaps),
        unit,
        HEIGHT_PX,
        # with nothing to read off there is no scale either
        tuple(YTick(scale.y(value), number(value)) for value in scale.ticks()) if shown or bounds else (),
        time.ticks(),
        tuple(_whisker(datum, time, scale) for datum in shown),
        tuple(time.band(datum) for datum in hidden),
        tuple(time.band(datum) for datum in gaps),
        None if level is None else YTick(scale.y(level.value), level.words),
    )


@dataclass(frozen=True, slots=True, repr=False)
class Strip:
    """A figure on a line as long as what it can be, in pixels; noise beyond its ends is drawn at them."""

    width: float
    x: float
    low_x: float
    high_x: float
    level_x: float


def make_strip(value: float, interval: tuple[float, float], level: float, bounds: tuple[float, float]) -> Strip:
    def x(at: float) -> float:
        low, high = bounds
        return round(STRIP_PX * (min(max(at, low), high) - low) / (high - low), 1)

    return Strip(STRIP_PX, x(value), x(interval[0]), x(interval[1]), x(level))


def number(value: float, decimals: int = 1) -> str:
    """Without zeros at its end, and with a minus that is as wide as a plus."""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "0") else text.replace("-", "−")


def _description(shown: list[Datum], hidden: list[Datum], gaps: list[Datum]) -> str:
    words = [f"{_counted(len(shown), 'figure')}, each a point with a bar for its 95 % range."]
    if hidden:
        words.append(f"{_counted(len(hidden), 'period')} hatched: a figure came that may not be shown.")
    if gaps:
        words.append(f"{_counted(len(gaps), 'period')} dotted at the foot: nothing came.")
    return " ".join([*words, "The table after it has the same figures."])


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _whisker(datum: Datum, time: _Time, scale: _Scale) -> Whisker:
    if datum.value is None or datum.interval is None:
        raise ValueError("a figure without its interval is not drawn")
    low, high = datum.interval
    return Whisker(_percent(time.middle(datum)), scale.y(datum.value), scale.y(low), scale.y(high), datum.words)


class _Time:
    def __init__(self, first: date, last: date) -> None:
        self._first = min(first, last + timedelta(days=1 - _LEAST_DAYS))
        self._days = (last - self._first).days + 1

    def _at(self, day: date) -> float:
        return 100.0 * (day - self._first).days / self._days

    def share(self, datum: Datum) -> float:
        return 100.0 * ((datum.last_day - datum.first_day).days + 1) / self._days

    def middle(self, datum: Datum) -> float:
        return self._at(datum.first_day) + self.share(datum) / 2

    def band(self, datum: Datum) -> Band:
        return Band(_percent(self._at(datum.first_day)), _percent(self.share(datum)), datum.words)

    def ticks(self) -> tuple[XTick, ...]:
        """At the first of a month, and of the fewer months the longer it is; a January names its year."""
        last = self._first + timedelta(days=self._days - 1)
        months = (last.year - self._first.year) * 12 + last.month - self._first.month
        step = next((step for step in (1, 3, 6) if months / step <= _MOST_MONTHS), 12)
        found = []
        for month in range(self._first.year * 12 + self._first.month, last.year * 12 + last.month):
            day = date(month // 12, month % 12 + 1, 1)
            if (day.month - 1) % step == 0 and self._at(day) < 97.0:
                words = f"{MONTHS[day.month - 1]} {day.year}" if day.month == 1 else MONTHS[day.month - 1]
                found.append(XTick(_percent(self._at(day)), words, (day.month - 1) % (2 * step) != 0))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    step: float

    @classmethod
    def of(
        cls, data: Sequence[Datum], bounds: tuple[float, float] | None, step: float | None, level: Level | None
    ) -> _Scale:
        values = [
            value for datum in data if datum.value is not None for value in (datum.value, *(datum.interval or ()))
        ]
        values += [] if level is None else [level.value]
        values += list(bounds or ())
        if not values:
            values = [0.0, 1.0]
        low, high = min(values), max(values)
        if step is None:
            step = _step((high - low) / 4 or 1.0)
        # what is beyond bounds that were asked for is shown too: noise can be
        floor, ceiling = step * math.floor(low / step), step * math.ceil(high / step)
        return cls(floor, ceiling if ceiling > floor else floor + step, step)

    def y(self, value: float) -> float:
        return round(HEIGHT_PX * (self.high - value) / (self.high - self.low), 1)

    def ticks(self) -> list[float]:
        return [self.low + self.step * k for k in range(round((self.high - self.low) / self.step) + 1)]


def _step(least: float) -> float:
    """1, 2 or 5 times a power of ten, not below `least`."""
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def _percent(value: float) -> str:
    return f"{value:.2f}%"


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
