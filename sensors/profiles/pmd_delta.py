"""The delta compression of Polar's measurement data: a reference sample, then blocks of packed signed differences.

Layout: channels x ceil(resolution / 8) bytes signed; then again and again {bit width u8, count u8, count x channels
differences of that width, least significant bit first, padded to a byte}. Each sample is the one before plus its
difference.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

from sensors.errors import DecodeError
from sensors.wire import Cursor, Writer

_WIDEST = 32
_MOST_CHANNELS = 255


def decode_deltas(data: bytes, channels: int, resolution_bits: int) -> NDArray[np.int64]:
    """Samples as (n, channels), n at least 1. Raises DecodeError."""
    if not (1 <= channels <= _MOST_CHANNELS and 1 <= resolution_bits <= _WIDEST):
        raise DecodeError(
            f"{channels} channels of {resolution_bits} bits, expected 1 to {_MOST_CHANNELS} of 1 to {_WIDEST}"
        )
    cursor = Cursor(data)
    size = (resolution_bits + 7) // 8
    reference = [int.from_bytes(cursor.take(size), "little", signed=True) for _ in range(channels)]
    pieces = [np.array([reference], dtype=np.int64)]
    while cursor.left:
        width, count = cursor.u8(), cursor.u8()
        if width > _WIDEST:
            raise DecodeError(f"differences of {width} bits, expected at most {_WIDEST}")
        n = count * channels
        packed = np.frombuffer(cursor.take((n * width + 7) // 8), dtype=np.uint8)
        if width == 0:
            differences = np.zeros(n, dtype=np.int64)
        else:
            bits = np.unpackbits(packed, bitorder="little")[: n * width].reshape(n, width).astype(np.int64)
            weights = np.int64(1) << np.arange(width, dtype=np.int64)
            weights[-1] = -weights[-1]  # two's complement
            differences = bits @ weights
        pieces.append(differences.reshape(count, channels))
    return np.cumsum(np.concatenate(pieces), axis=0)


def encode_deltas(samples: NDArray[np.int64], resolution_bits: int) -> bytes:
    """The canonical form: blocks as long as they can be, each as narrow as its widest difference."""
    out = Writer()
    size = (resolution_bits + 7) // 8
    for value in samples[0].tolist():
        out.put(int(value).to_bytes(size, "little", signed=True))
    differences = np.diff(samples, axis=0)
    for start in range(0, len(differences), 255):
        block = differences[start : start + 255]
        flat = block.ravel()
        largest = int(np.max(np.where(flat < 0, ~flat, flat)))
        width = 0 if not flat.any() else largest.bit_length() + 1
        if width > _WIDEST:
            raise ValueError(f"differences of {width} bits, expected at most {_WIDEST}")
        bits = (flat[:, None] >> np.arange(width, dtype=np.int64)) & 1
        out.u8(width).u8(len(block)).put(np.packbits(bits.ravel().astype(np.uint8), bitorder="little").tobytes())
    return out.getvalue()


def decode_float_deltas(data: bytes, channels: int) -> tuple[tuple[float | None, ...], ...]:
    """Samples that are the bits of a binary32, compressed as if they were integers. None where they are no number."""
    patterns = decode_deltas(data, channels, 32) & 0xFFFFFFFF
    return tuple(tuple(_number(pattern) for pattern in sample) for sample in patterns.tolist())


def encode_float_deltas(samples: tuple[tuple[float | None, ...], ...]) -> bytes:
    """The canonical form, differences modulo 2^32."""
    packed = [[struct.pack("<f", math.nan if value is None else value) for value in sample] for sample in samples]
    patterns = np.array([[int.from_bytes(p, "little", signed=True) for p in sample] for sample in packed], np.int64)
    steps = (np.diff(patterns, axis=0) + (1 << 31)) % (1 << 32) - (1 << 31)
    return encode_deltas(np.cumsum(np.concatenate([patterns[:1], steps]), axis=0), 32)


def _number(pattern: int) -> float | None:
    (value,) = struct.unpack("<f", pattern.to_bytes(4, "little"))
    return float(value) if math.isfinite(value) else None
