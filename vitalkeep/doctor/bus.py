"""What the system's message bus says of Bluetooth. Asked with a time limit; an absent bus is an answer, not an error.

The bus is a socket of the AF_UNIX family, the one kind that this process may open. The radio itself stays untouched.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Adapter:
    name: str  # hci0
    address: str
    powered: bool
    central: bool  # it can connect to a sensor


@dataclass(frozen=True, slots=True)
class BusAnswer:
    """`absent`: why the bus cannot be asked; None where it was. `denied`: it does not let us speak to bluetoothd."""

    absent: str | None = None
    bluetoothd: bool = False
    denied: bool = False
    adapters: tuple[Adapter, ...] = ()


def ask_bus(limit_s: float = _LIMIT_S) -> BusAnswer:
    """Never raises for a bus that is absent, silent or refuses us."""
    try:
        import dbus_fast  # noqa: F401
    except ImportError:
        return BusAnswer(absent="dbus-fast is not installed")
    try:
        return asyncio.run(asyncio.wait_for(_ask(), limit_s))
    except TimeoutError:
        return BusAnswer(absent=f"no answer within {limit_s:.0f} s")
    except (OSError, EOFError, ValueError) as error:
        return BusAnswer(absent=getattr(error, "strerror", None) or str(error) or type(error).__name__)
    except Exception as error:
        # the library raises types of its own for a bus that speaks nonsense
        return BusAnswer(absent=type(error).__name__)


async def _ask() -> BusAnswer:
    from dbus_fast import BusType, Message, MessageType
    from dbus_fast.aio import MessageBus

    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        await bus.connect()
        owner = await bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="NameHasOwner",
                signature="s",
                body=["org.bluez"],
            )
        )
        # asking a name without an owner could start the service: a look changes nothing
        if owner.message_type is MessageType.ERROR or not owner.body[0]:
            return BusAnswer()
        told = await bus.call(
            Message(
                destination="org.bluez",
                path="/",
                interface="org.freedesktop.DBus.ObjectManager",
                member="GetManagedObjects",
            )
        )
        if told.message_type is MessageType.ERROR:
            return BusAnswer(bluetoothd=True, denied=told.error_name == "org.freedesktop.DBus.Error.AccessDenied")
        return BusAnswer(bluetoothd=True, adapters=tuple(_adapters(told.body[0])))
    finally:
        bus.disconnect()


def _adapters(objects: dict[str, Any]) -> list[Adapter]:
    found = []
    for path, interfaces in sorted(objects.items()):
        about = interfaces.get("org.bluez.Adapter1")
        if about is not None:
            roles = about["Roles"].value if "Roles" in about else ["central"]  # told since BlueZ 5.50 or so
            address = about["Address"].value if "Address" in about else "?"
            powered = "Powered" in about and about["Powered"].value
            found.append(Adapter(path.rsplit("/", 1)[-1], address, bool(powered), "central" in roles))
    return found
