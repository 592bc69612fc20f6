"""Movesense's GATT sensor protocol: paths are subscribed to by a write and come as notifications.

Command: 0 hello, 1 subscribe, 2 unsubscribe, a reference of ours, an ASCII path. Notification: 1, reference, u16 status
in the numbers of HTTP; or 2, reference, data. Only `/Meas/ECG/200` is subscribed to, so data is u32 ms of the device's
clock at the first sample, and 16 samples of s32. Source: the published Movesense device library and its sample clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sensors.errors import DecodeError
from sensors.profile import Fields, Frame, Observation, full_uuid
from sensors.samples import Kind
from sensors.wire import Cursor, Writer

SERVICE = full_uuid("34802252-7185-4d5d-b431-630e7050e8f0")
WRITE = full_uuid("34800001-7185-4d5d-b431-630e7050e8f0")

ECG_PATH = "/Meas/ECG/200"
ECG_FS_HZ = 200.0
# The published 0.000381469726563 mV, in full.
MV_A_COUNT = 12.5 / 2**15

_RESPONSE, _DATA = 1, 2
_SAMPLES = 16


class Action(IntEnum):
    HELLO = 0
    SUBSCRIBE = 1
    UNSUBSCRIBE = 2


@dataclass(frozen=True, slots=True)
class Command:
    """What is written to the device."""

    action: Action
    reference: int
    path: str = ""

    @classmethod
    def decode(cls, payload: bytes) -> Command:
        cursor = Cursor(payload)
        action, reference = cursor.u8(), cursor.u8()
        if action not in Action.__members__.values():
            raise DecodeError(f"command {action}, expected 0 to 2")
        try:
            return cls(Action(action), reference, cursor.rest().decode("ascii"))
        except UnicodeDecodeError:
            raise DecodeError("a path that is not ASCII, expected one such as /Meas/ECG/200") from None

    def encode(self) -> bytes:
        """Raises ValueError for a path that is not ASCII."""
        return Writer().u8(self.action).u8(self.reference).put(self.path.encode("ascii")).getvalue()


@dataclass(frozen=True, slots=True)
class Response:
    """`status`: 200 is success. `rest`: what the answer to hello tells of the device."""

    reference: int
    status: int
    rest: bytes = b""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class EcgData:
    """`ms`: the device's clock at the first sample, 32 bits. `counts`: (16,), 32 bits signed."""

    reference: int
    ms: int
    counts: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<EcgData n={len(self.counts)}>"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, EcgData)
            and (self.reference, self.ms) == (other.reference, other.ms)
            and np.array_equal(self.counts, other.counts)
        )

    def __hash__(self) -> int:
        return hash((self.reference, self.ms, self.counts.tobytes()))


Notice = Response | EcgData


class MovesenseProfile:
    name = "movesense"
    characteristic = full_uuid("34800002-7185-4d5d-b431-630e7050e8f0")
    channels = ("ecg",)
    silent_after_s: float | None = None  # the time stamps tell better than a pause what is missing

    def decode(self, payload: bytes) -> Notice:
        cursor = Cursor(payload)
        what, reference = cursor.u8(), cursor.u8()
        if what == _RESPONSE:
            return Response(reference, cursor.u16(), cursor.rest())
        if what != _DATA:
            raise DecodeError(f"notification {what}, expected 1 for a response or 2 for data")
        ms = cursor.u32()
        counts = np.frombuffer(cursor.take(4 * _SAMPLES), dtype="<i4").astype(np.int64)
        cursor.done()
        return EcgData(reference, ms, counts)

    def encode(self, value: Notice) -> bytes:
        if isinstance(value, Response):
            return Writer().u8(_RESPONSE).u8(value.reference).u16(value.status).put(value.rest).getvalue()
        if value.counts.shape != (_SAMPLES,):
            raise ValueError(f"{len(value.counts)} samples, expected {_SAMPLES}")
        out = Writer().u8(_DATA).u8(value.reference).u32(value.ms)
        for count in value.counts.tolist():
            out.s32(count)
        return out.getvalue()

    def observe(self, value: Notice) -> tuple[Observation, ...]:
        if isinstance(value, Response):
            return ()
        last_ns = value.ms * 10**6 + round((_SAMPLES - 1) * 1e9 / ECG_FS_HZ)
        return (Frame(Kind.ECG, "ecg", ECG_FS_HZ, last_ns, value.counts.astype(np.float64) * MV_A_COUNT),)

    def fields(self, value: Notice) -> Fields:
        if isinstance(value, Response):
            return {"ref": value.reference, "status": value.status}
        return {"ref": value.reference, "ms": value.ms, "samples": value.counts.tolist()}
