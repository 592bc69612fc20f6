"""What the oximeters say becomes readings; what they say instead of a number never does."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from sensors.link import Device, Event, LinkDown, LinkUp, Notification
from sensors.profile import Absent, AnyProfile, Observation, Point
from sensors.profiles.berrymed import BerryMedProfile
from sensors.profiles.jumper import JumperProfile
from sensors.profiles.nonin import NoninProfile
from sensors.profiles.o2ring import LIVE, LIVE_WITH_WAVE, LiveValues, LiveWave, O2RingProfile, Reply, Request
from sensors.profiles.pc60_oxysmart import Pc60Frame, Pc60Profile
from sensors.reader import Reader
from sensors.samples import Gap, GapReason, Item, Quantity, Reading

S = 10**9
T = 1_760_000_000 * S

PC60, O2RING, BERRYMED, JUMPER, NONIN = (
    Pc60Profile(),
    O2RingProfile(),
    BerryMedProfile(),
    JumperProfile(),
    NoninProfile(),
)


def pc60(spo2: int, pulse: int, pi: int) -> bytes:
    return PC60.encode(Pc60Frame(0x0F, 1, bytes([spo2]) + pulse.to_bytes(2, "little") + bytes([pi, 0, 0xC0])))


def ring(data: bytes, status: int = 0) -> bytes:
    return O2RING.encode(Reply(status, 0, data))


def live(spo2: int, pulse: int, charging: int = 0, worn: int = 1) -> bytes:
    return ring(LiveValues(spo2, pulse, 80, charging, 0, 6, worn, rest=b"\x00").encode())


def wave(spo2: int, pulse: int, charging: int = 0, worn: int = 1) -> bytes:
    return ring(LiveWave(spo2, pulse, 80, charging, 6, worn, b"\x40" * 30).encode())


def observed(profile: AnyProfile, payload: bytes) -> Said:
    def said(observation: Observation) -> float | GapReason:
        assert isinstance(observation, Point | Absent)
        return observation.value if isinstance(observation, Point) else observation.reason

    return {getattr(o, "channel", None): said(o) for o in profile.observe(profile.decode(payload))}


Said = dict[str | None, float | GapReason]

MISSING, OFF = GapReason.MISSING, GapReason.OFF_BODY
BATTERY: Said = {"battery": 80.0}
SAID: tuple[tuple[AnyProfile, bytes, Said], ...] = (
    (PC60, pc60(98, 57, 68), {"spo2": 98.0, "pulse_rate": 57.0, "perfusion": 6.8}),
    (PC60, pc60(0, 0, 0), {None: OFF}),
    (PC60, pc60(127, 255, 0), {None: MISSING}),
    (PC60, pc60(98, 0, 12), {"spo2": 98.0, "pulse_rate": MISSING, "perfusion": 1.2}),
    (PC60, pc60(0, 70, 0), {"spo2": MISSING, "pulse_rate": 70.0, "perfusion": MISSING}),
    (PC60, bytes.fromhex("aa55f0030303f6"), {}),
    (O2RING, live(97, 72), {"spo2": 97.0, "pulse_rate": 72.0, **BATTERY}),
    (O2RING, live(0, 0), {None: MISSING, **BATTERY}),  # calibrating
    (O2RING, live(97, 72, charging=1), {None: OFF, **BATTERY}),
    (O2RING, live(97, 72, worn=0), {None: OFF, **BATTERY}),
    (O2RING, live(255, 255), {None: MISSING, **BATTERY}),
    (O2RING, wave(97, 300), {"spo2": 97.0, "pulse_rate": 300.0, **BATTERY}),
    (O2RING, wave(97, 65535), {"spo2": 97.0, "pulse_rate": MISSING, **BATTERY}),
    (O2RING, wave(97, 72, worn=0), {None: OFF, **BATTERY}),
    (O2RING, wave(97, 72, charging=2), {None: OFF, **BATTERY}),
    (O2RING, ring(b"{}"), {}),
    (O2RING, ring(LiveValues(97, 72, 80, 0, 0, 6, 1).encode(), status=1), {}),
    (BERRYMED, bytes.fromhex("8540450a61"), {"spo2": 97.0, "pulse_rate": 138.0}),
    (BERRYMED, bytes.fromhex("8540147f61"), {None: OFF}),
    (BERRYMED, bytes.fromhex("8540447f7f"), {None: MISSING}),
    (BERRYMED, bytes.fromhex("854004487f"), {"spo2": MISSING, "pulse_rate": 72.0}),
    (JUMPER, bytes.fromhex("8148610c"), {"spo2": 97.0, "pulse_rate": 72.0, "perfusion": 1.2}),
    (JUMPER, bytes.fromhex("81ff7f00"), {None: OFF}),
    (JUMPER, bytes.fromhex("81ff6100"), {"spo2": 97.0, "pulse_rate": MISSING, "perfusion": MISSING}),
    (JUMPER, bytes.fromhex("800102030405060708090a"), {}),
    (NONIN, bytes.fromhex("0a411e01f40007610048"), {"spo2": 97.0, "pulse_rate": 72.0, "perfusion": 5.0}),
    (NONIN, bytes.fromhex("0a411e000000077f01ff"), {None: OFF}),
    (NONIN, bytes.fromhex("0a511e000000077f01ff"), {None: MISSING}),
    (NONIN, bytes.fromhex("0a581e01f40007610048"), {None: GapReason.POOR_SIGNAL}),
    (NONIN, bytes.fromhex("0a521e01f40007610048"), {None: GapReason.LOW_PERFUSION}),
    (NONIN, bytes.fromhex("0a751e01f40007610048"), {"spo2": 97.0, "pulse_rate": 72.0, "perfusion": 5.0}),
    (NONIN, bytes.fromhex("0a411e0000000761 01ff"), {"spo2": 97.0, "pulse_rate": MISSING, "perfusion": MISSING}),
)


@pytest.mark.parametrize(("profile", "payload", "expected"), SAID, ids=[f"{p.name}-{b.hex()[:28]}" for p, b, _ in SAID])
def test_a_mark_for_no_number_is_no_number(profile: AnyProfile, payload: bytes, expected: Said) -> None:
    assert observed(profile, payload) == expected


def test_the_requests_of_the_ring_are_the_bytes_that_it_takes() -> None:
    assert Request(LIVE).encode().hex() == "aa17e8000000001b"
    assert Request.decode(Request(LIVE_WITH_WAVE, 2, b"\x00").encode()) == Request(LIVE_WITH_WAVE, 2, b"\x00")


def items_of(events: Iterable[Event]) -> list[Item]:
    reader = Reader(Device("Oximeter"))
    return [item for event in events for item in reader.push(event)] + reader.flush()


def readings(items: Iterable[Item], channel: str) -> list[tuple[int, float]]:
    return [(i.t_ns, i.value) for i in items if isinstance(i, Reading) and i.channel == channel]


def test_a_frame_in_two_notifications_is_one_reading_at_the_second() -> None:
    frame = pc60(98, 57, 68)
    events = [Notification(T, PC60.characteristic, frame[:5]), Notification(T + S, PC60.characteristic, frame[5:])]
    found = items_of(events)
    assert readings(found, "spo2") == [(T + S, 98.0)]
    assert {i.quantity for i in found if isinstance(i, Reading)} == {
        Quantity.SPO2,
        Quantity.PULSE_RATE,
        Quantity.PERFUSION,
    }


def test_half_a_frame_is_forgotten_when_the_link_is_lost() -> None:
    frame = pc60(98, 57, 68)
    events: list[Event] = [
        Notification(T, PC60.characteristic, frame[:5]),
        LinkDown(T + 1),
        LinkUp(T + 2),
        Notification(T + S, PC60.characteristic, frame[5:]),
        Notification(T + 2 * S, PC60.characteristic, frame),
    ]
    assert readings(items_of(events), "spo2") == [(T + 2 * S, 98.0)]


def test_a_hundred_packets_a_second_tell_a_value_twice_a_second_and_a_change_at_once() -> None:
    packet = {97: bytes.fromhex("8540054861"), 96: bytes.fromhex("8540054860")}
    events = [
        Notification(T + k * 40_000_000, BERRYMED.characteristic, packet[97 if k < 55 else 96] * 4) for k in range(100)
    ]
    spo2 = readings(items_of(events), "spo2")
    assert [value for _, value in spo2] == [97.0] * 5 + [96.0] * 4
    assert spo2[5][0] == T + 55 * 40_000_000


def test_a_finger_taken_out_is_one_gap_after_the_other_until_it_is_back() -> None:
    on, off = bytes.fromhex("8540054861"), bytes.fromhex("8540157f7f")
    events = [
        Notification(T + k * 40_000_000, BERRYMED.characteristic, (off if 50 <= k < 100 else on) * 4)
        for k in range(150)
    ]
    gaps = [item for item in items_of(events) if isinstance(item, Gap)]
    assert {(gap.channel, gap.reason) for gap in gaps} == {(None, OFF)}
    assert all(a.end_ns == b.start_ns for a, b in itertools.pairwise(gaps))
    assert gaps[0].start_ns >= T + 50 * 40_000_000 - 520_000_000
    assert 1.4 * S < gaps[-1].end_ns - gaps[0].start_ns < 2.6 * S


def test_a_silent_oximeter_is_a_gap_even_while_its_wave_goes_on() -> None:
    pleth = PC60.encode(Pc60Frame(0x0F, 2, bytes(5)))
    events = [
        Notification(T + k * S, PC60.characteristic, pleth if 5 < k < 20 else pc60(98, 57, 68)) for k in range(25)
    ]
    gaps = [item for item in items_of(events) if isinstance(item, Gap)]
    assert gaps == [Gap(c, T + 5 * S, T + 20 * S, GapReason.SILENT) for c in ("spo2", "pulse_rate", "perfusion")]
