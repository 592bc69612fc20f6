"""bluetoothd over the system's message bus, for what bleak leaves out: ghosts, bonds, power, and its coming and going.

The bus is a socket of the AF_UNIX family, the one kind that this process may open. Each use has a bus connection of its
own, so that nothing learnt before the daemon's last restart is believed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

from dbus_fast import AuthError, BusType, Message, MessageType, Variant, unpack_variants
from dbus_fast.aio import MessageBus
from dbus_fast.auth import AuthExternal

from sensors.errors import LinkError

BLUEZ = "org.bluez"
ADAPTER, DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
_PROPERTIES, _OBJECTS = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
_BUS = "org.freedesktop.DBus"
_AGAIN_S = 1.0

Objects = dict[str, dict[str, dict[str, Any]]]


class BluezError(LinkError):
    """The daemon, or the bus in its place, refuses. `name`: as D-Bus has it."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(_WORDS.get(name, words or name))
        self.name = name


_WORDS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": "the Bluetooth service (bluetoothd) is not running",
    "org.freedesktop.DBus.Error.NoReply": "the Bluetooth service (bluetoothd) has ended",
}


def system_bus() -> MessageBus:
    """Not connected yet. Raises LinkError where its address is one of a network."""
    address = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", "unix:")
    if not address.startswith("unix:"):
        kind = address.partition(":")[0]
        raise LinkError(f"the system bus is at an address of kind {kind!r}, expected unix: this process has no network")
    # as bleak does it, for those whose user has another number where the bus is
    user = os.environ.get("BLEAK_DBUS_AUTH_UID", "")
    auth = AuthExternal(uid=int(user)) if user.isdecimal() else None
    return MessageBus(bus_type=BusType.SYSTEM, auth=auth)


class BluezBus:
    """`async with BluezBus() as bus`. Everything raises LinkError; the caller limits the time."""

    def __init__(self) -> None:
        self._bus: MessageBus | None = None

    async def __aenter__(self) -> BluezBus:
        bus = system_bus()
        try:
            await bus.connect()
        except (OSError, EOFError, AuthError) as problem:
            bus.disconnect()
            raise LinkError(f"no system bus: {getattr(problem, 'strerror', None) or type(problem).__name__}") from None
        except BaseException:
            bus.disconnect()
            raise
        self._bus = bus
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None

    @property
    def bus(self) -> MessageBus:
        if self._bus is None:
            raise RuntimeError("used outside of its with")
        return self._bus

    async def call(
        self,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: list[Any] | None = None,
        destination: str = BLUEZ,
    ) -> list[Any]:
        """The answer's values. Raises BluezError where it is an error."""
        message = Message(destination, path, interface, member, signature=signature, body=body or [])
        try:
            reply = await self.bus.call(message)
        except (OSError, EOFError) as problem:
            raise LinkError(f"no system bus: {getattr(problem, 'strerror', None) or 'it has ended'}") from None
        if reply.message_type is MessageType.ERROR:
            words = str(reply.body[0]) if reply.body else ""
            raise BluezError(reply.error_name or "", words)
        return list(reply.body)

    async def objects(self) -> Objects:
        """Path to interface to property to value."""
        (objects,) = await self.call("/", _OBJECTS, "GetManagedObjects")
        return {path: unpack_variants(interfaces) for path, interfaces in objects.items()}

    async def set(self, path: str, interface: str, name: str, value: Variant) -> None:
        await self.call(path, _PROPERTIES, "Set", "ssv", [interface, name, value])


def first_adapter(objects: Objects) -> str | None:
    """The path of the first one that is on and can connect to a sensor; bleak takes any of several."""
    for path in sorted(objects):
        about = objects[path].get(ADAPTER)
        if about is not None and about.get("Powered") and "central" in about.get("Roles", ["central"]):
            return path
    return None


async def watch_daemon(gone: Callable[[], None]) -> None:
    """Calls `gone` each time the daemon leaves the bus; goes on until it is cancelled, also over the bus's own end."""
    while True:
        try:
            async with BluezBus() as bus:
                bus.bus.add_message_handler(lambda message: gone() if _is_leaving(message) else None)
                rule = f"type='signal',sender='{_BUS}',member='NameOwnerChanged',arg0='{BLUEZ}'"
                await bus.call("/org/freedesktop/DBus", _BUS, "AddMatch", "s", [rule], destination=_BUS)
                await _ended(bus.bus)
        except LinkError:
            pass  # whoever uses the bus tells that it is not there
        await asyncio.sleep(_AGAIN_S)


def _is_leaving(message: Message) -> bool:
    return (
        message.message_type is MessageType.SIGNAL
        and message.member == "NameOwnerChanged"
        and message.body[:1] == [BLUEZ]
        and message.body[2] == ""
    )


async def _ended(bus: MessageBus) -> None:
    try:
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
    except (OSError, EOFError) as problem:
        raise LinkError(type(problem).__name__) from None
