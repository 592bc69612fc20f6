"""Several sessions at once in one store: one process, one lock, and none of them knows of the other's rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_pipeline.clock import ManualClock
from device_pipeline.errors import StoreBusyError
from device_pipeline.store import derived
from device_pipeline.store.batch import COMMIT_EVERY_NS
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import Ended, SessionKind
from sensors.samples import Quantity, Reading

START_NS = 1_760_000_000_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_NS, 77)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Store:
    return open_store(tmp_path / "store", clock)


def rr(k: int) -> Reading:
    return Reading(Quantity.RR, "rr", START_NS + k, float(k))


def values(store: Store) -> list[tuple[int, int, float]]:
    with store.reader() as db:
        return [tuple(row) for row in db.conn.execute("SELECT session_id, seq, value FROM readings ORDER BY 1, 2")]


def test_each_session_has_its_own_rows_order_and_end(store: Store) -> None:
    with store.writer() as first, first.beside() as second:
        ids = [writer.begin_session(SessionKind.LIVE, name, "0") for writer, name in ((first, "a"), (second, "b"))]
        first.add_item(rr(1))
        second.add_item(rr(2))
        first.add_item(rr(3))
        second.end_session(Ended.ERROR)
    assert values(store) == [(ids[0], 1, 1.0), (ids[0], 2, 3.0), (ids[1], 1, 2.0)]
    with store.reader() as db:
        ended = {session.source: session.ended for session in derived.sessions(db)}
    assert ended == {"a": Ended.CLEAN, "b": Ended.ERROR}


def test_each_batch_is_committed_when_it_is_due(store: Store, clock: ManualClock) -> None:
    with store.writer() as first, first.beside() as second:
        for writer in (first, second):
            writer.begin_session(SessionKind.LIVE, "x", "0")
        first.add_item(rr(1))
        clock.advance(COMMIT_EVERY_NS // 2)
        second.add_item(rr(2))
        clock.advance(COMMIT_EVERY_NS // 2)
        assert (first.commit_if_due(), second.commit_if_due()) == (True, False)
        assert [value for _, _, value in values(store)] == [1.0]


def test_the_store_stays_locked_and_open_until_the_first_is_closed(store: Store) -> None:
    with store.writer() as first:
        first.begin_session(SessionKind.LIVE, "a", "0")
        with first.beside() as second:
            second.begin_session(SessionKind.LIVE, "b", "0")
        with pytest.raises(StoreBusyError):
            store.writer()
        first.add_item(rr(1))
        first.commit()
    store.writer().close()
    assert len(values(store)) == 1
