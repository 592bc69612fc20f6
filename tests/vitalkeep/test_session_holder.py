"""What holds the store for a long watch: old raw data goes day by day, beside the sessions and in small steps."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from device_pipeline.clock import ManualClock
from device_pipeline.errors import StoreError
from device_pipeline.store import derived, raw
from device_pipeline.store.retention import DAY_NS, Removed, keep_raw_days, keeping_raw_days
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import Ended, SessionKind, StoreWriter
from sensors.samples import Kind, Quantity, Reading, Samples
from vitalkeep.cli import session_holder
from vitalkeep.cli.session_holder import SessionHolder, forget_daily

START_NS = 1_760_000_000_000_000_000
HOUR_NS = 3_600_000_000_000


def an_hour(writer: StoreWriter, clock: ManualClock) -> None:
    """An hour of the session: a block and a reading, on the disk."""
    values = np.random.default_rng(0).normal(0, 1, 500)
    writer.add_item(Samples(Kind.ECG, "ecg", 250.0, clock.now_ns(), 4e6, 0, values))
    writer.add_item(Reading(Quantity.RR, "rr", clock.now_ns(), 800.0))
    writer.commit()
    clock.advance(HOUR_NS)


def moments(store: Store, session: int) -> list[int]:
    with store.reader() as db:
        return [i.start_ns if isinstance(i, Samples) else i.t_ns for i in raw.read_items(db, session)]  # type: ignore[union-attr]


def test_a_watch_of_a_week_keeps_two_days_of_raw_data_and_stalls_nothing(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    store = open_store(tmp_path / "store", clock)

    async def week(writer: StoreWriter) -> int:
        most = 0
        forgetting = asyncio.create_task(forget_daily(store, writer, 2, look_every_s=0, step_s=0))
        for hour in range(7 * 24):
            an_hour(writer, clock)
            for _ in range(20):  # what is old goes between two items, not only at the end
                await asyncio.sleep(0)
            if hour > 3 * 24:
                most = max(most, len(moments(store, 1)))
        forgetting.cancel()
        with suppress(asyncio.CancelledError):
            await forgetting
        return most

    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        most = asyncio.run(week(writer))
    kept = moments(store, 1)
    assert min(kept) >= START_NS + 4 * DAY_NS
    assert {START_NS + hour * HOUR_NS for hour in range(5 * 24, 7 * 24)} <= set(kept)
    assert most <= 2 * (3 * 24 + 1)  # two days, and what came since the last time


def test_a_step_removes_no_more_than_it_may_and_gives_way_between(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    store = open_store(tmp_path / "store", clock)
    with store.writer() as writer, writer.beside() as beside:
        session = writer.begin_session(SessionKind.LIVE, "strap", "0")
        for k in range(30):
            writer.add_item(Samples(Kind.ECG, "ecg", 250.0, START_NS + k, 4e6, 0, np.array([0.1234567])))
            writer.add_item(Reading(Quantity.RR, "rr", START_NS + k, 800.0))
        writer.commit()
        # old, and in the store only now
        clock.advance(3 * DAY_NS)
        late = beside.begin_session(SessionKind.IMPORT, "file", "0")
        beside.add_item(Reading(Quantity.RR, "rr", START_NS + 7, 801.0))
        beside.commit()
        steps = []
        for step in keeping_raw_days(writer, 1, clock.now_ns(), step=4):
            steps.append(step)
            beside.add_item(Reading(Quantity.HEART_RATE, "hr", clock.now_ns(), 60.0))
            beside.commit()  # the other session goes on
        assert max(step.blocks for step in steps) <= 4
        assert max(step.readings for step in steps) <= 16
        assert sum(steps, Removed()) == Removed(30, 30, 0)
        assert keep_raw_days(writer, 1, clock.now_ns()) == Removed()
    assert moments(store, session) == []
    assert len(moments(store, late)) == 1 + len(steps)


class Seen:
    """A Watch that looks what goes on beside it."""

    def __init__(self, outcome: StoreError | Exception | None = None) -> None:
        self.outcome = outcome
        self.ended: list[Ended | None] = []
        self.store: Store | None = None

    async def hold(self, writers: list[StoreWriter]) -> StoreError | None:
        await asyncio.sleep(0)
        if self.outcome is not None and not isinstance(self.outcome, StoreError):
            raise self.outcome
        return self.outcome

    async def leave(self) -> None:
        assert self.store is not None
        with self.store.reader() as db:
            self.ended = [session.ended for session in derived.sessions(db)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store", ManualClock(START_NS))


def test_sessions_are_ended_before_anybody_leaves_and_old_data_is_forgotten_meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgot: list[str] = []

    async def forget(*_: object) -> None:
        forgot.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            forgot.append("ended")

    monkeypatch.setattr(session_holder, "forget_daily", forget)
    watch = Seen()
    watch.store = store
    holder = SessionHolder(store, 30)
    holder.hold(SessionKind.LIVE, ["a", "b"], watch)
    assert len(holder.sessions) == 2
    assert watch.ended == [Ended.CLEAN, Ended.CLEAN]
    assert forgot == ["began", "ended"]
    assert holder.unstored is None


def test_what_the_watch_could_not_store_is_kept_and_what_it_raises_ends_the_sessions_as_errors(store: Store) -> None:
    full = StoreError("full")
    watch = Seen(full)
    watch.store = store
    holder = SessionHolder(store, 30)
    holder.hold(SessionKind.REPLAY, ["a"], watch)
    assert holder.unstored is full
    broken = Seen(RuntimeError("broken"))
    broken.store = store
    with pytest.raises(RuntimeError, match="broken"):
        SessionHolder(store, 30).hold(SessionKind.LIVE, ["b"], broken)
    with store.reader() as db:
        assert [(s.source, s.ended) for s in derived.sessions(db)] == [("b", Ended.ERROR), ("a", Ended.CLEAN)]
