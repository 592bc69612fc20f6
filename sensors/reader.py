"""What a link delivers becomes Samples, Reading and Gap. The same events give the same items, however fast they came.

Profiles are found by characteristic; the reader knows none of them. Items of one channel are in order of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from sensors.beat_line import BeatLine
from sensors.errors import DecodeError
from sensors.link import Device, Event, Link, LinkDown, LinkUp, Notification, Tick, Truncated
from sensors.profile import (
    Absent,
    AnyProfile,
    Factor,
    Frame,
    Intervals,
    Observation,
    Point,
    Reassembler,
    Scale,
    StreamProfile,
)
from sensors.recording import Recording
from sensors.registry import PROFILES
from sensors.samples import Gap, GapReason, Item, Reading
from sensors.timebase import FrameClock

# A stream says the same value up to a hundred times a second; it is told again after this.
_TELL_AGAIN_NS = 500_000_000

# A lost link is told piece by piece while it lasts: an alert must not wait for the device to come back, and a day
# without one must not fill the store.
_PIECE_NS, _BRIEF_NS, _LONG_PIECE_NS = 10**9, 60 * 10**9, 30 * 10**9


class Reader:
    """Events in, items out; carries the clocks of one device."""

    def __init__(self, device: Device, profiles: Iterable[AnyProfile] = PROFILES) -> None:
        self._profiles = {profile.characteristic: profile for profile in profiles}
        self._rates_hz = dict(device.rates_hz)
        self._clocks: dict[str, FrameClock] = {}
        self._lines: dict[str, BeatLine] = {}
        self._point_ns: dict[str, int] = {}  # by channel: the last single value
        self._heard_ns: dict[str, int] = {}  # by characteristic: the last notification that could be read
        self._spoken: dict[str, set[str]] = {}  # by characteristic: the channels that it has spoken of
        self._factors: dict[str, float | None] = {}  # by channel: what a count is worth
        self._streams: dict[str, Reassembler] = {}
        self._said: dict[str, tuple[int, list[Observation]]] = {}  # by characteristic of a stream: what it said last
        self._down: LinkDown | None = None
        self._told_ns: int | None = None  # the lost link has been told up to here
        self._last_ns: int | None = None
        self.ignored: Counter[str] = Counter()
        """Notifications of characteristics that no profile reads, by UUID."""

    @property
    def duplicates(self) -> int:
        """Frames that were delivered twice and taken once."""
        return sum(clock.duplicates for clock in self._clocks.values())

    def push(self, event: Event) -> list[Item]:
        """What became known with `event`. Events come in order of time."""
        self._last_ns = event.t_ns
        match event:
            case Notification():
                return self._notified(event)
            case LinkDown():
                self._down = self._down or event
                self._streams.clear()
                self._said.clear()
                return []
            case LinkUp():
                return self._link_up(event.t_ns)
            case Tick():
                return self._still_down(event.t_ns)
            case Truncated():
                return [*self.flush(), Gap(None, event.t_ns, event.t_ns, GapReason.TRUNCATED)]

    def flush(self) -> list[Item]:
        """What still waits at the end; a link that is still down is lost until the last event."""
        out: list[Item] = []
        for clock in self._clocks.values():
            out += clock.flush()
        for line in self._lines.values():
            out += line.flush()
        if self._down is not None and self._last_ns is not None:
            out += self._link_up(self._last_ns)
        return out

    def _notified(self, event: Notification) -> list[Item]:
        profile = self._profiles.get(event.characteristic)
        if profile is None:
            self.ignored[event.characteristic] += 1
            return []
        # something arrives, so the link is up, whoever forgot to say so
        out = self._link_up(event.t_ns) if self._down is not None else []
        try:
            if isinstance(profile, StreamProfile):
                observations = self._streamed(profile, event)
                if not observations:
                    return out
            else:
                observations = list(profile.observe(profile.decode(event.payload)))
        except DecodeError:
            return out + self._undecodable(profile, event.t_ns)
        before_ns = self._heard_ns.get(event.characteristic, event.t_ns)
        self._heard_ns[event.characteristic] = event.t_ns
        if profile.silent_after_s is not None and event.t_ns - before_ns > profile.silent_after_s * 1e9:
            out += self._absent(profile.channels, before_ns, event.t_ns, GapReason.SILENT)
            before_ns = event.t_ns
        for observation in observations:
            if not isinstance(observation, Factor) and observation.channel is not None:
                self._spoken.setdefault(event.characteristic, set()).add(observation.channel)
            out += self._observed(profile, observation, before_ns, event.t_ns)
        return out

    def _streamed(self, profile: AnyProfile, event: Notification) -> list[Observation]:
        """What the frames that a piece of a stream completes say; nothing while they only say the same again."""
        if event.characteristic not in self._streams:
            self._streams[event.characteristic] = profile.reassembler()  # type: ignore[attr-defined]
        seen: dict[tuple[type, str | None], Observation] = {}
        for frame in self._streams[event.characteristic].push(event.payload):
            for observation in profile.observe(profile.decode(frame)):
                key = type(observation), observation.channel
                seen.pop(key, None)  # the last one holds, in its place
                seen[key] = observation
        observations = list(seen.values())
        told_ns, told = self._said.get(event.characteristic, (0, None))
        if told is not None and event.t_ns - told_ns < _TELL_AGAIN_NS and all(o in told for o in observations):
            return []
        if observations:
            self._said[event.characteristic] = event.t_ns, observations
        return observations

    def _observed(self, profile: AnyProfile, seen: Observation, before_ns: int, t_ns: int) -> list[Item]:
        match seen:
            case Frame():
                clock = self._clocks.get(seen.channel)
                if clock is None:
                    clock = FrameClock(seen.fs_hz or self._rates_hz.get(seen.channel))
                    self._clocks[seen.channel] = clock
                scaled = self._scaled(seen)
                if scaled is None:
                    clock.interrupt(GapReason.UNDECODABLE)
                    at_ns = clock.end_ns or t_ns
                    return [Gap(seen.channel, at_ns, at_ns, GapReason.UNDECODABLE)]
                return [*clock.push(t_ns, scaled)]
            case Factor():
                self._factors[seen.channel] = seen.factor
                return []
            case Intervals():
                line = self._lines.get(seen.channel)
                if line is None:
                    line = self._lines[seen.channel] = BeatLine(seen.channel)
                return [*line.push(t_ns, seen.rr_ms)]
            case Point():
                at_ns = t_ns
                if seen.age_s:
                    at_ns = max(t_ns - round(seen.age_s * 1e9), self._point_ns.get(seen.channel, -(1 << 62)))
                self._point_ns[seen.channel] = at_ns
                return [Reading(seen.quantity, seen.channel, at_ns, seen.value)]
            case Absent(None, reason):
                out: list[Item] = []
                for channel in profile.channels:
                    if channel in self._lines:
                        out += self._lines[channel].flush()
                        self._lines[channel].interrupt(reason)
                return [*out, Gap(None, before_ns, t_ns, reason)]
            case Absent(channel, reason):
                return self._absent((channel,), t_ns if seen.spot else before_ns, t_ns, reason)

    def _scaled(self, frame: Frame) -> Frame | None:
        """In the unit of its kind; None where that takes a factor that was not told."""
        if frame.scale is Scale.DONE:
            return frame
        factor = self._factors.get(frame.channel)
        if factor is None and frame.scale is Scale.BY_FACTOR:
            return None
        values = frame.values if factor is None else frame.values * factor
        return Frame(frame.kind, frame.channel, frame.fs_hz, frame.device_ns, values)

    def _absent(self, channels: Iterable[str], start_ns: int, end_ns: int, reason: GapReason) -> list[Item]:
        """Gaps of the channels that no clock of their own accounts for."""
        out: list[Item] = []
        for channel in channels:
            if channel in self._lines:
                out += self._lines[channel].flush()
                self._lines[channel].interrupt(reason)
            elif channel not in self._clocks:
                out.append(Gap(channel, start_ns, end_ns, reason))
        return out

    def _undecodable(self, profile: AnyProfile, t_ns: int) -> list[Item]:
        out: list[Item] = []
        for channel in sorted(self._spoken.get(profile.characteristic, ())) or profile.channels:
            at_ns = t_ns
            if channel in self._lines:
                line = self._lines[channel]
                out += line.flush()
                line.interrupt(GapReason.UNDECODABLE)
                at_ns = line.end_ns or t_ns
            elif channel in self._clocks:
                clock = self._clocks[channel]
                clock.interrupt(GapReason.UNDECODABLE)
                at_ns = clock.end_ns or t_ns
            out.append(Gap(channel, at_ns, at_ns, GapReason.UNDECODABLE))
        return out

    def _still_down(self, t_ns: int) -> list[Item]:
        if self._down is None:
            return []
        piece_ns = _PIECE_NS if t_ns - self._down.t_ns < _BRIEF_NS else _LONG_PIECE_NS
        told_ns = self._down.t_ns if self._told_ns is None else self._told_ns
        return self._lost(self._down.t_ns, t_ns) if t_ns - told_ns >= piece_ns else []

    def _link_up(self, up_ns: int) -> list[Item]:
        if self._down is None:
            return []
        out = self._lost(self._down.t_ns, up_ns)
        self._down = self._told_ns = None
        return out

    def _lost(self, down_ns: int, until_ns: int) -> list[Item]:
        """The link has been down from `down_ns` until now; what was told of that before is not told again."""
        out: list[Item] = []
        for clock in self._clocks.values():
            out += clock.link_lost(down_ns, until_ns)
        for line in self._lines.values():
            out += line.flush()
            line.interrupt(GapReason.LINK_LOST)
        for characteristic in self._heard_ns:
            self._heard_ns[characteristic] = until_ns
        told_ns, self._told_ns = self._told_ns, until_ns
        if told_ns is None or told_ns < until_ns:
            out.append(Gap(None, down_ns if told_ns is None else told_ns, until_ns, GapReason.LINK_LOST))
        return out


async def read(link: Link) -> AsyncIterator[Item]:
    """The items of a link until it ends. Raises LinkError, FileFormatError."""
    reader = Reader(link.device)
    async for event in link:
        for item in reader.push(event):
            yield item
    for item in reader.flush():
        yield item


def read_recording(path: Path) -> Iterator[Item]:
    """The same items from a file, at once. Raises FileFormatError."""
    recording = Recording(path)
    reader = Reader(recording.device)
    for event in recording.events():
        yield from reader.push(event)
    yield from reader.flush()
