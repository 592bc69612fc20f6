"""A virtual sensor in the air of the true BlueZ, with what may befall one: dropped, out of reach, silent, bonded."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bumble.att import Attribute
from bumble.device import Connection
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR, Characteristic
from bumble.hci import HCI_REMOTE_USER_TERMINATED_CONNECTION_ERROR
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate

from sensors.profiles.polar_pmd_control import Opcode
from tests.rigs.true_bluez import TrueBluez
from vitalkeep.simulate.h10 import H10
from vitalkeep.simulate.peripheral import Pace, Peripheral, appear

ENCRYPTED = Attribute.Permissions.READ_REQUIRES_ENCRYPTION | Attribute.Permissions.WRITE_REQUIRES_ENCRYPTION
WITH_CODE = Attribute.Permissions.READ_REQUIRES_AUTHENTICATION | Attribute.Permissions.WRITE_REQUIRES_AUTHENTICATION


class _Shows(PairingDelegate):
    """It has a display, and always the same code on it."""

    def __init__(self, code: int) -> None:
        super().__init__(PairingDelegate.DISPLAY_OUTPUT_ONLY)
        self._code = code

    async def confirm(self, auto: bool = False) -> bool:
        return False  # nothing just works

    async def generate_passkey(self) -> int:
        return self._code


SUPERVISION_S = 10.0


class VirtualSensor:
    """`wants`: the permissions on its subscriptions; `code`: what its display shows to whoever pairs, if it has one."""

    def __init__(
        self,
        bluez: TrueBluez,
        peripheral: Peripheral,
        address: str,
        wants: Attribute.Permissions | None = None,
        code: int | None = None,
    ) -> None:
        self.peripheral = peripheral
        self.address = address
        self.stopped_streams = 0
        """Of Polar's streams, how many were stopped by a command in the last connection."""
        self._bluez = bluez
        self._wants = wants
        self._code = code
        self._playing: asyncio.Task[None] | None = None
        self._supervising: asyncio.Task[None] | None = None
        bluez.run(self._appear())

    @property
    def name(self) -> str:
        return self.peripheral.name

    @property
    def connections(self) -> list[Connection]:
        return list(self._device.connections.values())

    @property
    def bonded(self) -> bool:
        async def keys() -> int:
            return len(await self._keys.get_all())

        return self._bluez.run(keys()) > 0

    def drop(self) -> None:
        """The link breaks; it can be found again at once."""
        self._bluez.run(self._drop())

    def go_away(self) -> None:
        """Out of reach, and off the link."""

        async def go() -> None:
            await self._drop()
            await asyncio.sleep(0.1)  # it begins to advertise by itself
            await self._device.stop_advertising()

        self._bluez.run(go())

    def come_back(self) -> None:
        self._bluez.run(self._device.start_advertising(auto_restart=True))

    def fall_silent(self) -> None:
        """It keeps the link, and sends nothing."""

        async def stop() -> None:
            if self._playing is not None:
                self._playing.cancel()
                with suppress(asyncio.CancelledError):
                    await self._playing

        self._bluez.run(stop())

    def speak(self) -> None:
        async def play() -> None:
            self._playing = asyncio.create_task(self.peripheral.play(self._device, Pace()))

        self._bluez.run(play())

    def forget_bonds(self) -> None:
        """As after a change of its battery."""

        async def forget() -> None:
            await self._keys.delete_all()

        self._bluez.run(forget())

    def vanish(self) -> None:
        """For good."""
        self.fall_silent()
        self.go_away()

    async def _appear(self) -> None:
        self._device = self._bluez.air.device(self.name, self.address)
        self._keys = MemoryKeyStore()
        self._device.keystore = self._keys
        shows = PairingDelegate() if self._code is None else _Shows(self._code)
        config = PairingConfig(sc=True, mitm=self._code is not None, bonding=True, delegate=shows)
        self._device.pairing_config_factory = lambda _: config
        await appear(self._device, self.peripheral)
        if self._wants is not None:
            for attribute in self._device.gatt_server.attributes:
                if attribute.type == GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR:
                    attribute.permissions |= self._wants
        if isinstance(self.peripheral, H10):
            self.peripheral.control.on(Characteristic.EVENT_WRITE, self._commanded)
        self._playing = asyncio.create_task(self.peripheral.play(self._device, Pace()))
        self._supervising = asyncio.create_task(self._supervise())

    async def _supervise(self) -> None:
        """Ends a link that nobody encrypts where the sensor wants that; bumble's (0.0.236) know no timeout of a link.

        A kernel that gave up a connection whose keys were refused left it standing here, and the sensor out of sight.
        """
        doubted: set[int] = set()
        while self._wants is not None:
            await asyncio.sleep(SUPERVISION_S)
            bare = {handle: link for handle, link in self._device.connections.items() if not link.is_encrypted}
            for handle in doubted & bare.keys():
                with suppress(Exception):  # it may end by itself at the same moment
                    ending = self._device.disconnect(bare[handle], HCI_REMOTE_USER_TERMINATED_CONNECTION_ERROR)
                    await asyncio.wait_for(ending, SUPERVISION_S)
            doubted = bare.keys() - doubted

    def _commanded(self, _: Connection, command: bytes) -> None:
        self.stopped_streams = self.stopped_streams + 1 if command[0] == Opcode.STOP else 0

    async def _drop(self) -> None:
        for connection in list(self._device.connections.values()):
            await self._device.disconnect(connection, HCI_REMOTE_USER_TERMINATED_CONNECTION_ERROR)
