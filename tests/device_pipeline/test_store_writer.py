"""One writer: committed in time and by volume, nothing lost to a full disk, one at a time, nothing in clear."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.clock import ManualClock
from device_pipeline.errors import StoreBusyError, StoreFullError
from device_pipeline.store import derived, raw
from device_pipeline.store.batch import COMMIT_BYTES, COMMIT_EVERY_NS, PENDING_LIMIT_BYTES
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import Ended, SessionKind, StoreWriter
from sensors.samples import Gap, GapReason, Kind, Quantity, Reading, Samples

START_NS = 1_760_000_000_000_000_000
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_NS, 77)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Store:
    return open_store(tmp_path / "store", clock)


def noise(n: int, offset: int = 0) -> Samples:
    """Samples that no encoding makes small."""
    values = np.random.default_rng(offset).normal(0, 1, n)
    return Samples(Kind.ECG, "ecg", 250.0, START_NS, 4e6, offset, values)


def stored(store: Store) -> int:
    with store.reader() as db:
        return int(db.execute("SELECT coalesce(sum(n), 0) FROM samples").fetchone()[0])


# -- in time


def test_what_is_five_seconds_old_is_committed(store: Store, clock: ManualClock) -> None:
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        clock.advance(60_000_000_000)
        assert not writer.commit_if_due()  # nothing waits
        writer.add_item(noise(10))
        clock.advance(COMMIT_EVERY_NS - 1)
        writer.add_item(noise(10, 10))
        assert not writer.commit_if_due()
        clock.advance(1)
        assert writer.commit_if_due()
        assert stored(store) == 20
        assert not writer.commit_if_due(clock.monotonic_ns() + 10 * COMMIT_EVERY_NS)


def test_the_promise_leaves_room_for_the_tick_and_the_commit() -> None:
    assert COMMIT_EVERY_NS <= 5_000_000_000


def test_volume_is_committed_without_waiting(store: Store) -> None:
    with store.writer() as writer:
        writer.begin_session(SessionKind.REPLAY, "file", "0")
        n = COMMIT_BYTES // 8 // 4
        committed = []
        for at in range(4):
            writer.add_item(noise(n, at * n))
            committed.append(writer.commit_if_due())
        assert committed == [False, False, False, True]
        assert stored(store) == 4 * n


def test_readers_see_whole_batches_while_the_writer_works(store: Store) -> None:
    with store.writer() as writer:
        session = writer.begin_session(SessionKind.LIVE, "strap", "0")
        with store.reader() as db:
            assert derived.sessions(db)[0].ended is None
            writer.add_item(noise(100))
            writer.add_finding(Beat(START_NS, BeatSource.ECG, None))
            assert not list(raw.read_items(db, session))
            writer.commit()
            assert len(list(raw.read_items(db, session))) == len(list(derived.beats(db, session))) == 1
            assert store.is_being_written
    assert not store.is_being_written


# -- how a session ends


def test_a_session_says_how_it_ended_and_how_far_it_reaches(store: Store, clock: ManualClock) -> None:
    writer = store.writer()
    writer.begin_session(SessionKind.REPLAY, "first", "1.2")
    writer.add_item(noise(250))
    clock.advance(9)
    writer.end_session(Ended.CLEAN)
    with pytest.raises(ZeroDivisionError), writer:
        writer.begin_session(SessionKind.LIVE, "second", "1.2")
        writer.add_item(Reading(Quantity.RR, "rr", START_NS + 5, 800.0))
        raise ZeroDivisionError
    with store.reader() as db:
        second, first = derived.sessions(db)
    assert first == derived.Session(
        1,
        SessionKind.REPLAY,
        "first",
        "1.2",
        START_NS,
        START_NS + 9,
        START_NS,
        START_NS + 1_000_000_000,
        Ended.CLEAN,
        0,
    )
    assert (second.ended, second.started_ns, second.ended_ns) == (Ended.ERROR, START_NS + 5, START_NS + 5)


def test_an_alert_that_is_over_replaces_the_one_that_was_raised(store: Store) -> None:
    alert = Alert("pause", START_NS, START_NS + 3, None, "a pause")
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        writer.add_finding(alert)
        writer.commit()
        with store.reader() as db:
            assert [found.alert for found in derived.alerts(db, open_only=True)] == [alert]
            writer.add_finding(alert.ended(START_NS + 9))
            writer.commit()
            assert [found.alert for found in derived.alerts(db)] == [alert.ended(START_NS + 9)]
            assert not derived.alerts(db, open_only=True)


def test_an_alert_left_open_ends_with_its_session(store: Store) -> None:
    writer = store.writer()
    writer.begin_session(SessionKind.LIVE, "strap", "0")
    writer.add_item(noise(250))
    writer.add_finding(Alert("pause", START_NS, START_NS + 3, None, "a pause"))
    writer.close(Ended.ERROR)
    with store.reader() as db:
        assert derived.alerts(db)[0].alert.end_ns == START_NS + 1_000_000_000


def test_a_finding_without_a_session_is_our_mistake(store: Store) -> None:
    with store.writer() as writer:
        with pytest.raises(RuntimeError, match="begin_session"):
            writer.add_item(noise(1))
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        with pytest.raises(RuntimeError, match="still open"):
            writer.begin_session(SessionKind.LIVE, "strap", "0")
        with pytest.raises(TypeError, match="add_quality"):
            writer.add_finding(Quality(0, 1, 1.0, True))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused_before_it_spoils_its_batch(store: Store, value: float) -> None:
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        writer.add_item(noise(10))
        with pytest.raises(ValueError, match="not finite"):
            writer.add_item(Reading(Quantity.RR, "rr", START_NS, value))
        with pytest.raises(ValueError, match="not finite"):
            writer.add_quality(Quality(START_NS, START_NS + 1, value, True), "ecg")
    assert stored(store) == 10


# -- one at a time


def test_a_second_writer_is_told_who_writes(store: Store) -> None:
    with store.writer(), pytest.raises(StoreBusyError, match=f"process {os.getpid()}: one writer at a time"):
        store.writer()
    store.writer().close()


def test_a_writer_in_another_process_is_told_too_and_may_read(store: Store) -> None:
    script = (
        "import sys; sys.modules['pandas'] = None\n"
        "from pathlib import Path\n"
        "from device_pipeline.store.store import open_store\n"
        "from device_pipeline.errors import StoreBusyError\n"
        f"store = open_store(Path({str(store.folder)!r}))\n"
        "with store.reader() as db:\n"
        "    print(store.is_being_written, db.execute('SELECT count(*) FROM sessions').fetchone())\n"
        "try: store.writer()\n"
        "except StoreBusyError: print('busy')\n"
    )
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True (1,)\nbusy\n"
    assert done.stderr == ""


# -- a full disk


@contextmanager
def few_pages(tmp_path: Path) -> Iterator[tuple[Path, Callable[[StoreWriter], None], Callable[[StoreWriter], None]]]:
    """A database that may not grow."""

    def limit(writer: StoreWriter) -> None:
        pages = writer.db.execute("PRAGMA page_count").fetchone()[0]
        writer.db.execute(f"PRAGMA max_page_count = {pages + 100}")

    def relieve(writer: StoreWriter) -> None:
        writer.db.execute("PRAGMA max_page_count = 4294967294")

    yield tmp_path / "store", limit, relieve


@contextmanager
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[StoreWriter], None], Callable[[StoreWriter], None]]]:
    """A file system of 3 MB with a file in it that can be taken away."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    ballast = disk / "ballast"

    def limit(_: StoreWriter) -> None:
        ballast.write_bytes(bytes(1_500_000))

    try:
        yield disk / "store", limit, lambda _: ballast.unlink()
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def may_mount() -> bool:
    capabilities = next(line for line in Path("/proc/self/status").read_text().splitlines() if "CapEff" in line)
    return bool(int(capabilities.split()[1], 16) >> 21 & 1)  # CAP_SYS_ADMIN


@pytest.mark.parametrize("disk", [few_pages, *([small_disk] if may_mount() else [])])
def test_a_full_disk_loses_nothing(disk: Callable[..., object], tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    with disk(tmp_path) as (folder, limit, relieve):  # type: ignore[attr-defined]
        store = open_store(folder, clock)
        writer = store.writer()
        session = writer.begin_session(SessionKind.LIVE, "strap", "0")
        writer.add_item(noise(1000))
        writer.commit()
        limit(writer)
        writer.add_item(noise(250_000, 1000))
        writer.add_finding(Beat(START_NS, BeatSource.ECG, None))
        clock.advance(COMMIT_EVERY_NS)
        with pytest.raises(StoreFullError, match="disk full"):
            writer.commit_if_due()
        assert stored(store) == 1000
        assert not writer.commit_if_due()  # not at every sample: 5 s later again
        writer.add_item(Reading(Quantity.RR, "rr", START_NS, 800.0))
        clock.advance(COMMIT_EVERY_NS)
        with pytest.raises(StoreFullError, match="disk full"):
            writer.commit_if_due()
        relieve(writer)
        if disk is small_disk:
            subprocess.run(["mount", "-o", "remount,size=16m", folder.parent], check=True)
        clock.advance(COMMIT_EVERY_NS)
        assert writer.commit_if_due()
        writer.close()
        with store.reader() as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            blocks = list(raw.read_samples(db, session, "ecg"))
            expected = np.concatenate([noise(1000).values, noise(250_000, 1000).values])
            np.testing.assert_array_equal(np.concatenate([block.values for block in blocks]), expected)
            assert len(list(derived.beats(db, session))) == 1
            assert derived.sessions(db)[0].ended is Ended.CLEAN


def test_a_disk_that_stays_full_lets_go_of_the_store_and_the_next_start_closes_the_session(store: Store) -> None:
    writer = store.writer()
    writer.begin_session(SessionKind.LIVE, "strap", "0")
    writer.add_item(noise(1000))
    writer.commit()
    writer.db.execute(f"PRAGMA max_page_count = {writer.db.execute('PRAGMA page_count').fetchone()[0]}")
    writer.add_item(noise(100_000, 1000))
    with pytest.raises(StoreFullError):
        writer.close()
    with store.reader() as db:
        assert derived.sessions(db)[0].ended is None
    store.writer().close()
    with store.reader() as db:
        session = derived.sessions(db)[0]
    assert (session.ended, session.ended_ns) == (Ended.KILLED, noise(1000).end_ns)


def test_memory_is_bounded_while_the_disk_stays_full(store: Store) -> None:
    writer = store.writer()
    writer.begin_session(SessionKind.LIVE, "strap", "0")
    block = Samples(Kind.ECG, "ecg", 250.0, START_NS, 4e6, 0, np.zeros(1 << 20))
    for _ in range(PENDING_LIMIT_BYTES // block.values.nbytes - 1):
        writer.add_item(block)
    with pytest.raises(StoreFullError, match=f"at most {PENDING_LIMIT_BYTES}"):
        writer.add_item(block)
    writer.commit()
    writer.add_item(block)
    writer.close()


# -- nothing in clear


def test_nothing_is_readable_without_the_key(store: Store) -> None:
    needles = [b"Esmeralda", b"tachycardia", b"heart_rate", b"off_body", b"CREATE TABLE", b"SQLite format"]
    value = 123.456789
    needles += [struct.pack(order, value) for order in ("<d", ">d")] + [b"123.456789"]
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "Esmeralda's strap", "0")
        writer.add_item(Reading(Quantity.HEART_RATE, "Esmeralda", START_NS, value))
        writer.add_item(Samples(Kind.ECG, "Esmeralda", 250.0, START_NS, 4e6, 0, np.full(5000, value)))
        writer.add_item(Gap("Esmeralda", START_NS, START_NS + 1, GapReason.OFF_BODY))
        writer.add_finding(Alert("tachycardia", START_NS, START_NS, None, f"Esmeralda at {value}"))
        writer.commit()
        open_files = [path.read_bytes() for path in store.folder.iterdir()]
    closed_files = [path.read_bytes() for path in store.folder.iterdir()]
    assert len(open_files) == 5
    assert sum(map(len, open_files)) > 100_000
    for content in open_files + closed_files:
        assert not [needle for needle in needles if needle in content]


def test_a_writer_tells_nothing_when_shown(store: Store) -> None:
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "Esmeralda", "0")
        writer.add_item(Reading(Quantity.RR, "rr", START_NS, 123.456))
        assert "123" not in repr(writer)
        assert "Esmeralda" not in repr(writer)
