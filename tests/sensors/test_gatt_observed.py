"""What the standard profiles say about the wearer, and when they say nothing."""

from __future__ import annotations

import pytest

from sensors.link import Device, LinkDown, LinkUp, Notification
from sensors.profile import Absent, Intervals, Observation, Point, full_uuid
from sensors.profiles.blood_pressure import BloodPressure, BloodPressureProfile
from sensors.profiles.cgm import CgmProfile, CgmRecord, crc16_mcrf4xx
from sensors.profiles.plx import Condition, Pair
from sensors.profiles.plx_continuous import PlxContinuous, PlxContinuousProfile
from sensors.profiles.plx_spot_check import PlxSpotCheck, PlxSpotCheckProfile
from sensors.profiles.temperature import Temperature, TemperatureProfile
from sensors.reader import Reader
from sensors.registry import PROFILES
from sensors.samples import Gap, GapReason, Item, Quantity, Reading
from sensors.wire import NoNumber
from tests.laws.gatt_values import OWN_VECTORS

S = 10**9
T = 1_760_000_000 * S
PLX, SPOT, CGM = PlxContinuousProfile(), PlxSpotCheckProfile(), CgmProfile()
PRESSURE, TEMPERATURE = BloodPressureProfile(), TemperatureProfile()


def plx(spo2: float | NoNumber = 97.0, pr: float | NoNumber = 72.0, **condition: float | None) -> PlxContinuous:
    return PlxContinuous(Pair(spo2, pr), condition=Condition(**condition))  # type: ignore[arg-type]


def reasons(seen: tuple[Observation, ...]) -> dict[str | None, GapReason]:
    """By channel; fails where anything but an Absent was seen."""
    assert all(isinstance(one, Absent) for one in seen), seen
    return {one.channel: one.reason for one in seen if isinstance(one, Absent)}


def played(profile: PlxContinuousProfile | PlxSpotCheckProfile | CgmProfile, *sent: tuple[float, bytes]) -> list[Item]:
    reader = Reader(Device("Scripted"))
    return [
        item
        for t_s, payload in sent
        for item in reader.push(Notification(T + round(t_s * S), profile.characteristic, payload))
    ]


def test_an_oximeter_gives_saturation_pulse_rate_and_perfusion() -> None:
    assert PLX.observe(plx(pai_pct=8.7)) == (
        Point(Quantity.SPO2, "spo2", 97.0),
        Point(Quantity.PULSE_RATE, "pulse_rate", 72.0),
        Point(Quantity.PERFUSION, "perfusion", 8.7),
    )
    assert len(PLX.observe(plx())) == 2  # what is not measured is not missed


@pytest.mark.parametrize(
    ("bit", "reason"),
    [
        (1, GapReason.SENSOR_FAULT),
        (2, GapReason.POOR_SIGNAL),
        (3, GapReason.POOR_SIGNAL),
        (4, GapReason.POOR_SIGNAL),
        (5, GapReason.LOW_PERFUSION),
        (6, GapReason.POOR_SIGNAL),
        (7, GapReason.POOR_SIGNAL),
        (8, GapReason.POOR_SIGNAL),
        (10, GapReason.POOR_SIGNAL),
        (11, GapReason.OFF_BODY),
        (13, GapReason.OFF_BODY),
        (14, GapReason.SENSOR_FAULT),
        (15, GapReason.OFF_BODY),
    ],
)
def test_a_number_that_the_oximeter_does_not_trust_is_none(bit: int, reason: GapReason) -> None:
    seen = PLX.observe(plx(device_status=1 << bit, pai_pct=0.2))
    assert reasons(seen) == dict.fromkeys(PLX.channels, reason)


@pytest.mark.parametrize("bit", [0, 9, 12])
def test_a_display_that_is_being_updated_is_no_reason(bit: int) -> None:
    assert PLX.observe(plx(device_status=1 << bit)) == PLX.observe(plx())


@pytest.mark.parametrize(
    ("bit", "reason"),
    [
        (9, GapReason.MISSING),
        (10, GapReason.MISSING),
        (11, GapReason.MISSING),
        (12, GapReason.MISSING),
        (13, GapReason.MISSING),
        (14, GapReason.POOR_SIGNAL),
        (15, GapReason.MISSING),
    ],
)
def test_what_is_no_measurement_of_now_is_none(bit: int, reason: GapReason) -> None:
    assert reasons(PLX.observe(plx(status=1 << bit))) == {"spo2": reason, "pulse_rate": reason}


@pytest.mark.parametrize("bit", [5, 6, 7, 8])
def test_a_measurement_that_goes_on_is_one(bit: int) -> None:
    assert PLX.observe(plx(status=1 << bit)) == PLX.observe(plx())


def test_the_worst_reason_is_told() -> None:
    assert set(reasons(PLX.observe(plx(device_status=1 << 11 | 1 << 4 | 1 << 5, status=1 << 15))).values()) == {
        GapReason.OFF_BODY
    }


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (NoNumber.NAN, GapReason.MISSING),
        (NoNumber.NRES, GapReason.MISSING),
        (NoNumber.RESERVED, GapReason.MISSING),
        (NoNumber.PLUS_INF, GapReason.OUT_OF_RANGE),
        (NoNumber.MINUS_INF, GapReason.OUT_OF_RANGE),
        (0.0, GapReason.MISSING),
        (101.0, GapReason.OUT_OF_RANGE),
        (127.0, GapReason.OUT_OF_RANGE),
        (9.8e-7, GapReason.OUT_OF_RANGE),
        (-3.0, GapReason.OUT_OF_RANGE),
    ],
)
def test_a_saturation_that_is_none_is_absent_alone(value: float | NoNumber, reason: GapReason) -> None:
    spo2, pulse = PLX.observe(plx(value))
    assert spo2 == Absent("spo2", reason)
    assert pulse == Point(Quantity.PULSE_RATE, "pulse_rate", 72.0)


def test_the_gap_of_an_oximeter_reaches_back_to_its_last_word_and_no_further() -> None:
    good, off = PLX.encode(plx()), PLX.encode(plx(device_status=1 << 11))
    items = played(PLX, (0, good), (1, off), (2, off), (3, good))
    assert [item for item in items if isinstance(item, Gap)] == [
        Gap(channel, T + s * S, T + (s + 1) * S, GapReason.OFF_BODY)
        for s in (0, 1)
        for channel in ("spo2", "pulse_rate")
    ]
    assert [item.t_ns - T for item in items if isinstance(item, Reading) and item.channel == "spo2"] == [0, 3 * S]


def test_an_oximeter_that_pauses_is_silent() -> None:
    items = played(PLX, (0, PLX.encode(plx())), (30, PLX.encode(plx())))
    assert {item.reason for item in items if isinstance(item, Gap)} == {GapReason.SILENT}


def test_a_spot_check_that_fails_takes_nothing_back() -> None:
    def spot(**condition: int) -> bytes:
        return SPOT.encode(PlxSpotCheck(Pair(97.0, 72.0), None, Condition(**condition)))

    items = played(SPOT, (0, spot()), (36_000, spot(device_status=1 << 4)))
    at_ns = T + 36_000 * S
    assert [item for item in items if isinstance(item, Gap)] == [
        Gap(channel, at_ns, at_ns, GapReason.POOR_SIGNAL) for channel in ("spo2_spot", "pulse_rate_spot")
    ]


def test_temperature_is_told_in_celsius() -> None:
    assert TEMPERATURE.observe(Temperature(36.97)) == (Point(Quantity.TEMPERATURE, "temperature", 36.97),)
    (seen,) = TEMPERATURE.observe(Temperature(98.6, fahrenheit=True))
    assert isinstance(seen, Point) and seen.value == pytest.approx(37.0)
    for value, reason in ((NoNumber.NAN, GapReason.MISSING), (-1e127, GapReason.OUT_OF_RANGE)):
        for fahrenheit in (False, True):
            assert TEMPERATURE.observe(Temperature(value, fahrenheit)) == (Absent("temperature", reason, spot=True),)
    (freezing,) = TEMPERATURE.observe(Temperature(0.0))
    assert isinstance(freezing, Point)


def test_pressure_is_told_in_millimetres_of_mercury() -> None:
    seen = PRESSURE.observe(BloodPressure(16.0, 10.7, 12.4, kpa=True, pulse_bpm=60.0))
    assert all(isinstance(one, Point) for one in seen)
    assert [round(one.value, 1) for one in seen if isinstance(one, Point)] == [120.0, 80.3, 93.0, 60.0]
    assert [one.quantity for one in seen if isinstance(one, Point)] == [
        Quantity.SYSTOLIC,
        Quantity.DIASTOLIC,
        Quantity.MEAN_PRESSURE,
        Quantity.PULSE_RATE,
    ]


@pytest.mark.parametrize("bit", [0, 1, 5])
def test_a_cuff_that_moved_or_sat_loose_measured_nothing(bit: int) -> None:
    seen = PRESSURE.observe(BloodPressure(120.0, 80.0, 93.0, pulse_bpm=60.0, status=1 << bit))
    assert reasons(seen) == dict.fromkeys(PRESSURE.channels, GapReason.POOR_SIGNAL)


@pytest.mark.parametrize("status", [1 << 3, 2 << 3])
def test_a_pulse_outside_its_range_is_none(status: int) -> None:
    *pressures, pulse = PRESSURE.observe(BloodPressure(120.0, 80.0, 93.0, pulse_bpm=30.0, status=status))
    assert all(isinstance(one, Point) for one in pressures)
    assert pulse == Absent("pulse_rate_cuff", GapReason.OUT_OF_RANGE, spot=True)


def test_an_irregular_pulse_is_a_finding_and_no_fault() -> None:
    assert all(isinstance(one, Point) for one in PRESSURE.observe(BloodPressure(120.0, 80.0, 93.0, status=1 << 2)))


def test_records_of_one_notification_lie_as_far_apart_as_they_were_measured() -> None:
    payload = CGM.encode((CgmRecord(118.0, 16), CgmRecord(120.0, 6), CgmRecord(119.0, 11)))
    found = [(item.t_ns - T, item.value) for item in played(CGM, (0, payload)) if isinstance(item, Reading)]
    assert found == [(-600 * S, 120.0), (-300 * S, 119.0), (0, 118.0)]


def test_records_that_come_late_never_go_back_in_time() -> None:
    late = CGM.encode((CgmRecord(120.0, 6), CgmRecord(119.0, 11)))
    items = played(CGM, (0, CGM.encode((CgmRecord(121.0, 1),))), (5, late))
    assert [item.t_ns - T for item in items if isinstance(item, Reading)] == [0, 0, 5 * S]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        *((CgmRecord(120.0, 6, status=1 << bit), GapReason.SENSOR_FAULT) for bit in (0, 2, 3, 5)),
        *((CgmRecord(120.0, 6, calibration=1 << bit), GapReason.SENSOR_FAULT) for bit in (4, 5)),
        *((CgmRecord(120.0, 6, warning=1 << bit), GapReason.OUT_OF_RANGE) for bit in (6, 7)),
        (CgmRecord(NoNumber.NAN, 6), GapReason.MISSING),
        (CgmRecord(NoNumber.PLUS_INF, 6), GapReason.OUT_OF_RANGE),
    ],
)
def test_a_glucose_sensor_that_cannot_measure_gives_no_number(record: CgmRecord, reason: GapReason) -> None:
    assert CGM.observe((record,)) == (Absent("glucose", reason),)


def test_warnings_about_the_wearer_hide_no_number() -> None:
    record = CgmRecord(45.0, 6, status=1 << 1, calibration=0x0F, warning=0x3F)
    assert CGM.observe((record,)) == (Point(Quantity.GLUCOSE, "glucose", 45.0),)


def test_the_crc_is_the_one_that_the_catalogue_calls_mcrf4xx() -> None:
    assert crc16_mcrf4xx(b"123456789") == 0x6F91


@pytest.mark.parametrize("profile", [p for p in PROFILES if p.name in OWN_VECTORS], ids=lambda profile: profile.name)
def test_whatever_is_observed_is_of_a_channel_that_the_profile_names(
    profile: PlxContinuousProfile,
) -> None:
    for payload, expected in OWN_VECTORS[profile.name]:
        if expected == {"error": True}:
            continue
        value = profile.decode(bytes.fromhex(payload))
        assert {one.channel for one in profile.observe(value)} <= set(profile.channels)
        if profile.channels:
            assert not any(ch.isdigit() for ch in repr(value)), "a repr that shows a value"


def test_a_gap_of_the_link_stays_the_reason_of_what_was_lost_with_it() -> None:
    reader = Reader(Device("Scripted"))
    good = Notification(T, full_uuid("2a5f"), PLX.encode(plx()))
    later = Notification(T + 61 * S, full_uuid("2a5f"), PLX.encode(plx(device_status=1 << 11)))
    items = [
        item for event in (good, LinkDown(T + S, "lost"), LinkUp(T + 60 * S), later) for item in reader.push(event)
    ]
    assert [(gap.reason, gap.start_ns - T) for gap in items if isinstance(gap, Gap)] == [
        (GapReason.LINK_LOST, S),
        (GapReason.OFF_BODY, 60 * S),
        (GapReason.OFF_BODY, 60 * S),
    ]
    assert not any(isinstance(seen, Intervals) for seen in PLX.observe(plx()))
