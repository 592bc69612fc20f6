"""RR intervals in milliseconds, one or more on a line: what most apps and HRV tools export."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from itertools import accumulate
from pathlib import Path

from sensors.errors import FileFormatError
from sensors.samples import Quantity, Reading

_BETWEEN = re.compile(r"[\s,;]+")
_LONGEST_LINE = 1 << 20
_SECONDS_BELOW = 10.0
_LONGEST_MS = 31 * 86_400_000.0
_MOST_BYTES = 64 << 20


class RrTextSource:
    """A FileSource of `Quantity.RR` readings; each is timed by the sum of the intervals up to it."""

    def __init__(self, path: Path) -> None:
        """Reads and checks the whole file (a day is about 100,000 numbers). Raises FileFormatError with the line."""
        self.name = path.stem
        self.fs_hz: float | None = None
        self.channels: tuple[()] = ()
        self.started_ns = 0
        self.notes: list[str] = []
        self._rr_ms = _read(path)
        self.duration_s: float | None = math.fsum(self._rr_ms) / 1e3

    def items(self, channels: Collection[str] | None = None, block_s: float = 60.0) -> Iterator[Reading]:
        """One Reading for each interval, at the beat that ends it."""
        if channels:
            raise FileFormatError(f"{self.name}: no channel {next(iter(channels))!r}; the file has RR intervals alone")
        for t_ms, rr_ms in zip(accumulate(self._rr_ms), self._rr_ms, strict=True):
            yield Reading(Quantity.RR, "rr", round(t_ms * 1e6), rr_ms)


def _read(path: Path) -> list[float]:
    values: list[float] = []
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise FileFormatError(f"{path.name}: {size} bytes, a text file of RR intervals has at most {_MOST_BYTES}")
        with path.open(encoding="utf-8-sig") as file:
            number = 0
            while line := file.readline(_LONGEST_LINE):
                number += 1
                for token in _BETWEEN.split(line.split("#", 1)[0].strip()):
                    if token:
                        values.append(_interval(path.name, number, token))
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{path.name}: not text at byte {error.start}, RR intervals in ms are expected"
        ) from error
    except OSError as error:
        raise FileFormatError(f"{path.name}: cannot be read ({error.strerror})") from error
    if not values:
        raise FileFormatError(f"{path.name}: no RR interval, at least one number is expected")
    if all(v < _SECONDS_BELOW for v in values):
        raise FileFormatError(
            f"{path.name}: every interval is below {_SECONDS_BELOW:g}: seconds? Milliseconds are expected"
        )
    return values


def _interval(name: str, line: int, token: str) -> float:
    try:
        value = float(token)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FileFormatError(f"{name}: line {line} is no list of numbers, RR intervals in ms are expected")
    if value <= 0:
        raise FileFormatError(f"{name}: line {line} has an interval that is not above 0 ms")
    if value > _LONGEST_MS:
        raise FileFormatError(f"{name}: line {line} has an interval of more than {_LONGEST_MS:.0f} ms")
    return value
