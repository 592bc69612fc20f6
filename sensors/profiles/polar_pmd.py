"""Polar measurement data, FB005C82: one frame of one stream, stamped by the device at its last sample.

Frame: [0] type & 3F; [1-8] u64 ns since 2000-01-01; [9] bit 7 compressed, low 7 frame type; data. Source: the
published Polar BLE SDK. A type or frame type that is not read here is a DecodeError that names it. Some compressed
frames are counts that mean nothing without the FACTOR that the device told when the stream was started.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sensors.errors import DecodeError
from sensors.profile import Absent, Fields, Frame, Intervals, Observation, Scale, full_uuid
from sensors.profiles.pmd_delta import decode_deltas, decode_float_deltas, encode_deltas, encode_float_deltas
from sensors.samples import GapReason, Kind
from sensors.wire import Cursor, Writer

SERVICE = full_uuid("fb005c80-02e7-f387-1cad-8acd2d8df0c8")
DATA = full_uuid("fb005c82-02e7-f387-1cad-8acd2d8df0c8")

# The device counts from 2000-01-01, Unix from 1970-01-01.
EPOCH_NS = 946_684_800 * 10**9

ECG_FS_HZ = 130.0

# Ours, no source tells one: an interval known no better than this would drown the differences of 20 to 50 ms that
# RMSSD and pNN50 are made of.
LARGEST_ERR_MS = 30


class Measurement(IntEnum):
    """What a device may offer, under the names of the SDK."""

    ECG = 0
    PPG = 1
    ACC = 2
    PPI = 3
    GYRO = 5
    MAGNETOMETER = 6
    SKIN_TEMP = 7
    SDK_MODE = 9
    LOCATION = 10
    PRESSURE = 11
    TEMPERATURE = 12
    OFFLINE_RECORDING = 13
    OFFLINE_HR = 14


@dataclass(frozen=True, slots=True)
class Header:
    """`device_ns`: nanoseconds since 2000-01-01 at the last sample, by the device's clock."""

    device_ns: int
    frame_type: int = 0
    compressed: bool = False


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class EcgFrame:
    """`uv`: (n,) microvolts, 24 bits signed."""

    header: Header
    uv: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<EcgFrame n={len(self.uv)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EcgFrame) and self.header == other.header and np.array_equal(self.uv, other.uv)

    def __hash__(self) -> int:
        return hash((self.header, self.uv.tobytes()))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class AccFrame:
    """`mg`: (n, 3) thousandths of g. Raw frame types 0, 1 and 2 carry 8, 16 and 24 bits, compressed type 1 16 bits."""

    header: Header
    mg: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<AccFrame n={len(self.mg)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccFrame) and self.header == other.header and np.array_equal(self.mg, other.mg)

    def __hash__(self) -> int:
        return hash((self.header, self.mg.tobytes()))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PpgFrame:
    """`counts`: (n, 4), three light channels and the ambient one, 24 bits signed."""

    header: Header
    counts: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<PpgFrame n={len(self.counts)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PpgFrame) and self.header == other.header and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.header, self.counts.tobytes()))


@dataclass(frozen=True, slots=True, repr=False)
class PpInterval:
    """One pulse-to-pulse interval and the device's own estimate of its error.

    `blocker`: the wearer moved. `contact` means something only where supported.
    """

    hr_bpm: int
    ms: int
    err_ms: int
    blocker: bool
    contact: bool
    contact_supported: bool

    def __repr__(self) -> str:
        return "<PpInterval>"

    @property
    def usable(self) -> bool:
        """Still, worn, and known well enough to count as a beat-to-beat interval."""
        seen = not self.blocker and (self.contact or not self.contact_supported)
        return seen and self.ms > 0 and self.err_ms <= LARGEST_ERR_MS


@dataclass(frozen=True, slots=True, repr=False)
class PpiFrame:
    header: Header
    ppi: tuple[PpInterval, ...]

    def __repr__(self) -> str:
        return f"<PpiFrame n={len(self.ppi)}>"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class CountsFrame:
    """Samples that are worth their FACTOR each: `counts` is (n, axes), 16 bits signed, always compressed.

    ACC type 0 (g), GYRO type 0 (deg/s), MAGNETOMETER type 0 (gauss) and 1 (milligauss, the fourth its calibration).
    """

    measurement: Measurement
    header: Header
    counts: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<CountsFrame {self.measurement.name} n={len(self.counts)}>"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CountsFrame)
            and (self.measurement, self.header) == (other.measurement, other.header)
            and np.array_equal(self.counts, other.counts)
        )

    def __hash__(self) -> int:
        return hash((self.measurement, self.header, self.counts.tobytes()))


@dataclass(frozen=True, slots=True, repr=False)
class FloatFrame:
    """Samples of binary32, one tuple each; None where the device sent no number.

    SKIN_TEMP and TEMPERATURE (degrees Celsius) and PRESSURE (bar) have one value a sample, GYRO (deg/s) three.
    """

    measurement: Measurement
    header: Header
    samples: tuple[tuple[float | None, ...], ...]

    def __repr__(self) -> str:
        return f"<FloatFrame {self.measurement.name} n={len(self.samples)}>"


PmdFrame = EcgFrame | AccFrame | PpgFrame | PpiFrame | CountsFrame | FloatFrame

_COUNT_AXES = {
    (Measurement.ACC, 0): 3,
    (Measurement.GYRO, 0): 3,
    (Measurement.MAGNETOMETER, 0): 3,
    (Measurement.MAGNETOMETER, 1): 4,
}
_RAW_FLOATS = (Measurement.SKIN_TEMP, Measurement.PRESSURE, Measurement.TEMPERATURE)
_FLOAT_AXES = {(Measurement.GYRO, 1): 3} | {(measurement, 0): 1 for measurement in _RAW_FLOATS}  # compressed
_UNITS = {
    Measurement.SKIN_TEMP: "celsius",
    Measurement.TEMPERATURE: "celsius",
    Measurement.PRESSURE: "bar",
    Measurement.GYRO: "dps",
}


class PolarPmdProfile:
    name = "polar_pmd"
    characteristic = DATA
    channels = ("ecg", "acc", "ppg", "ppg_2", "ppg_3", "rr")
    silent_after_s: float | None = None  # the time stamps of the frames tell better than a pause what is missing

    def decode(self, payload: bytes) -> PmdFrame:
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
                "expected ECG, PPG, PPI, SKIN_TEMP, PRESSURE or TEMPERATURE raw 0, ACC raw 0 to 2, ACC, GYRO or "
                "MAGNETOMETER compressed 0 or 1, PPG, SKIN_TEMP, PRESSURE or TEMPERATURE compressed 0"
            )
        return frame

    def encode(self, value: PmdFrame) -> bytes:
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
        kind = header.frame_type | header.compressed << 7
        return Writer().u8(number).u64(header.device_ns).u8(kind).put(data).getvalue()

    def observe(self, value: PmdFrame) -> tuple[Observation, ...]:
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
                # the ambient light is taken off; three photodiodes, told apart by their number
                light = value.counts[:, :3] - value.counts[:, 3:]
                return tuple(
                    Frame(Kind.PPG, name, None, at, light[:, k].astype(np.float64))
                    for k, name in enumerate(("ppg", "ppg_2", "ppg_3"))
                )
            case PpiFrame() if value.ppi:
                if all(ppi.contact_supported and not ppi.contact for ppi in value.ppi):
                    return (Absent(None, GapReason.OFF_BODY),)
                return (Intervals("rr", tuple(float(ppi.ms) if ppi.usable else 0.0 for ppi in value.ppi)),)
        return ()

    def fields(self, value: PmdFrame) -> Fields:
        """Under the names of the shared vectors; of long sample lists the first two. Counts are told without factor."""
        header = value.header
        named: Fields = {"ts": header.device_ns, "frame_type": header.frame_type, "compressed": header.compressed}
        match value:
            case EcgFrame():
                return {"type": 0} | named | {"uV": value.uv.tolist()}
            case AccFrame():
                return {"type": 2} | named | {"n": len(value.mg), "mG_head": value.mg[:2].tolist()}
            case PpgFrame():
                return {"type": 1} | named | {"ppg": value.counts.tolist()}
            case PpiFrame():
                return {"type": 3} | named | {"ppi": [_interval_fields(ppi) for ppi in value.ppi]}
            case CountsFrame():
                head = value.counts[:2].tolist()
                return {"type": int(value.measurement)} | named | {"n": len(value.counts), "counts_head": head}
            case FloatFrame():
                unit, samples = _UNITS[value.measurement], value.samples
                told = [list(s) for s in samples] if value.measurement is Measurement.GYRO else [s[0] for s in samples]
                return {"type": int(value.measurement)} | named | {unit: told}


def _raw(number: int, header: Header, data: bytes) -> PmdFrame | None:
    """None where no such frame is known."""
    frame_type = header.frame_type
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


def _compressed(number: int, header: Header, data: bytes) -> PmdFrame | None:
    """None where no such frame is known."""
    form = (number, header.frame_type)
    if form == (Measurement.ACC, 1):
        return AccFrame(header, decode_deltas(data, 3, 16))
    if form == (Measurement.PPG, 0):
        return PpgFrame(header, decode_deltas(data, 4, 24))
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


def _interval_fields(ppi: PpInterval) -> Fields:
    return {
        "hr": ppi.hr_bpm,
        "ms": ppi.ms,
        "err_ms": ppi.err_ms,
        "blocker": int(ppi.blocker),
        "contact": int(ppi.contact),
        "contact_supported": int(ppi.contact_supported),
    }
