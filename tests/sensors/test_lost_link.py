"""A lost link is told while it lasts, and what is told in the end does not depend on that."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

from device_pipeline.alerts.alert import Alert
from device_pipeline.config import Limits
from device_pipeline.run import Pipeline
from sensors.link import Device, Event, LinkDown, LinkUp, Tick
from sensors.reader import Reader
from sensors.recording import Recording, RecordingWriter
from sensors.samples import Gap, GapReason, Item
from tests.fakes.scripted_link import S, heart_rate
from vitalkeep.analysis import join_gaps

T = 1_760_000_000 * S
OUTAGE_S = 300


def outage(ticks: bool) -> list[Event]:
    """A minute of beats, five minutes without a link, a minute of beats."""
    down_ns, up_ns = T + 60 * S + 1, T + (60 + OUTAGE_S) * S
    before: list[Event] = [heart_rate(T + k * S, 1024) for k in range(60)]
    after: list[Event] = [heart_rate(up_ns + k * S, 1024) for k in range(1, 60)]
    between: list[Event] = [Tick(down_ns + k * S) for k in range(1, OUTAGE_S)] if ticks else []
    return [*before, LinkDown(down_ns, "the connection was lost"), *between, LinkUp(up_ns), *after]


def items_of(events: Iterable[Event]) -> list[Item]:
    reader = Reader(Device("Scripted"))
    return [item for event in events for item in reader.push(event)] + reader.flush()


def lost(items: Iterable[Item]) -> list[Gap]:
    return [item for item in items if isinstance(item, Gap) and item.channel is None]


def test_a_lost_link_is_told_every_second_and_then_more_rarely() -> None:
    gaps = lost(items_of(outage(ticks=True)))
    assert all(before.end_ns == after.start_ns for before, after in itertools.pairwise(gaps))
    assert max(gap.end_ns - gap.start_ns for gap in gaps[:59]) == S
    assert len(gaps) < 75


def test_with_and_without_ticks_the_same_is_told_in_the_end() -> None:
    live, replayed = items_of(outage(ticks=True)), items_of(outage(ticks=False))
    assert join_gaps(lost(live)) == join_gaps(lost(replayed))
    told = [[repr(item) for item in items if item not in lost(items)] for items in (live, replayed)]
    assert told[0] == told[1]
    assert {gap.reason for gap in lost(live)} == {GapReason.LINK_LOST}


def test_a_tick_on_a_link_that_is_up_says_nothing() -> None:
    reader = Reader(Device("Scripted"))
    reader.push(heart_rate(T, 1024))
    assert reader.push(Tick(T + 600 * S)) == []


def test_the_alert_comes_while_the_device_is_away_and_is_the_same_in_a_replay() -> None:
    alerts: list[list[Alert]] = []
    raised_at: list[int] = []
    for ticks in (True, False):
        reader, pipeline = Reader(Device("Scripted")), Pipeline(Limits())
        found: list[Alert] = []
        for event in outage(ticks):
            for item in reader.push(event):
                new = [finding for finding in pipeline.push(item) if isinstance(finding, Alert)]
                raised_at += [event.t_ns for alert in new if alert.rule == "no_data" and alert.end_ns is None]
                found += new
        for item in reader.flush():
            found += [finding for finding in pipeline.push(item) if isinstance(finding, Alert)]
        found += [finding for finding in pipeline.flush() if isinstance(finding, Alert)]
        alerts.append(found)
    assert alerts[0] == alerts[1]
    live_ns, replayed_ns = raised_at
    assert live_ns < T + (60 + OUTAGE_S) * S <= replayed_ns


def test_a_recording_holds_no_ticks(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with RecordingWriter(path, Device("X"), T) as writer:
        for event in outage(ticks=True):
            writer.write(event)
    assert list(Recording(path).events()) == outage(ticks=False)
