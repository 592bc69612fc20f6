"""A block of samples as bytes and back: every value returns with the same 64 bits.

Sensors count in steps: their values are integers times or over a scale. Where that holds bit for bit (checked, value by
value) the integers are stored as differences, bytes of equal weight side by side, deflated; else the floats themselves.

    encoding  "i16", "i32" (width of a difference) or "f64"
    data      i16/i32: form u8, scale f64, first value of each column s64; then deflate of the differences
              f64: deflate of the values
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from device_pipeline.errors import StoreDamagedError

_LEVEL = 4  # of an ECG 5 % more bytes than the usual 6, in a quarter of its time
_HEADER = struct.Struct("<Bd")
_EXACT = float(1 << 53)  # integers up to here are themselves as a float64


class Form(IntEnum):
    TIMES = 0  # value = k * scale
    OVER = 1  # value = k / scale: not the same float64 as k * (1 / scale)


@dataclass(frozen=True, slots=True)
class Step:
    """How a sensor's integers became values."""

    form: Form
    scale: float

    def values(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        exact = counts.astype(np.float64)
        return exact / self.scale if self.form is Form.OVER else exact * self.scale

    def counts(self, values: NDArray[np.float64]) -> NDArray[np.int64] | None:
        """The integers, or None if they don't give exactly `values`."""
        with np.errstate(all="ignore"):
            nearest = np.rint(values * self.scale if self.form is Form.OVER else values / self.scale)
            if not bool(np.all(np.abs(nearest) < _EXACT)):  # also false for NaN
                return None
            counts = nearest.astype(np.int64)
            exact = np.array_equal(self.values(counts).view(np.int64), values.view(np.int64))
        return counts if exact else None


# the coarsest first: whole units, the gain of 200 per mV that most ECG files have, µV in mV or mg in g
_USUAL = (Step(Form.OVER, 1.0), Step(Form.OVER, 200.0), Step(Form.OVER, 1000.0), Step(Form.TIMES, 0.001))


@dataclass(frozen=True, slots=True, repr=False)
class Encoded:
    encoding: str
    data: bytes
    step: Step | None

    def __repr__(self) -> str:
        return f"<Encoded {self.encoding} {len(self.data)} bytes>"


def encode(values: NDArray[np.float64], hint: Step | None = None) -> Encoded:
    """`values`: shape (n,) or (n, width), n > 0. `hint`: the step of the block before, tried first."""
    columns = np.ascontiguousarray(values, dtype=np.float64).reshape(len(values), -1)
    for step in _candidates(columns, hint):
        counts = step.counts(columns)
        if counts is None:
            continue
        differences = np.diff(counts, axis=0)
        low, high = (int(differences.min()), int(differences.max())) if differences.size else (0, 0)
        for name, dtype in (("i16", np.dtype("<i2")), ("i32", np.dtype("<i4"))):
            limits = np.iinfo(dtype)
            if limits.min <= low and high <= limits.max:
                head = _HEADER.pack(step.form, step.scale) + counts[0].astype("<i8").tobytes()
                return Encoded(name, head + _deflate(differences.astype(dtype)), step)
    return Encoded("f64", _deflate(columns.astype("<f8")), None)


def decode(encoding: str, data: bytes, n: int, width: int) -> NDArray[np.float64]:
    """The values: shape (n,) for width 1, else (n, width). Raises StoreDamagedError."""
    try:
        if encoding == "f64":
            columns = _inflate(data, np.dtype("<f8"), n, width).astype(np.float64)
        elif encoding in ("i16", "i32"):
            form, scale = _HEADER.unpack_from(data)
            body = _HEADER.size + 8 * width
            counts = np.empty((n, width), np.int64)
            counts[0] = np.frombuffer(data, "<i8", width, _HEADER.size)
            counts[1:] = _inflate(data[body:], np.dtype("<i2" if encoding == "i16" else "<i4"), n - 1, width)
            columns = Step(Form(form), scale).values(np.cumsum(counts, axis=0))
        else:
            raise StoreDamagedError(f"a block has encoding {encoding!r}, expected i16, i32 or f64")
    except (zlib.error, struct.error, ValueError) as error:
        raise StoreDamagedError(f"a block of {n} samples cannot be read: {error}") from None
    return columns.reshape(n) if width == 1 else columns


def _candidates(columns: NDArray[np.float64], hint: Step | None) -> list[Step]:
    steps = [*([hint] if hint else []), *_USUAL]
    distinct = np.unique(columns[:4096])
    if len(distinct) > 1 and bool(np.all(np.isfinite(distinct))):
        smallest = float(np.diff(distinct).min())
        # a difference of nearly 1 / gain: the gains of files are whole numbers
        if 1e-9 < smallest < 1:
            steps.append(Step(Form.OVER, float(round(1 / smallest))))
    return steps


def _deflate(columns: NDArray[np.generic]) -> bytes:
    by_column = np.ascontiguousarray(columns.T)
    planes = by_column.view(np.uint8).reshape(-1, columns.dtype.itemsize).T
    return zlib.compress(planes.tobytes(), _LEVEL)


def _inflate(data: bytes, dtype: np.dtype[np.generic], n: int, width: int) -> NDArray[np.generic]:
    raw = zlib.decompress(data)
    expected = n * width * dtype.itemsize
    if len(raw) != expected:
        raise StoreDamagedError(f"a block holds {len(raw)} bytes, expected {expected}")
    planes = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, n * width)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(width, n).T
