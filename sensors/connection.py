"""The seam between who holds a device and whose radio it is: a connection, and a radio that makes one.

Whatever the radio, its daemon and the bus between can do to us comes out as a LinkError whose message is the reason of
an outage; what the device refuses alone comes out as RefusedError and takes nothing else with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from sensors.errors import LinkError
from sensors.patience import Patience

NO_ANSWER = "no answer in time"

Wanted = Callable[[str, str | None], bool]
"""Whether a device of this address and name is the one."""


class ConnectError(LinkError):
    """It is there, and yet no connection came of it."""


class UnansweredError(LinkError):
    """It was heard, and yet nobody said in time what became of connecting to it."""


class RefusedError(LinkError):
    """The device refuses just this; the link is as good as before."""


class WantsBondError(RefusedError):
    """It does this only for whom it is paired with."""


@dataclass(frozen=True, slots=True)
class Characteristic:
    """`uuid`: full, in lower case. `key`: what the radio knows it by, on this connection alone."""

    uuid: str
    properties: frozenset[str]
    key: object


class Connection(Protocol):
    """One connection to one device, from its being made to `let_go`. Nothing of it is used on the next."""

    @property
    def address(self) -> str: ...

    @property
    def name(self) -> str | None: ...

    @property
    def is_up(self) -> bool: ...

    @property
    def mtu(self) -> int | None:
        """Bytes that the link carries at a time (ATT_MTU); None where the system does not tell."""

    @property
    def characteristics(self) -> Sequence[Characteristic]: ...

    async def read(self, characteristic: Characteristic) -> bytes: ...

    async def write(self, characteristic: Characteristic, value: bytes) -> None:
        """With an answer of the device's."""

    async def subscribe(self, characteristic: Characteristic, heard: Callable[[bytes], None]) -> None: ...

    async def is_bonded(self) -> bool:
        """Whether this machine keeps a bond with it; False where that cannot be asked."""

    async def opened(self) -> None:
        """All is subscribed to: until here it may pair by itself, if it needs no code, and from here on no more."""

    async def pair(self) -> None:
        """Without a code. Raises LinkError where it will not have it so."""

    async def forget(self) -> None:
        """What the system remembers of it, a bond included. Ends the connection."""

    async def let_go(self) -> bool:
        """Disconnects, whatever state it is in, and never raises; whether it went well."""


class Radio(Protocol):
    """Shared by all who hold a device."""

    def watched(self) -> AbstractAsyncContextManager[None]:
        """While somebody holds a device, it is told at once that the daemon has gone."""

    async def close_ghosts(self, wanted: Wanted, patience: Patience) -> None:
        """Ends connections that nobody holds any more. A device that is connected does not advertise."""

    async def is_bonded(self, wanted: Wanted) -> bool:
        """Whether this machine keeps a bond with it; False where that cannot be asked."""

    async def forget(self, wanted: Wanted) -> None:
        """What the system remembers of it, a bond included."""

    async def connect(self, wanted: Wanted, patience: Patience, lost: Callable[[str], None]) -> Connection | None:
        """Finds and connects it; None where it is not in reach. `lost(reason)`: the connection has ended by itself.

        Raises ConnectError where it was found, answered, and still could not be connected.
        """
