"""Both databases keep to one contract: what is written together is there together, and errors tell nothing of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from sync.clinic.database.database import Database
from sync.clinic.database.opened import open_database
from sync.clinic.database.sqlite import SqliteDatabase
from sync.clinic.errors import ClinicError, ClinicStoreError

PUT = "INSERT INTO meta (name, value) VALUES (?, ?)"
ALL = "SELECT name, value FROM meta ORDER BY name"
AT_ONCE_S = 20.0


@pytest.fixture
def database(tmp_path: Path, clinic_database: str | None) -> Iterator[Database]:
    with closing(open_database(tmp_path, clinic_database, create=True)) as database:
        yield database


def _put(database: Database, *names: str) -> None:
    with database.writing() as tx:
        for name in names:
            tx.execute(PUT, (name, "1"))


def _names(database: Database) -> list[str]:
    with database.reading() as tx:
        return [name for name, _ in tx.all(ALL)]


def test_what_is_written_together_is_there_together_or_not_at_all(database: Database) -> None:
    _put(database, "a", "b")
    with suppress(KeyError), database.writing() as tx:
        tx.execute(PUT, ("c", "1"))
        raise KeyError
    with suppress(ClinicStoreError):
        _put(database, "d", "a")
    assert _names(database) == ["a", "b"]
    _put(database, "e")
    assert _names(database) == ["a", "b", "e"]


def test_after_a_failed_statement_nothing_is_taken_for_stored(database: Database) -> None:
    """PostgreSQL makes of such a COMMIT a ROLLBACK, and does not say so."""
    _put(database, "a")
    committed = False
    with suppress(ClinicStoreError):
        with database.writing() as tx:
            tx.execute(PUT, ("b", "1"))
            with suppress(ClinicStoreError, Exception):
                tx.execute(PUT, ("a", "1"))
        committed = True
    assert ("b" in _names(database)) is committed


def test_values_come_back_as_they_went(database: Database) -> None:
    with database.writing() as tx:
        assert tx.execute(PUT, ("50 % ä \U0001f600 'x' \\", "1")) == 1
        assert tx.one("SELECT name FROM meta WHERE name LIKE '50 %'") == ("50 % ä \U0001f600 'x' \\",)
        tx.execute(
            "INSERT INTO withdrawn (device, sequence, day) VALUES (?, ?, ?)",
            (bytes(range(16)), 2**63 - 1, "2026-05-01"),
        )
        row = tx.one("SELECT device, sequence FROM withdrawn")
        assert row == (bytes(range(16)), 2**63 - 1)
        assert [type(value) for value in row] == [bytes, int]
        total = tx.one("SELECT sum(length(day)), avg(1.5) FROM withdrawn")
        assert total == (10, 1.5)
        assert [type(value) for value in total] == [int, float]


def test_rows_touched_are_counted(database: Database) -> None:
    _put(database, "a", "b", "c")
    with database.writing() as tx:
        assert tx.execute("UPDATE meta SET value = ?", ("2",)) == 3
        assert tx.execute("DELETE FROM meta WHERE name = ?", ("z",)) == 0
        assert tx.one("SELECT value FROM meta WHERE name = ?", ("z",)) is None
        assert tx.all("SELECT value FROM meta WHERE name = ?", ("z",)) == []
        tx.many(PUT, [("x", "1"), ("y", "1")])
        tx.many(PUT, [])
    assert _names(database) == ["a", "b", "c", "x", "y"]


def test_names_are_in_the_order_of_their_bytes(database: Database) -> None:
    """Whatever the server's language says."""
    _put(database, "a", "B", "P-2", "P-10", "ä")
    assert _names(database) == ["B", "P-10", "P-2", "a", "ä"]


def test_who_reads_sees_one_state(database: Database) -> None:
    _put(database, "a")
    with database.reading() as tx:
        before = tx.all(ALL)
        _put(database, "b")
        assert tx.all(ALL) == before
    assert _names(database) == ["a", "b"]


def test_who_reads_writes_nothing(database: Database) -> None:
    with pytest.raises(ClinicStoreError), database.reading() as tx:
        tx.execute(PUT, ("a", "1"))
    assert _names(database) == []


def test_who_reads_does_not_wait_for_who_writes(database: Database) -> None:
    _put(database, "a")
    with database.writing() as tx:
        tx.execute(PUT, ("b", "1"))
        with ThreadPoolExecutor(1) as other:
            assert other.submit(_names, database).result(AT_ONCE_S) == ["a"]


def test_of_two_with_one_lock_the_second_waits(database: Database) -> None:
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait(AT_ONCE_S)
        with database.writing() as tx:
            tx.lock(b"one")
            order.append("second")

    with ThreadPoolExecutor(1) as other:
        with database.writing() as tx:
            tx.lock(b"one")
            waits = other.submit(second)
            inside.set()
            with suppress(TimeoutError):
                waits.result(0.2)
            order.append("first")
        waits.result(AT_ONCE_S)
    assert order == ["first", "second"]


def test_many_threads_lose_no_count(database: Database) -> None:
    _put(database, "count")

    def add(_: int) -> None:
        with database.writing() as tx:
            tx.lock(b"count")
            row = tx.one("SELECT value FROM meta WHERE name = ?", ("count",))
            assert row is not None
            tx.execute("UPDATE meta SET value = ? WHERE name = ?", (str(int(row[0]) + 1), "count"))

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(add, range(60)))
    with database.reading() as tx:
        assert tx.one("SELECT value FROM meta") == ("61",)


def test_an_error_says_where_and_nothing_of_what(database: Database) -> None:
    with database.writing() as tx:
        tx.execute(PUT, ("secret-72", "secret-73"))
    for sql, parameters in (
        (PUT, ("secret-72", "secret-74")),
        ("INSERT INTO withdrawn (device, sequence, day) VALUES (?, ?, ?)", (b"secret", 1, "secret")),
        ("INSERT INTO meta (name, value) VALUES (?, ?)", ("secret", None)),
    ):
        with pytest.raises(ClinicStoreError) as told, database.writing() as tx:
            tx.execute(sql, parameters)
        assert "secret" not in str(told.value)
        assert "clinic" in str(told.value)
        assert told.value.__suppress_context__


def test_closed_twice_is_closed(database: Database) -> None:
    database.close()
    database.close()


def test_a_database_is_opened_again_with_what_is_in_it(
    tmp_path: Path, clinic_database: str | None, database: Database
) -> None:
    _put(database, "a")
    with closing(open_database(tmp_path, clinic_database)) as again:
        assert _names(again) == ["a"]


@pytest.mark.parametrize("url", ["mysql://there/clinic", "clinic.db", "/var/clinic"])
def test_a_database_of_another_kind_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ClinicError, match="postgresql://"):
        open_database(tmp_path, url)


def test_an_empty_file_is_not_taken_for_a_clinic_and_stays_empty(tmp_path: Path) -> None:
    path = tmp_path / "clinic.db"
    path.touch()
    with pytest.raises(ClinicError, match="empty file"):
        open_database(tmp_path)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"", [path])


def test_a_file_that_nobody_can_ask_for_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClinicStoreError):
        SqliteDatabase(tmp_path / ("x" * 300))


def test_what_was_erased_leaves_the_files_though_somebody_read_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.clinic.database.sqlite._FLUSH_PATIENCE_S", 0.05)

    def is_in_the_files() -> bool:
        return any(b"Patient 17" in path.read_bytes() for path in tmp_path.iterdir())

    with closing(open_database(tmp_path, create=True)) as database:
        _put(database, "Patient 17")
        with database.reading() as reader:
            reader.all(ALL)
            with database.writing() as tx:
                tx.execute("DELETE FROM meta WHERE name = 'Patient 17'")
            database.flush_erased()
            _put(database, "a")  # who reads is not in the way of who writes
            assert is_in_the_files()
        _put(database, "b")
        assert not is_in_the_files()
        assert _names(database) == ["a", "b"]
