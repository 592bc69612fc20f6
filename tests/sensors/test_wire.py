from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.errors import DecodeError
from sensors.profile import full_uuid, short_uuid
from sensors.wire import Cursor, NoNumber, Writer
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


def test_every_sfloat_comes_back() -> None:
    for raw in range(0x10000):
        value = Cursor(Writer().u16(raw).getvalue()).sfloat()
        canonical = Writer().sfloat(value).getvalue()
        assert Cursor(canonical).sfloat() == value, hex(raw)
        assert isinstance(value, NoNumber) or math.isfinite(value)


@given(st.integers(0, 2**32 - 1) | st.integers(0x7FFFF0, 0x80000F) | st.integers(0x017FFFF0, 0x0180000F))
def test_every_float_comes_back(raw: int) -> None:
    value = Cursor(Writer().u32(raw).getvalue()).float32()
    assert Cursor(Writer().float32(value).getvalue()).float32() == value


def test_decimal_floats_are_exact() -> None:
    assert Cursor(bytes.fromhex("57f0")).sfloat() == 8.7
    assert Writer().sfloat(8.7).getvalue().hex() == "57f0"
    assert Writer().float32(36.97).getvalue().hex() == "710e00fe"


def test_reserved_floats_say_why_there_is_no_number() -> None:
    reasons = [NoNumber.PLUS_INF, NoNumber.NAN, NoNumber.NRES, NoNumber.RESERVED, NoNumber.MINUS_INF]
    for reason, short, long in zip(reasons, range(0x7FE, 0x803), range(0x7FFFFE, 0x800003), strict=True):
        assert Cursor(Writer().u16(short).getvalue()).sfloat() is reason
        assert Cursor(Writer().u32(long).getvalue()).float32() is reason
        assert Writer().sfloat(reason).getvalue() == Writer().u16(short).getvalue()
        assert Writer().float32(reason).getvalue() == Writer().u32(long).getvalue()
    assert Cursor(Writer().f32(None).getvalue()).f32() is None


def test_the_reserved_patterns_are_none_with_another_exponent() -> None:
    assert Cursor(Writer().u16(0x17FE).getvalue()).sfloat() == 20460.0
    assert Cursor(Writer().u16(0xF7FF).getvalue()).sfloat() == 204.7
    assert Cursor(Writer().u32(0x7FFFFFFF).getvalue()).float32() == -1e127


@pytest.mark.parametrize("value", [2046.0, 2047.0, 1e12, 1e-9, 0.12345, math.nan, math.inf])
def test_what_no_sfloat_can_say_is_our_error(value: float) -> None:
    with pytest.raises(ValueError, match="number that"):
        Writer().sfloat(value)


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
