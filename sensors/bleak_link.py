"""The live link, and the only importer of bleak: a device's notifications, and every outage with its reason.

- Before a device is connected anew its last client has been disconnected, always: else BlueZ delivers everything twice.
- Nothing found on one connection is used on the next: services and handles are discovered each time.
- The radio does one thing at a time: one scan for all devices, and none while a connection is being made.
- A link that is up but silent is no link: the age of the data decides, whatever the system says.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TypeVar

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.bluezdbus import defs
from bleak.backends.bluezdbus.manager import get_global_bluez_manager
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakError, BleakGATTProtocolError
from dbus_fast import Message, Variant

from sensors.asking import ASKING, Asking, keep_asking
from sensors.backoff import Backoff
from sensors.clock import ArrivalClock
from sensors.link import Device, Event, LinkDown, LinkUp, Notification, Tick
from sensors.pmd_streams import PmdStreams
from sensors.profile import AnyProfile, full_uuid
from sensors.profiles.polar_pmd import DATA
from sensors.profiles.polar_pmd_control import CONTROL
from sensors.registry import PROFILES
from sensors.services import SERVICES

T = TypeVar("T")

# Whatever the radio, its daemon and the bus between can do to us is an outage: bleak lets through what its bus raises
# when that dies, and its own tables raise KeyError while the daemon's objects come and go.
FAILURES = (BleakError, OSError, EOFError, KeyError, AssertionError)

_ADDRESS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_REFUSALS_TO_POWER_CYCLE = 5
_LOST = "the connection was lost"
_AWAY = "not in reach"
# Bluetooth Core, Vol 3 Part F 3.4.1.1: authentication, authorization, encryption missing.
_WANTS_BOND = (0x05, 0x08, 0x0F)
# Without a handler of its own, what bleak warns of would stand between the lines of our own output.
logging.getLogger("bleak").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Patience:
    """How long for what, in seconds. `silent_s`: no data for this long on a link that should have some ends it."""

    silent_s: float = 10.0
    find_s: float = 20.0
    connect_s: float = 20.0
    let_go_s: float = 12.0  # bleak itself waits for 10
    answer_s: float = 5.0
    first_retry_s: float = 0.5
    longest_retry_s: float = 5.0
    tick_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One device in a scan. `rssi_dbm`: the strongest; `services`: those it advertises, full UUIDs."""

    address: str
    name: str | None
    rssi_dbm: int
    services: tuple[str, ...]


class Radio:
    """The one scanner of this process, shared by all links. `call_s`: how long the daemon may take to answer."""

    def __init__(self, call_s: float = 10.0) -> None:
        self._call_s = call_s
        self._turn = asyncio.Lock()
        self._wanted: dict[asyncio.Future[BLEDevice], Callable[[str, str | None], bool]] = {}
        self._connecting = 0
        self._changed = asyncio.Event()
        self._scan: asyncio.Task[None] | None = None
        self._refusals = 0  # of a scan, in a row, because one were running that nobody runs

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The radio is mine: the scan makes way."""
        self._connecting += 1
        self._changed.set()
        try:
            async with self._turn:
                yield
        finally:
            self._connecting -= 1

    async def find(self, wanted: Callable[[str, str | None], bool], seconds: float) -> BLEDevice | None:
        """The first device for which `wanted(address, name)`, as soon as it is heard; None if it is not in time."""
        future: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()
        self._wanted[future] = wanted
        if self._scan is None or self._scan.done():
            self._scan = asyncio.create_task(self._scan_for_all())
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            self._wanted.pop(future, None)
            self._changed.set()

    async def look_around(self, seconds: float) -> list[Seen]:
        """Every device heard in this time, the strongest first. Raises one of FAILURES."""
        seen: dict[str, Seen] = {}

        def heard(device: BLEDevice, said: AdvertisementData) -> None:
            before = seen.get(device.address)
            services = {full_uuid(uuid) for uuid in said.service_uuids} | set(before.services if before else ())
            seen[device.address] = Seen(
                device.address,
                said.local_name or device.name or (before.name if before else None),
                max(said.rssi, before.rssi_dbm) if before else said.rssi,
                tuple(sorted(services)),
            )

        async with self.turn(), asyncio.timeout(seconds + 2 * self._call_s), BleakScanner(heard):
            await asyncio.sleep(seconds)
        return sorted(seen.values(), key=lambda one: -one.rssi_dbm)

    async def close_ghosts(self, wanted: Callable[[str, str | None], bool], patience: Patience) -> None:
        """Ends the connections of a process that died: a device that is connected does not advertise.

        Only those `wanted`: another may be the wearer's keyboard.
        """
        async with asyncio.timeout(patience.connect_s):
            adapter = await BleakAdapter.get()
        for device in await adapter.get_connected_devices(list(SERVICES)):
            if wanted(device.address, device.name):
                client = BleakClient(device, timeout=patience.connect_s)
                try:
                    async with self.turn(), asyncio.timeout(patience.connect_s):
                        await client.connect()
                finally:
                    closed = await _let_go(client, patience)
                if not closed:
                    await self.forget()  # if it is not even there, that is known next time
                    raise BleakError("its last connection cannot be closed")

    async def clear_cache(self, client: BleakClient) -> None:
        """What BlueZ remembers of a device's services may be of another firmware. A bond is never given up for that."""
        with suppress(*FAILURES):
            manager = await get_global_bluez_manager()
            path = f"{manager.get_default_adapter()}/dev_{client.address.upper().replace(':', '_')}"
            if not manager.is_paired(path):
                await client.unpair()  # removes the device, and so what is remembered of it

    async def forget(self) -> None:
        """What bleak remembers of the daemon's objects is not true any more; its next connection learns them anew."""
        with suppress(*FAILURES):
            async with asyncio.timeout(1):
                manager = await get_global_bluez_manager()
            if manager._bus is not None:
                manager._bus.disconnect()

    async def _scan_for_all(self) -> None:
        while self._someone_waits():
            try:
                async with self._turn:
                    await self._scan_once()
                self._refusals = 0
            except FAILURES as problem:
                await self._recover(problem)
                for future in self._wanted:
                    if not future.done():
                        future.set_exception(problem)
                return

    async def _recover(self, problem: BaseException) -> None:
        """A scanner that is stuck comes back only with the adapter's power; others lose their links too, so it is the
        last resort."""
        stuck = isinstance(problem, BleakDBusError) and problem.dbus_error == "org.bluez.Error.InProgress"
        self._refusals = self._refusals + 1 if stuck else 0
        if self._refusals < _REFUSALS_TO_POWER_CYCLE:
            return
        self._refusals = 0
        with suppress(*FAILURES):
            async with asyncio.timeout(2 * self._call_s):
                manager = await get_global_bluez_manager()
                adapter = manager.get_default_adapter()
                for on in (False, True):
                    body = [defs.ADAPTER_INTERFACE, "Powered", Variant("b", on)]
                    message = Message(
                        destination=defs.BLUEZ_SERVICE,
                        path=adapter,
                        interface=defs.PROPERTIES_INTERFACE,
                        member="Set",
                        signature="ssv",
                        body=body,
                    )
                    if manager._bus is not None:
                        await manager._bus.call(message)

    async def _scan_once(self) -> None:
        """Until all are found or given up, or somebody wants to connect."""
        scanner = BleakScanner(self._heard)
        async with asyncio.timeout(self._call_s):
            await scanner.start()
        try:
            while not self._connecting and self._someone_waits():
                self._changed.clear()
                await self._changed.wait()
        finally:
            async with asyncio.timeout(self._call_s):
                await scanner.stop()

    def _someone_waits(self) -> bool:
        return any(not future.done() for future in self._wanted)

    def _heard(self, device: BLEDevice, said: AdvertisementData) -> None:
        for future, wanted in self._wanted.items():
            if not future.done() and (wanted(device.address, device.name) or wanted(device.address, said.local_name)):
                future.set_result(device)
                self._changed.set()


class BleakLink:
    """A device by its address or its full name. It is held until `close`: no failure of the radio ends it."""

    def __init__(
        self,
        radio: Radio,
        target: str,
        *,
        patience: Patience | None = None,
        clock: ArrivalClock | None = None,
        random: Random | None = None,
        profiles: Iterable[AnyProfile] = PROFILES,
    ) -> None:
        self._radio = radio
        self._target = target
        self._patience = patience or Patience()
        self._clock = clock or ArrivalClock()
        self._backoff = Backoff(self._patience.first_retry_s, self._patience.longest_retry_s, random or Random())
        self._profiles = {profile.characteristic: profile for profile in profiles}
        self._device = Device(target, target.upper() if _ADDRESS.fullmatch(target) else None)
        self._events: asyncio.Queue[Event | BaseException | None] = asyncio.Queue()
        self._work: asyncio.Task[None] | None = None
        self._closed = False
        self._client: BleakClient | None = None
        self._leaving = False
        self._haunted = True  # it may still be connected, for a process that died or by a disconnect that failed
        self._wake = asyncio.Event()  # something is to be done about the connection
        self._streams: PmdStreams | None = None
        self._askers: list[asyncio.Task[None]] = []
        self._farewells: list[Callable[[], Awaitable[object]]] = []
        self._down: str | None = None  # why, as last told
        self._began_ns: int | None = None  # until the link is up for the first time
        self._heard_s = 0.0
        self._frame_s: dict[int, float] = {}
        self._stalls: dict[int, int] = {}

    @property
    def device(self) -> Device:
        """By the name it advertises, once it has been found."""
        return self._device

    async def close(self) -> None:
        self._closed = True
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})
        self._events.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._work is not None:
            raise RuntimeError("a live link can be read once")
        if self._closed:
            return
        self._work = asyncio.create_task(self._hold())
        self._work.add_done_callback(self._ended)
        try:
            while (event := await self._events.get()) is not None:
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            self._work.cancel()
            await asyncio.wait({self._work})

    # -- holding it

    def _ended(self, work: asyncio.Task[None]) -> None:
        self._events.put_nowait(None if work.cancelled() else work.exception())

    async def _hold(self) -> None:
        self._began_ns = self._clock.now_ns()
        ticker = asyncio.create_task(self._tick_on())
        try:
            while True:
                try:
                    reason = await self._once()
                except FAILURES as problem:
                    reason = said(problem)
                    if _is_of_the_bus(problem):
                        await self._radio.forget()
                self._tell_down(reason)
                await asyncio.sleep(self._backoff.next_s())
        finally:
            ticker.cancel()

    async def _once(self) -> str:
        """Finds it, connects, and stays until it is lost; returns why. Raises one of FAILURES."""
        patience = self._patience
        if self._haunted:
            await self._radio.close_ghosts(self._is_mine, patience)
            self._haunted = False
        found = await self._radio.find(self._is_mine, patience.find_s)
        if found is None:
            await self._radio.close_ghosts(self._is_mine, patience)
            return _AWAY
        name = found.name or self._target
        self._device = Device(name, found.address)
        wake = self._wake = asyncio.Event()

        def dropped(client: BleakClient) -> None:
            wake.set()
            if client is self._client and not self._leaving:
                self._tell_down(_LOST)

        client = BleakClient(found, dropped, timeout=patience.connect_s)
        try:
            async with self._radio.turn(), asyncio.timeout(patience.connect_s):
                await client.connect()
            self._client = client
            async with asyncio.timeout(patience.connect_s):
                await self._open(client)
            return await self._stay(client, wake)
        finally:
            self._leaving = True  # whatever it still delivers is nobody's, but for the answers to the last commands
            await self._leave(client)
            self._client, self._leaving = None, False

    async def _open(self, client: BleakClient) -> None:
        """Reads what can be read, subscribes to all that is known, starts the streams."""
        known = [
            c for service in client.services for c in service.characteristics if full_uuid(c.uuid) in self._profiles
        ]
        if not known:
            has = _listed(client)
            self._leaving = True
            await self._radio.clear_cache(client)
            raise BleakError(f"it offers nothing that can be read here, only: {has}")
        at = {full_uuid(c.uuid): c for c in known}
        streams = None
        if CONTROL in at and DATA in at:
            write = partial(client.write_gatt_char, at[CONTROL], response=True)
            streams = PmdStreams(write, self._patience.answer_s)
        self._streams = streams
        self._heard_s = asyncio.get_running_loop().time()
        for characteristic in known:
            if "read" in characteristic.properties:
                # before it is subscribed to: BlueZ gives what is read to whoever listens as well
                value = await _spared(client, partial(client.read_gatt_char, characteristic))
                if value is not None:
                    self._arrived(client, characteristic, value)
        listening = 0
        for characteristic in known:
            if {"notify", "indicate"} & set(characteristic.properties):
                subscribe = partial(self._subscribe, client, characteristic)
                listening += await _spared(client, subscribe) is not None
        if not listening:
            raise BleakError("it refused every subscription")
        every = {full_uuid(c.uuid): c for service in client.services for c in service.characteristics}
        for uuid, asking in ASKING.items():
            if uuid in at and asking.write in every:
                self._ask(asking, partial(client.write_gatt_char, every[asking.write]))
        if streams is not None:
            await streams.start()
            now_s = asyncio.get_running_loop().time()
            self._frame_s = dict.fromkeys(streams.running, now_s)
        self._tell_up(self._clock.now_ns())

    def _ask(self, asking: Asking, write: Callable[[bytes], Awaitable[object]]) -> None:
        async def ask() -> None:
            with suppress(*FAILURES):  # a device that never answers is a silent one
                await keep_asking(asking, write)

        self._askers.append(asyncio.create_task(ask()))
        if asking.at_end is not None:
            self._farewells.append(partial(write, asking.at_end))

    async def _subscribe(self, client: BleakClient, characteristic: BleakGATTCharacteristic) -> bool:
        await client.start_notify(characteristic, partial(self._arrived, client))
        return True

    async def _stay(self, client: BleakClient, wake: asyncio.Event) -> str:
        """Until it is lost, or has been silent for too long."""
        loop = asyncio.get_running_loop()
        silent_s = self._patience.silent_s
        while client.is_connected:
            wake.clear()
            await self._restart_stalled()
            with suppress(TimeoutError):
                async with asyncio.timeout(silent_s / 4):
                    await wake.wait()
            if client.is_connected and self._expects_data(client) and loop.time() - self._heard_s >= silent_s:
                reason = f"no data for {silent_s:g} s"
                self._tell_down(reason)
                return reason
        return _LOST

    def _expects_data(self, client: BleakClient) -> bool:
        """Whether it sends by itself and without a pause: a blood pressure cuff need not."""
        if self._streams is not None and self._streams.running:
            return True
        uuids = {full_uuid(c.uuid) for service in client.services for c in service.characteristics}
        return any(uuid in uuids and p.silent_after_s is not None for uuid, p in self._profiles.items())

    async def _restart_stalled(self) -> None:
        """Streams that the device stopped, or that fell silent while others go on; each time with more patience."""
        streams = self._streams
        if streams is None:
            return
        now_s = asyncio.get_running_loop().time()
        stalled = set(streams.stopped)
        for stream, heard_s in self._frame_s.items():
            if stream in streams.running and now_s - heard_s >= self._patience.silent_s * 2.0 ** self._stalls.get(
                stream, 0
            ):
                stalled.add(stream)
                self._stalls[stream] = min(self._stalls.get(stream, 0) + 1, 8)
        if stalled:
            await streams.start_again(stalled)
            self._frame_s.update(dict.fromkeys(stalled, asyncio.get_running_loop().time()))

    async def _leave(self, client: BleakClient) -> None:
        """No more questions, streams off, then the link; never raises but a cancellation."""
        askers, self._askers = self._askers, []
        farewells, self._farewells = self._farewells, []
        for asker in askers:
            asker.cancel()
        for farewell in farewells if client.is_connected else ():
            with suppress(*FAILURES):
                async with asyncio.timeout(self._patience.answer_s):
                    await farewell()
        if self._streams is not None and client.is_connected:
            with suppress(*FAILURES):
                async with asyncio.timeout(self._patience.answer_s):
                    await self._streams.stop()
        self._streams = None
        self._haunted = not await _let_go(client, self._patience)

    # -- telling it

    def _is_mine(self, address: str, name: str | None) -> bool:
        if _ADDRESS.fullmatch(self._target):
            return address.upper() == self._target.upper()
        return name is not None and name.casefold() == self._target.casefold()

    def _arrived(
        self, client: BleakClient, characteristic: BleakGATTCharacteristic, payload: bytes | bytearray
    ) -> None:
        if client is not self._client:
            return
        t_ns, now_s = self._clock.now_ns(), asyncio.get_running_loop().time()
        uuid, value = full_uuid(characteristic.uuid), bytes(payload)
        if uuid == CONTROL and self._streams is not None:
            self._streams.heard(value)
            if self._streams.stopped:
                self._wake.set()
        if self._leaving:
            return
        self._heard_s = now_s
        self._backoff.reset()
        if uuid == DATA and value:
            self._frame_s[value[0] & 0x3F] = now_s
            self._stalls.pop(value[0] & 0x3F, None)
        self._tell_up(t_ns)
        self._events.put_nowait(Notification(t_ns, uuid, value))

    def _tell_up(self, t_ns: int) -> None:
        if self._down is not None or self._began_ns is not None:
            self._down = self._began_ns = None
            self._events.put_nowait(LinkUp(t_ns))

    def _tell_down(self, reason: str) -> None:
        """Once for each reason: why it is down may change while it is."""
        if reason == self._down:
            return
        # a device that was not there from the beginning has been missing from the beginning
        first = self._down is None and self._began_ns is not None
        t_ns = self._began_ns if first and self._began_ns is not None else self._clock.now_ns()
        self._down = reason
        self._events.put_nowait(LinkDown(t_ns, reason))

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(self._patience.tick_s)
            if self._down is not None:
                self._events.put_nowait(Tick(self._clock.now_ns()))


async def _let_go(client: BleakClient, patience: Patience) -> bool:
    """Disconnects, whatever state it is in; whether it went well. Awaited before the same device is connected again."""
    try:
        async with asyncio.timeout(patience.let_go_s):
            await client.disconnect()
    except FAILURES:
        return False
    return True


async def _spared(client: BleakClient, doing: Callable[[], Awaitable[T]]) -> T | None:
    """Does it; None where the device refuses just this. A device that wants a bond first gets one, if it needs no code.

    Raises one of FAILURES where more than this one thing has failed.
    """
    try:
        return await doing()
    except BleakGATTProtocolError as problem:
        if problem.code not in _WANTS_BOND:
            return None
        await client.pair()
    except BleakDBusError as problem:
        if _is_of_the_bus(problem) or not client.is_connected:
            raise
        return None
    try:
        return await doing()
    except BleakGATTProtocolError:
        return None


def _is_of_the_bus(problem: BaseException) -> bool:
    """Not the daemon speaks but the bus: the daemon, or an object of its, is not there any more."""
    return isinstance(problem, BleakDBusError) and problem.dbus_error.startswith("org.freedesktop.DBus.Error.")


def _listed(client: BleakClient) -> str:
    return ", ".join(sorted(c.uuid for service in client.services for c in service.characteristics)) or "nothing"


def said(problem: BaseException) -> str:
    """In words, for the reason of an outage."""
    match problem:
        case BleakBluetoothNotAvailableError():
            return str(problem.args[0]).rstrip(".")
        case BleakDBusError():
            if problem.dbus_error == "org.freedesktop.DBus.Error.ServiceUnknown":
                return "the Bluetooth service (bluetoothd) is not running"
            return problem.dbus_error_details or problem.dbus_error
        case TimeoutError():
            return "no answer in time"
        case OSError():
            return f"no system bus: {problem.strerror or type(problem).__name__}"
        case BleakError():
            return str(problem)
        case _:
            return type(problem).__name__
