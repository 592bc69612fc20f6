"""The attribute protocol overheard: what a device told its host, by the UUIDs that the same host had asked for.

Handles get their meaning from the discovery in the log (Read By Type of 2803, Find Information) and belong to one
device address, or to one connection where no address is known. Read By Group names services only, whose handles carry
no values. Source: Bluetooth Core, Vol 3 Part F 3.4 and Part G 4.
"""

from __future__ import annotations

from collections.abc import Iterator

from sensors.profile import full_uuid

DEVICE_NAME = full_uuid("2a00")

_ERROR, _MTU_REQUEST, _MTU_RESPONSE = 0x01, 0x02, 0x03
_FIND_REQUEST, _FIND_RESPONSE, _BY_TYPE_REQUEST, _BY_TYPE_RESPONSE = 0x04, 0x05, 0x08, 0x09
_READ_REQUEST, _READ_RESPONSE, _BLOB_REQUEST, _BLOB_RESPONSE = 0x0A, 0x0B, 0x0C, 0x0D
_NOTIFICATION, _INDICATION, _NOTIFICATIONS = 0x1B, 0x1D, 0x23
# Of the requests a client has one at a time; commands and confirmations change nothing here.
_REQUESTS = frozenset(range(0x02, 0x19, 2))
_DECLARATION = full_uuid("2803")
_LONGEST_VALUE = 512  # Part F 3.2.9
_LEAST_MTU = 23

Told = tuple[int, bytes]
"""A handle and its value."""


class AttListener:
    """One connection. `table` maps handles to full UUIDs, is shared by the connections of a device, and grows."""

    def __init__(self, table: dict[int, str]) -> None:
        self._table = table
        self._request = b""
        self._client_mtu = self._server_mtu = _LEAST_MTU
        self._long: Told | None = None  # a value that fills its response and may go on

    def sent(self, pdu: bytes) -> list[Told]:
        """What the host sent: requests are remembered; a value that was not read on is whole."""
        if not pdu or pdu[0] not in _REQUESTS:
            return []
        if pdu[0] == _MTU_REQUEST:
            self._client_mtu = max(int.from_bytes(pdu[1:3], "little"), _LEAST_MTU)
        goes_on = False
        if pdu[0] == _BLOB_REQUEST and len(pdu) == 5 and self._long is not None:
            handle, offset = int.from_bytes(pdu[1:3], "little"), int.from_bytes(pdu[3:5], "little")
            goes_on = (handle, offset) == (self._long[0], len(self._long[1]))
        self._request = pdu
        return [] if goes_on else self._whole()

    def received(self, pdu: bytes) -> list[Told]:
        """What the device sent: values of handles, notified or read. Anything malformed says nothing."""
        if not pdu:
            return []
        match pdu[0]:
            case 0x1B | 0x1D if len(pdu) >= 3:
                return [_told(pdu[1:])]
            case 0x23:
                return list(_many(pdu[1:]))
        if pdu[0] not in (_ERROR, self._request[0] + 1 if self._request else None):
            return []
        request, self._request = self._request, b""
        match pdu[0]:
            case 0x01:  # the end of a discovery, or of a value that was read to its end
                return self._whole()
            case 0x03:
                self._server_mtu = max(int.from_bytes(pdu[1:3], "little"), _LEAST_MTU)
            case 0x05 if len(pdu) > 2:
                self._found(pdu[1], pdu[2:])
            case 0x09 if len(request) in (7, 21) and len(pdu) > 2:
                return self._by_type(_uuid(request[5:]), pdu[1], pdu[2:])
            case 0x0B if len(request) == 3:
                self._long = _told(request[1:3] + pdu[1:])
                return [] if len(pdu) >= self._mtu else self._whole()
            case 0x0D if self._long is not None:
                self._long = self._long[0], self._long[1] + pdu[1:]
                return [] if len(pdu) >= self._mtu and len(self._long[1]) < _LONGEST_VALUE else self._whole()
        return []

    @property
    def _mtu(self) -> int:
        return min(self._client_mtu, self._server_mtu)

    def _whole(self) -> list[Told]:
        done, self._long = self._long, None
        return [] if done is None or len(done[1]) > _LONGEST_VALUE else [done]

    def _found(self, form: int, data: bytes) -> None:
        size = {1: 4, 2: 18}.get(form)
        for item in _split(data, size):
            self._table[int.from_bytes(item[:2], "little")] = _uuid(item[2:])

    def _by_type(self, uuid: str, size: int, data: bytes) -> list[Told]:
        told: list[Told] = []
        for item in _split(data, size if size > 2 else None):
            if uuid != _DECLARATION:
                self._table[int.from_bytes(item[:2], "little")] = uuid
                told.append(_told(item))
            elif size in (7, 21):  # handle, properties, handle of the value, UUID
                self._table[int.from_bytes(item[3:5], "little")] = _uuid(item[5:])
        return told


def _told(data: bytes) -> Told:
    return int.from_bytes(data[:2], "little"), data[2:]


def _many(data: bytes) -> Iterator[Told]:
    while len(data) >= 4:
        size = int.from_bytes(data[2:4], "little")
        if len(data) < 4 + size:
            return
        yield int.from_bytes(data[:2], "little"), data[4 : 4 + size]
        data = data[4 + size :]


def _split(data: bytes, size: int | None) -> list[bytes]:
    """Equal items; nothing where they do not come out even."""
    if size is None or len(data) % size:
        return []
    return [data[at : at + size] for at in range(0, len(data), size)]


def _uuid(data: bytes) -> str:
    digits = data[::-1].hex()
    return full_uuid(digits if len(data) == 2 else "-".join(digits[a:b] for a, b in _DASHES))


_DASHES = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
