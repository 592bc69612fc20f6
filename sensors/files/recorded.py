"""A recording of notifications as a FileSource: the reader's own items, at their own times, in their own blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from sensors.files.source import ChannelInfo, require_known
from sensors.link import Truncated
from sensors.reader import Reader
from sensors.recording import Recording
from sensors.samples import Gap, Item, Kind, Samples

_LOOK_NS = 60 * 10**9
_UNITS = {Kind.ECG: "mV", Kind.PPG: "", Kind.ACC: "g", Kind.RESP: ""}


class RecordedSource:
    """A vitalkeep recording, or a plain log of H10 frames. Unlike other files it keeps its real times."""

    def __init__(self, path: Path) -> None:
        """Reads the first minute, or until the first sampled channel, to learn the channels. Raises FileFormatError."""
        self.name = path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".bin")
        self._recording = Recording(path)
        self.started_ns = self._recording.started_ns
        self.duration_s: float | None = None
        self.notes: list[str] = []
        self.channels: tuple[ChannelInfo, ...] = self._look()
        self.fs_hz: float | None = next((c.fs_hz for c in self.channels if c.kind is Kind.ECG), None)

    def items(self, channels: Collection[str] | None = None, block_s: float = 60.0) -> Iterator[Item]:
        """Blocks are as long as the notifications that brought them, whatever `block_s`."""
        require_known(self.name, self.channels, channels)
        sampled = {c.name for c in self.channels}
        for item in self._all():
            of_samples = isinstance(item, Samples) or (isinstance(item, Gap) and item.channel in sampled)
            if channels is None or not of_samples or item.channel in channels:
                yield item

    def _all(self) -> Iterator[Item]:
        reader = Reader(self._recording.device)
        for event in self._recording.events():
            if isinstance(event, Truncated) and event.detail not in self.notes:
                self.notes.append(event.detail)
            yield from reader.push(event)
        yield from reader.flush()

    def _look(self) -> tuple[ChannelInfo, ...]:
        found: dict[str, ChannelInfo] = {}
        for item in self._all():
            if isinstance(item, Samples):
                found.setdefault(item.channel, ChannelInfo(item.channel, item.kind, item.fs_hz, _UNITS[item.kind]))
            at_ns = item.start_ns if isinstance(item, Samples | Gap) else item.t_ns
            if found and at_ns > self.started_ns + _LOOK_NS:
                break
        return tuple(found.values())
