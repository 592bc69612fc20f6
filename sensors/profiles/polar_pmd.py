"""Polar measurement data, FB005C82: one frame of one stream, stamped by the device at its last sample.

Frame: [0] type & 3F; [1-8] u64 ns since 2000-01-01; [9] bit 7 compressed, low 7 frame type; data. Source: the
published Polar BLE SDK. A type or frame type that is not read here is a DecodeError that names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sensors.errors import DecodeError
from sensors.profile import Absent, Frame, Intervals, Observation, full_uuid
from sensors.profiles.pmd_delta import decode_deltas, encode_deltas
from sensors.samples import GapReason, Kind
from sensors.wire import Cursor, Writer

SERVICE = full_uuid("fb005c80-02e7-f387-1cad-8acd2d8df0c8")
DATA = full_uuid("fb005c82-02e7-f387-1cad-8acd2d8df0c8")

# The device counts from 2000-01-01, Unix from 1970-01-01.
EPOCH_NS = 946_684_800 * 10**9

ECG_FS_HZ = 130.0


class Measurement(IntEnum):
    """The streams a device may offer."""

    ECG = 0
    PPG = 1
    ACC = 2
    PPI = 3
    GYRO = 5
    MAGNETOMETER = 6
    SKIN_TEMPERATURE = 7
    SDK = 9
    LOCATION = 10
    PRESSURE = 11
    TEMPERATURE = 12


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
    """`mg`: (n, 3) thousandths of g. Frame types 0, 1 and 2 carry 8, 16 and 24 bits; compressed only type 1 exists."""

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
    """One pulse-to-pulse interval. `blocker`: the wearer moved. `contact` means something only where supported."""

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
        return not self.blocker and (self.contact or not self.contact_supported)


@dataclass(frozen=True, slots=True, repr=False)
class PpiFrame:
    header: Header
    ppi: tuple[PpInterval, ...]

    def __repr__(self) -> str:
        return f"<PpiFrame n={len(self.ppi)}>"


@dataclass(frozen=True, slots=True, repr=False)
class SkinTemperatureFrame:
    """`celsius`: None where the device sent no number."""

    header: Header
    celsius: tuple[float | None, ...]

    def __repr__(self) -> str:
        return f"<SkinTemperatureFrame n={len(self.celsius)}>"


PmdFrame = EcgFrame | AccFrame | PpgFrame | PpiFrame | SkinTemperatureFrame


class PolarPmdProfile:
    name = "polar_pmd"
    characteristic = DATA
    channels = ("ecg", "acc")
    silent_after_s: float | None = None  # the time stamps of the frames tell better than a pause what is missing

    def decode(self, payload: bytes) -> PmdFrame:
        cursor = Cursor(payload)
        number = cursor.u8() & 0x3F
        device_ns = cursor.u64()
        kind = cursor.u8()
        header = Header(device_ns, kind & 0x7F, bool(kind & 0x80))
        data = cursor.rest()
        form = (number, header.frame_type, header.compressed)
        if form == (Measurement.ECG, 0, False):
            return EcgFrame(header, _integers(data, 3, 1)[:, 0])
        if number == Measurement.ACC and header.frame_type <= 2 and not header.compressed:
            return AccFrame(header, _integers(data, header.frame_type + 1, 3))
        if form == (Measurement.ACC, 1, True):
            return AccFrame(header, decode_deltas(data, 3, 16))
        if form == (Measurement.PPG, 0, False):
            return PpgFrame(header, _integers(data, 3, 4))
        if form == (Measurement.PPI, 0, False):
            return PpiFrame(header, _intervals(data))
        if form == (Measurement.SKIN_TEMPERATURE, 0, False):
            return SkinTemperatureFrame(header, _temperatures(data))
        names = {m.value: m.name for m in Measurement}
        how = "compressed" if header.compressed else "raw"
        raise DecodeError(
            f"measurement type {number} ({names.get(number, 'unknown')}), {how} frame type {header.frame_type}; "
            "expected ECG raw 0, PPG raw 0, ACC raw 0 to 2 or compressed 1, PPI raw 0, SKIN_TEMPERATURE raw 0"
        )

    def encode(self, value: PmdFrame) -> bytes:
        header = value.header
        match value:
            case EcgFrame():
                number, data = Measurement.ECG, _bytes(value.uv, 3)
            case AccFrame() if header.compressed:
                number, data = Measurement.ACC, encode_deltas(value.mg, 16)
            case AccFrame():
                number, data = Measurement.ACC, _bytes(value.mg, header.frame_type + 1)
            case PpgFrame():
                number, data = Measurement.PPG, _bytes(value.counts, 3)
            case PpiFrame():
                out = Writer()
                for ppi in value.ppi:
                    flags = ppi.blocker | ppi.contact << 1 | ppi.contact_supported << 2
                    out.u8(ppi.hr_bpm).u16(ppi.ms).u16(ppi.err_ms).u8(flags)
                number, data = Measurement.PPI, out.getvalue()
            case SkinTemperatureFrame():
                out = Writer()
                for celsius in value.celsius:
                    out.f32(celsius)
                number, data = Measurement.SKIN_TEMPERATURE, out.getvalue()
        kind = header.frame_type | header.compressed << 7
        return Writer().u8(number).u64(header.device_ns).u8(kind).put(data).getvalue()

    def observe(self, value: PmdFrame) -> tuple[Observation, ...]:
        at = value.header.device_ns
        match value:
            case EcgFrame() if len(value.uv):
                return (Frame(Kind.ECG, "ecg", ECG_FS_HZ, at, value.uv / 1000.0),)
            case AccFrame() if len(value.mg):
                return (Frame(Kind.ACC, "acc", None, at, value.mg / 1000.0),)
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
                return (Intervals("ppi", tuple(float(ppi.ms) if ppi.usable else 0.0 for ppi in value.ppi)),)
        return ()


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


def _temperatures(data: bytes) -> tuple[float | None, ...]:
    if len(data) % 4:
        raise DecodeError(f"{len(data)} bytes of temperatures, expected a multiple of 4")
    cursor = Cursor(data)
    return tuple(cursor.f32() for _ in range(len(data) // 4))
