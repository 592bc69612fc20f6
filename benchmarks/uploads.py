"""How long the first cards of many devices take to arrive, while the clinic is killed and its database taken away.

Devices, clinic and database share this machine; devices are processes of their own that have their messages ready. Each
enrols and sends the four figures of a first quarter, each message on a connection of its own, again until a receipt has
come. All receipts are checked when the clock has stopped, and what the clinic holds is counted.
"""

from __future__ import annotations

import argparse
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.table import table
from sync.clinic.clock import SystemClinicClock
from sync.clinic.database.opened import open_database, remember
from sync.clinic.secrets_file import make_secrets
from sync.clinic.tables.pairings import Pairings
from sync.pairing import base32
from sync.receipt import Receipt, Status, check
from sync.release import Answer, Content, Enrol, Release
from sync.sealing import ClinicKeys, seal
from tests.rigs.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[1]
GENERATORS = 2
AT_ONCE = 12  # of each generator
AWAY_S = 0.3
CARD = (
    Answer("af_days", 1, 28, 0, 3.0, 500),
    Answer("worn_days", 1, 28, 0, 25.0, 500),
    Answer("resting_hr_median", 1, 84, 0, 61.0, 500),
    Answer("rmssd_median", 1, 84, 0, 33.45, 500),
)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """`enrolled`, `answers`, `remembered`: what the clinic holds in the end; `retries`: requests without a receipt."""

    devices: int
    messages: int
    enrolled: int
    answers: int
    remembered: int
    seconds: float
    retries: int
    duplicates: int
    kills: int
    restarts: int

    @property
    def lost(self) -> int:
        """Messages that have a receipt and are not there."""
        return self.messages - min(self.enrolled + self.answers, self.remembered)


class _Clinic:
    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._folder = folder
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "sync.clinic", "serve", "--data", str(self._folder), "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, "--rate", "0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class _Devices:
    """Those of one generator; what it tells is gathered by a thread."""

    def __init__(self, port: int, cards: Sequence[Sequence[Release]]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.upload_devices"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._said = self._process.stdout
        self._told = self._process.stdin
        self._told.write(f"{port} {AT_ONCE}\n")
        for card in cards:
            self._told.write(" ".join(release.encode().hex() for release in card) + "\n")
        self._told.write("\n")
        self._told.flush()
        assert self._said.readline() == "ready\n"
        self.lines: list[str] = []
        self._thread = threading.Thread(target=lambda: self.lines.extend(self._said))

    def go(self) -> None:
        self._thread.start()
        self._told.write("go\n")
        self._told.close()

    def wait(self) -> None:
        self._thread.join()
        self._said.close()
        assert self._process.wait() == 0


def upload(folder: Path, devices: int, kills: int, server: PostgresServer | None = None, restarts: int = 0) -> Uploaded:
    """Kills the clinic, and takes the database away, each when so many parts of all messages have their receipt.

    `server`: where the clinic's database lies; None: in its folder.
    """
    keys = make_secrets(folder).public
    if server is not None:
        remember(folder, server.new_database())
    with closing(open_database(folder, create=True)) as database, database.writing() as tx:
        today = SystemClinicClock().today()
        tokens = [Pairings(tx).new(None, today, 14)[0] for _ in range(devices)]
    cards = [_messages(keys, token) for token in tokens]
    total = sum(len(card) for card in cards)
    clinic = _Clinic(folder)
    generators = [_Devices(clinic.port, cards[at::GENERATORS]) for at in range(GENERATORS)]
    began_s = time.perf_counter()
    for generator in generators:
        generator.go()
    for part, kind, at in _interruptions(kills, restarts):
        while sum(len(generator.lines) for generator in generators) < total * part:
            time.sleep(0.002)
        if kind == "kill":
            clinic.kill()
            clinic.start()
        else:
            assert server is not None
            server.kill() if at % 2 else server.stop()
            time.sleep(AWAY_S)
            server.start()
    for generator in generators:
        generator.wait()
    seconds = time.perf_counter() - began_s
    clinic.kill()
    retries, duplicates = _checked([line for each in generators for line in each.lines], cards, keys)
    with closing(open_database(folder)) as database, database.reading() as tx:
        enrolled, answers, remembered = (
            tx.all(f"SELECT count(*) FROM {name}")[0][0] for name in ("devices", "answers", "messages")
        )
    return Uploaded(devices, total, enrolled, answers, remembered, seconds, retries, duplicates, kills, restarts)


def _interruptions(kills: int, restarts: int) -> Iterator[tuple[float, str, int]]:
    """At which part of all messages, what, and the how many-th of its kind."""
    planned = [((at + 1) / (kills + 1), "kill", at) for at in range(kills)]
    planned += [((at + 0.5) / restarts, "restart", at) for at in range(restarts)]
    yield from sorted(planned)


def _checked(lines: Sequence[str], cards: Sequence[Sequence[Release]], keys: ClinicKeys) -> tuple[int, int]:
    """Retries and duplicates. Raises where a receipt is not this clinic's, is a refusal, or is missing."""
    waiting = {release.id: release for card in cards for release in card}
    statuses: Counter[Status] = Counter()
    retries = 0
    for line in lines:
        receipt_hex, again = line.split()
        receipt = Receipt.decode(bytes.fromhex(receipt_hex))
        check(receipt, waiting.pop(receipt.id), keys.signing)
        statuses[receipt.status] += 1
        retries += int(again)
    if waiting or statuses[Status.REFUSED]:
        raise AssertionError(f"{len(waiting)} without a receipt, {statuses[Status.REFUSED]} refused")
    return retries, statuses[Status.DUPLICATE]


def _messages(keys: ClinicKeys, token: bytes) -> list[Release]:
    key = Ed25519PrivateKey.generate()
    enrol = Enrol(base32(token), key.public_key().public_bytes_raw().hex(), {answer.statistic: 1 for answer in CARD})
    contents: list[Content] = [enrol, *CARD]
    return [seal(content, secrets.token_bytes(16), at + 1, key, keys) for at, content in enumerate(contents)]


@contextmanager
def _server(kind: str) -> Iterator[PostgresServer | None]:
    if kind == "sqlite":
        yield None
        return
    with closing(PostgresServer(durable=True)) as server:
        yield server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=1, help="of the clinic")
    parser.add_argument("--restarts", type=int, default=0, help="of PostgreSQL, by turns stopped and killed")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    arguments = parser.parse_args()
    if arguments.restarts and arguments.database == "sqlite":
        parser.error("a file is not restarted: --restarts goes with --database postgresql")
    with tempfile.TemporaryDirectory() as folder, _server(arguments.database) as server:
        found = upload(Path(folder) / "clinic", arguments.devices, arguments.kills, server, arguments.restarts)
    row = [arguments.database, found.devices, found.messages, f"{found.seconds:.1f}"]
    row += [f"{found.messages / found.seconds:.0f}", found.kills, found.restarts, found.retries, found.duplicates]
    head = ["database", "devices", "messages", "s", "messages/s", "kills", "restarts", "retries", "duplicates", "lost"]
    print(table(head, [[str(cell) for cell in (*row, found.lost)]]))
    sys.exit(found.lost != 0)


if __name__ == "__main__":
    main()
