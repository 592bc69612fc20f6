"""How long each page of a full clinic takes: 10,000 patients with two years of cards, over HTTP, signed in.

python -m benchmarks.clinic_pages [--database sqlite|postgresql] [--devices 10000] [--of pages|interfaces]

Cold is the first answer after the clinic's server was started anew, signing in aside; warm are the twenty after that.
PostgreSQL is started for it, and ended; commits wait for the disk. Exits with 1 where a median is over the limit.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.clinic_filled import PASSWORD, STAFF, fill
from benchmarks.table import table
from tests.rigs.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MS = 300.0
WARM = 20
_TICKS = os.sysconf("SC_CLK_TCK")
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Timed:
    """`server_ms`: of the server's own processor, for each warm answer; PostgreSQL's is not in it."""

    page: str
    cold_ms: float
    median_ms: float
    worst_ms: float
    server_ms: float
    kilobytes: float


class Server:
    """The real one, as a process of its own, at a port of this machine."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self._options = ["--data", str(folder), *([] if database_url is None else ["--database", database_url])]
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> Server:
        command = [sys.executable, "-m", "sync.clinic", "serve", *self._options, "--port", str(self.port)]
        self._process = subprocess.Popen([*command, "--rate", "0"], cwd=ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise SystemExit("the server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def processor_s(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


class Staff:
    """One at a browser: keeps cookies, and one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._host = f"127.0.0.1:{port}"
        self._cookies: dict[str, str] = {}

    def __enter__(self) -> Staff:
        self.sign_in()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str) -> bytes:
        """Raises AssertionError for anything but a page."""
        status, body = self._ask("GET", path)
        assert status == 200, f"{path}: HTTP {status}"
        return body

    def sign_in(self) -> None:
        found = _CSRF.search(self.get("/sign-in").decode())
        assert found is not None
        form = {"csrf": found[1], "name": STAFF, "password": PASSWORD, "next": "/settings"}
        status, _ = self._ask("POST", "/sign-in", urlencode(form).encode())
        assert status == 303, f"signing in: HTTP {status}"

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self._host}"}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        for cookie in answer.headers.get_all("set-cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, answer.read()


def time_page(server: Server, path: str, named: str, warm: int = WARM) -> Timed:
    """Starts the server, signs in, and asks for the page."""
    with server, Staff(server.port) as staff:
        cold_ms, body = _asked(staff, path)
        before_s = server.processor_s()
        took = [_asked(staff, path)[0] for _ in range(warm)]
        server_ms = 1000 * (server.processor_s() - before_s) / warm
    return Timed(named, cold_ms, statistics.median(took), max(took), server_ms, len(body) / 1000)


def pages(pseudonym: str) -> list[tuple[str, str]]:
    """What is asked for, and what it is called in the table."""
    return [
        ("/", "Today"),
        ("/patients", "Patients"),
        ("/patients?search=99&sort=enrolled", "Patients, searched"),
        ("/patients?sort=newest&page=100", "Patients, page 100"),
        (f"/patients/{pseudonym}", "Patient"),
        ("/cohort", "Cohort"),
        ("/privacy", "Privacy"),
        ("/pair", "Pair"),
        ("/audit", "Audit"),
        ("/settings", "Settings"),
    ]


def interfaces(pseudonym: str) -> list[tuple[str, str]]:
    """What other programs ask for, each a page as large as it is where nothing is said."""
    fhir = "/fhir/R4"
    return [
        (f"{fhir}/Patient", "Patient"),
        (f"{fhir}/Patient/{pseudonym}/$everything", "Patient/{id}/$everything"),
        (f"{fhir}/Observation?patient={pseudonym}", "Observation?patient="),
        (f"{fhir}/Observation", "Observation"),
        (f"{fhir}/Observation?code=40443-4", "Observation?code="),
        (f"{fhir}/Observation?code=af_days&date=sa2026-06", "Observation?code=&date="),
        (f"{fhir}/Observation?date=lt2020", "Observation?date= of which there is none"),
        (f"/export/patients/{pseudonym}.csv", "/export/patients/{pseudonym}.csv"),
    ]


OF = {"pages": pages, "interfaces": interfaces}


def run(
    folder: Path,
    devices: int,
    database_url: str | None,
    warm: int = WARM,
    only: Sequence[str] = (),
    of: str = "pages",
) -> tuple[float, list[Timed]]:
    """Seconds that filling took, and each page; `only`: those called so."""
    began_s = time.perf_counter()
    filled = fill(folder, devices, database_url)
    filled_s = time.perf_counter() - began_s
    server = Server(folder, database_url)
    asked = [(path, named) for path, named in OF[of](filled.pseudonym) if not only or named in only]
    return filled_s, [time_page(server, path, named, warm) for path, named in asked]


def _asked(staff: Staff, path: str) -> tuple[float, bytes]:
    began_s = time.perf_counter()
    body = staff.get(path)
    return 1000 * (time.perf_counter() - began_s), body


def _shown(timed: Sequence[Timed]) -> str:
    head = ["page", "cold ms", "median ms", "worst of 20 ms", "server ms", "kB"]
    rows = [
        [one.page, *(f"{ms:.0f}" for ms in (one.cold_ms, one.median_ms, one.worst_ms, one.server_ms, one.kilobytes))]
        for one in timed
    ]
    return table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--of", choices=sorted(OF), default="pages")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "clinic"
        if arguments.database == "sqlite":
            filled_s, timed = run(folder, arguments.devices, None, of=arguments.of)
        else:
            with closing(PostgresServer(durable=True)) as server:
                filled_s, timed = run(folder, arguments.devices, server.new_database(), of=arguments.of)
    busy = f"{os.getloadavg()[1]:.0f} processes wanted {os.cpu_count()} cores"
    print(f"{arguments.database}, {arguments.devices:,} patients, filled in {filled_s:.0f} s; meanwhile {busy}\n")
    print(_shown(timed))
    if slow := [one.page for one in timed if one.median_ms > LIMIT_MS]:
        print(f"over {LIMIT_MS:g} ms: {', '.join(slow)}", file=sys.stderr)
    sys.exit(bool(slow))


if __name__ == "__main__":
    main()
