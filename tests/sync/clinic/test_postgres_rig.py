"""The server that tests start is theirs alone, and is gone when they are."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.architecture.house import ROOT
from tests.rigs.postgres import database_url, shared_server

WITHIN_S = 30.0
SCRIPT = """
from tests.rigs.postgres import PostgresServer
server = PostgresServer()
print(server.folder, flush=True)
input()
"""


def _processes_of(folder: str) -> list[str]:
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                words = (path / "cmdline").read_bytes()
            except OSError:
                continue  # it has just ended
            if folder.encode() in words:
                found.append(path.name)
    return found


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, None])
def test_no_server_and_no_folder_outlive_their_tests(end: signal.Signals | None) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        folder = process.stdout.readline().strip()
        assert _processes_of(folder)
        if end is None:
            process.stdin.close()
        else:
            process.send_signal(end)
        process.wait(WITHIN_S)
    ends_s = time.monotonic() + WITHIN_S
    while (Path(folder).exists() or _processes_of(folder)) and time.monotonic() < ends_s:
        time.sleep(0.05)
    assert not Path(folder).exists()
    assert not _processes_of(folder)


def test_it_listens_to_no_network() -> None:
    with closing(psycopg.connect(shared_server().url())) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.info.hostaddr == ""


def test_each_test_has_a_database_without_a_row() -> None:
    for _ in range(2):
        with database_url("postgresql") as url:
            assert url is not None
            with closing(psycopg.connect(url, autocommit=True)) as connection:
                assert connection.execute("SELECT count(*) FROM meta").fetchone() == (0,)
                connection.execute("INSERT INTO meta (name, value) VALUES ('left', 'behind')")
