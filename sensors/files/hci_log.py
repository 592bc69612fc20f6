"""A log of Bluetooth traffic becomes what each device notified: Device and Event, as a Link would have told them.

The log is read twice: names and handles may be learnt late, and what is known at the end holds for what came before
it was known. Only characteristics that a profile reads come out; nothing else that the log holds, such as keystrokes,
is kept. A clock that was set back stands still until it has caught up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sensors.errors import FileFormatError
from sensors.files.att import DEVICE_NAME, AttListener
from sensors.files.btsnoop import BtsnoopFile, Packet, PacketKind
from sensors.link import Device, Event, LinkDown, LinkUp, Notification
from sensors.profile import AnyProfile
from sensors.recording import LONGEST_PAYLOAD
from sensors.registry import PROFILES

_ATT_CHANNEL = 0x0004
# Nothing that holds an attribute value is longer; of a longer one only the length is kept.
_LONGEST_PDU = 1024
_MOST_NAMES = 10_000  # advertisers in one log; a crowd, not a home

_DISCONNECTED, _LE_META, _RESET = 0x05, 0x3E, 0x0C03
_LE_CONNECTED, _LE_ADVERTISED, _LE_ADVERTISED_EXTENDED = (0x01, 0x0A, 0x29), 0x02, 0x0D
_REASONS = {
    0x08: "supervision timeout",
    0x13: "ended by the device",
    0x14: "ended by the device: low resources",
    0x15: "ended by the device: power off",
    0x16: "ended by the host",
    0x22: "link layer response timeout",
    0x3D: "message integrity failure",
    0x3E: "failed to be established",
}


@dataclass(slots=True)
class _Peer:
    """What is known of one device."""

    key: str
    address: str | None
    table: dict[int, str] = field(default_factory=dict)
    heard: bool = False
    down: bool = False


@dataclass(slots=True)
class _Connection:
    peer: _Peer
    listener: AttListener
    parts: dict[bool, _Assembly] = field(default_factory=dict)  # by direction


@dataclass(slots=True)
class _Assembly:
    """One L2CAP frame on its way. `length`: all of its bytes with its header, None while the header is not whole."""

    data: bytearray = field(default_factory=bytearray)
    length: int | None = None


class HciLog:
    """`handles`: characteristics of handles that the log does not explain, or explains wrongly, for every device.

    Opening reads the header of the file, and the whole of it once for names and handles. Raises FileFormatError where
    the file is no log; a fault further on is raised by `events`, after everything before it.
    """

    def __init__(
        self, path: Path, handles: Mapping[int, str] | None = None, profiles: Iterable[AnyProfile] = PROFILES
    ) -> None:
        self._file = BtsnoopFile(path)
        self._handles = dict(handles or {})
        self._wanted = {profile.characteristic for profile in profiles}
        self.unknown: Counter[tuple[str, int]] = Counter()
        """Values whose handle nothing explains, by device name and handle; known when `events` has ended."""
        walk = _Walk(self._file)
        with suppress(FileFormatError):  # `events` comes to it again
            for _ in walk.run():
                pass
        self._names, self._tables = walk.names, walk.tables

    @property
    def cut_short(self) -> str | None:
        """Where the file ends within a record, if it does."""
        return self._file.cut_short

    def events(self) -> Iterator[tuple[Device, Event]]:
        """In the order of the log; of each device in order of time. Raises FileFormatError where the log goes wrong."""
        self.unknown.clear()
        devices: dict[str, Device] = {}
        last_ns: dict[str, int] = {}
        for peer, t_ns, what in _Walk(self._file).run():
            device = devices.setdefault(peer.key, Device(self._name(peer), peer.address))
            at_ns = max(t_ns, last_ns.get(peer.key, 0))
            event: Event
            match what:
                case (handle, value):
                    uuid = self._uuid(peer, handle)
                    if uuid is None:
                        self.unknown[device.name, handle] += 1
                    if uuid is None or uuid not in self._wanted or len(value) > LONGEST_PAYLOAD:
                        continue
                    event = Notification(at_ns, uuid, value)
                    peer.heard = True
                case str():
                    if peer.down or not peer.heard:
                        continue
                    event, peer.down = LinkDown(at_ns, what), True
                case None:
                    if not peer.down:
                        continue
                    event, peer.down = LinkUp(at_ns), False
            last_ns[peer.key] = at_ns
            yield device, event

    def _uuid(self, peer: _Peer, handle: int) -> str | None:
        """What the user says, else what the log said before, else what it says later."""
        return self._handles.get(handle) or peer.table.get(handle) or self._tables.get(peer.key, {}).get(handle)

    def _name(self, peer: _Peer) -> str:
        return self._names.get(peer.key) or peer.address or peer.key


_Heard = tuple[_Peer, int, tuple[int, bytes] | str | None]
"""A peer, a time, and a value of a handle, or why the link was lost, or None where it is there again."""


class _Walk:
    """One walk through the log."""

    def __init__(self, file: BtsnoopFile) -> None:
        self._file = file
        self._peers: dict[str, _Peer] = {}
        self._connections: dict[tuple[int, int], _Connection] = {}
        self._unnamed = 0
        self.names: dict[str, str] = {}  # by key of the peer

    @property
    def tables(self) -> dict[str, dict[int, str]]:
        return {key: peer.table for key, peer in self._peers.items()}

    def run(self) -> Iterator[_Heard]:
        for packet in self._file.packets():
            match packet.kind:
                case PacketKind.ACL:
                    yield from self._data(packet)
                case PacketKind.EVENT:
                    yield from self._event(packet)
                case PacketKind.COMMAND:
                    if int.from_bytes(packet.data[:2], "little") == _RESET:
                        yield from self._all_lost(packet, "the adapter was reset")
                case PacketKind.ADAPTER_GONE:
                    yield from self._all_lost(packet, "the adapter was gone")

    def _event(self, packet: Packet) -> Iterator[_Heard]:
        data = packet.data
        if data[:1] == bytes([_DISCONNECTED]) and len(data) >= 6 and data[2] == 0:
            key = packet.adapter, int.from_bytes(data[3:5], "little") & 0x0FFF
            lost = self._connections.pop(key, None)
            if lost is not None:
                yield lost.peer, packet.t_ns, _REASONS.get(data[5], f"reason {data[5]:#04x}")
        elif data[:1] == bytes([_LE_META]) and len(data) >= 3:
            if data[2] in _LE_CONNECTED and len(data) >= 14 and data[3] == 0:
                yield from self._connected(packet)
            elif data[2] in (_LE_ADVERTISED, _LE_ADVERTISED_EXTENDED):
                self._advertised(data[3:], extended=data[2] == _LE_ADVERTISED_EXTENDED)

    def _connected(self, packet: Packet) -> Iterator[_Heard]:
        key = packet.adapter, int.from_bytes(packet.data[4:6], "little") & 0x0FFF
        before = self._connections.pop(key, None)
        if before is not None:  # its end is not in the log
            yield before.peer, packet.t_ns, ""
        peer = self._peer(_address(packet.data[8:14]))
        self._connections[key] = _Connection(peer, AttListener(peer.table))
        yield peer, packet.t_ns, None

    def _all_lost(self, packet: Packet, why: str) -> Iterator[_Heard]:
        for key in [key for key in self._connections if key[0] == packet.adapter]:
            yield self._connections.pop(key).peer, packet.t_ns, why

    def _advertised(self, data: bytes, extended: bool) -> None:
        left = data[0] if data else 0
        at, head, address_at = 1, (24 if extended else 9), (3 if extended else 2)
        while left and at + head <= len(data):
            size = data[at + head - 1]
            name = _advertised_name(data[at + head : at + head + size])
            key = _address(data[at + address_at : at + address_at + 6])
            if name and (key in self.names or len(self.names) < _MOST_NAMES):
                self.names[key] = name
            at += head + size + (0 if extended else 1)
            left -= 1

    def _data(self, packet: Packet) -> Iterator[_Heard]:
        if len(packet.data) < 4:
            return
        head, size = (int.from_bytes(packet.data[k : k + 2], "little") for k in (0, 2))
        key = packet.adapter, head & 0x0FFF
        connection = self._connections.get(key)
        if connection is None:
            # it began before the log did
            self._unnamed += 1
            peer = self._peer(None)
            connection = self._connections[key] = _Connection(peer, AttListener(peer.table))
        pdu = _assembled(connection, packet.sent, (head >> 12) & 3, packet.data[4 : 4 + size])
        if len(packet.data) < 4 + size:  # the log holds a part of it
            connection.parts.pop(packet.sent, None)
            return
        if pdu is None:
            return
        listener = connection.listener
        for handle, value in listener.sent(pdu) if packet.sent else listener.received(pdu):
            if connection.peer.table.get(handle) == DEVICE_NAME:
                self.names[connection.peer.key] = _text(value) or self.names.get(connection.peer.key, "")
            yield connection.peer, packet.t_ns, (handle, value)

    def _peer(self, address: str | None) -> _Peer:
        key = address or f"device {self._unnamed} of the log"
        return self._peers.setdefault(key, _Peer(key, address))


def _assembled(connection: _Connection, sent: bool, boundary: int, piece: bytes) -> bytes | None:
    """The attribute PDU that `piece` completes, if any."""
    if boundary != 1:
        connection.parts[sent] = _Assembly()
    part = connection.parts.get(sent)
    if part is None:  # the start is not in the log
        return None
    part.data += piece
    if part.length is None and len(part.data) >= 4:
        part.length = 4 + int.from_bytes(part.data[:2], "little")
    if part.length is None:
        return None
    if part.length > 4 + _LONGEST_PDU or part.data[2:4] != _ATT_CHANNEL.to_bytes(2, "little"):
        del connection.parts[sent]
        return None
    if len(part.data) < part.length:
        return None
    del connection.parts[sent]
    return bytes(part.data[4 : part.length])


def _address(data: bytes) -> str:
    return ":".join(f"{octet:02X}" for octet in data[::-1])


def _advertised_name(data: bytes) -> str:
    """The complete name, else the shortened one."""
    found = {8: "", 9: ""}
    at = 0
    while at + 1 < len(data) and data[at]:
        if data[at + 1] in found:
            found[data[at + 1]] = _text(data[at + 2 : at + 1 + data[at]])
        at += 1 + data[at]
    return found[9] or found[8]


def _text(data: bytes) -> str:
    """As far as it is printable."""
    return "".join(ch for ch in data.decode("utf-8", "replace") if ch.isprintable()).strip()
