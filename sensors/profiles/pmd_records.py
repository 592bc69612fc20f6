"""Frames of Polar measurement data that are plain records, one after the other: a table of forms, one type for all.

Source: the published Polar BLE SDK. None is observed: they are what the device measured its own light with, where it
was, and electrocardiograms of devices whose numbers no source gives a sign.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.profile import Fields
from sensors.profiles.date_time import DateTime
from sensors.profiles.pmd_frames import Header, Measurement
from sensors.wire import Cursor, Writer

Number = int | float
Row = tuple[Number | bytes | None, ...]
"""One record as it was sent; None where a floating-point number is none. Only the last may be bytes."""

_TIMES = 12
_GAIN_BITS = 0x07


@dataclass(frozen=True, slots=True, repr=False)
class RecordFrame:
    """Of a form in `FORMS`, always raw."""

    measurement: Measurement
    header: Header
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        return f"<RecordFrame {self.measurement.name} n={len(self.rows)}>"


@dataclass(frozen=True, slots=True)
class Form:
    """`layout`: of one record, as `struct` spells it, with `t` for three bytes signed and `T` for three unsigned;
    `sized`: the last number but one is the length of a text that ends the record."""

    layout: str
    told: Callable[[tuple[Row, ...]], Fields]
    sized: bool = False


_SIZES = {"b": 1, "B": 1, "H": 2, "h": 2, "t": 3, "T": 3, "I": 4, "Q": 8, "f": 4, "d": 8}


def record_bytes(form: Form) -> int:
    """The size of a record, without the text of one that has a text."""
    return sum(_SIZES[kind] for kind in form.layout)


def decode_rows(form: Form, data: bytes) -> tuple[Row, ...]:
    """Whole records only. Raises DecodeError."""
    size = record_bytes(form)
    if not form.sized and len(data) % size:
        raise DecodeError(f"{len(data)} bytes of records, expected a multiple of {size}")
    cursor = Cursor(data)
    rows: list[Row] = []
    while cursor.left:
        row: list[Number | bytes | None] = [_read(cursor, kind) for kind in form.layout]
        if form.sized:
            length = row[_LENGTH_AT]
            assert isinstance(length, int)
            row.append(cursor.take(length))
        rows.append(tuple(row))
    return tuple(rows)


def encode_rows(form: Form, rows: tuple[Row, ...]) -> bytes:
    out = Writer()
    for row in rows:
        for kind, value in zip(form.layout, row, strict=False):
            assert not isinstance(value, bytes)
            _write(out, kind, value)
        if form.sized:
            text, length = row[-1], row[_LENGTH_AT]
            if not isinstance(text, bytes) or len(text) != length:
                raise ValueError("a text of another length than the record says")
            out.put(text)
    return out.getvalue()


def _read(cursor: Cursor, kind: str) -> Number | None:
    match kind:
        case "t":
            return cursor.s24()
        case "T":
            return cursor.u24()
    (value,) = struct.unpack(f"<{kind}", cursor.take(_SIZES[kind]))
    return value if isinstance(value, int) or math.isfinite(value) else None


def _write(out: Writer, kind: str, value: Number | None) -> None:
    match kind:
        case "t" | "T":
            assert isinstance(value, int)
            out.s24(value) if kind == "t" else out.u24(value)
        case _:
            out.put(struct.pack(f"<{kind}", math.nan if value is None else value))


def _ecg_1(rows: tuple[Row, ...]) -> Fields:
    bits = [_whole(row[0]) for row in rows]
    return {
        "uV": [b & 0x3FFF for b in bits],
        "oversampling": [b >> 16 & 0x01 for b in bits],
        "skin_contact": [b >> 17 & 0x03 for b in bits],
        "contact_impedance": [b >> 19 & 0x03 for b in bits],
    }


def _ecg_2(rows: tuple[Row, ...]) -> Fields:
    bits = [_whole(row[0]) for row in rows]
    return {
        "uV": [b & 0x3FFFF for b in bits],
        "ecg_tag": [b >> 18 & 0x07 for b in bits],
        "pace_tag": [b >> 21 & 0x07 for b in bits],
    }


def _ecg_3(rows: tuple[Row, ...]) -> Fields:
    return {"ecg": [list(row[:2]) for row in rows], "status": [row[2] for row in rows]}


def _gains(times: int) -> Callable[[tuple[Row, ...]], Fields]:
    """Integrations of each time slot, then the gains of two channels in turn, of which three bits count."""

    def told(rows: tuple[Row, ...]) -> Fields:
        return {
            "num_int": [list(row[:times]) for row in rows],
            "gain_1": [[_whole(gain) & _GAIN_BITS for gain in row[times::2]] for row in rows],
            "gain_2": [[_whole(gain) & _GAIN_BITS for gain in row[times + 1 :: 2]] for row in rows],
        }

    return told


def _only(name: str) -> Callable[[tuple[Row, ...]], Fields]:
    return lambda rows: {name: [row[0] for row in rows]}


def _places(rows: tuple[Row, ...]) -> Fields:
    return {"location": [_place(row) for row in rows]}


def _place(row: Row) -> Fields:
    latitude, longitude, year, month, day, clock, distance, *speeds, course, knots, fix, flag, fusion = row
    bits = _whole(clock)
    date = DateTime(
        _whole(year), _whole(month), _whole(day), bits >> 10 & 0x1F, bits >> 15 & 0x3F, bits >> 21 & 0x3F
    ).iso
    return {
        "latitude": latitude,
        "longitude": longitude,
        "time": None if date is None else f"{date}.{bits & 0x3FF:03d}",
        "distance_m": _whole(distance) / 10,
        **dict(zip(("speed_km_h", "acceleration_speed", "coordinate_speed", "speed_factor"), speeds, strict=True)),
        "course_deg": _whole(course) / 100,
        "speed_kn": _whole(knots) / 100,
        "fix": fix != 0,
        "speed_flag": flag,
        "fusion_state": fusion,
    }


def _dilutions(rows: tuple[Row, ...]) -> Fields:
    return {
        "location": [
            {"dilution": _whole(dilution) / 100, "altitude_m": altitude, "satellites": satellites, "fix": fix != 0}
            for dilution, altitude, satellites, fix in rows
        ]
    }


_SATELLITES = (
    *(f"{system}_{what}" for system in ("gps", "glonass", "galileo", "beidou") for what in ("satellites", "max_snr")),
    "satellites",
    "snr_top_5",
)


def _satellites(rows: tuple[Row, ...]) -> Fields:
    names = ("seen_band_1", "used_band_1", "seen_band_2", "used_band_2")
    n = len(_SATELLITES)
    return {
        "location": [
            {
                **{name: dict(zip(_SATELLITES, row[n * k : n * (k + 1)], strict=True)) for k, name in enumerate(names)},
                "max_snr": row[-1],
            }
            for row in rows
        ]
    }


def _sentences(rows: tuple[Row, ...]) -> Fields:
    return {"location": [_sentence(row) for row in rows]}


def _sentence(row: Row) -> Fields:
    period, _, status, text = row
    assert isinstance(text, bytes)
    return {"period": period, "status": status, "nmea": text.decode("ascii", "backslashreplace")}


def _offline_rates(rows: tuple[Row, ...]) -> Fields:
    names = ("hr", "ppg_quality", "corrected_hr")
    return {name: [row[k] for row in rows] for k, name in enumerate(names[: len(rows[0]) if rows else 1])}


def _whole(value: Number | bytes | None) -> int:
    assert isinstance(value, int)
    return value


_LENGTH_AT = 1  # in the one form that is sized

FORMS: dict[tuple[Measurement, int], Form] = {
    (Measurement.ECG, 1): Form("T", _ecg_1),
    (Measurement.ECG, 2): Form("T", _ecg_2),
    (Measurement.ECG, 3): Form("ttB", _ecg_3),
    (Measurement.PPG, 4): Form("B" * 3 * _TIMES, _gains(_TIMES)),
    (Measurement.PPG, 5): Form("I", _only("operation_mode")),
    (Measurement.PPG, 6): Form("Q", _only("sport_id")),
    (Measurement.PPG, 9): Form("B" * 3 * _TIMES, _gains(_TIMES)),
    (Measurement.PPG, 14): Form("BBB", _gains(1)),
    (Measurement.LOCATION, 0): Form("ddHBBIIffffHHBbB", _places),
    (Measurement.LOCATION, 1): Form("HhBB", _dilutions),
    (Measurement.LOCATION, 2): Form("B" * (4 * len(_SATELLITES) + 1), _satellites),
    (Measurement.LOCATION, 3): Form("IHB", _sentences, sized=True),
    (Measurement.OFFLINE_HR, 0): Form("B", _offline_rates),
    (Measurement.OFFLINE_HR, 1): Form("BBB", _offline_rates),
}
