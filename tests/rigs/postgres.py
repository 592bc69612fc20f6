"""A PostgreSQL of one's own: on a socket in a folder, of no network, gone with the process that made it.

A shell stands between: it ends the server and takes the folder away when the pipe from this process breaks, so also
where this process was killed. It sends two signals: a server that has just been started knows the second one not yet.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from sync.clinic.database.postgres import PostgresDatabase

SUPERUSER = "owner"
LOCKED, PASSWORD = "locked", "correct horse"
_START_WITHIN_S = 60.0
_KEEPER = """
"$@" </dev/null &
server=$!
read -r _
kill -TERM $server 2>/dev/null
kill -QUIT $server 2>/dev/null
wait $server
[ -e "$FOLDER/keep" ] || rm -rf "$FOLDER"
"""
_ACCESS = f"""
local all {LOCKED} scram-sha-256
local all all trust
"""


def missing() -> str | None:
    """Why there is none here; None: there is one."""
    if _binaries() is None:
        return "PostgreSQL is not installed: apt-get install postgresql"
    if os.getuid() == 0 and _other_user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return None


class PostgresServer:
    """`durable`: commits wait for the disk, as they do where it counts."""

    def __init__(self, *, durable: bool = False) -> None:
        if (why := missing()) is not None:
            pytest.skip(why)
        binaries = _binaries()
        assert binaries is not None
        self._binaries = binaries
        self._user = _other_user() if os.getuid() == 0 else None
        self._durable = durable
        # not in pytest's folders: the name of a socket may have 107 bytes at most
        self.folder = Path(tempfile.mkdtemp(prefix="vitalkeep"))
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        self._keeper: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)
        options = ["--no-sync", "--encoding=UTF8", "--locale=C", f"--username={SUPERUSER}", "--auth=trust"]
        if _version(binaries) >= 15:
            # texts in the order of a language, as servers are set up: what needs that of bytes has to say so
            options += ["--locale-provider=icu", "--icu-locale=en-US"]
        subprocess.run(
            [binaries / "initdb", *options, "-D", self._data],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._user,
            cwd=self.folder,
        )
        (self._data / "pg_hba.conf").write_text(_ACCESS)
        self.start()

    def url(self, name: str = "postgres", *, user: str = SUPERUSER, password: str | None = None) -> str:
        named = user if password is None else f"{user}:{password.replace(' ', '%20')}"
        return f"postgresql://{named}@/{name}?host={self.folder}"

    # -- its life

    def start(self) -> None:
        """Returns when it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on",
            "full_page_writes": "on" if self._durable else "off",
            "max_connections": "60",
            "shared_buffers": "32MB",
            "jit": "off",
            "logging_collector": "off",
        }
        given = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        (self.folder / "keep").touch()
        ends_s = time.monotonic() + _START_WITHIN_S
        with (self.folder / "log").open("ab") as log:
            while True:
                # Killed a moment ago, its memory may still be held: then it ends at once, and is asked again.
                self._keeper = subprocess.Popen(
                    ["/bin/sh", "-c", _KEEPER, "sh", self._binaries / "postgres", "-D", self._data, *given],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    user=self._user,
                    cwd=self.folder,
                    env={"FOLDER": str(self.folder), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                    # what interrupts this process leaves it alone
                    start_new_session=True,
                )
                if self._answers(ends_s):
                    break
                self._end_keeper()
                if time.monotonic() > ends_s:
                    raise TimeoutError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")
        (self.folder / "keep").unlink()

    def stop(self) -> None:
        """Connections are cut, what was committed is written."""
        self._signalled(signal.SIGINT)

    def kill(self) -> None:
        """All of its processes at once, without a word; what they had handed to the kernel stays."""
        self._signalled(signal.SIGKILL)

    def start_again(self) -> None:
        """Where it is not running."""
        if self._keeper is None:
            self.start()

    def close(self) -> None:
        """Its folder goes too."""
        atexit.unregister(self.close)
        self._end_keeper()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- databases

    def new_database(self) -> str:
        """The address of an empty one."""
        name = f"clinic_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def can_be_locked_out(self) -> None:
        """Makes the user LOCKED, who needs PASSWORD."""
        with suppress(psycopg.errors.DuplicateObject):
            self.execute(f"CREATE ROLE {LOCKED} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")

    def empty(self, url: str) -> None:
        """The tables of a clinic stay, who is still in it is cut off: quicker than a new one by far."""
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version'"
            ).fetchall()
            with connection.transaction():
                for (table,) in tables:
                    connection.execute(f"DELETE FROM {table}".encode())

    def execute(self, sql: str) -> None:
        """As the superuser."""
        with self._asked() as connection:
            connection.execute(sql.encode())

    # -- inside

    @contextmanager
    def _asked(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        with closing(psycopg.connect(self.url(), autocommit=True)) as connection:
            yield connection

    def _answers(self, ends_s: float) -> bool:
        while time.monotonic() < ends_s:
            with suppress(psycopg.Error), self._asked():
                return True
            if self._postmaster() is None and self._ended():
                return False
            time.sleep(0.02)
        return False

    def _ended(self) -> bool:
        """Whether the server is gone, while its shell waits for this process."""
        assert self._keeper is not None
        children = _children(self._keeper.pid)
        return bool(children) and all(_is_zombie(child) for child in children)

    def _postmaster(self) -> int | None:
        with suppress(OSError, ValueError, IndexError):
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
            if not _is_zombie(pid):
                return pid
        return None

    def _signalled(self, number: signal.Signals) -> None:
        (self.folder / "keep").touch()
        pid = self._postmaster()
        assert pid is not None
        processes = [pid, *_children(pid)]
        os.kill(pid, number)
        for process in processes[1:] if number is signal.SIGKILL else []:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        while not all(_is_zombie(process) for process in processes):
            time.sleep(0.005)
        self._end_keeper()

    def _end_keeper(self) -> None:
        if self._keeper is not None:
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()
            self._keeper.wait(timeout=30)
            self._keeper = None


@functools.cache
def shared_server() -> PostgresServer:
    """One for all tests of this process; what it keeps is not for long."""
    return PostgresServer()


@contextmanager
def database_url(kind: str) -> Iterator[str | None]:
    """What a ClinicRig takes: None for `sqlite`, for `postgresql` the address of a database without a row."""
    if kind == "sqlite":
        yield None
        return
    url = _shared_database()
    try:
        yield url
    finally:
        shared_server().empty(url)


@functools.cache
def _shared_database() -> str:
    url = shared_server().new_database()
    PostgresDatabase(url, create=True).close()
    return url


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_zombie(pid: int) -> bool:
    """Or gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@functools.cache
def _binaries() -> Path | None:
    """The newest: Debian keeps them beside the path."""
    here = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    found = shutil.which("postgres")
    if found is not None:
        here.append(Path(found).resolve().parent)
    return next((path for path in here if (path / "initdb").exists() and (path / "postgres").exists()), None)


def _version(binaries: Path) -> int:
    said = subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"(\d+)", said)
    return 0 if found is None else int(found[1])


def _other_user() -> str | None:
    import pwd

    with suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return None
