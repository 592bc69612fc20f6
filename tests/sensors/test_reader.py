from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from sensors.link import Device, Event, LinkDown, LinkUp, Notification, Truncated
from sensors.profile import full_uuid
from sensors.reader import Reader, read, read_recording
from sensors.recording import RecordingWriter
from sensors.samples import Gap, GapReason, Item, Kind, Quantity, Reading, Samples
from tests.fakes.scripted_link import S, ScriptedLink, ecg, heart_rate

T = 1_760_000_000 * S
FRAME_NS = round(73 / 130 * S)


def items_of(events: Iterable[Event]) -> list[Item]:
    reader = Reader(Device("Scripted"))
    return [item for event in events for item in reader.push(event)] + reader.flush()


def readings(items: Iterable[Item], channel: str) -> list[Reading]:
    return [item for item in items if isinstance(item, Reading) and item.channel == channel]


def gaps(items: Iterable[Item]) -> list[Gap]:
    return [item for item in items if isinstance(item, Gap)]


def steady(n: int, start_s: int = 0) -> list[Event]:
    return [heart_rate(T + (start_s + k) * S, 1024) for k in range(n)]


def frames(n: int, start: int = 0, late_ns: int = 20_000_000) -> list[Event]:
    uv = np.arange(73, dtype=np.int64) * 10
    return [ecg(T + (start + k + 1) * FRAME_NS + late_ns, 10**18 + (start + k + 1) * FRAME_NS, uv) for k in range(n)]


def test_each_interval_ends_its_own_length_after_the_one_before() -> None:
    events = [
        heart_rate(T, 900, 1000),
        heart_rate(T + S, 1100),
        heart_rate(T + 2 * S),
        heart_rate(T + 3 * S, 1024, 900),
    ]
    found = readings(items_of(events), "rr")
    assert [r.value for r in found] == [rr * 1000 / 1024 for rr in (900, 1000, 1100, 1024, 900)]
    for before, after in itertools.pairwise(found):
        assert after.t_ns - before.t_ns == pytest.approx(after.value * 1e6, rel=0.03)
    assert all(r.quantity is Quantity.RR for r in found)


def test_beats_stay_on_arrival_for_hours() -> None:
    # 61 beats a minute in notifications once a second: arrival and intervals agree in the long run only
    rng = np.random.default_rng(5)
    beat_s, rr, sent = 0.0, [], 0
    while beat_s < 4 * 3600:
        rr.append(int(rng.integers(800, 1200)))
        beat_s += rr[-1] / 1024
    ends_s = np.cumsum(rr) / 1024 * 1.0001  # the strap's crystal is 100 ppm off: 1.4 s in four hours
    events: list[Event] = []
    for second in range(1, 4 * 3600):
        due = int(np.searchsorted(ends_s, second))
        events.append(heart_rate(T + second * S + int(rng.exponential(3e7)), *rr[sent:due]))
        sent = due
    found = items_of(events)
    assert gaps(found) == []
    off_s = [(r.t_ns - T) / 1e9 - ends_s[k] for k, r in enumerate(readings(found, "rr"))][120:]
    assert min(off_s) > -0.6 and max(off_s) < 0.6


def test_a_lost_notification_breaks_the_chain_with_a_gap() -> None:
    events = steady(30)
    del events[15]
    found = items_of(events)
    (gap,) = gaps(found)
    assert (gap.channel, gap.reason) == ("rr", GapReason.LOST_FRAME)
    rr = readings(found, "rr")
    assert len(rr) == 29
    at = found.index(gap)
    following = next(item for item in found[at:] if isinstance(item, Reading) and item.channel == "rr")
    assert gap.end_ns == following.t_ns - round(following.value * 1e6)
    assert gap.end_ns - gap.start_ns == pytest.approx(S, rel=0.3)


@pytest.mark.parametrize("late", [1, 2, 3, 4, 5, 8])
def test_a_late_notification_breaks_nothing(late: int) -> None:
    # what was held up comes in a burst, 30 ms apart
    held = [T + (15 + late) * S + (k - 15) * 30_000_000 for k in range(40)]
    events = [heart_rate(max(T + k * S, held[k] if k >= 15 else 0), 1024) for k in range(40)]
    found = items_of(events)
    # the rate is told as it arrives, so a long silence is one; intervals say themselves how long they were
    assert {gap.channel for gap in gaps(found)} == ({"hr"} if late >= 5 else set())
    rr = readings(found, "rr")
    assert len(rr) == 40
    for before, after in itertools.pairwise(rr):
        assert after.t_ns - before.t_ns == pytest.approx(after.value * 1e6, rel=0.03)


def test_a_notification_lost_after_another_was_held_up_breaks_the_chain() -> None:
    events = [heart_rate(T + k * S + (700_000_000 if k == 15 else 0), 1024) for k in range(30) if k != 17]
    found = items_of(events)
    assert [gap.reason for gap in gaps(found)] == [GapReason.LOST_FRAME]
    (at,) = [found.index(gap) for gap in gaps(found)]
    assert len(readings(found[:at], "rr")) == 17


def test_a_notification_lost_out_of_a_burst_breaks_the_chain() -> None:
    held_ns = T + 18 * S
    events = [heart_rate(max(T + k * S, held_ns + k * 1000) if k >= 15 else T + k * S, 1024) for k in range(30)]
    assert gaps(items_of(events)) == []
    del events[16]
    assert [(gap.channel, gap.reason) for gap in gaps(items_of(events))] == [("rr", GapReason.LOST_FRAME)]


def test_silence_of_the_heart_rate_service_is_a_gap() -> None:
    found = items_of([*steady(10), *steady(10, 30)])
    hr = [gap for gap in gaps(found) if gap.channel == "hr"]
    rr = [gap for gap in gaps(found) if gap.channel == "rr"]
    assert hr == [Gap("hr", T + 9 * S, T + 30 * S, GapReason.SILENT)]
    assert [gap.reason for gap in rr] == [GapReason.SILENT]
    assert rr[0].end_ns - rr[0].start_ns == pytest.approx(20 * S, rel=0.1)


def test_off_body_gives_no_rate_and_no_interval_until_contact_is_back() -> None:
    off = [heart_rate(T + k * S, 1024, contact=False) for k in range(10, 13)]
    found = items_of([*steady(10), *off, *steady(5, 13)])
    off_body = [gap for gap in gaps(found) if gap.channel is None]
    assert off_body == [Gap(None, T + k * S, T + (k + 1) * S, GapReason.OFF_BODY) for k in range(9, 12)]
    assert len(readings(found, "hr")) == len(readings(found, "rr")) == 15
    (chain,) = [gap for gap in gaps(found) if gap.channel == "rr"]
    assert chain.reason is GapReason.OFF_BODY


def test_a_payload_that_cannot_be_read_is_a_gap_and_the_rest_goes_on() -> None:
    broken = Notification(T + 5 * S, full_uuid("2a37"), b"\x10\x40\x00")
    found = items_of([*steady(5), broken, *steady(5, 6)])
    at_once = [gap for gap in gaps(found) if gap.start_ns == gap.end_ns]
    assert [gap.channel for gap in at_once] == ["hr", "rr"]
    assert {gap.reason for gap in gaps(found)} == {GapReason.UNDECODABLE}
    assert len(readings(found, "rr")) == 10


def test_a_frame_that_cannot_be_read_is_a_gap_of_its_length() -> None:
    events = frames(20)
    broken = events[10]
    assert isinstance(broken, Notification)
    events[10] = Notification(broken.t_ns, broken.characteristic, broken.payload[:-1])
    at_once, whole = gaps(items_of(events))
    assert at_once.start_ns == at_once.end_ns == whole.start_ns
    assert whole.reason is at_once.reason is GapReason.UNDECODABLE
    assert whole.end_ns - whole.start_ns == pytest.approx(FRAME_NS, rel=0.01)


def test_an_unknown_characteristic_is_ignored_and_counted() -> None:
    reader = Reader(Device("X"))
    unknown = full_uuid("2a99")
    assert reader.push(Notification(T, unknown, b"abc")) == []
    assert reader.ignored == {unknown: 1}


def test_a_lost_link_is_a_gap_of_every_channel_and_breaks_every_clock() -> None:
    down_ns, up_ns = T + 20 * FRAME_NS, T + 40 * FRAME_NS
    events = [*frames(19), LinkDown(down_ns, "timeout"), LinkUp(up_ns), *frames(10, start=45)]
    found = items_of(events)
    assert Gap(None, down_ns, up_ns, GapReason.LINK_LOST) in found
    assert all(gap.reason is GapReason.LINK_LOST for gap in gaps(found))
    blocks = [item for item in found if isinstance(item, Samples)]
    own = [gap for gap in gaps(found) if gap.channel == "ecg"]
    assert (own[0].start_ns, own[0].end_ns) == (blocks[18].end_ns, down_ns)
    assert (own[1].start_ns, own[1].end_ns) == (up_ns, blocks[19].start_ns)


def test_intervals_after_a_lost_link_do_not_follow_those_before() -> None:
    events: list[Event] = [*steady(10), LinkDown(T + 9 * S + 1), LinkUp(T + 30 * S), *steady(10, 33)]
    found = items_of(events)
    assert [(gap.channel, gap.reason) for gap in gaps(found)] == [
        (None, GapReason.LINK_LOST),
        ("rr", GapReason.LINK_LOST),
    ]


def test_a_link_that_never_came_back_is_lost_until_the_end() -> None:
    found = items_of([*frames(3), LinkDown(T + 4 * FRAME_NS), LinkDown(T + 9 * FRAME_NS)])
    assert found[-1] == Gap(None, T + 4 * FRAME_NS, T + 9 * FRAME_NS, GapReason.LINK_LOST)


def test_ecg_is_in_millivolts_and_battery_in_percent() -> None:
    found = items_of([*frames(1), Notification(T, full_uuid("2a19"), b"\x57")])
    (block,) = [item for item in found if isinstance(item, Samples)]
    assert (block.kind, block.channel, block.fs_hz) == (Kind.ECG, "ecg", 130.0)
    assert block.values[72] == 0.72
    assert found[-1] == Reading(Quantity.BATTERY, "battery", T, 87.0)


def test_a_truncated_recording_delivers_everything_and_says_so_last(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with RecordingWriter(path, Device("X"), T) as writer:
        for event in [*steady(10), *frames(2, start=30)]:
            writer.write(event)
    whole = list(read_recording(path))
    path.write_bytes(path.read_bytes() + b'[123, "2a37", "00')
    cut = list(read_recording(path))
    last_ns = frames(2, start=30)[-1].t_ns
    assert cut[-1] == Gap(None, last_ns, last_ns, GapReason.TRUNCATED)
    assert [repr(item) for item in cut[:-1]] == [repr(item) for item in whole]


def test_reading_a_link_gives_what_pushing_gives() -> None:
    events: list[Event] = [*steady(10), LinkDown(T + 11 * S), LinkUp(T + 15 * S), *steady(5, 16)]

    async def collect() -> list[Item]:
        return [item async for item in read(ScriptedLink(events))]

    assert asyncio.run(collect()) == items_of(events)


def test_a_truncation_marker_flushes_what_waits() -> None:
    reader = Reader(Device("X"))
    for event in [*steady(10), heart_rate(T + 12 * S, 1024)]:
        reader.push(event)
    out = reader.push(Truncated(T + 12 * S, "r.jsonl: ends within line 9"))
    assert [type(item) for item in out] == [Reading, Gap]
