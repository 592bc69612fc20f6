"""`vitalkeep decode` of vendor protocols: every shared vector, to the last field, and whatever else may come."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.errors import DecodeError
from sensors.registry import PROFILES
from sensors.unsaid import Unsaid
from sensors.vendor_decoders import VENDOR_ALIASES, VENDOR_DECODERS
from tests.data import shared_data

BY_NAME = dict(VENDOR_DECODERS)
IN_VECTORS = (
    "PMD_DATA",
    "PMD_SETTINGS",
    "PMD_CP_RESPONSE",
    "PMD_FEATURES",
    "PMD_DELTA",
    "PC60_OXYSMART",
    "O2RING_RT",
    "O2RING_0x17",
    "O2RING_REQ",
    "OXYII_REQ",
)
every_name = pytest.mark.parametrize("name", list(BY_NAME))

ALL_FEATURES = (
    "ECG PPG ACC PPI GYRO MAGNETOMETER SKIN_TEMP SDK_MODE LOCATION PRESSURE TEMPERATURE OFFLINE_RECORDING OFFLINE_HR"
)

# Our own, by hand after the layouts.
OWN: tuple[tuple[str, str, object], ...] = (
    ("PC60_OXYSMART", "aa550f0702408581300015", {"error": True}),  # damaged
    ("PMD_FEATURES", "0fef7e", {"streams": ALL_FEATURES.split()}),
    ("PMD_FEATURES", "0f05", {"streams": ["ECG", "ACC"]}),
    ("PMD_FEATURES", "0f", {"error": True}),
    ("PMD_FEATURES", "f0010000", {"error": True}),
    ("PMD_CP_RESPONSE", "f0020006", {"op": 2, "type": 0, "status": 6, "more": False, "params": ""}),
    ("PMD_CP_RESPONSE", "f002000001", {"op": 2, "type": 0, "status": 0, "more": True, "params": ""}),
    ("PMD_CP_RESPONSE", "0f05", {"error": True}),
    ("PMD_CP_RESPONSE", "010002", {"stopped": [0, 2]}),
    ("PMD_CONTROL", "010002", {"stopped": [0, 2]}),
    ("PMD_CONTROL", "0f05", {"streams": ["ECG", "ACC"]}),
    (
        "O2RING_REPLY",
        "5500ff00000d00614800000000005a00030c010064",
        {"status": 0, "block": 0, "len": 13, "spo2": 97, "pr": 72}
        | {"battery": 90, "charging": 0, "movement": 3, "pi": 12, "worn": True},
    ),
    ("PMD_SETTINGS", "050100000a3f", {"5": [0.5390625]}),
    ("PMD_SETTINGS", "05010000807f", {"5": [None]}),
    ("PMD_SETTINGS", "0601000102030405060708090a0b0c0d0e0f", {"6": ["000102030405060708090a0b0c0d0e0f"]}),
    ("PMD_SETTINGS", "04020108", {"4": [1, 8]}),
    ("PMD_SETTINGS", "0701", {"error": True}),
    ("PMD_SETTINGS", "0001", {"error": True}),
    ("PMD_SETTINGS", "", {}),
    (
        "PMD_DATA",
        "01" + "00" * 8 + "80" + "010000" * 4 + "0401" + "2143",
        {"type": 1, "ts": 0, "frame_type": 0, "compressed": True, "ppg": [[1, 1, 1, 1], [2, 3, 4, 5]]},
    ),
    (
        "PMD_DATA",
        "02" + "00" * 8 + "80" + "010002000300" + "0101" + "05",
        {
            "type": 2,
            "ts": 0,
            "frame_type": 0,
            "compressed": True,
            "n": 2,
            "mG_head": [[1000, 2000, 3000], [0, 2000, 2000]],
        },
    ),
    (
        "PMD_DATA",
        "05" + "00" * 8 + "80" + "0100fdff0300",
        {"type": 5, "ts": 0, "frame_type": 0, "compressed": True, "n": 1, "dps_head": [[1, -3, 3]]},
    ),
    (
        "PMD_DATA",
        "05" + "00" * 8 + "81" + "0000803f" * 3,
        {"type": 5, "ts": 0, "frame_type": 1, "compressed": True, "n": 1, "dps_head": [[1.0, 1.0, 1.0]]},
    ),
    (
        "PMD_DATA",
        "06" + "00" * 8 + "81" + "0100020003000200",
        {"type": 6, "ts": 0, "frame_type": 1, "compressed": True, "n": 1}
        | {"gauss_head": [[0.001, 0.002, 0.003]], "calibration_head": [2]},
    ),
    (
        "PMD_DATA",
        "0b" + "00" * 8 + "00" + "0000803f0000c07f",
        {"type": 11, "ts": 0, "frame_type": 0, "compressed": False, "bar": [1.0, None]},
    ),
    # differences of 1: the next binary32
    (
        "PMD_DATA",
        "0c" + "00" * 8 + "80" + "0000803f" + "0201" + "01",
        {"type": 12, "ts": 0, "frame_type": 0, "compressed": True, "celsius": [1.0, 1.0000001192092896]},
    ),
    (
        "PMD_DATA",
        "000000000000000000010a001bff3f00",
        {"type": 0, "ts": 0, "frame_type": 1, "compressed": False, "uV": [10, 16383]}
        | {"oversampling": [1, 0], "skin_contact": [1, 0], "contact_impedance": [3, 0]},
    ),
    (
        "PMD_DATA",
        "00000000000000000002010097",
        {"type": 0, "ts": 0, "frame_type": 2, "compressed": False, "uV": [196609], "ecg_tag": [5], "pace_tag": [4]},
    ),
    (
        "PMD_DATA",
        "00000000000000000003ffffff01000007",
        {"type": 0, "ts": 0, "frame_type": 3, "compressed": False, "ecg": [[-1, 1]], "status": [7]},
    ),
    (
        "PMD_DATA",
        "01000000000000000004000102030405060708090a0bf901f901f901f901f901f901f901f901f901f901f901f901",
        {"type": 1, "ts": 0, "frame_type": 4, "compressed": False}
        | {"num_int": [list(range(12))], "gain_1": [[1] * 12], "gain_2": [[1] * 12]},
    ),
    (
        "PMD_DATA",
        "01000000000000000009060606060606060606060606070007000700070007000700070007000700070007000700",
        {"type": 1, "ts": 0, "frame_type": 9, "compressed": False}
        | {"num_int": [[6] * 12], "gain_1": [[7] * 12], "gain_2": [[0] * 12]},
    ),
    (
        "PMD_DATA",
        "0100000000000000000e0502fb",
        {"type": 1, "ts": 0, "frame_type": 14, "compressed": False}
        | {"num_int": [[5]], "gain_1": [[2]], "gain_2": [[3]]},
    ),
    (
        "PMD_DATA",
        "0100000000000000000501020304",
        {"type": 1, "ts": 0, "frame_type": 5, "compressed": False, "operation_mode": [0x04030201]},
    ),
    (
        "PMD_DATA",
        "010000000000000000060100000000000080",
        {"type": 1, "ts": 0, "frame_type": 6, "compressed": False, "sport_id": [2**63 + 1]},
    ),
    (
        "PMD_DATA",
        "0100000000000000008d010000ffffffffffff020115",
        {"type": 1, "ts": 0, "frame_type": 13, "compressed": True}
        | {"ppg": [[1, -1], [2, 0]], "status": [0xFFFFFF, 0]},
    ),
    (
        "PMD_DATA",
        "01000000000000000087010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000020000",
        {"type": 1, "ts": 0, "frame_type": 7, "compressed": True, "ppg": [[1] * 16], "status": [2]},
    ),
    (
        "PMD_DATA",
        "01000000000000000088010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000020000",
        {"type": 1, "ts": 0, "frame_type": 8, "compressed": True, "ppg": [[1] * 24], "status": [2]},
    ),
    (
        "PMD_DATA",
        "0100000000000000008a010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000010000020000",
        {"type": 1, "ts": 0, "frame_type": 10, "compressed": True, "ppg": [[1] * 20], "status": [2]},
    ),
    (
        "PMD_DATA",
        "0a0000000000000000000000000000404e400000000000403940e807021dfab47207d204000000002841000000000000c07f0000803f9f8c1c0201ff02",
        {"type": 10, "ts": 0, "frame_type": 0, "compressed": False}
        | {
            "location": [
                {"latitude": 60.5, "longitude": 25.25, "time": "2024-02-29T13:37:59.250", "distance_m": 123.4}
                | {"speed_km_h": 10.5, "acceleration_speed": 0.0, "coordinate_speed": None, "speed_factor": 1.0}
                | {"course_deg": 359.99, "speed_kn": 5.4, "fix": True, "speed_flag": -1, "fusion_state": 2}
            ]
        },
    ),
    (
        "PMD_DATA",
        "0a0000000000000000019600f4ff0900",
        {"type": 10, "ts": 0, "frame_type": 1, "compressed": False}
        | {"location": [{"dilution": 1.5, "altitude_m": -12, "satellites": 9, "fix": False}]},
    ),
    (
        "PMD_DATA",
        "0a000000000000000003e8030000060001244750474741",
        {"type": 10, "ts": 0, "frame_type": 3, "compressed": False}
        | {"location": [{"period": 1000, "status": 1, "nmea": "$GPGGA"}]},
    ),
    (
        "PMD_DATA",
        "0a000000000000000003e8030000070001244750474741",
        {"error": True},
    ),
    (
        "PMD_DATA",
        "0e0000000000000000003c3d",
        {"type": 14, "ts": 0, "frame_type": 0, "compressed": False, "hr": [60, 61]},
    ),
    (
        "PMD_DATA",
        "0e0000000000000000013c013d",
        {"type": 14, "ts": 0, "frame_type": 1, "compressed": False}
        | {"hr": [60], "ppg_quality": [1], "corrected_hr": [61]},
    ),
    (
        "PMD_DATA",
        "0e0000000000000000013c01",
        {"error": True},
    ),
    (
        "O2RING_0x17",
        "614800000000005a00030c0100",
        {"spo2": 97, "pr": 72, "battery": 90, "charging": 0, "movement": 3, "pi": 12, "worn": True},
    ),
    (
        "O2RING_RT",
        "614800550006010000000200" + "0a9c",
        {"spo2": 97, "pr": 72, "battery": 85, "charge": 0, "pi": 6, "worn": True, "wave": [10, 156]},
    ),
    ("O2RING_RT", "614800550006010000000300" + "0a9c", {"error": True}),
    ("O2RING_REQ", "aa17e8000000001c", {"error": True}),
    ("O2RING_REQ", "aa17e9000000001b", {"error": True}),
    ("OXYII_REQ", "a5e11e00020000be", {"error": True}),
    ("OXYII_REQ", "aa17e8000000001b", {"error": True}),
    ("MOVESENSE", "0164c800", {"ref": 100, "status": 200}),
    ("MOVESENSE", "0264e8030000" + "ffffffff" * 16, {"ref": 100, "ms": 1000, "samples": [-1] * 16}),
    ("MOVESENSE", "0264e8030000" + "ffffffff" * 15, {"error": True}),
    ("BERRYMED", "8540054861", {"spo2": 97, "pr": 72, "pleth": 64, "no_finger": False}),
    ("BERRYMED", "8540450a61", {"spo2": 97, "pr": 138, "pleth": 64, "no_finger": False}),
    ("BERRYMED", "8000507f7f", {"spo2": None, "pr": None, "pleth": 0, "no_finger": True}),
    ("BERRYMED", "0540054861", {"error": True}),
    ("JUMPER", "8148610c", {"spo2": 97, "pr": 72, "pi": 1.2}),
    ("JUMPER", "81ff7f00", {"spo2": None, "pr": None, "pi": 0.0}),
    ("JUMPER", "814861", {"error": True}),
    (
        "NONIN",
        "0a411e01f400076100480000",
        {"status": 65, "battery_v": 3.0, "pai": 5.0, "counter": 7, "spo2": 97, "pr": 72},
    ),
    (
        "NONIN",
        "0a411e000000077f01ff",
        {"status": 65, "battery_v": 3.0, "pai": 0.0, "counter": 7, "spo2": None, "pr": None},
    ),
    ("NONIN", "0a411e000000077f01", {"error": True}),
)


def told(name: str, payload: bytes, channels: int = 3, resolution: int = 16) -> Any:
    try:
        return BY_NAME[name](payload, Unsaid(channels, resolution))
    except DecodeError:
        return {"error": True}


def shared_vectors() -> list[dict[str, Any]]:
    text = shared_data("vectors", "gatt_vectors.json").read_text()
    return [v for v in json.loads(text)["vectors"] if v["characteristic"] in IN_VECTORS]


def test_every_shared_vector_reads_as_expected_and_nothing_more() -> None:
    found = shared_vectors()
    assert {v["characteristic"] for v in found} == set(IN_VECTORS)
    for v in found:
        have = told(v["characteristic"], bytes.fromhex(v["hex"]), v.get("channels", 3), v.get("resolution", 16))
        assert have == v["expected"], v["hex"]
        assert json.dumps(have, sort_keys=True) == json.dumps(v["expected"], sort_keys=True), v["hex"]


def test_shared_vectors_cut_at_every_byte_read_or_are_refused() -> None:
    for v in shared_vectors():
        payload = bytes.fromhex(v["hex"])
        for length in range(len(payload)):
            told(v["characteristic"], payload[:length])


@pytest.mark.parametrize(("name", "digits", "expected"), OWN, ids=[f"{name}-{digits[:24]}" for name, digits, _ in OWN])
def test_own_vector_reads_as_its_layout_says(name: str, digits: str, expected: object) -> None:
    have = told(name, bytes.fromhex(digits))
    assert have == expected
    assert json.dumps(have, sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_the_factor_that_was_told_is_what_a_count_of_a_compressed_frame_is_worth() -> None:
    def at_a_quarter(digits: str) -> Any:
        return BY_NAME["PMD_DATA"](bytes.fromhex(digits), Unsaid(factor=0.25))

    head = "00" * 8
    assert at_a_quarter(f"02{head}80010002000300")["mG_head"] == [[250, 500, 750]]
    assert at_a_quarter(f"02{head}81010002000300")["mG_head"] == [[0.25, 0.5, 0.75]]
    assert at_a_quarter(f"02{head}01010002000300")["mG_head"] == [[1, 2, 3]]
    assert at_a_quarter(f"05{head}80010002000300")["dps_head"] == [[0.25, 0.5, 0.75]]
    assert at_a_quarter(f"05{head}810000803f0000803f0000803f")["dps_head"] == [[0.25, 0.25, 0.25]]
    assert at_a_quarter(f"06{head}80010002000300")["gauss_head"] == [[0.25, 0.5, 0.75]]
    assert at_a_quarter(f"0b{head}800000803f")["bar"] == [0.25]
    assert at_a_quarter(f"01{head}8d010000020000030000") | {"ts": 0} == {
        "type": 1,
        "ts": 0,
        "frame_type": 13,
        "compressed": True,
        "ppg": [[0.25, 0.5]],
        "status": [3],
    }


@every_name
@given(
    payload=st.binary(max_size=300), channels=st.integers(-1, 300), resolution=st.integers(-1, 70)
)  # what the command line lets through, and more
def test_any_bytes_read_or_are_refused_and_json_can_say_them(
    name: str, payload: bytes, channels: int, resolution: int
) -> None:
    with contextlib.suppress(DecodeError):
        json.dumps(BY_NAME[name](payload, Unsaid(channels, resolution)), allow_nan=False)


def test_names_are_unique_and_every_vendor_profile_has_one() -> None:
    assert len(BY_NAME) == len(VENDOR_DECODERS)
    assert set(VENDOR_ALIASES.values()) <= set(BY_NAME)
    vendors = {p.characteristic for p in PROFILES if not p.characteristic.endswith("-0000-1000-8000-00805f9b34fb")}
    assert vendors <= set(VENDOR_ALIASES)


def test_the_page_of_vendors_lists_every_characteristic_and_name() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "sensors-vendor.md").read_text()
    vendors = [p.characteristic for p in PROFILES if not p.characteristic.endswith("-0000-1000-8000-00805f9b34fb")]
    assert len(vendors) == len(set(vendors)) >= 8
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for uuid in vendors:
        first, second = uuid.upper().split("-")[:2]
        assert any(first in row and (first != "49535343" or second in row) for row in rows), uuid
    assert [name for name in BY_NAME if f"`{name}`" not in page] == []
    # each with the source of its layout
    assert rows[0].endswith("| source of the layout |")
    assert all(row.count("|") == 7 and row.split("|")[6].strip() for row in rows[: 2 + 7])
