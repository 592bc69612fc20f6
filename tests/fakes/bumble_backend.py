"""A bleak backend whose radio is a virtual one, so that a real BleakClient speaks to a virtual sensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bumble.device import Connection, Device, Peer
from bumble.gatt import Characteristic
from bumble.gatt_client import CharacteristicProxy

_MTU = 247
_PROPERTIES: dict[Characteristic.Properties, CharacteristicPropertyName] = {
    Characteristic.Properties.READ: "read",
    Characteristic.Properties.WRITE: "write",
    Characteristic.Properties.WRITE_WITHOUT_RESPONSE: "write-without-response",
    Characteristic.Properties.NOTIFY: "notify",
    Characteristic.Properties.INDICATE: "indicate",
}


def backend_on(central: Device) -> type[BaseBleakClient]:
    """The backend that connects through this device: `BleakClient(address, backend=backend_on(central))`."""

    class BumbleClient(_BumbleClient):
        radio = central

    return BumbleClient


class _BumbleClient(BaseBleakClient):
    radio: Device

    def __init__(self, address_or_ble_device: BLEDevice | str, **named: Any) -> None:
        super().__init__(address_or_ble_device, **named)
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._leaving = False
        self._subscribed: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return 23 if self._connection is None else self._connection.att_mtu

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        connection = await self.radio.connect(self.address, timeout=self._timeout)
        self._leaving = False
        connection.on(connection.EVENT_DISCONNECTION, self._disconnected)
        self._connection, self._peer = connection, Peer(connection)
        await self._peer.request_mtu(_MTU)
        await self._peer.discover_all()  # type: ignore[no-untyped-call]
        self.services = self._collection(self._peer)

    async def disconnect(self) -> None:
        if self._connection is not None:
            self._leaving = True
            await self._connection.disconnect()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return bytearray(await _proxy(characteristic).read_value())

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        raise NotImplementedError

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        await _proxy(characteristic).write_value(bytes(data), with_response=response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        raise NotImplementedError

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        def received(value: bytes) -> None:
            callback(bytearray(value))

        self._subscribed[characteristic.handle] = received
        await _proxy(characteristic).subscribe(received)

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await _proxy(characteristic).unsubscribe(self._subscribed.pop(characteristic.handle))

    def _disconnected(self, _: int) -> None:
        self._connection = self._peer = None
        if not self._leaving and self._disconnected_callback is not None:
            self._disconnected_callback()

    def _collection(self, peer: Peer) -> BleakGATTServiceCollection:
        collection = BleakGATTServiceCollection()
        for found in peer.services:
            service = BleakGATTService(found, found.handle, str(found.uuid.to_hex_str("-")).lower())
            collection.add_service(service)
            for proxy in found.characteristics:
                names = [name for bit, name in _PROPERTIES.items() if proxy.properties & bit]
                uuid = proxy.uuid.to_hex_str("-").lower()
                collection.add_characteristic(
                    BleakGATTCharacteristic(proxy, proxy.handle, _full(uuid), names, lambda: self.mtu_size - 3, service)
                )
        return collection


def _full(uuid: str) -> str:
    return uuid if len(uuid) == 36 else f"{uuid.rjust(8, '0')}-0000-1000-8000-00805f9b34fb"


def _proxy(characteristic: BleakGATTCharacteristic) -> CharacteristicProxy[bytes]:
    return cast("CharacteristicProxy[bytes]", characteristic.obj)
