"""A false org.bluez on a private bus: what bluetoothd shows of adapter, devices and GATT, and what can go wrong there.

It behaves as BlueZ does where that has hurt: services come with a new handle on each connection, an error
"le-connection-abort-by-local" comes after a connection that was there for a moment, a scan tells only of devices that
change during it, whoever once asked for notifications gets them for as long as its bus connection lives, so that two
connections of one process get everything twice, and a pairing asks the agent of whoever called for it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbus_fast import BusType, Message, MessageType, NameFlag, Variant
from dbus_fast.aio import MessageBus

ADAPTER_PATH = "/org/bluez/hci0"
_ADAPTER, _DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
_SERVICE, _CHARACTERISTIC = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"
_PROPERTIES, _OBJECTS = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
_ADVERTISE_S = 0.03

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_type="signal"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="method_call"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""

Properties = dict[str, Variant]
Error = tuple[str, str]


def dbus_daemon() -> str | None:
    """Where the program is; None where it is not installed."""
    return shutil.which("dbus-daemon")


class PrivateBus:
    """A message bus of its own in `folder`, which nobody else knows."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "bus"
        self._configuration = folder / "bus.conf"
        self._configuration.write_text(CONFIGURATION.format(path=self._socket))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"unix:path={self._socket}"

    def start(self) -> None:
        """On return it can be connected to."""
        program = dbus_daemon()
        assert program is not None
        self._socket.unlink(missing_ok=True)
        reading, writing = os.pipe()
        command = [program, f"--config-file={self._configuration}", "--nofork", f"--print-address={writing}"]
        self._process = subprocess.Popen(command, pass_fds=(writing,), stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as address:
            assert address.readline().startswith("unix:"), "dbus-daemon did not start"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def private_bus() -> Iterator[PrivateBus]:
    """A running one. Not in pytest's folders: the name of a socket may have 108 characters at most."""
    with tempfile.TemporaryDirectory(prefix="vitalkeep") as folder:
        bus = PrivateBus(Path(folder))
        bus.start()
        try:
            yield bus
        finally:
            bus.stop()


@dataclass(eq=False)
class Peripheral:
    """A device. `services`: service UUID to characteristic UUID to flags; `values`: what a read gives."""

    address: str
    name: str
    services: dict[str, dict[str, tuple[str, ...]]]
    values: dict[str, bytes] = field(default_factory=dict)
    advertised: tuple[str, ...] = ()
    present: bool = True
    rssi_dbm: int = -60
    connect_errors: list[Error] = field(default_factory=list)
    """One is used up by each attempt to connect."""
    unanswered_connects: int = 0
    """So many attempts to connect are never answered, though it is there."""
    refused: dict[str, Error] = field(default_factory=dict)
    """Characteristics that cannot be read or subscribed to."""
    remembered: dict[str, dict[str, tuple[str, ...]]] | None = None
    """The services BlueZ shows instead, until the device is removed."""
    mtu: int = 247
    wants_bond: bool = False
    code: str | None = None
    """What it shows when it is paired with; a bond made without it is worth nothing to it. Six digits, or a PIN."""
    pins: bool = False
    """It is asked by a PIN of old, not by a passkey."""
    on_write: Callable[[str, bytes], None] = lambda uuid, data: None
    on_link: Callable[[bool], None] = lambda up: None

    connected: bool = False
    paired: bool = False
    """For the system."""
    knows_us: bool = False
    """For the device itself."""
    listeners: dict[str, set[str]] = field(default_factory=dict)
    writes: list[tuple[str, bytes]] = field(default_factory=list)
    connects: int = 0
    pairings: int = 0
    disconnects: int = 0

    @property
    def path(self) -> str:
        return f"{ADAPTER_PATH}/dev_{self.address.replace(':', '_')}"

    def properties(self) -> Properties:
        return {
            "Adapter": Variant("o", ADAPTER_PATH),
            "Address": Variant("s", self.address),
            "AddressType": Variant("s", "random"),
            "Alias": Variant("s", self.name),
            "Name": Variant("s", self.name),
            "UUIDs": Variant("as", list(self.advertised or self.services)),
            "Paired": Variant("b", self.paired),
            "Bonded": Variant("b", self.paired),
            "Trusted": Variant("b", False),
            "Blocked": Variant("b", False),
            "Connected": Variant("b", self.connected),
            "ServicesResolved": Variant("b", self.connected),
            "RSSI": Variant("n", self.rssi_dbm),
        }


class FakeBluez:
    """bluetoothd with one adapter. Everything happens in the event loop it was started in."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._bus: MessageBus | None = None
        self._objects: dict[str, dict[str, Properties]] = {}
        self._devices: dict[str, Peripheral] = {}
        self._at: dict[str, tuple[Peripheral, str]] = {}  # characteristic path to device and UUID
        self._scanners: set[str] = set()
        self._agents: dict[str, tuple[str, str]] = {}  # bus name to object path and capability
        self._pairing: set[asyncio.Task[None]] = set()
        self._advertising: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.powered = True
        self.mute = False
        """Calls are not answered."""
        self.discovery_errors: list[Error] = []
        self.power_cycles = 0
        self.removed: list[str] = []
        self.scanned_on: list[str] = []
        """Adapters, one for each scan that began."""
        self.connected_while_scanning = 0
        self.longest_scanners = 0

    # -- its life

    async def start(self) -> None:
        self._bus = await MessageBus(self._address, BusType.SYSTEM).connect()
        self._bus.add_message_handler(self._handle)
        rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"
        await self._bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=[rule],
            )
        )
        self._objects = {"/org/bluez": {}, ADAPTER_PATH: {_ADAPTER: self._adapter_properties()}}
        await self._bus.request_name("org.bluez", NameFlag.DO_NOT_QUEUE)
        self._signal("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [ADAPTER_PATH, self._objects[ADAPTER_PATH]])
        self._advertising = asyncio.create_task(self._advertise())

    async def stop(self) -> None:
        """Dies at once: nobody is told, nothing is left."""
        if self._advertising is not None:
            self._advertising.cancel()
            await asyncio.gather(self._advertising, return_exceptions=True)
        if self._bus is not None:
            self._bus.disconnect()
            gone = self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
            await asyncio.gather(gone, return_exceptions=True)
            self._bus = None
        self._objects, self._scanners = {}, set()
        self._at.clear()
        for device in self._devices.values():
            device.connected = False
            device.listeners.clear()

    async def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Waits until something that happened here made `condition` true."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._news.clear()
                await self._news.wait()

    # -- what happens to it

    def add(self, device: Peripheral) -> Peripheral:
        self._devices[device.path] = device
        return device

    def add_adapter(self, name: str) -> None:
        """One more; no device is near it."""
        path = f"/org/bluez/{name}"
        self._objects[path] = {_ADAPTER: self._adapter_properties()}
        self._signal("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, self._objects[path]])

    def known(self, device: Peripheral) -> None:
        """It is among the objects from now on, as a device that was seen or connected before."""
        self._objects[device.path] = {_DEVICE: device.properties()}
        self._signal("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [device.path, self._objects[device.path]])

    def haunt(self, device: Peripheral) -> None:
        """Connected for a process that has died."""
        self.known(device)
        self._connected(device)

    def drop(self, device: Peripheral) -> None:
        """The link breaks; nobody asked for it."""
        self._disconnected(device)

    def power(self, on: bool) -> None:
        self.powered = on
        self._changed(ADAPTER_PATH, _ADAPTER, {"Powered": Variant("b", on)})
        if not on:
            self._scanners.clear()
            for device in self._devices.values():
                if device.connected:
                    self._disconnected(device)

    def notify(self, device: Peripheral, uuid: str, payload: bytes) -> None:
        """To everybody who listens, once for each of them."""
        assert device.connected, "a notification over no link"
        path = next(path for path, at in self._at.items() if at == (device, uuid))
        for _ in device.listeners.get(uuid, ()):
            self._changed(path, _CHARACTERISTIC, {"Value": Variant("ay", payload)})

    def listens(self, device: Peripheral, uuid: str) -> bool:
        return device.connected and bool(device.listeners.get(uuid))

    # -- inside

    def _adapter_properties(self) -> Properties:
        return {
            "Address": Variant("s", "00:1A:7D:DA:71:13"),
            "Name": Variant("s", "fake"),
            "Alias": Variant("s", "fake"),
            "Powered": Variant("b", self.powered),
            "Discovering": Variant("b", False),
            "Roles": Variant("as", ["central", "peripheral"]),
            "UUIDs": Variant("as", []),
        }

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        if self._bus is not None and self._bus.connected:
            self._bus.send(Message.new_signal(path, interface, member, signature, body))

    def _changed(self, path: str, interface: str, changed: Properties) -> None:
        if interface in self._objects.get(path, {}):
            self._objects[path][interface].update(changed)
            self._signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, changed, []])
        self._news.set()

    async def _advertise(self) -> None:
        while True:
            await asyncio.sleep(_ADVERTISE_S)
            for device in self._devices.values():
                if not (self._scanners and device.present and not device.connected):
                    continue
                if device.path not in self._objects:
                    self.known(device)
                else:
                    self._changed(device.path, _DEVICE, {"RSSI": Variant("n", device.rssi_dbm)})

    def _connected(self, device: Peripheral) -> None:
        device.connected = True
        self._changed(device.path, _DEVICE, {"Connected": Variant("b", True)})
        handle = 0x10 + 0x100 * (device.connects % 8)
        device.connects += 1
        for service, characteristics in (device.remembered or device.services).items():
            service_path = f"{device.path}/service{handle:04x}"
            about = {"UUID": Variant("s", service), "Device": Variant("o", device.path), "Primary": Variant("b", True)}
            self._appear(service_path, _SERVICE, about)
            for uuid, flags in characteristics.items():
                handle += 1
                path = f"{service_path}/char{handle:04x}"
                self._at[path] = (device, uuid)
                self._appear(
                    path,
                    _CHARACTERISTIC,
                    {
                        "UUID": Variant("s", uuid),
                        "Service": Variant("o", service_path),
                        "Flags": Variant("as", list(flags)),
                        "MTU": Variant("q", device.mtu),
                        "Value": Variant("ay", b""),
                    },
                )
            handle += 1
        self._changed(device.path, _DEVICE, {"ServicesResolved": Variant("b", True)})
        device.on_link(True)

    def _appear(self, path: str, interface: str, properties: Properties) -> None:
        self._objects[path] = {interface: properties}
        self._signal("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, self._objects[path]])

    def _disconnected(self, device: Peripheral) -> None:
        device.connected = False
        device.disconnects += 1
        device.on_link(False)
        for path in [path for path in self._objects if path.startswith(f"{device.path}/")]:
            interfaces = list(self._objects.pop(path))
            self._at.pop(path, None)
            self._signal("/", _OBJECTS, "InterfacesRemoved", "oas", [path, interfaces])
        off = {"Connected": Variant("b", False), "ServicesResolved": Variant("b", False)}
        self._changed(device.path, _DEVICE, off)

    def _handle(self, message: Message) -> Message | bool | None:
        if message.message_type is MessageType.SIGNAL:
            if message.member == "NameOwnerChanged" and message.body[2] == "":
                self._scanners.discard(message.body[0])
                self._agents.pop(message.body[0], None)
                for device in self._devices.values():
                    for listeners in device.listeners.values():
                        listeners.discard(message.body[0])
                self._news.set()
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if self.mute:
            return True
        try:
            if message.interface == _DEVICE and message.member == "Connect" and message.path in self._objects:
                device = self._devices[message.path]
                if device.unanswered_connects:
                    device.unanswered_connects -= 1
                    return True
            if message.interface == _DEVICE and message.member == "Pair" and message.path in self._objects:
                task = asyncio.ensure_future(self._pair(message, self._devices[message.path]))
                self._pairing.add(task)
                task.add_done_callback(self._pairing.discard)
                return True
            return self._answer(message)
        finally:
            self._news.set()

    def _answer(self, message: Message) -> Message:
        path, sender = message.path or "", message.sender or ""
        if message.interface == _OBJECTS and message.member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self._objects])
        if path not in self._objects and message.interface != "org.bluez.AgentManager1":
            unknown = "org.freedesktop.DBus.Error.UnknownObject"
            return Message.new_error(message, unknown, f"Method {message.member!r} on {path!r} doesn't exist")
        match message.interface, message.member:
            case "org.bluez.AgentManager1", "RegisterAgent":
                self._agents[sender] = (message.body[0], message.body[1])
                return Message.new_method_return(message)
            case "org.bluez.AgentManager1", "RequestDefaultAgent":
                return Message.new_method_return(message)
            case "org.bluez.AgentManager1", "UnregisterAgent":
                self._agents.pop(sender, None)
                return Message.new_method_return(message)
            case "org.freedesktop.DBus.Properties", "Set":
                return self._set(message, path)
            case "org.bluez.Adapter1", member:
                return self._adapter(message, str(member), sender)
            case "org.bluez.Device1", member:
                return self._device(message, str(member), self._devices[path])
            case "org.bluez.GattCharacteristic1", member:
                return self._characteristic(message, str(member), *self._at[path], sender)
        raise AssertionError(f"{message.interface}.{message.member} is not there")

    def _set(self, message: Message, path: str) -> Message:
        interface, name, value = message.body
        if (interface, name) == (_ADAPTER, "Powered"):
            self.power_cycles += value.value
            self.power(value.value)
        else:
            self._changed(path, interface, {name: value})
        return Message.new_method_return(message)

    def _adapter(self, message: Message, member: str, sender: str) -> Message:
        match member:
            case "StartDiscovery" if not self.powered:
                return Message.new_error(message, "org.bluez.Error.NotReady", "Resource Not Ready")
            case "StartDiscovery" if self.discovery_errors:
                return Message.new_error(message, *self.discovery_errors.pop(0))
            case "StartDiscovery":
                self._scanners.add(sender)
                self.scanned_on.append((message.path or "").rpartition("/")[2])
                self.longest_scanners = max(self.longest_scanners, len(self._scanners))
            case "StopDiscovery" if sender not in self._scanners:
                return Message.new_error(message, "org.bluez.Error.Failed", "No discovery started")
            case "StopDiscovery":
                self._scanners.discard(sender)
            case "RemoveDevice":
                device = self._devices[message.body[0]]
                if device.connected:
                    self._disconnected(device)
                self._objects.pop(device.path, None)
                device.paired, device.remembered = False, None
                self.removed.append(device.address)
                self._signal("/", _OBJECTS, "InterfacesRemoved", "oas", [device.path, [_DEVICE]])
        return Message.new_method_return(message)

    def _device(self, message: Message, member: str, device: Peripheral) -> Message:
        match member:
            case "Connect":
                self.connected_while_scanning += bool(self._scanners)
                if device.connect_errors:
                    name, words = device.connect_errors.pop(0)
                    if words == "le-connection-abort-by-local":
                        self._changed(device.path, _DEVICE, {"Connected": Variant("b", True)})
                        self._changed(device.path, _DEVICE, {"Connected": Variant("b", False)})
                    return Message.new_error(message, name, words)
                if not self.powered:
                    return Message.new_error(message, "org.bluez.Error.NotReady", "Resource Not Ready")
                if not device.present:
                    return Message.new_error(message, "org.bluez.Error.Failed", "le-connection-abort-by-timeout")
                if not device.connected:
                    self._connected(device)
            case "Disconnect":
                if not device.connected:
                    return Message.new_error(message, "org.bluez.Error.NotConnected", "Not Connected")
                self._disconnected(device)
        return Message.new_method_return(message)

    async def ask(self, member: str, device: Peripheral) -> bool:
        """Puts a question about a device to the one agent that is there; whether it is granted."""
        assert self._bus is not None
        ((name, (path, _)),) = self._agents.items()
        question = Message(name, path, "org.bluez.Agent1", member, signature="o", body=[device.path])
        return (await self._bus.call(question)).message_type is MessageType.METHOD_RETURN

    @property
    def agents(self) -> int:
        return len(self._agents)

    async def _pair(self, message: Message, device: Peripheral) -> None:
        """As bluetoothd: a code is asked of the caller's agent, and without one the pairing just works."""
        agent = self._agents.get(message.sender or "")
        asks = device.code is not None and agent is not None and agent[1] != "NoInputNoOutput"
        given: object = None
        device.pairings += 1
        if device.paired:
            reply = Message.new_error(message, "org.bluez.Error.AlreadyExists", "Already Exists")
        else:
            if asks and agent is not None and self._bus is not None:
                member = "RequestPinCode" if device.pins else "RequestPasskey"
                said = await self._bus.call(
                    Message(message.sender, agent[0], "org.bluez.Agent1", member, signature="o", body=[device.path])
                )
                given = said.body[0] if said.message_type is MessageType.METHOD_RETURN else None
            wrong = asks and str(given) != str(device.code if device.pins else int(device.code or 0))
            if wrong:
                reply = Message.new_error(message, "org.bluez.Error.AuthenticationFailed", "Authentication Failed")
            else:
                device.paired, device.knows_us = True, asks or device.code is None
                self._changed(device.path, _DEVICE, {"Paired": Variant("b", True), "Bonded": Variant("b", True)})
                reply = Message.new_method_return(message)
        if self._bus is not None and self._bus.connected:
            self._bus.send(reply)
        self._news.set()

    def _characteristic(self, message: Message, member: str, device: Peripheral, uuid: str, sender: str) -> Message:
        if device.wants_bond and not (device.paired and device.knows_us):
            return Message.new_error(message, "org.bluez.Error.Failed", "Operation failed with ATT error: 0x0f")
        if uuid in device.refused and member != "WriteValue":
            return Message.new_error(message, *device.refused[uuid])
        match member:
            case "ReadValue":
                return Message.new_method_return(message, "ay", [device.values.get(uuid, b"")])
            case "StartNotify":
                device.listeners.setdefault(uuid, set()).add(sender)
            case "StopNotify":
                device.listeners.get(uuid, set()).discard(sender)
            case "WriteValue":
                data = bytes(message.body[0])
                device.writes.append((uuid, data))
                device.on_write(uuid, data)
        return Message.new_method_return(message)
