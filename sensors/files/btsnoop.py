"""A btsnoop log: what passed between a host and its Bluetooth controllers, record after record. Constant memory.

Header: "btsnoop" and a zero byte, version u32, datalink u32, big-endian. Record: original length u32, length u32, flags
u32, drops u32, time i64 in us since the year 0, then the bytes. Datalinks: 1001 (plain HCI, the flags tell what), 1002
(H4: the first byte tells what; Android writes these) and 2001 (btmon's monitor: the flags are opcode and adapter).
A file that ends within a record is cut short, not wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NoReturn

from sensors.errors import FileFormatError

MAGIC = b"btsnoop\0"
# us from the year 0 to 1970, in the proleptic Gregorian calendar
EPOCH_US = 0x00DC_DDB3_0F2F_8000

_H1, _H4, _MONITOR = 1001, 1002, 2001
_LONGEST = 4 + 65_535 + 1  # an ACL packet and its type
_LAST_US = 1 << 52


class PacketKind(Enum):
    COMMAND = "command"
    EVENT = "event"
    ACL = "acl"
    ADAPTER_GONE = "adapter gone"


@dataclass(frozen=True, slots=True, repr=False)
class Packet:
    """`sent`: by the host. A log may hold only the first bytes of `data`, whose own header tells."""

    t_ns: int
    adapter: int
    kind: PacketKind
    sent: bool
    data: bytes

    def __repr__(self) -> str:
        return f"<Packet {self.kind.value} {len(self.data)} bytes>"


_H4_KINDS = {1: PacketKind.COMMAND, 2: PacketKind.ACL, 4: PacketKind.EVENT}
_MONITOR_KINDS = {
    1: (PacketKind.ADAPTER_GONE, False),
    2: (PacketKind.COMMAND, True),
    3: (PacketKind.EVENT, False),
    4: (PacketKind.ACL, True),
    5: (PacketKind.ACL, False),
    9: (PacketKind.ADAPTER_GONE, False),
}


class BtsnoopFile:
    """Opening reads the header; `packets` reads the rest, once or again. Raises FileFormatError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut_short: str | None = None
        """Where the file ends within a record; known when `packets` has ended."""
        with self._open() as file:
            self._datalink = self._header(file)

    def packets(self) -> Iterator[Packet]:
        """Commands, events and ACL data in the order of the log. Raises FileFormatError where the log goes wrong."""
        self.cut_short = None
        with self._open() as file:
            self._header(file)
            number = 0
            while head := file.read(24):
                number += 1
                length, flags = (int.from_bytes(head[k : k + 4], "big") for k in (4, 8))
                if len(head) == 24 and length > _LONGEST:
                    self._wrong(f"record {number}: {length} bytes, expected at most {_LONGEST}")
                data = file.read(length) if len(head) == 24 else b""
                if len(head) < 24 or len(data) < length:
                    self.cut_short = f"{self.path.name}: ends within record {number}"
                    return
                us = int.from_bytes(head[16:24], "big", signed=True) - EPOCH_US
                if not 0 <= us < _LAST_US:
                    self._wrong(f"record {number}: {us} us since 1970, expected from 0 to {_LAST_US}")
                packet = self._packet(us * 1000, flags, data)
                if packet is not None:
                    yield packet

    def _packet(self, t_ns: int, flags: int, data: bytes) -> Packet | None:
        if self._datalink == _MONITOR:
            found = _MONITOR_KINDS.get(flags & 0xFFFF)
            return None if found is None else Packet(t_ns, flags >> 16, found[0], found[1], data)
        sent = not flags & 1
        if self._datalink == _H1:
            control = PacketKind.COMMAND if sent else PacketKind.EVENT
            return Packet(t_ns, 0, control if flags & 2 else PacketKind.ACL, sent, data)
        kind = _H4_KINDS.get(data[0]) if data else None
        return None if kind is None else Packet(t_ns, 0, kind, sent, data[1:])

    def _open(self) -> BinaryIO:
        try:
            if self.path.is_dir():
                self._wrong("a directory, expected a btsnoop log")
            return self.path.open("rb")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise FileFormatError(f"{self.path.name}: cannot be read ({why})") from None

    def _header(self, file: BinaryIO) -> int:
        head = file.read(16)
        if head[:8] != MAGIC:
            self._wrong('no btsnoop log, expected "btsnoop" at its start')
        version, datalink = int.from_bytes(head[8:12], "big"), int.from_bytes(head[12:16], "big")
        if len(head) < 16 or version != 1:
            self._wrong(f"btsnoop version {version}, expected 1")
        if datalink not in (_H1, _H4, _MONITOR):
            self._wrong(f"datalink {datalink}, expected {_H1}, {_H4} or {_MONITOR}")
        return datalink

    def _wrong(self, what: str) -> NoReturn:
        raise FileFormatError(f"{self.path.name}: {what}")
