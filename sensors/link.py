"""A Link is the seam to a device: what it notified, in order of arrival, and whether the radio link was there.

The fake and the replay of a recording go in here. Nothing above a Link knows how the bytes came.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Device:
    """`rates_hz`: the sampling rates that were asked for, by channel, where the frames themselves cannot tell."""

    name: str
    address: str | None = None
    rates_hz: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Notification:
    """`t_ns`: arrival by the host's clock, Unix epoch. `characteristic`: the full UUID in lower case."""

    t_ns: int
    characteristic: str
    payload: bytes

    def __repr__(self) -> str:
        return f"<Notification {self.characteristic[:8]} {len(self.payload)} bytes>"


@dataclass(frozen=True, slots=True)
class LinkDown:
    t_ns: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LinkUp:
    t_ns: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed while the link was down: what is lost can be told before it is back. No recording holds one."""

    t_ns: int


@dataclass(frozen=True, slots=True)
class Truncated:
    """The recording ends in the middle of an entry; everything before it was delivered. `detail` says where."""

    t_ns: int
    detail: str


Event = Notification | LinkDown | LinkUp | Tick | Truncated


class Link(Protocol):
    """Events in order of time. Raises LinkError where the link cannot be held, FileFormatError for a bad recording."""

    @property
    def device(self) -> Device: ...

    def __aiter__(self) -> AsyncIterator[Event]: ...

    async def close(self) -> None:
        """Ends the iteration; streams are stopped. May be called at any time and more than once."""
