"""What a replay stores does not depend on its speed: a day at once, ten minutes of it at 100x, one at 1x."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from device_pipeline.store import derived, raw
from device_pipeline.store.side_tables import SIDE_TABLES
from device_pipeline.store.store import open_store
from sensors.samples import Gap, Samples
from tests.fakes.long_strap import DAY_S, FRAME, FS_HZ, STARTED_NS, LongStrap
from tests.vitalkeep.command import end, start

S = 1_000_000_000
# The longest window is 5 minutes; whatever ends before this long before the end of an excerpt no longer changes.
SETTLED_NS = 60 * S


def stored(tmp_path: Path, recording: Path, speed: str, timeout_s: float = 120) -> Path:
    home = tmp_path / f"{recording.stem}-{speed}"
    home.mkdir()
    command = ("run", "--replay", recording, "--speed", speed, "--no-view", "--store", home / "store")
    done = end(start(home, *command), timeout_s=timeout_s)
    assert done.code == 0, done.err
    return home / "store"


def contents(store: Path, end_ns: int | None = None) -> dict[str, list[Any]]:
    """Everything that is known of the session; with `end_ns`, what had ended by then."""
    limit = 1 << 62 if end_ns is None else end_ns

    def plain(item: object) -> object:
        if isinstance(item, Samples):
            return item.channel, item.anchor_ns, item.step_ns, item.offset, item.fs_hz, item.values.tobytes()
        return item

    with open_store(store).reader() as db:
        items = list(raw.read_items(db, 1))
        # their windows end at moments of their own, so an excerpt's are compared with those of the same excerpt only
        tables = SIDE_TABLES.values() if end_ns is None else ()
        sides = {table: db.conn.execute(f"SELECT * FROM {table} ORDER BY start_ns").fetchall() for table in tables}
        return sides | {
            "samples": [plain(i) for i in items if isinstance(i, Samples) and i.end_ns < limit],
            "gaps": [i for i in items if isinstance(i, Gap) and i.end_ns < limit],
            "readings": [i for i in items if not isinstance(i, Samples | Gap) and i.t_ns < limit],
            "beats": list(derived.beats(db, 1, end_ns=limit)),
            "heart_rates": [w for w in derived.heart_rates(db, 1) if w.start_ns + w.length_ns < limit],
            "hrv": [w for w in derived.hrv(db, 1) if w.start_ns + w.length_ns < limit],
            "rhythm": [span for span in derived.rhythm(db, 1) if span.end_ns < limit],
            "absences": [gap for gap in derived.absences(db, 1) if gap.end_ns < limit],
            "quality": [q for q in derived.qualities(db, 1, "ecg") if q.end_ns < limit],
            "alerts": [a.alert for a in derived.alerts(db) if (a.alert.end_ns or limit) < limit],
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("speeds")


@pytest.fixture(scope="module")
def day(folder: Path) -> Path:
    """The store of a whole day."""
    return stored(folder, LongStrap(DAY_S).write(folder / "day.jsonl"), "max", timeout_s=1800)


def test_a_minute_at_60x_is_a_minute_at_once(tmp_path: Path) -> None:
    recording = LongStrap(60).write(tmp_path / "minute.jsonl")
    at_once = contents(stored(tmp_path, recording, "max"))
    assert at_once == contents(stored(tmp_path, recording, "60"))
    assert len(at_once["samples"]) > 80 and len(at_once["beats"]) > 80


@pytest.mark.slow
def test_ten_minutes_at_100x_are_the_first_of_the_day_at_once(day: Path, tmp_path: Path) -> None:
    recording = LongStrap(600).write(tmp_path / "ten.jsonl")
    slow = stored(tmp_path, recording, "100")
    assert contents(slow) == contents(stored(tmp_path, recording, "max"))
    settled_ns = STARTED_NS + 600 * S - SETTLED_NS
    first = contents(slow, settled_ns)
    assert first == contents(day, settled_ns)
    assert {name for name, found in first.items() if not found} <= {"alerts", "rhythm"}
    assert len(first["beats"]) > 500


@pytest.mark.slow
def test_a_minute_at_1x_is_the_first_of_the_day_at_once(day: Path, tmp_path: Path) -> None:
    recording = LongStrap(60).write(tmp_path / "minute.jsonl")
    slow = stored(tmp_path, recording, "1", timeout_s=300)
    assert contents(slow) == contents(stored(tmp_path, recording, "max"))
    # the windows wait for 30 s for a source that is silent, and the link is lost for 6
    settled_ns = STARTED_NS + 20 * S
    assert contents(slow, settled_ns) == contents(day, settled_ns)


@pytest.mark.slow
def test_the_day_in_the_store_has_its_rate_and_its_gaps(day: Path) -> None:
    strap = LongStrap(DAY_S)
    for _ in strap.events():
        pass
    truth = strap.frames
    with open_store(day).reader() as db:
        blocks = [(b.start_ns, b.t_ns(len(b) - 1), len(b)) for b in raw.read_samples(db, 1, "ecg")]
        beats = [beat for beat in derived.beats(db, 1) if beat.source.value == "ecg"]
        (session,) = derived.sessions(db)
    assert sum(n for _, _, n in blocks) == len(truth) * FRAME
    assert all(after[0] > before[1] for before, after in itertools.pairwise(blocks))
    elapsed_s = (blocks[-1][1] - blocks[0][0]) / 1e9
    assert (truth[-1] + FRAME - 1 - truth[0]) / elapsed_s == pytest.approx(FS_HZ, rel=1e-5)
    # of beats, no more than there were: about 66 a minute while samples came
    assert len(beats) / (len(truth) * FRAME / FS_HZ / 60) == pytest.approx(66, abs=2)
    assert session.synchronised_from_ns == 0
