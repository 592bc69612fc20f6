"""The clinic's database on a PostgreSQL server: any number who write at once, and what was committed is on its disk.

What goes wrong is told with the server, the database and the cause: never with a password, a parameter or a row. So of
an error's text only what PostgreSQL writes about itself is passed on, and a DETAIL, which quotes rows, never.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo, TransactionStatus

from sync.clinic.database.database import Row, Transaction, Value
from sync.clinic.database.opened import UNREADABLE
from sync.clinic.database.postgres_connections import BusyError, PostgresConnection, PostgresConnections
from sync.clinic.database.schema import MIGRATIONS, POSTGRESQL, statements
from sync.clinic.errors import ClinicError, ClinicStoreError

OLDEST = 13
MOST_CONNECTIONS = 16
CONNECT_WITHIN_S = 5
_DEFAULTS = {
    "connect_timeout": str(CONNECT_WITHIN_S),
    "application_name": "vitalkeep-clinic",
    # a server that can only be read is not the one that is meant
    "target_session_attrs": "read-write",
    # a network that swallows everything is found out
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_SETTINGS = {
    "client_encoding": "UTF8",
    "synchronous_commit": "on",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    # what is asked takes tens of milliseconds: compiling it, or starting processes for it, would take longer
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}
_HERE = ("", "localhost", "127.0.0.1", "::1")
_ERASED_FROM = ("answers", "messages", "devices", "pairings", "keys_due")
_MIGRATING = b"vitalkeep clinic: migrating"
# Of these classes of errors PostgreSQL's own words name tables, settings and states, and no value: connections, what is
# not supported, states of transactions, access, rollbacks, names of databases, syntax, resources, limits, states of
# objects, operators, its system. https://www.postgresql.org/docs/current/errcodes-appendix.html
_TELLING = ("08", "0A", "25", "28", "40", "3D", "42", "53", "54", "55", "57", "58")


class PostgresDatabase:
    kind = "postgresql"

    def __init__(self, url: str, *, create: bool = False) -> None:
        """Raises ClinicError where there is no clinic in it, ClinicStoreError."""
        try:
            parameters = _parameters(url)
        except psycopg.Error:
            # its words may quote a password
            raise ClinicError("no address of a PostgreSQL database; postgresql://USER@HOST/DATABASE is one") from None
        self.place = _place(parameters)
        self._connections = PostgresConnections(lambda: self._connect(parameters), MOST_CONNECTIONS)
        try:
            self._migrate(create)
        except BaseException:
            self.close()
            raise

    def connections(self) -> dict[str, int]:
        return self._connections.states()

    def close(self) -> None:
        self._connections.close()

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        with self._transaction(IsolationLevel.READ_COMMITTED, read_only=False) as tx:
            yield tx

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        with self._transaction(IsolationLevel.REPEATABLE_READ, read_only=True) as tx:
            yield tx

    def flush_erased(self) -> None:
        """Erased rows leave their pages and indexes, and their room is written over by what comes next.

        Where somebody else vacuums a table just now it is left to them. Old pages stay in PostgreSQL's own log (WAL)
        and in copies of it for as long as those are kept.
        """
        with self._told(), self._connections.lent() as connection:
            # however large the tables have grown
            connection.execute("SELECT set_config('statement_timeout', '0', false)")
            try:
                for table in _ERASED_FROM:
                    connection.execute(f"VACUUM (INDEX_CLEANUP ON, SKIP_LOCKED ON) {table}".encode())
            finally:
                connection.execute(
                    "SELECT set_config('statement_timeout', %s, false)", (_SETTINGS["statement_timeout"],)
                )

    @contextmanager
    def _transaction(self, level: IsolationLevel, *, read_only: bool) -> Iterator[Transaction]:
        with self._told(), self._connections.lent() as connection:
            connection.isolation_level = level
            connection.read_only = read_only
            with connection.transaction():
                yield _Transaction(connection)
                # A COMMIT after a failed statement is a ROLLBACK that nobody hears of.
                if connection.info.transaction_status is TransactionStatus.INERROR:
                    raise ClinicStoreError(f"{self.place}: a statement had failed, and nothing was stored")

    def _connect(self, parameters: dict[str, Any]) -> PostgresConnection:
        connection = psycopg.connect(**parameters, autocommit=True)
        try:
            if connection.info.server_version < OLDEST * 10_000:
                found = connection.info.server_version // 10_000
                raise ClinicStoreError(f"{self.place}: PostgreSQL {found}, {OLDEST} or newer is needed")
            encoding = connection.info.parameter_status("server_encoding")
            if encoding != "UTF8":
                raise ClinicStoreError(f"{self.place}: its texts are in {encoding}, UTF8 is needed")
            for name, value in _SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            connection.adapters.register_loader("numeric", _NumberLoader)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, create: bool) -> None:
        known = len(MIGRATIONS)
        with self.writing() as tx:
            # of two that start at once one does the work, and the other finds it done
            tx.lock(_MIGRATING)
            if tx.one("SELECT to_regclass('schema_version')") == (None,):
                if not create:
                    raise ClinicError(f"{self.place}: no clinic here; vitalkeep-clinic init makes one")
                tx.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
                tx.execute("INSERT INTO schema_version (version) VALUES (0)")
            row = tx.one("SELECT version FROM schema_version")
            found = 0 if row is None else row[0]
            if found > known:
                raise ClinicStoreError(f"{self.place}: version {found}, this program knows {known}: update it")
            for version in range(found + 1, known + 1):
                for statement in statements(version, POSTGRESQL):
                    # compared byte by byte, as SQLite does, and not by the language of the server
                    tx.execute(statement.replace(" TEXT", ' TEXT COLLATE "C"'))
                tx.execute("UPDATE schema_version SET version = ?", (version,))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What PostgreSQL or the way to it do wrong within is raised as ours."""
        try:
            yield
        except BusyError:
            raise ClinicStoreError(f"{self.place}: all of {MOST_CONNECTIONS} connections are in use") from None
        except psycopg.Error as problem:
            raise ClinicStoreError(f"{self.place}: {_cause(problem)}") from None


class _Transaction:
    def __init__(self, connection: PostgresConnection) -> None:
        # one for all statements: each result is fetched before the next is asked for
        self._cursor = connection.cursor()

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        return max(self._cursor.execute(_translated(sql), parameters).rowcount, 0)

    def all(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return self._cursor.execute(_translated(sql), parameters).fetchall()

    def one(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        return self._cursor.execute(_translated(sql), parameters).fetchone()

    def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        self._cursor.executemany(_translated(sql), rows)

    def lock(self, *names: bytes) -> None:
        numbers = [int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True) for name in names]
        # an array's elements come in their order
        self._cursor.execute("SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number", (numbers,))


class _NumberLoader(psycopg.adapt.Loader):
    """A sum of integers is NUMERIC to PostgreSQL: it is told as SQLite tells it."""

    def load(self, data: psycopg.abc.Buffer) -> int | float:
        text = bytes(data).decode("ascii")
        return int(text) if text.lstrip("-").isdigit() else float(text)


@lru_cache(maxsize=512)
def _translated(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _cause(problem: psycopg.Error) -> str:
    if problem.sqlstate is None:
        # of the connection, in libpq's words; of what was to be sent, in psycopg's, which may quote it
        text = str(problem) if isinstance(problem, psycopg.OperationalError) else type(problem).__name__
        return " ".join(text.split()).removeprefix("connection is bad: ").removeprefix("connection failed: ")
    if problem.sqlstate.startswith(_TELLING) and problem.diag.message_primary:
        return problem.diag.message_primary
    return f"{type(problem).__name__} ({problem.sqlstate})"


def _parameters(url: str) -> dict[str, Any]:
    """What the address says goes before the environment, and that before our defaults."""
    said = conninfo_to_dict(url)
    _require_telling(said)
    found = {**_environment(), **said}
    hosts = [host for name in ("host", "hostaddr") for host in str(found.get(name) or "").split(",")]
    if not all(host.startswith(("/", "@")) or host in _HERE for host in hosts):
        # what libpq takes by itself would fall back to no TLS at all, where somebody in between wants that
        found.setdefault("sslmode", "verify-full")
    return {**_DEFAULTS, **found}


def _require_telling(said: dict[str, Any]) -> None:
    """Part of a password that has an @ or a / in it would be taken for a host, a port or a database, and be told."""
    places = [str(said.get(name) or "") for name in ("host", "hostaddr", "dbname")]
    ports = str(said.get("port") or "")
    if any("@" in place for place in places) or not set(ports) <= set("0123456789,"):
        raise ClinicError(UNREADABLE)


def _environment() -> dict[str, Any]:
    """What libpq finds in PGHOST, PGSSLMODE and the like."""
    said = {each.keyword.decode(): each for each in Conninfo.get_defaults()}
    return {
        name: each.val.decode()
        for name, each in said.items()
        if each.val and each.envvar and each.envvar.decode() in os.environ
    }


def _place(parameters: dict[str, Any]) -> str:
    """Which database where, for messages."""
    default = {each.keyword.decode(): each.val.decode() for each in Conninfo.get_defaults() if each.val}
    found = {**default, **parameters}
    where = found.get("host") or found.get("hostaddr") or "this machine"
    return f"PostgreSQL database {found.get('dbname') or found.get('user')} on {where}"
