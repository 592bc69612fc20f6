"""Store: kill -9 at any point loses at most the last 10 s and never corrupts; what was stored comes back as it was."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from device_pipeline.clock import ManualClock
from device_pipeline.errors import StoreMissingError
from device_pipeline.store import derived, raw
from device_pipeline.store.blocks import decode, encode
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import Ended, SessionKind
from sensors.samples import Gap, GapReason, Item, Kind, Quantity, Reading, Samples
from tests.laws import killed_writer
from tests.laws.cuts import cut_items, random_lengths, singles, whole

ROOT = Path(__file__).resolve().parents[2]
LOSS_NS = 10_000_000_000
SPEED = 20.0
# pandas is not needed and takes a second to load
CHILD = (
    "import sys; sys.modules['pandas'] = None; from tests.laws.killed_writer import write; from pathlib import Path; "
)


def kill_after(folder: Path, delay_s: float) -> list[tuple[int, int, int]]:
    """Starts a writer, kills it; returns what it told: its session, the end of what it was fed, and when it was fed."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{CHILD}write(Path({str(folder)!r}), {SPEED})"], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == b"ready\n"
        # what it tells must not fill the pipe: it would stand still and the loss could not be seen
        os.set_blocking(process.stdout.fileno(), False)
        told = b""
        end = time.monotonic() + delay_s
        while time.monotonic() < end:
            told += process.stdout.read() or b""
            time.sleep(min(0.005, max(0.0, end - time.monotonic())))
        process.kill()
        process.wait()
        told += process.stdout.read() or b""
    lines = [line.split() for line in told.rpartition(b"\n")[0].splitlines()]
    return [(int(session), int(end_ns), int(fed_ns)) for session, end_ns, fed_ns in lines]


def assert_sound(db: Database) -> None:
    assert db.conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert db.conn.execute("PRAGMA cipher_integrity_check").fetchall() == []
    assert db.conn.execute("PRAGMA foreign_key_check").fetchall() == []


def assert_whole(db: Database, session: derived.Session) -> None:
    """Everything before the session's last moment is there, and belongs together."""
    if session.last_ns is None:
        return
    items = list(raw.read_items(db, session.id))
    blocks = [item for item in items if isinstance(item, Samples)]
    at = 0
    for block in blocks:
        assert block.offset == at
        np.testing.assert_array_equal(block.values, killed_writer.values(at, at + len(block)))
        at += len(block)
    assert blocks[-1].end_ns == session.last_ns
    assert sum(isinstance(item, Reading) for item in items) == at // killed_writer.BLOCK
    moments = [beat.t_ns for beat in derived.beats(db, session.id)]
    assert moments == list(range(killed_writer.START_NS, session.last_ns, 1_000_000_000))


def kill_again_and_again(folder: Path, delays_s: list[float]) -> None:
    store = open_store(folder)
    fed = [told for delay_s in delays_s if (told := kill_after(folder, delay_s))]
    assert len(fed) >= len(delays_s) // 2, "this machine is too slow for the delays"
    with store.writer() as writer:
        assert_sound(writer.db)
        sessions = {session.id: session for session in derived.sessions(writer.db)}
        for session in sessions.values():
            assert session.ended is Ended.KILLED
            assert_whole(writer.db, session)
        for told in fed:
            session_id, _, alive_ns = told[-1]
            old_ns = max((end_ns for _, end_ns, fed_ns in told if fed_ns <= alive_ns - LOSS_NS), default=0)
            assert (sessions[session_id].last_ns or killed_writer.START_NS) >= old_ns
    assert max(told[-1][2] - told[0][2] for told in fed) > 1.2 * LOSS_NS, "nobody lived long enough to lose anything"


def test_a_killed_writer_loses_at_most_ten_seconds_and_nothing_before(tmp_path: Path) -> None:
    chance = random.Random(11)
    kill_again_and_again(tmp_path / "store", [chance.uniform(0.25, 1.0) for _ in range(20)])


@pytest.mark.slow
def test_a_writer_killed_a_hundred_times_loses_at_most_ten_seconds_each(tmp_path: Path) -> None:
    chance = random.Random(12)
    kill_again_and_again(tmp_path / "store", [chance.uniform(0.25, 2.0) for _ in range(100)])


def test_a_store_whose_making_was_cut_short_opens(tmp_path: Path) -> None:
    chance = random.Random(13)
    for attempt in range(12):
        folder = tmp_path / str(attempt)
        kill_after(folder, chance.uniform(0.0, 0.06))
        store = open_store(folder)
        try:
            with store.reader() as db:
                assert_sound(db)
        except StoreMissingError:
            pass
        with store.writer() as writer:
            assert_sound(writer.db)
            assert all(session.ended is Ended.KILLED for session in derived.sessions(writer.db))


def test_a_log_torn_at_any_byte_leaves_a_whole_beginning(tmp_path: Path) -> None:
    """What a power cut leaves: the database, and the log as far as it had reached the disk."""
    clock = ManualClock(killed_writer.START_NS)
    store = open_store(tmp_path / "store", clock)
    copy = tmp_path / "copy"
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        for item in ten_minutes():
            writer.add_item(item)
            writer.commit_if_due()
            clock.advance(round(1e9 * killed_writer.BLOCK / killed_writer.FS_HZ))
        writer.commit()
        shutil.copytree(store.folder, copy)
    log = copy / "store.db-wal"
    whole_log = log.read_bytes()
    (copy / "store.db-shm").unlink()
    database = (copy / "store.db").read_bytes()
    chance = random.Random(14)
    ends = set()
    for length in [len(whole_log), *sorted((chance.randrange(len(whole_log)) for _ in range(25)), reverse=True)]:
        (copy / "store.db").write_bytes(database)
        log.write_bytes(whole_log[:length])
        try:
            with open_store(copy).writer() as again:
                assert_sound(again.db)
                for session in derived.sessions(again.db):
                    assert session.ended is Ended.KILLED
                    blocks = list(raw.read_samples(again.db, session.id, "ecg"))
                    assert [block.offset for block in blocks] == [
                        sum(map(len, blocks[:at])) for at in range(len(blocks))
                    ]
                    ends.add(blocks[-1].end_ns if blocks else 0)
        finally:
            (copy / "store.db-shm").unlink(missing_ok=True)
    assert len(ends) > 5


def ten_minutes() -> list[Item]:
    n = killed_writer.BLOCK
    return [
        Samples(Kind.ECG, "ecg", 130.0, 10**18, 1e9 / 130, at, killed_writer.values(at, at + n))
        for at in range(0, 600 * 130, n)
    ]


# -- bit for bit

finite = st.floats(allow_nan=False, allow_infinity=False)
scaled = st.tuples(
    st.sampled_from([1.0, 0.001, 0.005, 1 / 3, 0.00024414]),
    st.lists(st.integers(-(1 << 33), 1 << 33), min_size=1, max_size=60),
).map(lambda pair: [count * pair[0] for count in pair[1]])
divided = st.tuples(
    st.sampled_from([1.0, 1000.0, 200.0, 4096.0, 3.0, 1e-3]),
    st.lists(st.integers(-(1 << 14), 1 << 14), min_size=1, max_size=60),
).map(lambda pair: [count / pair[0] for count in pair[1]])


@given(st.one_of(st.lists(finite, min_size=1, max_size=60), scaled, divided), st.sampled_from([1, 3]))
def test_samples_return_with_the_same_bits(values: list[float], width: int) -> None:
    array = np.array(values * width, np.float64)
    block = array if width == 1 else array.reshape(-1, width)
    encoded = encode(block)
    back = decode(encoded.encoding, encoded.data, len(block), width)
    assert back.shape == block.shape
    assert back.tobytes() == block.tobytes()  # also tells 0.0 from -0.0


def arrival() -> list[Item]:
    rng = np.random.default_rng(3)
    ecg = rng.integers(-2000, 2000, 4000) / 1000.0
    acc = rng.integers(-2000, 2000, (800, 3)) / 1000.0
    ppg = rng.normal(0, 1, 500)
    step = 1e9 / 130.06
    return [
        Samples(Kind.ECG, "ecg", 130.0, 10**18, step, 0, ecg[:1500]),
        Samples(Kind.ACC, "acc", 50.0, 10**18 + 3, 2e7, 0, acc[:400]),
        Reading(Quantity.RR, "rr", 10**18 + 900_000_000, 812.109375),
        Samples(Kind.ECG, "ecg", 130.0, 10**18, step, 1500, ecg[1500:2000]),
        # the device's own word lies over samples that go on
        Gap("ecg", 10**18 + round(1800 * step), 10**18 + round(2000 * step), GapReason.OFF_BODY),
        Samples(Kind.ECG, "ecg", 130.0, 10**18, step, 2000, ecg[2000:2010]),
        Gap("ecg", 10**18 + round(2010 * step), 10**18 + round(2100 * step), GapReason.LOST_FRAME),
        Samples(Kind.ECG, "ecg", 130.0, 10**18, step, 2100, ecg[2010:3000]),
        Samples(Kind.PPG, "ppg", 55.0, 10**18, 1e9 / 55, 0, ppg),
        Gap(None, 10**18 + 10**10, 10**18 + 2 * 10**10, GapReason.LINK_LOST),
        Samples(Kind.ECG, "ecg", 130.0, 10**18 + 2 * 10**10, step, 0, ecg[3000:]),
        Samples(Kind.ACC, "acc", 50.0, 10**18 + 2 * 10**10, 2e7, 0, acc[400:]),
    ]


def joined(items: list[Item]) -> list[object]:
    """Per channel and in order: what does not depend on how the blocks were cut."""
    told: dict[str, list[object]] = {}
    for item in items:
        names = ["ecg", "acc", "ppg", "rr"] if isinstance(item, Gap) and item.channel is None else [str(item.channel)]
        for name in names:
            line = told.setdefault(name, [])
            if isinstance(item, Samples):
                line += [
                    (item.kind, item.fs_hz, item.t_ns(k), np.asarray(item.values[k]).tobytes())
                    for k in range(len(item))
                ]
            elif isinstance(item, Reading):
                line.append((item.quantity, item.t_ns, item.value))
            else:
                line.append(item)
    return [told[name] for name in sorted(told)]


@pytest.mark.parametrize("lengths", [whole(), singles(), random_lengths(5, 300)], ids=["whole", "singles", "random"])
def test_what_arrived_is_read_in_its_order_however_it_was_cut(lengths: object, tmp_path: Path) -> None:
    clock = ManualClock()
    store = open_store(tmp_path / "store", clock)
    chance = random.Random(9)
    with store.writer() as writer:
        session = writer.begin_session(SessionKind.IMPORT, "file", "0")
        for item in cut_items(arrival(), lengths):  # type: ignore[arg-type]
            writer.add_item(item)
            clock.advance(chance.randrange(10**8))
            writer.commit_if_due()
    with store.reader() as db:
        assert joined(list(raw.read_items(db, session))) == joined(arrival())
