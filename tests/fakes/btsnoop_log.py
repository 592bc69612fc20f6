"""A Bluetooth log as Android or btmon would have written it, byte by byte."""

from __future__ import annotations

from collections.abc import Mapping

from sensors.files.btsnoop import EPOCH_US, MAGIC

H1, H4, MONITOR = 1001, 1002, 2001

_MONITOR_OPCODES = {(1, True): 2, (4, False): 3, (2, True): 4, (2, False): 5}


def _u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def uuid_bytes(uuid: str) -> bytes:
    """As it goes over the air: two bytes where there is a short form."""
    digits = bytes.fromhex(uuid.replace("-", ""))[::-1]
    return digits[12:14] if uuid.endswith("-0000-1000-8000-00805f9b34fb") and uuid.startswith("0000") else digits


class BtsnoopLog:
    """`largest`: bytes of L2CAP in one ACL packet; what is longer is sent in fragments."""

    def __init__(self, datalink: int = H4, largest: int = 27) -> None:
        self.datalink = datalink
        self.largest = largest
        self.records: list[bytes] = []
        self.ends: list[int] = []

    def getvalue(self) -> bytes:
        return MAGIC + (1).to_bytes(4, "big") + self.datalink.to_bytes(4, "big") + b"".join(self.records)

    def record(self, t_ns: int, flags: int, data: bytes, original: int | None = None) -> None:
        head = [len(data) if original is None else original, len(data), flags, 0]
        time_us = (t_ns // 1000 + EPOCH_US).to_bytes(8, "big", signed=True)
        self.records.append(b"".join(n.to_bytes(4, "big") for n in head) + time_us + data)

    def hci(self, t_ns: int, kind: int, sent: bool, data: bytes) -> None:
        """`kind`: 1 command, 2 ACL, 4 event."""
        if self.datalink == MONITOR:
            self.record(t_ns, _MONITOR_OPCODES[kind, sent], data)
            return
        flags = (0 if sent else 1) | (0 if kind == 2 else 2)
        self.record(t_ns, flags, (bytes([kind]) if self.datalink == H4 else b"") + data)

    def event(self, t_ns: int, code: int, data: bytes) -> None:
        self.hci(t_ns, 4, False, bytes([code, len(data)]) + data)

    def connected(self, t_ns: int, handle: int, address: str, subevent: int = 1) -> None:
        peer = bytes.fromhex(address.replace(":", ""))[::-1]
        rest = bytes(12) if subevent != 1 else b""
        self.event(
            t_ns,
            0x3E,
            bytes([subevent, 0]) + _u16(handle) + b"\x00\x01" + peer + rest + bytes.fromhex("0600" * 3 + "00"),
        )

    def disconnected(self, t_ns: int, handle: int, reason: int = 0x08) -> None:
        self.event(t_ns, 0x05, b"\x00" + _u16(handle) + bytes([reason]))

    def advertised(self, t_ns: int, address: str, name: str, extended: bool = False) -> None:
        told = b"\x02\x01\x06" + bytes([len(name.encode()) + 1, 9]) + name.encode()
        peer = bytes.fromhex(address.replace(":", ""))[::-1]
        if extended:
            data = b"\x0d\x01" + b"\x13\x00\x01" + peer + bytes(5) + bytes(2) + bytes(7) + bytes([len(told)]) + told
        else:
            data = b"\x02\x01" + b"\x00\x01" + peer + bytes([len(told)]) + told + b"\xc0"
        self.event(t_ns, 0x3E, data)

    def att(self, t_ns: int, handle: int, sent: bool, pdu: bytes) -> None:
        frame = _u16(len(pdu)) + _u16(4) + pdu
        for at in range(0, len(frame), self.largest):
            piece = frame[at : at + self.largest]
            boundary = 1 if at else (0 if sent else 2)
            self.hci(t_ns, 2, sent, _u16(handle | boundary << 12) + _u16(len(piece)) + piece)

    def mtu(self, t_ns: int, handle: int, mtu: int) -> None:
        self.att(t_ns, handle, True, b"\x02" + _u16(mtu))
        self.att(t_ns, handle, False, b"\x03" + _u16(mtu))

    def discovered(self, t_ns: int, handle: int, table: Mapping[int, str]) -> None:
        """By Read By Type of the characteristic declaration, which stands one handle before its value."""
        for value_handle, uuid in table.items():
            short = uuid_bytes(uuid)
            item = _u16(value_handle - 1) + b"\x10" + _u16(value_handle) + short
            self.att(t_ns, handle, True, b"\x08" + _u16(1) + _u16(0xFFFF) + b"\x03\x28")
            self.att(t_ns, handle, False, bytes([0x09, len(item)]) + item)
        self.att(t_ns, handle, True, b"\x08" + _u16(0xFFF0) + _u16(0xFFFF) + b"\x03\x28")
        self.att(t_ns, handle, False, b"\x01\x08" + _u16(0xFFF0) + b"\x0a")

    def information(self, t_ns: int, handle: int, table: Mapping[int, str]) -> None:
        """By Find Information."""
        for value_handle, uuid in table.items():
            short = uuid_bytes(uuid)
            self.att(t_ns, handle, True, b"\x04" + _u16(value_handle) + _u16(0xFFFF))
            form = 1 if len(short) == 2 else 2
            self.att(t_ns, handle, False, bytes([0x05, form]) + _u16(value_handle) + short)

    def notified(self, t_ns: int, handle: int, value_handle: int, value: bytes, indication: bool = False) -> None:
        self.att(t_ns, handle, False, bytes([0x1D if indication else 0x1B]) + _u16(value_handle) + value)
        if indication:
            self.att(t_ns, handle, True, b"\x1e")

    def read(self, t_ns: int, handle: int, value_handle: int, value: bytes, mtu: int = 23) -> None:
        """With as many Read Blob as it takes."""
        self.att(t_ns, handle, True, b"\x0a" + _u16(value_handle))
        self.att(t_ns, handle, False, b"\x0b" + value[: mtu - 1])
        at = mtu - 1
        while len(value) >= at:
            self.att(t_ns, handle, True, b"\x0c" + _u16(value_handle) + _u16(at))
            self.att(t_ns, handle, False, b"\x0d" + value[at : at + mtu - 1])
            at += mtu - 1
