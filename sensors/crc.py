"""Cyclic redundancy checks of eight bits, as the makers of oximeters use them."""

from __future__ import annotations


def _table(polynomial: int) -> bytes:
    rows = bytearray()
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = (crc << 1 ^ (polynomial if crc & 0x80 else 0)) & 0xFF
        rows.append(crc)
    return bytes(rows)


def _mirrored_table(polynomial: int) -> bytes:
    rows = bytearray()
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
        rows.append(crc)
    return bytes(rows)


_PLAIN = _table(0x07)
_MAXIM = _mirrored_table(0x8C)  # 0x31, least significant bit first


def crc8(data: bytes) -> int:
    """Polynomial 0x07, initial value 0."""
    crc = 0
    for octet in data:
        crc = _PLAIN[crc ^ octet]
    return crc


def crc8_maxim(data: bytes) -> int:
    """Polynomial 0x31 mirrored, initial value 0 (Maxim's 1-Wire, Application Note 27)."""
    crc = 0
    for octet in data:
        crc = _MAXIM[crc ^ octet]
    return crc
