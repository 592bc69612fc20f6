"""`vitalkeep decode` of vendor protocols: every shared vector, to the last field, and whatever else may come."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.errors import DecodeError
from sensors.registry import PROFILES
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
        {"type": 2, "ts": 0, "frame_type": 0, "compressed": True, "n": 2, "counts_head": [[1, 2, 3], [0, 2, 2]]},
    ),
    (
        "PMD_DATA",
        "05" + "00" * 8 + "80" + "0100fdff0300",
        {"type": 5, "ts": 0, "frame_type": 0, "compressed": True, "n": 1, "counts_head": [[1, -3, 3]]},
    ),
    (
        "PMD_DATA",
        "05" + "00" * 8 + "81" + "0000803f" * 3,
        {"type": 5, "ts": 0, "frame_type": 1, "compressed": True, "dps": [[1.0, 1.0, 1.0]]},
    ),
    (
        "PMD_DATA",
        "06" + "00" * 8 + "81" + "0100020003000200",
        {"type": 6, "ts": 0, "frame_type": 1, "compressed": True, "n": 1, "counts_head": [[1, 2, 3, 2]]},
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
        return BY_NAME[name](payload, channels, resolution)
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


@every_name
@given(
    payload=st.binary(max_size=300), channels=st.integers(-1, 300), resolution=st.integers(-1, 70)
)  # what the command line lets through, and more
def test_any_bytes_read_or_are_refused_and_json_can_say_them(
    name: str, payload: bytes, channels: int, resolution: int
) -> None:
    with contextlib.suppress(DecodeError):
        json.dumps(BY_NAME[name](payload, channels, resolution), allow_nan=False)


def test_names_are_unique_and_every_vendor_profile_has_one() -> None:
    assert len(BY_NAME) == len(VENDOR_DECODERS)
    assert set(VENDOR_ALIASES.values()) <= set(BY_NAME)
    vendors = {p.characteristic for p in PROFILES if not p.characteristic.endswith("-0000-1000-8000-00805f9b34fb")}
    assert vendors <= set(VENDOR_ALIASES)
