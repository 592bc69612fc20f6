"""What the laws of the profiles need of each: any value it can send, and the fields that the shared vectors name."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sensors.profiles import pmd_frames as pmd
from sensors.profiles.battery import BatteryLevel, BatteryProfile
from sensors.profiles.heart_rate import HeartRateMeasurement, HeartRateProfile
from sensors.profiles.pmd_records import FORMS, Form, RecordFrame, decode_rows, record_bytes
from sensors.profiles.polar_pmd import PolarPmdProfile
from sensors.profiles.polar_pmd_control import Features, PolarPmdControlProfile, Response, Stopped
from tests.laws.gatt_values import GATT_VALUES, GATT_VECTOR_NAMES
from tests.laws.vendor_values import VENDOR_VALUES, VENDOR_VECTOR_NAMES

_u8, _u16 = st.integers(0, 0xFF), st.integers(0, 0xFFFF)


def _headers(frame_type: int = 0, compressed: bool = False) -> st.SearchStrategy[pmd.Header]:
    return st.builds(pmd.Header, st.integers(0, 2**64 - 1), st.just(frame_type), st.just(compressed))


def _numbers(bits: int, axes: int | None, least: int = 0) -> st.SearchStrategy[Any]:
    limit = 1 << (bits - 1)
    lengths = st.integers(least, 40)
    shapes = lengths if axes is None else st.tuples(lengths, st.just(axes))
    return arrays(np.int64, shapes, elements=st.integers(-limit, limit - 1))


def _floats(axes: int, least: int = 0) -> st.SearchStrategy[Any]:
    number = st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32)
    return st.lists(st.tuples(*[number] * axes), min_size=least, max_size=8).map(tuple)


def _rows(form: Form) -> st.SearchStrategy[Any]:
    if form.sized:
        text = st.tuples(st.integers(0, 2**32 - 1), _u8, st.binary(max_size=90))
        return st.lists(text.map(lambda row: (row[0], len(row[2]), row[1], row[2])), max_size=3).map(tuple)
    size = record_bytes(form)
    records = st.integers(0, 3).flatmap(lambda n: st.binary(min_size=n * size, max_size=n * size))
    return records.map(lambda data: decode_rows(form, data))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    **GATT_VALUES,
    HeartRateProfile.name: st.builds(
        HeartRateMeasurement,
        _u16,
        st.sampled_from([None, True, False]),
        st.none() | _u16,
        st.lists(_u16, max_size=20).map(tuple),
    ),
    BatteryProfile.name: st.builds(BatteryLevel, st.integers(0, 100)),
    PolarPmdProfile.name: st.one_of(
        st.builds(pmd.EcgFrame, _headers(), _numbers(24, None)),
        *(st.builds(pmd.AccFrame, _headers(k), _numbers(8 * (k + 1), 3)) for k in range(3)),
        st.builds(pmd.AccFrame, _headers(1, True), _numbers(16, 3, least=1)),
        st.builds(pmd.PpgFrame, _headers(), _numbers(24, 4)),
        st.builds(
            pmd.PpiFrame,
            _headers(),
            st.lists(
                st.builds(pmd.PpInterval, _u8, _u16, _u16, st.booleans(), st.booleans(), st.booleans()), max_size=20
            ).map(tuple),
        ),
        *(
            st.builds(pmd.PpgFrame, _headers(kind, True), _numbers(24, columns, least=1))
            for kind, columns in pmd.PPG_COLUMNS.items()
        ),
        *(
            st.builds(RecordFrame, st.just(measurement), _headers(kind), _rows(form))
            for (measurement, kind), form in FORMS.items()
        ),
        *(
            st.builds(pmd.CountsFrame, st.just(measurement), _headers(kind, True), _numbers(16, axes, least=1))
            for measurement, kind, axes in (
                (pmd.Measurement.ACC, 0, 3),
                (pmd.Measurement.GYRO, 0, 3),
                (pmd.Measurement.MAGNETOMETER, 0, 3),
                (pmd.Measurement.MAGNETOMETER, 1, 4),
            )
        ),
        *(
            st.builds(pmd.FloatFrame, st.just(measurement), _headers(0, packed), _floats(1, least=packed))
            for measurement in (pmd.Measurement.SKIN_TEMP, pmd.Measurement.PRESSURE, pmd.Measurement.TEMPERATURE)
            for packed in (False, True)
        ),
        st.builds(pmd.FloatFrame, st.just(pmd.Measurement.GYRO), _headers(1, True), _floats(3, least=1)),
    ),
    PolarPmdControlProfile.name: st.one_of(
        st.builds(Features, st.binary(min_size=1, max_size=16)),
        st.builds(Stopped, st.lists(_u8, max_size=8).map(tuple)),
        st.builds(Response, _u8, _u8, _u8, st.booleans(), st.binary(max_size=30)),
        st.binary(max_size=12).map(lambda params: Response(2, 2, 0, False, b"\x05\x01" + params)),
    ),
    **VENDOR_VALUES,
}

# The names the vectors use for a characteristic that is not a 16-bit one.
VECTOR_NAMES = {
    **GATT_VECTOR_NAMES,
    HeartRateProfile.name: ("2A37",),
    BatteryProfile.name: ("2A19",),
    PolarPmdProfile.name: ("PMD_DATA",),
    PolarPmdControlProfile.name: ("PMD_CP_RESPONSE", "PMD_FEATURES"),
    **VENDOR_VECTOR_NAMES,
}
