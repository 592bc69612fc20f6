"""PostgreSQL that is away, comes back, is too old, or is not ours: said in one line, and never with a password."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from sync.clinic.database import postgres, postgres_connections
from sync.clinic.database.opened import open_database
from sync.clinic.database.postgres import PostgresDatabase
from sync.clinic.database.schema import MIGRATIONS
from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.receipt import Status
from tests.rigs.clinic import ClinicRig, af_days
from tests.rigs.postgres import LOCKED, PASSWORD, PostgresServer, shared_server

PUT = "INSERT INTO meta (name, value) VALUES (?, ?)"
AWAY = ("kill", "stop")


@pytest.fixture
def url() -> str:
    """Of a database with nothing in it."""
    return shared_server().new_database()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One that may be stopped, and forgets nothing."""
    server = PostgresServer(durable=True)
    yield server
    server.close()


def _put(database: PostgresDatabase, name: str) -> None:
    with database.writing() as tx:
        tx.execute(PUT, (name, "1"))


def _names(url: str) -> set[str]:
    with closing(PostgresDatabase(url)) as database, database.reading() as tx:
        return {name for (name,) in tx.all("SELECT name FROM meta")}


# -- opening it


def test_a_database_without_a_clinic_is_not_made_one_by_opening_it(url: str) -> None:
    with pytest.raises(ClinicError, match="no clinic here"):
        PostgresDatabase(url)
    PostgresDatabase(url, create=True).close()
    PostgresDatabase(url).close()


def test_of_many_that_start_at_once_one_makes_the_tables(url: str) -> None:
    start = threading.Barrier(8)

    def open_it(_: int) -> None:
        start.wait()
        PostgresDatabase(url, create=True).close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(open_it, range(8)))
    with closing(psycopg.connect(url)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(len(MIGRATIONS),)]


def test_tables_of_an_older_program_are_brought_up_to_date_with_their_rows(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(postgres, "MIGRATIONS", MIGRATIONS[:1])
        with closing(PostgresDatabase(url, create=True)) as database:
            _put(database, "kept")
    with closing(PostgresDatabase(url)) as database, database.reading() as tx:
        assert tx.all("SELECT name FROM meta") == [("kept",)]
        assert tx.all("SELECT count(*) FROM staff") == [(0,)]


def test_tables_of_a_newer_program_are_left_alone(url: str) -> None:
    PostgresDatabase(url, create=True).close()
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(ClinicStoreError, match=f"version 99, this program knows {len(MIGRATIONS)}"):
        PostgresDatabase(url)


def test_a_migration_that_fails_leaves_nothing_of_itself(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(postgres, "statements", lambda version, types: ["CREATE TABLE half (a BIGINT)", "wrong"])
        with pytest.raises(ClinicStoreError, match="syntax error"):
            PostgresDatabase(url, create=True)
    PostgresDatabase(url, create=True).close()
    with closing(psycopg.connect(url)) as connection:
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_a_server_that_is_too_old_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "OLDEST", 99)
    with pytest.raises(ClinicStoreError, match=r"PostgreSQL \d+, 99 or newer is needed"):
        PostgresDatabase(url, create=True)


def test_a_database_whose_texts_are_not_utf8_is_told(url: str) -> None:
    shared_server().execute("DROP DATABASE IF EXISTS clinic_latin")
    shared_server().execute(
        "CREATE DATABASE clinic_latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    )
    with pytest.raises(ClinicStoreError, match="LATIN1, UTF8 is needed"):
        PostgresDatabase(shared_server().url("clinic_latin"), create=True)


def test_a_server_that_can_only_be_read_is_told(url: str) -> None:
    with pytest.raises(ClinicStoreError, match="read-only"):
        PostgresDatabase(f"{url}&options=-cdefault_transaction_read_only%3Don", create=True)


def test_a_database_that_is_not_there_is_told() -> None:
    with pytest.raises(ClinicStoreError, match='database "nothing" does not exist'):
        PostgresDatabase(shared_server().url("nothing"))


def test_a_commit_waits_for_the_disk_whatever_the_server_is_set_to(url: str) -> None:
    PostgresDatabase(url, create=True).close()
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        name = connection.info.dbname
        for setting in ("synchronous_commit = off", "default_transaction_isolation = serializable"):
            connection.execute(f"ALTER DATABASE {name} SET {setting}".encode())
    with closing(PostgresDatabase(url)) as database, database.writing() as tx:
        assert tx.one("SELECT current_setting('synchronous_commit')") == ("on",)
        assert tx.one("SELECT current_setting('transaction_isolation')") == ("read committed",)
        assert tx.one("SELECT current_setting('statement_timeout')") == ("30s",)
        assert tx.one("SELECT current_setting('application_name')") == ("vitalkeep-clinic",)


def test_who_owns_the_database_needs_no_more_rights_than_that(tmp_path: Path) -> None:
    """As createuser and createdb make them; another user is told what is missing."""
    name = shared_server().new_database().partition("@/")[2].partition("?")[0]
    for role in ("practice", "stranger"):
        shared_server().execute(f"DROP ROLE IF EXISTS {role}_{name}")
        shared_server().execute(f"CREATE ROLE {role}_{name} LOGIN")
    shared_server().execute(f"ALTER DATABASE {name} OWNER TO practice_{name}")
    owned = shared_server().url(name, user=f"practice_{name}")
    with closing(psycopg.connect(shared_server().url(name), autocommit=True)) as connection:
        # as it is from version 15 on
        connection.execute(f"GRANT CREATE ON SCHEMA public TO practice_{name}".encode())
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with pytest.raises(ClinicStoreError, match="permission denied for schema public"):
        PostgresDatabase(shared_server().url(name, user=f"stranger_{name}"), create=True)
    with ClinicRig(tmp_path / "clinic", owned) as clinic:
        device = clinic.enrolled("Patient 17")
        assert clinic.take(device.release(af_days())) is Status.STORED
        assert clinic.take(device.delete()) is Status.STORED
    with pytest.raises(ClinicStoreError, match="permission denied for table"):
        PostgresDatabase(shared_server().url(name, user=f"stranger_{name}"))


# -- passwords


def test_a_wrong_password_is_told_and_not_shown(url: str) -> None:
    shared_server().can_be_locked_out()
    name = url.partition("@/")[2].partition("?")[0]
    right = shared_server().url(name, user=LOCKED, password=PASSWORD)
    PostgresDatabase(right, create=True).close()
    wrong = shared_server().url(name, user=LOCKED, password="battery staple")
    with pytest.raises(ClinicStoreError, match="password authentication failed") as told:
        PostgresDatabase(wrong)
    assert "battery" not in str(told.value) and "staple" not in str(told.value)


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql://owner:battery@[/clinic",
        "postgresql://owner:battery@there:port/clinic?passwort=battery",
        "postgresql://owner:battery%@there/clinic",
        "postgresql://there/clinic?connect_timeout=battery",
    ],
)
def test_an_address_that_is_none_is_told_and_not_shown(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ClinicError) as told:
        open_database(tmp_path, wrong)
    assert "battery" not in str(told.value)


def test_no_error_of_a_statement_quotes_a_value(url: str) -> None:
    with closing(PostgresDatabase(url, create=True)) as database:
        _put(database, "secret")
        for sql, parameters in (
            (PUT, ("secret", "secret")),
            (PUT, ("a\0secret", "1")),
            ("SELECT CAST(? AS BIGINT)", ("secret",)),
            ("SELECT name FROM meta WHERE name = ? AND", ("secret",)),
            ("SELECT name FROM meta WHERE name = ?", ("secret", "secret")),
            ("SELECT CAST(value AS DATE) FROM meta WHERE name = ?", ("secret",)),
            ("SELECT 1 / CAST(? AS BIGINT)", ("0",)),
        ):
            with pytest.raises(ClinicStoreError) as told, database.writing() as tx:
                tx.execute(sql, parameters)
            assert "secret" not in str(told.value)
            assert str(told.value).startswith("PostgreSQL database clinic_")
        _put(database, "still works")


# -- on the way


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql:///clinic", None),
        ("postgresql://localhost/clinic", None),
        ("postgresql:///clinic?host=/run/postgresql", None),
        ("postgresql://db.clinic.example/clinic", "verify-full"),
        ("postgresql://localhost,db.clinic.example/clinic", "verify-full"),
        ("postgresql:///clinic?hostaddr=192.0.2.7", "verify-full"),
        ("postgresql://db.clinic.example/clinic?sslmode=verify-ca", "verify-ca"),
    ],
)
def test_a_server_elsewhere_is_spoken_to_with_tls_alone(
    address: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its certificate is looked at, unless somebody decided otherwise."""
    asked = _asked_for(address, monkeypatch)
    assert asked.get("sslmode") == expected


def test_what_the_environment_says_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.clinic.example")
    assert _asked_for("postgresql:///clinic", monkeypatch)["sslmode"] == "verify-full"
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "17")
    asked = _asked_for("postgresql:///clinic", monkeypatch)
    assert (asked["host"], asked["sslmode"], asked["connect_timeout"]) == ("db.clinic.example", "require", "17")
    assert _asked_for("postgresql://other/clinic?sslmode=verify-ca", monkeypatch)["sslmode"] == "verify-ca"


def _asked_for(address: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a connection is asked for with."""
    asked: dict[str, str] = {}

    def connect(**parameters: str) -> None:
        asked.update(parameters)
        raise psycopg.OperationalError("not here")

    with monkeypatch.context() as never:
        never.setattr(psycopg, "connect", connect)
        with pytest.raises(ClinicStoreError):
            PostgresDatabase(address)
    return asked


# -- a server that is away


def test_a_server_that_is_away_is_told_at_once_with_the_cause(tmp_path: Path) -> None:
    began_s = time.monotonic()
    with pytest.raises(ClinicStoreError, match=f"database clinic on {tmp_path}: .*No such file or directory"):
        PostgresDatabase(f"postgresql://owner@/clinic?host={tmp_path}")
    with pytest.raises(ClinicStoreError, match=r"database clinic on 127\.0\.0\.1: .*refused"):
        PostgresDatabase("postgresql://owner@127.0.0.1:1/clinic")
    assert time.monotonic() - began_s < postgres.CONNECT_WITHIN_S


@pytest.mark.parametrize("away", AWAY)
def test_what_was_committed_is_there_after_the_server_was(server: PostgresServer, away: str) -> None:
    """And who had it open goes on by itself."""
    url = server.new_database()
    with closing(PostgresDatabase(url, create=True)) as database:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: _put(database, f"before-{number}"), range(24)))
        getattr(server, away)()
        for _ in range(20):
            with pytest.raises(ClinicStoreError, match="PostgreSQL database clinic_"):
                _put(database, "lost")
        server.start()
        for number in range(8):
            _put(database, f"after-{number}")
        assert _names(url) == {f"before-{n}" for n in range(24)} | {f"after-{n}" for n in range(8)}


@pytest.mark.parametrize("away", AWAY)
def test_a_transaction_that_loses_its_server_has_stored_nothing(server: PostgresServer, away: str) -> None:
    url = server.new_database()
    with closing(PostgresDatabase(url, create=True)) as database:
        with pytest.raises(ClinicStoreError), database.writing() as tx:
            tx.execute(PUT, ("lost", "1"))
            getattr(server, away)()
        server.start()
        assert _names(url) == set()


def test_a_statement_that_takes_too_long_is_ended(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PostgresDatabase(url, create=True).close()
    monkeypatch.setitem(postgres._SETTINGS, "statement_timeout", "1s")
    with closing(PostgresDatabase(url)) as database:
        with pytest.raises(ClinicStoreError, match="statement timeout"), database.reading() as tx:
            tx.one("SELECT pg_sleep(20)")
        _put(database, "still works")


def test_who_waits_too_long_for_a_lock_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres._SETTINGS, "lock_timeout", "50ms")
    with closing(PostgresDatabase(url, create=True)) as database, database.writing() as tx:
        tx.lock(b"one")
        with pytest.raises(ClinicStoreError, match="lock timeout"), database.writing() as other:
            other.lock(b"one")


# -- connections


def test_connections_have_a_limit_and_the_wait_for_one_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(postgres_connections, "PATIENCE_S", 0.05)
    with closing(PostgresDatabase(url, create=True)) as database:
        used_up = pytest.raises(ClinicStoreError, match="all of 2 connections are in use")
        with database.reading(), database.reading(), used_up:
            _put(database, "a")
        _put(database, "b")
        assert len(database._connections._free) == 2


def test_connections_are_used_again(url: str) -> None:
    with closing(PostgresDatabase(url, create=True)) as database:
        for number in range(5):
            _put(database, str(number))
        with database.reading() as tx:
            (found,) = tx.all(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vitalkeep-clinic'"
                " AND datname = current_database()"
            )
    assert found == (1,)


def test_a_closed_database_leaves_no_connection(url: str) -> None:
    database = PostgresDatabase(url, create=True)
    with database.reading():
        database.close()
    with closing(psycopg.connect(url)) as connection:
        ends_s = time.monotonic() + 10.0
        while True:
            found = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            ).fetchone()
            if found == (1,) or time.monotonic() > ends_s:
                break
            connection.rollback()
            time.sleep(0.02)
    assert found == (1,)
