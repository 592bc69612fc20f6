"""Migrations are only added to; the change and its record commit together; a newer database is left alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as driver

from device_pipeline.errors import StoreError, StoreVersionError
from device_pipeline.store import schema
from device_pipeline.store.connection import connect
from device_pipeline.store.schema import MIGRATIONS, Migration
from device_pipeline.store.store import open_store
from device_pipeline.store.vault import Key

KEY = Key(bytes(range(32)))
EXTRA = (*MIGRATIONS, Migration("one more", ("ALTER TABLE sessions ADD COLUMN note TEXT", "CREATE TABLE notes (a)")))

# A migration that was released is never edited: add one instead, and its line here.
RELEASED = (
    "first tables",
    "clock synchronised",
    "respiration, oxygen, activity, temperature",
    "oxygen by the hour, temperature by site",
)


def tables(db: object) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()  # type: ignore[attr-defined]
    return rows


def test_migrations_are_only_added_to() -> None:
    assert tuple(migration.name for migration in MIGRATIONS[: len(RELEASED)]) == RELEASED


@pytest.mark.parametrize("older", range(len(EXTRA) + 1))
def test_every_older_version_arrives_at_the_same_tables(older: int, tmp_path: Path) -> None:
    straight = connect(tmp_path / "straight.db", KEY, read_only=False)
    schema.migrate(straight, 0, EXTRA)
    db = connect(tmp_path / "store.db", KEY, read_only=False)
    schema.migrate(db, 1, EXTRA[:older])
    assert schema.version(db) == older
    schema.migrate(db, 2, EXTRA)
    assert schema.version(db) == len(EXTRA)
    assert tables(db) == tables(straight)
    recorded = db.execute("SELECT number, name, applied_ns FROM migrations ORDER BY number").fetchall()
    assert recorded == [(at + 1, step.name, 1 if at < older else 2) for at, step in enumerate(EXTRA)]
    db.conn.close()
    straight.conn.close()


def test_a_migration_that_fails_leaves_neither_change_nor_record(tmp_path: Path) -> None:
    db = connect(tmp_path / "store.db", KEY, read_only=False)
    schema.migrate(db, 0)
    before = tables(db)
    with pytest.raises(driver.OperationalError):
        schema.migrate(db, 0, (*MIGRATIONS, Migration("bad", ("CREATE TABLE extra (a)", "CREATE TABLE sessions (a)"))))
    assert tables(db) == before
    assert schema.version(db) == len(MIGRATIONS)
    schema.migrate(db, 0, EXTRA)
    assert schema.version(db) == len(EXTRA)
    db.conn.close()


def test_a_newer_database_is_refused_with_both_versions(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    with store.writer() as writer:
        schema.migrate(writer.db, 0, EXTRA)
    before = hashlib.sha256(store.path.read_bytes()).digest()
    message = f"version {len(EXTRA)}, this program knows up to {len(MIGRATIONS)}"
    with pytest.raises(StoreVersionError, match=message):
        store.writer()
    with pytest.raises(StoreVersionError, match=message), store.reader():
        pass
    assert hashlib.sha256(store.path.read_bytes()).digest() == before


def test_an_older_database_waits_for_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path / "store")
    store.writer().close()
    monkeypatch.setattr(schema, "MIGRATIONS", EXTRA)
    monkeypatch.setattr(schema.migrate, "__defaults__", (EXTRA,))
    with (
        pytest.raises(StoreVersionError, match=f"version {len(MIGRATIONS)}, this program reads {len(EXTRA)}"),
        store.reader(),
    ):
        pass
    store.writer().close()
    with store.reader() as db:
        assert schema.version(db) == len(EXTRA)


def test_the_connection_is_set_up_for_a_power_cut(tmp_path: Path) -> None:
    with open_store(tmp_path / "store").writer() as writer:
        found = {
            name: writer.db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "temp_store", "auto_vacuum", "secure_delete")
        }
        timeout_ms = writer.db.execute("PRAGMA busy_timeout").fetchone()[0]
    # synchronous 2 is FULL: NORMAL would keep commits of minutes in the page cache
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "temp_store": 2,
        "auto_vacuum": 2,
        "secure_delete": 1,
    }
    assert timeout_ms >= 1000


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    store.writer().close()
    with pytest.raises(StoreError, match="readonly"), store.reader() as db:
        db.execute("DELETE FROM sessions")
