"""What kind each beat is comes back from the store as it went in, and is counted; so do the grounds of an alert."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from device_pipeline.alerts.alert import Alert, Grounds
from device_pipeline.beat import BeatLabel
from device_pipeline.beat_types import BeatType
from device_pipeline.store import derived, schema
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import Ended, SessionKind
from sensors.samples import Gap, GapReason

S = 1_000_000_000
TYPES = [
    BeatType(1 * S, BeatLabel.N, 0.99, "beat", "1.0.0"),
    BeatType(2 * S, BeatLabel.V, 0.75, "beat", "1.0.0"),
    BeatType(3 * S, None, None, "beat", "1.0.0", "noise"),
    BeatType(90 * S, BeatLabel.V, 0.8, "beat", "1.0.0"),
]
ALERT = Alert("ventricular_run", S, 2 * S, None, "text", Grounds(0, 2 * S, (S, 2 * S), 0.7, "beat", "1.0.0", -S, 9 * S))


def test_labels_and_grounds_come_back_as_they_went_in(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    with store.writer() as writer:
        session = writer.begin_session(SessionKind.REPLAY, "made", "1", started_ns=0)
        for one in TYPES:
            writer.add_finding(one)
        writer.add_finding(ALERT)
        writer.add_finding(ALERT.ended(80 * S))
    with store.reader() as db:
        assert list(derived.beat_types(db, session)) == TYPES
        assert list(derived.beat_types(db, session, 2 * S, 3 * S)) == TYPES[1:2]
        (stored,) = derived.alerts(db)
        assert stored.alert == ALERT.ended(80 * S)


def test_labels_are_counted_by_time_and_by_session(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    with store.writer() as writer:
        for _ in range(2):
            session = writer.begin_session(SessionKind.REPLAY, "made", "1", started_ns=0)
            for one in TYPES:
                writer.add_finding(one)
            writer.add_finding(Alert("pause", 0, 95 * S, 95 * S, "text"))
            writer.add_finding(Gap(None, 90 * S, 95 * S, GapReason.SILENT))
            writer.end_session(Ended.CLEAN)
    with store.reader() as db:
        both = derived.labels_between(db, 0, 10 * S)
        one_session = derived.labels_between(db, 0, 100 * S, session)
        assert derived.labels_between(db, 200 * S, 300 * S) is None
    assert both is not None
    assert one_session is not None
    assert (both.counts[BeatLabel.N], both.counts[BeatLabel.V], both.untold, both.model) == (2, 2, 2, "beat 1.0.0")
    assert (one_session.counts[BeatLabel.V], one_session.untold) == (2, 1)


def test_an_older_store_gains_the_table_and_its_alerts_have_no_grounds() -> None:
    with closing(Database(memory=True)) as db:
        at = next(k for k, m in enumerate(schema.MIGRATIONS) if any("beat_types" in text for text in m.statements))
        schema.migrate(db, 0, schema.MIGRATIONS[:at])
        db.execute(
            "INSERT INTO sessions (id, kind, source, program, opened_ns, stored_ns) VALUES (1, 'live', 's', 'p', 0, 0)"
        )
        db.execute("INSERT INTO alerts (session_id, rule, start_ns, raised_ns, text) VALUES (1, 'pause', 1, 2, 'text')")
        schema.migrate(db, 0)
        assert [stored.alert.grounds for stored in derived.alerts(db)] == [None]
        assert derived.labels_between(db, 0, 1) is None
