"""Polar measurement data, FB005C82: one frame of one stream, stamped by the device at its last sample.

Frame: [0] type & 3F; [1-8] u64 ns since 2000-01-01; [9] bit 7 compressed, low 7 frame type; data. Source: the
published Polar BLE SDK. A type or frame type that is not read here is a DecodeError that names it. Some compressed
frames are counts that mean nothing without the FACTOR that the device told when the stream was started.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensors.errors import DecodeError
from sensors.profile import Absent, Fields, Frame, Intervals, Observation, Scale, full_uuid
from sensors.profiles.pmd_delta import decode_deltas, decode_float_deltas, encode_deltas, encode_float_deltas
from sensors.profiles.pmd_fields import frame_fields
from sensors.profiles.pmd_frames import (
    PPG_COLUMNS,
    AccFrame,
    CountsFrame,
    EcgFrame,
    FloatFrame,
    Header,
    Measurement,
    PmdFrame,
    PpgFrame,
    PpiFrame,
    PpInterval,
)
from sensors.profiles.pmd_records import FORMS, RecordFrame, decode_rows, encode_rows
from sensors.samples import GapReason, Kind
from sensors.wire import Cursor, Writer

SERVICE = full_uuid("fb005c80-02e7-f387-1cad-8acd2d8df0c8")
DATA = full_uuid("fb005c82-02e7-f387-1cad-8acd2d8df0c8")

# The device counts from 2000-01-01, Unix from 1970-01-01.
EPOCH_NS = 946_684_800 * 10**9

ECG_FS_HZ = 130.0

AnyFrame = PmdFrame | RecordFrame

_COUNT_AXES = {
    (Measurement.ACC, 0): 3,
    (Measurement.GYRO, 0): 3,
    (Measurement.MAGNETOMETER, 0): 3,
    (Measurement.MAGNETOMETER, 1): 4,
}
_LIGHTS = ("ppg", "ppg_2", "ppg_3")
_RAW_FLOATS = (Measurement.SKIN_TEMP, Measurement.PRESSURE, Measurement.TEMPERATURE)
_FLOAT_AXES = {(Measurement.GYRO, 1): 3} | {(measurement, 0): 1 for measurement in _RAW_FLOATS}  # compressed


class PolarPmdProfile:
    name = "polar_pmd"
    characteristic = DATA
    channels = ("ecg", "acc", *_LIGHTS, "rr")
    silent_after_s: float | None = None  # the time stamps of the frames tell better than a pause what is missing

    def decode(self, payload: bytes) -> AnyFrame:
        cursor = Cursor(payload)
        number = cursor.u8() & 0x3F
        device_ns = cursor.u64()
        kind = cursor.u8()
        header = Header(device_ns, kind & 0x7F, bool(kind & 0x80))
        frame = _compressed(number, header, cursor.rest()) if header.compressed else _raw(number, header, cursor.rest())
        if frame is None:
            names = {m.value: m.name for m in Measurement}
            how = "compressed" if header.compressed else "raw"
            raise DecodeError(
                f"measurement type {number} ({names.get(number, 'unknown')}), {how} frame type {header.frame_type}; "
                "expected ECG raw 0 to 3, PPG raw 0, 4, 5, 6, 9 or 14 or compressed 0, 7, 8, 10 or 13, ACC raw 0 to 2 "
                "or compressed 0 or 1, PPI raw 0, GYRO or MAGNETOMETER compressed 0 or 1, SKIN_TEMP, PRESSURE or "
                "TEMPERATURE 0, LOCATION raw 0 to 3, OFFLINE_HR raw 0 or 1"
            )
        return frame

    def encode(self, value: AnyFrame) -> bytes:
        header = value.header
        match value:
            case EcgFrame():
                number, data = Measurement.ECG, _bytes(value.uv, 3)
            case AccFrame() if header.compressed:
                number, data = Measurement.ACC, encode_deltas(value.mg, 16)
            case AccFrame():
                number, data = Measurement.ACC, _bytes(value.mg, header.frame_type + 1)
            case PpgFrame() if header.compressed:
                number, data = Measurement.PPG, encode_deltas(value.counts, 24)
            case PpgFrame():
                number, data = Measurement.PPG, _bytes(value.counts, 3)
            case PpiFrame():
                out = Writer()
                for ppi in value.ppi:
                    flags = ppi.blocker | ppi.contact << 1 | ppi.contact_supported << 2
                    out.u8(ppi.hr_bpm).u16(ppi.ms).u16(ppi.err_ms).u8(flags)
                number, data = Measurement.PPI, out.getvalue()
            case CountsFrame():
                number, data = value.measurement, encode_deltas(value.counts, 16)
            case FloatFrame() if header.compressed:
                number, data = value.measurement, encode_float_deltas(value.samples)
            case FloatFrame():
                out = Writer()
                for (only,) in value.samples:
                    out.f32(only)
                number, data = value.measurement, out.getvalue()
            case RecordFrame():
                form = FORMS[(value.measurement, header.frame_type)]
                number, data = value.measurement, encode_rows(form, value.rows)
        kind = header.frame_type | header.compressed << 7
        return Writer().u8(number).u64(header.device_ns).u8(kind).put(data).getvalue()

    def observe(self, value: AnyFrame) -> tuple[Observation, ...]:
        at = value.header.device_ns
        match value:
            case EcgFrame() if len(value.uv):
                return (Frame(Kind.ECG, "ecg", ECG_FS_HZ, at, value.uv / 1000.0),)
            case AccFrame() if len(value.mg):
                scale = Scale.BY_FACTOR_IF_TOLD if value.header.compressed else Scale.DONE
                return (Frame(Kind.ACC, "acc", None, at, value.mg / 1000.0, scale),)
            case CountsFrame(Measurement.ACC):
                return (Frame(Kind.ACC, "acc", None, at, value.counts.astype(np.float64), Scale.BY_FACTOR),)
            case PpgFrame() if len(value.counts):
                # of light that is told apart by its number only; one that the device sends as ambient is taken off
                last = value.counts.shape[1] - 1
                light = value.counts[:, :last] - (value.counts[:, last:] if value.header.frame_type == 0 else 0)
                return tuple(
                    Frame(Kind.PPG, name, None, at, light[:, k].astype(np.float64))
                    for k, name in enumerate(_LIGHTS[:last])
                )
            case PpiFrame() if value.ppi:
                if all(ppi.contact_supported and not ppi.contact for ppi in value.ppi):
                    return (Absent(None, GapReason.OFF_BODY),)
                return (Intervals("rr", tuple(float(ppi.ms) if ppi.usable else 0.0 for ppi in value.ppi)),)
        return ()

    def fields(self, value: AnyFrame) -> Fields:
        """Under the names of the shared vectors, as if the device had told no factor."""
        return frame_fields(value)


def _raw(number: int, header: Header, data: bytes) -> AnyFrame | None:
    """None where no such frame is known."""
    frame_type = header.frame_type
    for (measurement, known), form in FORMS.items():
        if (number, frame_type) == (measurement, known):
            return RecordFrame(measurement, header, decode_rows(form, data))
    if number == Measurement.ACC and frame_type <= 2:
        return AccFrame(header, _integers(data, frame_type + 1, 3))
    if frame_type != 0:
        return None
    if number == Measurement.ECG:
        return EcgFrame(header, _integers(data, 3, 1)[:, 0])
    if number == Measurement.PPG:
        return PpgFrame(header, _integers(data, 3, 4))
    if number == Measurement.PPI:
        return PpiFrame(header, _intervals(data))
    if number in _RAW_FLOATS:
        if len(data) % 4:
            raise DecodeError(f"{len(data)} bytes of samples, expected a multiple of 4")
        cursor = Cursor(data)
        return FloatFrame(Measurement(number), header, tuple((cursor.f32(),) for _ in range(len(data) // 4)))
    return None


def _compressed(number: int, header: Header, data: bytes) -> AnyFrame | None:
    """None where no such frame is known."""
    form = (number, header.frame_type)
    if form == (Measurement.ACC, 1):
        return AccFrame(header, decode_deltas(data, 3, 16))
    if number == Measurement.PPG and header.frame_type in PPG_COLUMNS:
        return PpgFrame(header, decode_deltas(data, PPG_COLUMNS[header.frame_type], 24))
    for (measurement, frame_type), axes in _COUNT_AXES.items():
        if form == (measurement, frame_type):
            return CountsFrame(measurement, header, decode_deltas(data, axes, 16))
    for (measurement, frame_type), axes in _FLOAT_AXES.items():
        if form == (measurement, frame_type):
            return FloatFrame(measurement, header, decode_float_deltas(data, axes))
    return None


def _integers(data: bytes, size: int, channels: int) -> NDArray[np.int64]:
    """Little-endian signed integers of `size` bytes as (n, channels)."""
    if len(data) % (size * channels):
        raise DecodeError(f"{len(data)} bytes of samples, expected a multiple of {size * channels}")
    octets = np.frombuffer(data, dtype=np.uint8).reshape(-1, channels, size).astype(np.int64)
    value = octets[:, :, size - 1] ^ 0x80
    value -= 0x80
    for k in range(size - 2, -1, -1):
        value = value << 8 | octets[:, :, k]
    return value


def _bytes(values: NDArray[np.int64], size: int) -> bytes:
    limit = 1 << (8 * size - 1)
    flat = values.astype(np.int64).ravel()
    if flat.size and not (-limit <= int(flat.min()) and int(flat.max()) < limit):
        raise ValueError(f"a sample outside a signed field of {size} bytes")
    return flat.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :size].tobytes()


def _intervals(data: bytes) -> tuple[PpInterval, ...]:
    if len(data) % 6:
        raise DecodeError(f"{len(data)} bytes of intervals, expected a multiple of 6")
    cursor = Cursor(data)
    found = []
    while cursor.left:
        hr_bpm, ms, err_ms, flags = cursor.u8(), cursor.u16(), cursor.u16(), cursor.u8()
        found.append(PpInterval(hr_bpm, ms, err_ms, bool(flags & 1), bool(flags & 2), bool(flags & 4)))
    return tuple(found)
