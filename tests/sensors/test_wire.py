from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.errors import DecodeError
from sensors.profile import full_uuid, short_uuid
from sensors.wire import Cursor, Writer
from tests.data import shared_data

FIELDS = ["u8", "u16", "u24", "u32", "u64", "s8", "s16", "s24", "s32"]


@pytest.mark.parametrize("name", FIELDS)
@given(data=st.data())
def test_every_integer_that_fits_comes_back(name: str, data: st.DataObject) -> None:
    bits = int(name[1:])
    low, high = (0, 2**bits - 1) if name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    value = data.draw(st.integers(low, high))
    payload = getattr(Writer(), name)(value).getvalue()
    assert len(payload) == bits // 8
    cursor = Cursor(payload)
    assert getattr(cursor, name)() == value
    cursor.done()
    for wrong in (low - 1, high + 1):
        with pytest.raises(ValueError, match="outside"):
            getattr(Writer(), name)(wrong)


def test_errors_state_both_sides() -> None:
    with pytest.raises(DecodeError, match=r"^3 bytes, expected 4$"):
        Cursor(bytes(3)).u32()
    cursor = Cursor(bytes(20))
    cursor.take(19)
    with pytest.raises(DecodeError, match=r"^20 bytes, expected 19$"):
        cursor.done()


def test_rest_may_be_empty_and_reading_stops_at_the_end() -> None:
    cursor = Cursor(b"\x01\x02\x03")
    assert (cursor.u8(), cursor.rest(), cursor.rest(), cursor.left) == (1, b"\x02\x03", b"", 0)


@given(st.integers(-2045, 2045), st.integers(-8, 7))
def test_every_sfloat_comes_back(mantissa: int, exponent: int) -> None:
    value = float(f"{mantissa}e{exponent}")
    assert Cursor(Writer().sfloat(value).getvalue()).sfloat() == value


@given(st.integers(-(2**23) + 3, 2**23 - 3), st.integers(-100, 100))
def test_every_float_comes_back(mantissa: int, exponent: int) -> None:
    value = float(f"{mantissa}e{exponent}")
    assert Cursor(Writer().float32(value).getvalue()).float32() == value


def test_reserved_floats_are_absent() -> None:
    assert [Cursor(Writer().u16(raw).getvalue()).sfloat() for raw in range(0x7FE, 0x803)] == [None] * 5
    assert [Cursor(Writer().u32(raw).getvalue()).float32() for raw in range(0x7FFFFE, 0x800003)] == [None] * 5
    assert Cursor(Writer().sfloat(None).getvalue()).sfloat() is None
    assert Cursor(Writer().f32(None).getvalue()).f32() is None


def test_shared_float_vectors_read_as_expected() -> None:
    vectors = json.loads(shared_data("vectors", "gatt_vectors.json").read_text())["vectors"]
    seen = 0
    for vector in vectors:
        if vector["characteristic"] not in ("SFLOAT", "FLOAT"):
            continue
        seen += 1
        cursor = Cursor(bytes.fromhex(vector["hex"]))
        have = cursor.sfloat() if vector["characteristic"] == "SFLOAT" else cursor.float32()
        assert have == vector["expected"]["value"], vector
    assert seen


def test_short_uuids_have_one_full_form() -> None:
    full = "00002a37-0000-1000-8000-00805f9b34fb"
    assert {full_uuid(text) for text in ("2A37", "2a37", "0x2A37", "00002a37", full.upper())} == {full}
    assert short_uuid(full) == "2a37"
    vendor = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
    assert short_uuid(full_uuid(vendor.upper())) == vendor


@given(st.text())
def test_any_text_is_a_uuid_or_refused(text: str) -> None:
    with contextlib.suppress(DecodeError):
        assert len(full_uuid(text)) == 36
