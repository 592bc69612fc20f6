"""Any value that the standard profiles can send, and vectors of the project's own: made by hand from the tables of the
specifications, where the shared ones have none."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sensors.profiles import plx
from sensors.profiles.blood_pressure import BloodPressure, BloodPressureProfile
from sensors.profiles.body_sensor_location import BodySensorLocation, BodySensorLocationProfile
from sensors.profiles.cgm import CgmProfile, CgmRecord
from sensors.profiles.current_time import CurrentTime, CurrentTimeProfile
from sensors.profiles.date_time import DateTime
from sensors.profiles.device_information import (
    TEXTS,
    InformationText,
    PnpId,
    PnpIdProfile,
    SystemId,
    SystemIdProfile,
)
from sensors.profiles.glucose import Concentration, GlucoseProfile, GlucoseRecord
from sensors.profiles.plx_continuous import PlxContinuous, PlxContinuousProfile
from sensors.profiles.plx_spot_check import PlxSpotCheck, PlxSpotCheckProfile
from sensors.profiles.temperature import Temperature, TemperatureProfile
from sensors.wire import Cursor, Measured

_u8, _u16, _u24 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFF)
_nibble = st.integers(0, 15)


def _sfloat(raw: int) -> Measured:
    return Cursor(raw.to_bytes(2, "little")).sfloat()


def _float32(raw: int) -> Measured:
    return Cursor(raw.to_bytes(4, "little")).float32()


_sfloats = st.builds(_sfloat, _u16 | st.integers(0x7FE, 0x802))
_floats = st.builds(_float32, st.integers(0, 2**32 - 1) | st.integers(0x7FFFFE, 0x800002))
_times = st.builds(DateTime, _u16, _u8, _u8, _u8, _u8, _u8)
_calendar = st.builds(
    DateTime,
    st.just(0) | st.integers(1582, 9999),
    st.integers(0, 12),
    st.integers(0, 31),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
)
_pairs = st.builds(plx.Pair, _sfloats, _sfloats)
_conditions = st.builds(plx.Condition, st.none() | _u16, st.none() | _u24, st.none() | _sfloats)
_records = st.builds(
    CgmRecord,
    _sfloats,
    _u16,
    *[st.none() | _u8] * 3,
    *[st.none() | _sfloats] * 2,
    st.booleans(),
)

GATT_VALUES: dict[str, st.SearchStrategy[Any]] = {
    BodySensorLocationProfile.name: st.builds(BodySensorLocation, st.integers(0, 6)),
    PlxContinuousProfile.name: st.builds(PlxContinuous, _pairs, st.none() | _pairs, st.none() | _pairs, _conditions),
    PlxSpotCheckProfile.name: st.builds(PlxSpotCheck, _pairs, st.none() | _times, _conditions, st.booleans()),
    TemperatureProfile.name: st.builds(Temperature, _floats, st.booleans(), st.none() | _times, st.none() | _u8),
    BloodPressureProfile.name: st.builds(
        BloodPressure,
        _sfloats,
        _sfloats,
        _sfloats,
        st.booleans(),
        st.none() | _times,
        st.none() | _sfloats,
        st.none() | _u8,
        st.none() | _u16,
    ),
    CgmProfile.name: st.lists(_records, min_size=1, max_size=8).map(tuple),
    GlucoseProfile.name: st.builds(
        GlucoseRecord,
        _u16,
        _times,
        st.none() | st.integers(-(2**15), 2**15 - 1),
        st.none() | st.builds(Concentration, _sfloats, _nibble, _nibble),
        st.booleans(),
        st.none() | _u16,
        st.booleans(),
    ),
    CurrentTimeProfile.name: st.builds(CurrentTime, _calendar, st.integers(0, 7), _u8, _u8),
    PnpIdProfile.name: st.builds(PnpId, _u8, _u16, _u16, _u16),
    SystemIdProfile.name: st.builds(SystemId, st.binary(min_size=5, max_size=5), st.binary(min_size=3, max_size=3)),
    **{
        profile.name: st.builds(InformationText, st.text(max_size=40).map(lambda text: text.rstrip("\0") or "x"))
        for profile in TEXTS
    },
}

GATT_VECTOR_NAMES: dict[str, tuple[str, ...]] = {
    BodySensorLocationProfile.name: ("2A38",),
    PlxContinuousProfile.name: ("2A5F",),
    PlxSpotCheckProfile.name: ("2A5E",),
    TemperatureProfile.name: ("2A1C",),
    BloodPressureProfile.name: ("2A35",),
    CgmProfile.name: ("2AA7",),
    GlucoseProfile.name: ("2A18",),
    CurrentTimeProfile.name: ("2A2B",),
    PnpIdProfile.name: ("2A50",),
    SystemIdProfile.name: ("2A23",),
    **{profile.name: () for profile in TEXTS},
}

_REFUSED: dict[str, Any] = {"error": True}

OWN_VECTORS: dict[str, tuple[tuple[str, Any], ...]] = {
    BodySensorLocationProfile.name: (
        ("01", {"location": "chest"}),
        ("06", {"location": "foot"}),
        ("07", _REFUSED),
        ("0101", _REFUSED),
    ),
    PlxContinuousProfile.name: (
        # every part there is, each number different
        (
            "1f6100480060004900620047002000201000c300",
            {
                "spo2": 97,
                "pr": 72,
                "spo2_fast": 96,
                "pr_fast": 73,
                "spo2_slow": 98,
                "pr_slow": 71,
                "status": 32,
                "device_status": 4128,
                "pai": 195,
            },
        ),
        ("00ff07ff07", {"spo2": None, "pr": None}),
        ("00fe070208", {"spo2": None, "pr": None}),
        ("0000080108", {"spo2": None, "pr": None}),
        ("00610048", _REFUSED),
        ("006100480000", _REFUSED),
    ),
    PlxSpotCheckProfile.name: (
        ("0061004800", {"spo2": 97, "pr": 72}),
        ("11610048000000000000003b", {"spo2": 97, "pr": 72, "time": "0000-00-00T00:00:59", "clock_not_set": True}),
        # a time that no calendar has, and a measurement that stands all the same
        ("0161004800ffffffffffffff", {"spo2": 97, "pr": 72, "time": None}),
        ("0261004800", _REFUSED),
    ),
    TemperatureProfile.name: (
        ("0111030000ff", _REFUSED),
        ("01da0300ff", {"value": 98.6, "unit": "F"}),
        ("00ffff7f00", {"value": None, "unit": "C"}),
        ("00feff7f00", {"value": None, "unit": "C"}),
        ("0402008000" + "03", {"value": None, "unit": "C", "type": 3}),
        ("00ffffff7f", {"value": -1e127, "unit": "C"}),
    ),
    BloodPressureProfile.name: (
        ("00ff07ff07ff07", {"systolic": None, "diastolic": None, "map": None, "unit": "mmHg"}),
        ("0878005000" + "5d00" + "ff", {"systolic": 120, "diastolic": 80, "map": 93, "unit": "mmHg", "user": 255}),
        ("007800500000", _REFUSED),
        ("00780050005d0000", _REFUSED),
    ),
    CgmProfile.name: (
        # all parts: status, calibration and temperature, warning, trend, quality, and the CRC
        (
            "0fe378001e0001020350006000ecac",
            [
                {
                    "glucose_mg_dl": 120,
                    "offset_min": 30,
                    "status": 1,
                    "cal_temp": 2,
                    "warning": 3,
                    "trend": 80,
                    "quality": 96,
                }
            ],
        ),
        ("08000c100600596f", [{"glucose_mg_dl": 120, "offset_min": 6}]),
        ("0600ff070600", [{"glucose_mg_dl": None, "offset_min": 6}]),
        ("", _REFUSED),
        ("05000c1006", _REFUSED),
        ("07000c10060000", _REFUSED),
        ("06000c10060006", _REFUSED),
        ("10000c100600" + "00" * 10, _REFUSED),
    ),
    GlucoseProfile.name: (
        (
            "0203000000000000000072" + "b0" + "51",
            {
                "seq": 3,
                "base_time": "0000-00-00T00:00:00",
                "conc": 0.00114,
                "unit": "kg/L",
                "type": 1,
                "location": 5,
                "context": False,
            },
        ),
        ("020300" + "00" * 7 + "ff07", _REFUSED),
        ("000300" + "00" * 7 + "00", _REFUSED),
    ),
    CurrentTimeProfile.name: (
        ("00000000000000000000", {"time": "0000-00-00T00:00:00", "dow": 0, "frac256": 0, "adjust": 0}),
        ("e9070d01000000010000", _REFUSED),
        ("e9070101180000010000", _REFUSED),
        ("2d060101000000010000", _REFUSED),
        ("e9070101000000080000", _REFUSED),
        ("e90701010000000100", _REFUSED),
        ("e907010100000001000000", _REFUSED),
    ),
    PnpIdProfile.name: (("016b0000000000", {"source": 1, "vendor": 107, "product": 0, "version": 0}), ("01", _REFUSED)),
    SystemIdProfile.name: (("01020304050607", _REFUSED), ("010203040506070809", _REFUSED)),
    **{
        profile.name: (
            ("506f6c6172", {"text": "Polar"}),
            ("c3a90000", {"text": "é"}),
            ("", {"text": ""}),
            ("c3", _REFUSED),
            ("ff41", _REFUSED),
        )
        for profile in TEXTS
    },
}
