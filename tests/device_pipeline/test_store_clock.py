"""Data that was stamped by a clock that was not right belongs to no calendar day."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlite_utils import Database

from device_pipeline import clock as clock_module
from device_pipeline.beat import BeatSource
from device_pipeline.clock import ManualClock, SystemClock, kernel_clock_state
from device_pipeline.store import derived, schema
from device_pipeline.store.connection import connect
from device_pipeline.store.retention import keep_raw_days
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.vault import Key
from device_pipeline.store.writer import SessionKind, StoreWriter
from device_pipeline.track import Window
from sensors.samples import Quantity, Reading

S = 1_000_000_000
WRONG_NS = 1_700_000_000 * S  # when a Pi was last shut down
RIGHT_NS = 1_760_000_000 * S
DAY_NS = 86_400 * S


def put(writer: StoreWriter, t_ns: int) -> None:
    """Two seconds of good signal that end at `t_ns`."""
    writer.add_item(Reading(Quantity.RR, "rr", t_ns, 800.0))
    writer.add_finding(Window(BeatSource.ECG, t_ns - 2 * S, t_ns, (), 2 * S, 0, 1.0, None))
    writer.commit()


def synchronised_from_ns(db: Database) -> int | None:
    return derived.sessions(db, 1)[0].synchronised_from_ns


def good_ns(store: Store, day_ns: int) -> int:
    with store.reader() as db:
        return derived.coverage(db, day_ns - DAY_NS, day_ns + DAY_NS).good_ns


@pytest.mark.parametrize(
    ("kind", "synchronised", "from_ns"),
    [
        (SessionKind.LIVE, True, 0),
        (SessionKind.LIVE, False, None),
        (SessionKind.REPLAY, False, 0),
        (SessionKind.IMPORT, False, 0),
    ],
)
def test_only_a_live_session_depends_on_the_hosts_clock(
    kind: SessionKind, synchronised: bool, from_ns: int | None, tmp_path: Path
) -> None:
    store = open_store(tmp_path / "store", ManualClock(WRONG_NS, synchronised=synchronised))
    with store.writer() as writer:
        writer.begin_session(kind, "strap", "0")
        put(writer, WRONG_NS)
    with store.reader() as db:
        assert synchronised_from_ns(db) == from_ns
    assert good_ns(store, WRONG_NS) == (0 if from_ns is None else 2 * S)


def test_of_a_clock_that_is_set_forward_only_what_follows_it_joins_a_day(tmp_path: Path) -> None:
    clock = ManualClock(WRONG_NS, synchronised=False)
    store = open_store(tmp_path / "store", clock)
    with store.writer() as writer:
        session = writer.begin_session(SessionKind.LIVE, "strap", "0")
        put(writer, WRONG_NS + S)
        clock.set_right(RIGHT_NS)
        put(writer, WRONG_NS + 3 * S)  # the time base still follows the clock as it was
        assert synchronised_from_ns(writer.db) is None
        put(writer, RIGHT_NS + 60 * S)
        assert synchronised_from_ns(writer.db) is None
        clock.advance(62 * S)
        put(writer, RIGHT_NS + 62 * S)
        assert synchronised_from_ns(writer.db) == RIGHT_NS + 62 * S
        clock.advance(4 * S)
        put(writer, RIGHT_NS + 66 * S)
        assert synchronised_from_ns(writer.db) == RIGHT_NS + 62 * S
    assert good_ns(store, WRONG_NS) == 0
    assert good_ns(store, RIGHT_NS) == 2 * S
    with store.reader() as db:
        assert derived.coverage(db, 0, 2 * RIGHT_NS, session).good_ns == 10 * S


def test_a_clock_that_was_right_all_along_is_believed_from_then_on(tmp_path: Path) -> None:
    clock = ManualClock(RIGHT_NS, synchronised=False)
    store = open_store(tmp_path / "store", clock)
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        put(writer, RIGHT_NS)
        clock.set_right(RIGHT_NS + 5 * S)
        put(writer, RIGHT_NS + 2 * S)  # intervals come some seconds late
        put(writer, RIGHT_NS + 9 * S)
    assert good_ns(store, RIGHT_NS) == 2 * S


def test_a_clock_that_is_set_back_leaves_the_session_unsynchronised(tmp_path: Path) -> None:
    clock = ManualClock(RIGHT_NS + 3600 * S, synchronised=False)
    store = open_store(tmp_path / "store", clock)
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        put(writer, RIGHT_NS + 3600 * S)
        clock.set_right(RIGHT_NS)
        for second in range(1, 30):
            clock.advance(S)
            put(writer, RIGHT_NS + (3600 + second) * S)  # times never fall
        assert synchronised_from_ns(writer.db) is None
    with open_store(tmp_path / "store", clock).writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        assert synchronised_from_ns(writer.db) == 0
    assert good_ns(store, RIGHT_NS) == 0


@pytest.mark.parametrize("stamped_ns", [WRONG_NS, RIGHT_NS + 900 * DAY_NS])
def test_raw_data_of_unknown_age_stays_until_it_is_known_to_be_old(stamped_ns: int, tmp_path: Path) -> None:
    clock = ManualClock(stamped_ns, synchronised=False)
    store = open_store(tmp_path / "store", clock)
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        put(writer, stamped_ns + S)
    with store.writer() as writer:
        clock.set_right(RIGHT_NS)
        assert keep_raw_days(writer, 30, RIGHT_NS).readings == 0  # it may have come a moment ago
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        put(writer, RIGHT_NS + S)
        assert keep_raw_days(writer, 30, RIGHT_NS + 29 * DAY_NS).readings == 0
        assert keep_raw_days(writer, 30, RIGHT_NS + 30 * DAY_NS + 1).readings == 1
        assert keep_raw_days(writer, 30, RIGHT_NS + 31 * DAY_NS).readings == 1


def test_raw_data_of_a_clock_that_was_set_late_is_as_old_as_that(tmp_path: Path) -> None:
    clock = ManualClock(WRONG_NS, synchronised=False)
    store = open_store(tmp_path / "store", clock)
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        put(writer, WRONG_NS)
        clock.set_right(RIGHT_NS)
        put(writer, RIGHT_NS)
        assert synchronised_from_ns(writer.db) == RIGHT_NS
        assert keep_raw_days(writer, 30, RIGHT_NS + 30 * DAY_NS).readings == 0
        assert keep_raw_days(writer, 30, RIGHT_NS + 31 * DAY_NS).readings == 2


def test_what_was_stored_before_there_was_a_tag_counts_as_synchronised(tmp_path: Path) -> None:
    db = connect(tmp_path / "store.db", Key(bytes(range(32))), read_only=False)
    schema.migrate(db, 0, schema.MIGRATIONS[:1])
    db.execute(
        "INSERT INTO sessions (kind, source, program, opened_ns, stored_ns) VALUES ('replay', 'strap', '0', 1, 1)"
    )
    schema.migrate(db, 0)
    assert synchronised_from_ns(db) == 0
    db.conn.close()


@pytest.mark.parametrize(
    ("file", "kernel", "synchronised"),
    [(True, 5, True), (False, 0, True), (False, 5, False), (False, None, False), (True, None, True)],
)
def test_the_kernel_or_the_time_service_vouches_for_the_clock(
    file: bool, kernel: int | None, synchronised: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "synchronized"
    if file:
        mark.touch()
    monkeypatch.setattr(clock_module, "_TIMESYNC", mark)
    monkeypatch.setattr(clock_module, "kernel_clock_state", lambda: kernel)
    assert SystemClock().is_synchronised() is synchronised


def test_the_kernel_is_asked_and_the_clock_left_alone() -> None:
    # adjtimex(2): TIME_OK 0 to TIME_ERROR 5
    assert kernel_clock_state() in (None, *range(6))
