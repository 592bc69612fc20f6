from __future__ import annotations

import itertools

import pytest

from sensors.errors import DecodeError
from sensors.profile import Absent, Intervals, Point
from sensors.profiles.heart_rate import HeartRateMeasurement, HeartRateProfile
from sensors.samples import GapReason

PROFILE = HeartRateProfile()


def test_every_combination_of_flags_is_read() -> None:
    for wide, contact, energy, rr in itertools.product((0, 1), range(4), (0, 1), (0, 1)):
        flags = wide | contact << 1 | energy << 3 | rr << 4
        payload = bytes([flags]) + (b"\x40\x00" if wide else b"\x40")
        payload += b"\x05\x01" if energy else b""
        payload += b"\x00\x04\x00\x04" if rr else b""
        value = PROFILE.decode(payload)
        assert value.hr_bpm == 64
        assert value.contact is (None, None, False, True)[contact]
        assert value.energy_kj == (0x105 if energy else None)
        assert value.rr_1024 == ((1024, 1024) if rr else ())  # equal intervals are real


def test_a_trailing_byte_is_refused() -> None:
    with pytest.raises(DecodeError, match="3 bytes of intervals, expected a multiple of 2"):
        PROFILE.decode(bytes.fromhex("1040000400"))
    with pytest.raises(DecodeError, match="0 bytes of intervals, expected a multiple of 2, at least 2"):
        PROFILE.decode(bytes.fromhex("1040"))
    with pytest.raises(DecodeError, match="3 bytes, expected 2"):
        PROFILE.decode(bytes.fromhex("004000"))


def test_many_intervals_at_a_large_mtu() -> None:
    value = HeartRateMeasurement(60, None, None, tuple(range(1000, 1120)))
    assert PROFILE.decode(PROFILE.encode(value)) == value


def test_milliseconds_are_exact() -> None:
    (_, intervals) = PROFILE.observe(HeartRateMeasurement(60, True, None, (1024, 1, 0xFFFF)))
    assert intervals == Intervals("rr", (1000.0, 0.9765625, 63999.0234375))


def test_off_body_says_nothing_about_the_heart() -> None:
    assert PROFILE.observe(HeartRateMeasurement(70, False, None, (900,))) == (Absent(None, GapReason.OFF_BODY),)


def test_a_rate_of_zero_is_no_rate() -> None:
    seen = PROFILE.observe(HeartRateMeasurement(0, True))
    assert Absent("hr", GapReason.MISSING) in seen
    assert not any(isinstance(s, Point) for s in seen)
