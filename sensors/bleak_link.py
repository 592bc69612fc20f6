"""The radio on bleak, and the only importer of it. What bleak, its bus or the daemon raise leaves here as a LinkError.

- The radio does one thing at a time: one scan for all devices, and none while a connection is being made.
- A connection is let go before the next one to the same device, whatever state it is in.
- The adapter is the one that was named, or the first that is on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.args.bluez import BlueZClientArgs, BlueZScannerArgs
from bleak.backends.bluezdbus.manager import get_global_bluez_manager
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakError, BleakGATTProtocolError
from dbus_fast import Variant

from sensors import pairing
from sensors.bluez_bus import ADAPTER, DEVICE, BluezBus, BluezError, Objects, first_adapter, watch_daemon
from sensors.connection import (
    NO_ANSWER,
    Characteristic,
    ConnectError,
    RefusedError,
    UnansweredError,
    Wanted,
    WantsBondError,
)
from sensors.errors import LinkError
from sensors.held_link import LOST, HeldLink
from sensors.patience import Patience
from sensors.profile import full_uuid

# Whatever the radio, its daemon and the bus between can do to us is an outage: bleak lets through what its bus raises
# when that dies, and its own tables raise KeyError while the daemon's objects come and go.
FAILURES = (BleakError, LinkError, OSError, EOFError, KeyError, AssertionError)

_REFUSALS_TO_POWER_CYCLE = 5
_DAEMON_GONE = "the Bluetooth service (bluetoothd) has ended"
_OF_THE_BUS = "org.freedesktop.DBus.Error."
_NO_SERVICE = "org.freedesktop.DBus.Error.ServiceUnknown"
_NO_REPLY = "org.freedesktop.DBus.Error.NoReply"
_IN_PROGRESS = "org.bluez.Error.InProgress"
# Bluetooth Core, Vol 3 Part F 3.4.1.1: authentication, authorization, encryption key size, encryption missing.
_WANTS_BOND = (0x05, 0x08, 0x0C, 0x0F)
_LOOK_AGAIN_S = 0.2
# Without a handler of its own, what bleak warns of would stand between the lines of our own output.
logging.getLogger("bleak").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Seen:
    """One device in a scan. `rssi_dbm`: the strongest; `services`: those it advertises, full UUIDs."""

    address: str
    name: str | None
    rssi_dbm: int
    services: tuple[str, ...]


class Radio:
    """The one scanner of this process, shared by all links.

    `adapter`: such as hci1, else the first that is on. `call_s`: how long the daemon may take to answer.
    """

    def __init__(self, adapter: str | None = None, *, call_s: float = 10.0) -> None:
        self._adapter = adapter
        self._call_s = call_s
        self._turn = asyncio.Lock()
        self._wanted: dict[asyncio.Future[BLEDevice], Wanted] = {}
        self._connecting = 0
        self._changed = asyncio.Event()
        self._scan: asyncio.Task[None] | None = None
        self._refusals = 0  # of a scan, in a row, because one were running that nobody runs
        self._watchers = 0
        self._watch: asyncio.Task[None] | None = None
        self._connections: set[BleakConnection] = set()
        self._forgetting: asyncio.Future[None] | None = None

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        _hush(asyncio.get_running_loop())
        self._watchers += 1
        if self._watch is None:
            self._watch = asyncio.create_task(watch_daemon(self._daemon_gone))
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                watch, self._watch = self._watch, None
                watch.cancel()
                await asyncio.wait({watch})

    def _daemon_gone(self) -> None:
        """Else nobody would tell: for bleak its devices stay connected for ever."""
        for connection in list(self._connections):
            connection.lost(_DAEMON_GONE)
        self._forgetting = asyncio.ensure_future(self._relearn())

    # -- looking

    async def look_around(self, seconds: float) -> list[Seen]:
        """Every device heard in this time, the strongest first. Raises LinkError."""
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

        with _translated():
            async with (
                self._its_turn(),
                asyncio.timeout(seconds + 2 * self._call_s),
                BleakScanner(heard, bluez=await self._scanner_args()),
            ):
                await asyncio.sleep(seconds)
        return sorted(seen.values(), key=lambda one: -one.rssi_dbm)

    async def find(self, wanted: Wanted, seconds: float) -> BLEDevice | None:
        """The first device for which `wanted(address, name)`, as soon as it is heard; None if it is not in time.

        Raises one of FAILURES.
        """
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

    async def _scan_for_all(self) -> None:
        while self._someone_waits():
            try:
                async with self._turn:
                    await self._scan_once()
                self._refusals = 0
            except FAILURES as problem:
                await self._unstick(problem)
                for future in self._wanted:
                    if not future.done():
                        future.set_exception(problem)
                return

    async def _scan_once(self) -> None:
        """Until all are found or given up, or somebody wants to connect."""
        async with asyncio.timeout(self._call_s):
            scanner = BleakScanner(self._heard, bluez=await self._scanner_args())
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

    async def _unstick(self, problem: BaseException) -> None:
        """A scanner that is stuck comes back only with the adapter's power; others lose their links too, so it is the
        last resort."""
        stuck = isinstance(problem, BleakDBusError) and problem.dbus_error == _IN_PROGRESS
        self._refusals = self._refusals + 1 if stuck else 0
        if self._refusals < _REFUSALS_TO_POWER_CYCLE:
            return
        self._refusals = 0
        with suppress(LinkError, TimeoutError):
            async with asyncio.timeout(2 * self._call_s), BluezBus() as bus:
                path = self._path or first_adapter(await bus.objects())
                if path is not None:
                    for on in (False, True):
                        await bus.set(path, ADAPTER, "Powered", Variant("b", on))

    # -- connecting

    async def connect(self, wanted: Wanted, patience: Patience, lost: Callable[[str], None]) -> BleakConnection | None:
        with _translated():
            found = await self.find(wanted, patience.find_s)
            if found is None:
                return None
            connection = BleakConnection(found, patience, lost)
            self._connections.add(connection)
            connection.at_end = lambda: self._connections.discard(connection)
            made = False
            try:
                async with self._its_turn(), asyncio.timeout(patience.connect_s):
                    await connection.open()
                made = True
            except TimeoutError:
                raise UnansweredError(NO_ANSWER) from None  # it has gone in the meantime, or is tried on and on
            except FAILURES as problem:
                raise ConnectError(_said(problem)) from problem
            finally:
                if not made:
                    await connection.let_go()
            return connection

    async def close_ghosts(self, wanted: Wanted, patience: Patience) -> None:
        """Only those `wanted`: another may be the wearer's keyboard."""
        async with asyncio.timeout(patience.connect_s), BluezBus() as bus:
            known = self._known(await bus.objects(), wanted)
            ghosts = [path for path, about in known.items() if about.get("Connected")]
            for path in ghosts:
                with suppress(BluezError):  # it has gone in the meantime
                    await bus.call(path, DEVICE, "Disconnect")
            while ghosts and any(one.get("Connected") for one in self._known(await bus.objects(), wanted).values()):
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def pair(self, wanted: Wanted, wearer: pairing.Wearer | None, patience: Patience, anew: bool = False) -> bool:
        """Finds it and pairs with it; False where it was paired with before, and not `anew`. Raises LinkError.

        A link that somebody holds is used and left as it is; one that was made for this is ended.
        """
        async with asyncio.timeout(patience.connect_s), BluezBus() as bus:
            known = self._known(await bus.objects(), wanted)
        for path, about in known.items():
            if about.get("Paired"):
                if not anew:
                    return False
                await pairing.forget(path)
        held = [path for path, about in known.items() if about.get("Connected") and not about.get("Paired")]
        if held:
            await pairing.pair(held[0], wearer, patience.pair_s)
            return True
        with _translated():
            found = await self.find(wanted, patience.find_s)
            if found is None:
                raise LinkError("not in reach; if it has a pairing mode, it has to be in it")
            path = found.details["path"]
            async with self._its_turn():
                try:
                    await pairing.pair(path, wearer, patience.pair_s)
                finally:
                    with suppress(LinkError, TimeoutError):
                        async with asyncio.timeout(patience.let_go_s), BluezBus() as bus:
                            await bus.call(path, DEVICE, "Disconnect")
        return True

    async def is_bonded(self, wanted: Wanted) -> bool:
        with suppress(LinkError, TimeoutError):
            async with asyncio.timeout(self._call_s), BluezBus() as bus:
                return any(about.get("Paired") for about in self._known(await bus.objects(), wanted).values())
        return False

    async def forget(self, wanted: Wanted) -> None:
        async with asyncio.timeout(self._call_s), BluezBus() as bus:
            known = self._known(await bus.objects(), wanted)
        for path in known:
            await pairing.forget(path)

    def _known(self, objects: Objects, wanted: Wanted) -> dict[str, dict[str, Any]]:
        """What the daemon knows of the device that is wanted, by its path."""
        found = {}
        for path, interfaces in objects.items():
            about = interfaces.get(DEVICE)
            if about is None or not path.startswith(self._path or "/"):
                continue
            if wanted(about["Address"], about.get("Alias")) or wanted(about["Address"], about.get("Name")):
                found[path] = about
        return found

    async def _relearn(self) -> None:
        """What bleak remembers of the daemon's objects is not true any more; its next use learns them anew.

        Every client of bleak's loses its link by that, also one that is just being made.
        """
        with suppress(*FAILURES, TimeoutError):
            async with asyncio.timeout(1):
                manager = await get_global_bluez_manager()
            if manager._bus is not None:
                manager._bus.disconnect()

    # -- inside

    @asynccontextmanager
    async def _its_turn(self) -> AsyncIterator[None]:
        """The radio is mine: the scan makes way."""
        self._connecting += 1
        self._changed.set()
        try:
            async with self._turn:
                yield
        finally:
            self._connecting -= 1

    @property
    def _path(self) -> str | None:
        return f"/org/bluez/{self._adapter}" if self._adapter else None

    async def _scanner_args(self) -> BlueZScannerArgs:
        """Of several adapters bleak takes any; where none is on, its own words say so."""
        if self._adapter is not None:
            return {"adapter": self._adapter}
        async with BluezBus() as bus:
            path = first_adapter(await bus.objects())
        return {} if path is None else {"adapter": path.rpartition("/")[2]}


class BleakConnection:
    """One bleak client. `at_end`: called when it has been let go."""

    def __init__(self, device: BLEDevice, patience: Patience, lost: Callable[[str], None]) -> None:
        self.at_end: Callable[[], None] = lambda: None
        self._patience = patience
        self._lost = lost
        self._attendance = AsyncExitStack()  # bluetoothd itself subscribes to some things when it connects
        self._is_lost = False
        self._is_orphan = False  # nobody has told the kernel that it is not wanted any more
        self._path: str = device.details["path"]
        self._name = device.name
        args: BlueZClientArgs = {"adapter": self._path.split("/")[3]}
        self._client = BleakClient(device, lambda _: self.lost(LOST), timeout=patience.connect_s, bluez=args)
        self._characteristics: tuple[Characteristic, ...] = ()

    async def open(self) -> None:
        with suppress(LinkError):  # then it is done without
            await self._attendance.enter_async_context(pairing.attended(self._path))
        await self._client.connect()
        self._characteristics = tuple(
            Characteristic(full_uuid(c.uuid), frozenset(c.properties), c)
            for service in self._client.services
            for c in service.characteristics
        )

    @property
    def address(self) -> str:
        return self._client.address

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def is_up(self) -> bool:
        return self._client.is_connected and not self._is_lost

    @property
    def mtu(self) -> int | None:
        """As BlueZ negotiated it by itself; told since 5.62."""
        told = [_of(c).obj[1].get("MTU") for c in self._characteristics]
        return max((mtu for mtu in told if isinstance(mtu, int)), default=None)

    @property
    def characteristics(self) -> Sequence[Characteristic]:
        return self._characteristics

    async def read(self, characteristic: Characteristic) -> bytes:
        with self._spoken():
            return bytes(await self._client.read_gatt_char(_of(characteristic)))

    async def write(self, characteristic: Characteristic, value: bytes) -> None:
        with self._spoken():
            await self._client.write_gatt_char(_of(characteristic), value, response=True)

    async def subscribe(self, characteristic: Characteristic, heard: Callable[[bytes], None]) -> None:
        with self._spoken():
            await self._client.start_notify(_of(characteristic), lambda _, value: heard(bytes(value)))

    async def is_bonded(self) -> bool:
        with suppress(LinkError):
            return await pairing.is_bonded(self._path)
        return False

    async def opened(self) -> None:
        await self._attendance.aclose()

    async def pair(self) -> None:
        await pairing.pair(self._path, None, self._patience.pair_s)

    async def forget(self) -> None:
        await pairing.forget(self._path)

    def lost(self, reason: str) -> None:
        self._is_lost = True
        self._is_orphan = self._is_orphan or reason == _DAEMON_GONE
        self._lost(reason)

    async def let_go(self) -> bool:
        """Awaited before the same device is connected again; bleak waits for the daemon's word that it is."""
        try:
            async with asyncio.timeout(self._patience.let_go_s):
                await self._attendance.aclose()
                await self._client.disconnect()
        except (*FAILURES, TimeoutError):
            return False
        finally:
            self.at_end()
        return not self._is_orphan

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """To a device, which may refuse this one thing."""
        try:
            with _translated():
                yield
        except RefusedError:
            raise
        except LinkError as problem:
            cause = problem.__cause__
            if self.is_up and isinstance(cause, BleakDBusError) and not cause.dbus_error.startswith(_OF_THE_BUS):
                raise RefusedError(str(problem)) from None
            raise


def _of(characteristic: Characteristic) -> BleakGATTCharacteristic:
    assert isinstance(characteristic.key, BleakGATTCharacteristic)
    return characteristic.key


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except LinkError:
        raise
    except BleakGATTProtocolError as problem:
        kind = WantsBondError if problem.code in _WANTS_BOND else RefusedError
        raise kind(f"it refuses: ATT error 0x{problem.code:02x}") from problem
    except FAILURES as problem:
        raise LinkError(_said(problem)) from problem


def _said(problem: BaseException) -> str:
    """In words, for the reason of an outage."""
    match problem:
        case BleakBluetoothNotAvailableError():
            return str(problem.args[0]).rstrip(".")
        case TimeoutError():
            return NO_ANSWER
        case BleakDBusError(dbus_error=error) if error == _NO_SERVICE:
            return "the Bluetooth service (bluetoothd) is not running"
        case BleakDBusError(dbus_error=error) if error == _NO_REPLY:
            return _DAEMON_GONE
        case BleakDBusError():
            return problem.dbus_error_details or problem.dbus_error
        case OSError():
            return f"no system bus: {problem.strerror or type(problem).__name__}"
        case BleakError():
            return str(problem)
        case _:
            return type(problem).__name__


def _hush(loop: asyncio.AbstractEventLoop) -> None:
    """A bus that dies leaves exceptions that nobody can fetch any more; the outage itself is told elsewhere."""
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), FAILURES):
            return
        if before is None:
            loop.default_exception_handler(context)
        else:
            before(loop, context)

    loop.set_exception_handler(handle)


class BleakLink(HeldLink):
    """A HeldLink whose radio is this machine's."""
