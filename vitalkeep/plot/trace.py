"""What a picture shows beyond an Analysis, gathered while the record is read, in memory that a day does not fill.

Samples are never held: of the signal only the lowest and highest value of each second is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.run import Finding
from device_pipeline.track import Window
from sensors.files.annotation import AnnotatedBeat
from sensors.samples import Item, Kind, Samples

_S = 1_000_000_000


@dataclass(frozen=True, slots=True, repr=False)
class Grain:
    """How far [start_ns, end_ns) of the leading source could be read; good + poor + absent time is all of it."""

    start_ns: int
    end_ns: int
    good_ns: int
    poor_ns: int
    index: float | None
    reason: str | None

    def __repr__(self) -> str:
        return f"<Grain start_ns={self.start_ns}>"


class Trace:
    """Watches one analysis. Times are those of the record, in nanoseconds. What it holds is whole once it is closed.

    `kind`: of the signal that led, None where none did.

    `beats`: those that can be trusted, of the leading source. `grains`: one for every two seconds. `poor`: stretches
    of the signal that are not good, those that touch and share their reason joined.
    """

    def __init__(self) -> None:
        self.kind: Kind | None = None
        self.beats: list[Beat] = []
        self.grains: list[Grain] = []
        self.poor: list[Quality] = []
        self._grain_source: list[BeatSource] = []
        self._kinds: dict[str, Kind] = {}
        # of each channel: second -> (lowest, highest)
        self._extremes: dict[str, dict[int, tuple[float, float]]] = {}

    def __repr__(self) -> str:
        return f"<Trace {self.kind}>"

    def item(self, item: Item | AnnotatedBeat) -> None:
        if not isinstance(item, Samples) or item.kind not in (Kind.ECG, Kind.PPG) or not len(item):
            return
        self._kinds[item.channel] = item.kind
        mine = self._extremes.setdefault(item.channel, {})
        seconds = (item.anchor_ns + np.rint((item.offset + np.arange(len(item))) * item.step_ns)).astype(np.int64) // _S
        first = np.flatnonzero(np.diff(seconds, prepend=seconds[0] - 1))
        lows, highs = np.minimum.reduceat(item.values, first), np.maximum.reduceat(item.values, first)
        for second, low, high in zip(seconds[first].tolist(), lows.tolist(), highs.tolist(), strict=True):
            before = mine.get(second, (low, high))
            mine[second] = (min(low, before[0]), max(high, before[1]))

    def finding(self, finding: Finding) -> None:
        match finding:
            case Window():
                self.beats += finding.beats
                self.grains.append(
                    Grain(
                        finding.start_ns,
                        finding.end_ns,
                        finding.good_ns,
                        finding.poor_ns,
                        finding.index,
                        finding.reason,
                    )
                )
                self._grain_source.append(finding.source)
            case Quality() if not finding.good:
                last = self.poor[-1] if self.poor else None
                if last is not None and last.end_ns == finding.start_ns and last.reason == finding.reason:
                    index = min(last.index, finding.index)
                    self.poor[-1] = replace(last, end_ns=finding.end_ns, index=index)
                else:
                    self.poor.append(finding)
            case _:
                pass

    def close(self, source: BeatSource | None, channel: str | None) -> None:
        """The record has been read; `source` led, and the signal of `channel`: what others said is dropped."""
        self.kind = None if channel is None else self._kinds.get(channel)
        self._extremes = {name: mine for name, mine in self._extremes.items() if name == channel}
        self.beats = [beat for beat in self.beats if beat.source is source]
        self.grains = [g for g, own in zip(self.grains, self._grain_source, strict=True) if own is source]
        self._grain_source = [own for own in self._grain_source if own is source]

    def extremes(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """(start of each second in ns, lowest, highest value in it), in order; only seconds that have a sample."""
        mine = next(iter(self._extremes.values()), {})
        seconds = sorted(mine)
        pairs = np.array([mine[second] for second in seconds], dtype=np.float64).reshape(-1, 2)
        return np.array(seconds, dtype=np.int64) * _S, pairs[:, 0], pairs[:, 1]
