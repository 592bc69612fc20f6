"""A profile turns the payload of one characteristic into a value and says what was observed: pure, total, no clock.

What was observed carries no host time: the timebase gives it one. So a profile is one file and one line in the
registry, and nothing else learns of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sensors.errors import DecodeError
from sensors.samples import GapReason, Kind, Quantity

V = TypeVar("V")

Fields = dict[str, object]
"""A decoded value under the names that `vitalkeep decode` prints; nothing but what JSON can say."""

_BASE = "-0000-1000-8000-00805f9b34fb"  # Bluetooth Core, Vol 3 Part B 2.5.1
_SHORT = re.compile(r"(?:0x)?([0-9a-f]{4}|[0-9a-f]{8})")
_FULL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def full_uuid(text: str) -> str:
    """The 128-bit form in lower case of a 16-, 32- or 128-bit UUID. Raises DecodeError for anything else."""
    text = text.lower()
    if _FULL.fullmatch(text):
        return text
    short = _SHORT.fullmatch(text)
    if short is None:
        raise DecodeError(f"{text[:40]!r} as a UUID, expected 4, 8 or 32 hexadecimal digits")
    return short[1].rjust(8, "0") + _BASE


def short_uuid(uuid: str) -> str:
    """The four-digit form where there is one, else the UUID as it is."""
    return uuid[4:8] if uuid.endswith(_BASE) and uuid.startswith("0000") else uuid


class Scale(Enum):
    """Whether the values of a frame are in the unit of its kind, or so many times the factor that the device told."""

    DONE = "done"
    BY_FACTOR_IF_TOLD = "by factor if told"
    BY_FACTOR = "by factor"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Frame:
    """A block of samples that the device stamped: `device_ns` is its clock at the **last** sample.

    `values` is (n,) or (n, axes) in the unit of `kind`. `fs_hz` is the nominal rate, None where the frame cannot tell.
    """

    kind: Kind
    channel: str
    fs_hz: float | None
    device_ns: int
    values: NDArray[np.float64]
    scale: Scale = Scale.DONE

    def __repr__(self) -> str:
        return f"<Frame {self.channel} n={len(self.values)}>"


@dataclass(frozen=True, slots=True, repr=False)
class Intervals:
    """Beat-to-beat intervals in order, without any time of their own. An interval of 0 says that one is missing."""

    channel: str
    rr_ms: tuple[float, ...]

    def __repr__(self) -> str:
        return f"<Intervals {self.channel} n={len(self.rr_ms)}>"


@dataclass(frozen=True, slots=True, repr=False)
class Point:
    """One value that holds at arrival, or held `age_s` before."""

    quantity: Quantity
    channel: str
    value: float
    age_s: float = 0.0

    def __repr__(self) -> str:
        return f"<Point {self.channel}>"


@dataclass(frozen=True, slots=True)
class Absent:
    """The device itself says that it knows nothing since its last notification; channel None means all of them.

    `spot`: a single measurement came to nothing, and nothing before it is missing.
    """

    channel: str | None
    reason: GapReason
    spot: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Factor:
    """What one count of a channel is worth from now on; None: the device told it wrongly."""

    channel: str
    factor: float | None

    def __repr__(self) -> str:
        return f"<Factor {self.channel}>"


Observation = Frame | Intervals | Point | Absent | Factor


class Profile(Protocol[V]):
    """One characteristic, both directions."""

    @property
    def name(self) -> str:
        """A short name, unique in the registry."""

    @property
    def characteristic(self) -> str:
        """The full UUID in lower case."""

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels it may speak of; those that are lost with a payload that cannot be read."""

    @property
    def silent_after_s(self) -> float | None:
        """A pause longer than this, on a link that is up, is an absence. None where pauses mean nothing."""

    def decode(self, payload: bytes) -> V:
        """Raises DecodeError and nothing else, whatever the bytes."""

    def encode(self, value: V) -> bytes:
        """The canonical bytes of a value: `decode(encode(v)) == v`. Raises ValueError for what cannot be sent."""

    def observe(self, value: V) -> tuple[Observation, ...]:
        """What a value says about the wearer, in the order in which it was observed."""

    def fields(self, value: V) -> Fields | list[Fields]:
        """A value under the names of the shared vectors, in what JSON can say."""


AnyProfile = Profile[Any]


class Reassembler(Protocol):
    """Finds the frames in a byte stream, whatever notifications it was cut into. One for each connection."""

    def push(self, piece: bytes) -> list[bytes]:
        """The frames that `piece` completes. Never raises; what is no frame is dropped, what may become one waits."""


@runtime_checkable
class StreamProfile(Protocol):
    """A profile whose `decode` takes a frame of a stream, where a notification may hold any part of some frames."""

    def reassembler(self) -> Reassembler:
        """A new one, empty."""
