"""Bytes to numbers and back, little-endian. Reading raises DecodeError only; writing a wrong number is our error.

SFLOAT and FLOAT are those of IEEE 11073-20601: a signed mantissa and a signed decimal exponent, with reserved mantissas
for "not a number", "not at this resolution" and the infinities: what stands there is a NoNumber, which says which.
"""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from enum import StrEnum

from sensors.errors import DecodeError


class NoNumber(StrEnum):
    """Why an IEEE 11073 number is none."""

    PLUS_INF = "+inf"  # beyond what the field or the sensor can tell
    NAN = "nan"  # not a number
    NRES = "nres"  # not at this resolution
    RESERVED = "reserved"
    MINUS_INF = "-inf"


Measured = float | NoNumber

_SFLOAT_SPECIAL = dict(zip((0x07FE, 0x07FF, 0x0800, 0x0801, 0x0802), NoNumber, strict=True))
_FLOAT_SPECIAL = dict(zip((0x007FFFFE, 0x007FFFFF, 0x00800000, 0x00800001, 0x00800002), NoNumber, strict=True))
_SFLOAT_BITS = {special: raw for raw, special in _SFLOAT_SPECIAL.items()}
_FLOAT_BITS = {special: raw for raw, special in _FLOAT_SPECIAL.items()}


class Cursor:
    """Reads a payload from front to back."""

    def __init__(self, payload: bytes) -> None:
        self._bytes = payload
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self._bytes) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self._at + count
        if end > len(self._bytes):
            raise DecodeError(f"{len(self._bytes)} bytes, expected {end}")
        piece = self._bytes[self._at : end]
        self._at = end
        return piece

    def rest(self) -> bytes:
        """All that is left, possibly nothing."""
        return self.take(self.left)

    def done(self) -> None:
        """Nothing may be left."""
        if self.left:
            raise DecodeError(f"{len(self._bytes)} bytes, expected {self._at}")

    def _unsigned(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def _signed(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little", signed=True)

    def u8(self) -> int:
        return self._unsigned(1)

    def u16(self) -> int:
        return self._unsigned(2)

    def u24(self) -> int:
        return self._unsigned(3)

    def u32(self) -> int:
        return self._unsigned(4)

    def u64(self) -> int:
        return self._unsigned(8)

    def s8(self) -> int:
        return self._signed(1)

    def s16(self) -> int:
        return self._signed(2)

    def s24(self) -> int:
        return self._signed(3)

    def s32(self) -> int:
        return self._signed(4)

    def f32(self) -> float | None:
        """IEEE 754 binary32; None for NaN and the infinities, which measure nothing."""
        (value,) = struct.unpack("<f", self.take(4))
        return float(value) if math.isfinite(value) else None

    def sfloat(self) -> Measured:
        """IEEE 11073 SFLOAT."""
        raw = self.u16()
        return _SFLOAT_SPECIAL.get(raw) or _decimal(_sign(raw & 0xFFF, 12), _sign(raw >> 12, 4))

    def float32(self) -> Measured:
        """IEEE 11073 FLOAT."""
        raw = self.u32()
        return _FLOAT_SPECIAL.get(raw) or _decimal(_sign(raw & 0xFFFFFF, 24), _sign(raw >> 24, 8))


class Writer:
    """The other direction. A number that does not fit its field is a ValueError."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def getvalue(self) -> bytes:
        return bytes(self._bytes)

    def put(self, piece: bytes) -> Writer:
        self._bytes += piece
        return self

    def _integer(self, value: int, size: int, signed: bool) -> Writer:
        try:
            return self.put(value.to_bytes(size, "little", signed=signed))
        except OverflowError:
            raise ValueError(f"a number outside a {'signed' if signed else 'unsigned'} field of {size} bytes") from None

    def u8(self, value: int) -> Writer:
        return self._integer(value, 1, False)

    def u16(self, value: int) -> Writer:
        return self._integer(value, 2, False)

    def u24(self, value: int) -> Writer:
        return self._integer(value, 3, False)

    def u32(self, value: int) -> Writer:
        return self._integer(value, 4, False)

    def u64(self, value: int) -> Writer:
        return self._integer(value, 8, False)

    def s8(self, value: int) -> Writer:
        return self._integer(value, 1, True)

    def s16(self, value: int) -> Writer:
        return self._integer(value, 2, True)

    def s24(self, value: int) -> Writer:
        return self._integer(value, 3, True)

    def s32(self, value: int) -> Writer:
        return self._integer(value, 4, True)

    def f32(self, value: float | None) -> Writer:
        return self.put(struct.pack("<f", math.nan if value is None else value))

    def sfloat(self, value: Measured) -> Writer:
        """Exact, with the exponent nearest to zero that fits."""
        return self.u16(_SFLOAT_BITS[value] if isinstance(value, NoNumber) else _pack_decimal(value, 12, 4))

    def float32(self, value: Measured) -> Writer:
        """Exact, with the exponent nearest to zero that fits."""
        return self.u32(_FLOAT_BITS[value] if isinstance(value, NoNumber) else _pack_decimal(value, 24, 8))


def _sign(raw: int, bits: int) -> int:
    return raw - (1 << bits) if raw >> (bits - 1) else raw


def _decimal(mantissa: int, exponent: int) -> float:
    # through Decimal: 272 * 10**-1 must be 27.2, which binary multiplication misses
    return float(Decimal(mantissa).scaleb(exponent))


def _pack_decimal(value: float, mantissa_bits: int, exponent_bits: int) -> int:
    if not math.isfinite(value):
        raise ValueError("a number that is not finite; say NoNumber")
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    lowest, highest = -(1 << (exponent_bits - 1)), (1 << (exponent_bits - 1)) - 1
    least, most = -(1 << (mantissa_bits - 1)), (1 << (mantissa_bits - 1)) - 1
    if mantissa == 0:
        exponent = 0
    while mantissa and mantissa % 10 == 0 and (exponent < 0 or not least <= mantissa <= most):
        mantissa, exponent = mantissa // 10, exponent + 1
    while exponent > 0 and _is_free(mantissa * 10, exponent - 1, most):
        mantissa, exponent = mantissa * 10, exponent - 1
    if not (least <= mantissa <= most and _is_free(mantissa, exponent, most) and lowest <= exponent <= highest):
        raise ValueError(f"a number that does not fit {mantissa_bits} bits of mantissa and {exponent_bits} of exponent")
    return (exponent & ((1 << exponent_bits) - 1)) << mantissa_bits | mantissa & ((1 << mantissa_bits) - 1)


def _is_free(mantissa: int, exponent: int, most: int) -> bool:
    """Within the mantissa, and none of the five patterns that are reserved where the exponent is 0."""
    return -most - 1 <= mantissa <= most and (exponent != 0 or abs(mantissa) <= most - 2)
