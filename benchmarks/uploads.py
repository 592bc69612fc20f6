"""How long the first cards of many devices take to arrive, with the clinic killed in the middle and started again.

Devices and clinic share this machine; each device enrols and sends the four figures of a first quarter, each message on
a connection of its own, again until a valid receipt has come.
"""

from __future__ import annotations

import argparse
import http.client
import secrets
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.table import table
from sync.clinic.clock import SystemClinicClock
from sync.clinic.database.opened import open_database
from sync.clinic.secrets_file import make_secrets
from sync.clinic.tables.pairings import Pairings
from sync.pairing import base32
from sync.receipt import Receipt, ReceiptError, Status, check
from sync.release import Answer, Content, Enrol, Release
from sync.sealing import ClinicKeys, seal

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 16
RETRY_S = 0.05
CARD = (
    Answer("af_days", 1, 28, 0, 3.0, 500),
    Answer("worn_days", 1, 28, 0, 25.0, 500),
    Answer("resting_hr_median", 1, 84, 0, 61.0, 500),
    Answer("rmssd_median", 1, 84, 0, 33.45, 500),
)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """`answers` and `enrolled`: what the clinic holds in the end; `retries`: requests without a receipt."""

    devices: int
    messages: int
    enrolled: int
    answers: int
    seconds: float
    retries: int
    duplicates: int
    kills: int


class _Server:
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


class _Uploads:
    """Counts what all devices together have sent."""

    def __init__(self, port: int, keys: ClinicKeys) -> None:
        self._port = port
        self._keys = keys
        self._lock = threading.Lock()
        self.receipts = self.retries = self.duplicates = 0

    def device(self, messages: Sequence[Release]) -> None:
        for release in messages:
            while (receipt := self._try(release)) is None:
                with self._lock:
                    self.retries += 1
                time.sleep(RETRY_S)
            if receipt.status is Status.REFUSED:
                raise AssertionError(receipt.reason.words)
            with self._lock:
                self.receipts += 1
                self.duplicates += receipt.status is Status.DUPLICATE

    def _try(self, release: Release) -> Receipt | None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("POST", "/v1/messages", release.encode())
            receipt = Receipt.decode(connection.getresponse().read())
            check(receipt, release, self._keys.signing)
        except (OSError, http.client.HTTPException, ReceiptError):
            return None
        finally:
            connection.close()
        return receipt


def upload(folder: Path, devices: int, kills: int) -> Uploaded:
    """Kills the clinic when so many parts of all messages have their receipt."""
    keys = make_secrets(folder).public
    database = open_database(folder, create=True)
    today = SystemClinicClock().today()
    with closing(database), database.writing() as tx:
        tokens = [Pairings(tx).new(None, today, 14)[0] for _ in range(devices)]
    cards = [_messages(keys, token) for token in tokens]
    total = sum(len(card) for card in cards)
    server = _Server(folder)
    uploads = _Uploads(server.port, keys)
    began_s = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = [pool.submit(uploads.device, card) for card in cards]
        for kill in range(kills):
            while uploads.receipts < total * (kill + 1) // (kills + 1):
                time.sleep(0.002)
            server.kill()
            server.start()
        for each in done:
            each.result()
    seconds = time.perf_counter() - began_s
    server.kill()
    with closing(sqlite3.connect(folder / "clinic.db")) as db:
        ((enrolled,),) = db.execute("SELECT count(*) FROM devices")
        ((answers,),) = db.execute("SELECT count(*) FROM answers")
    return Uploaded(devices, total, enrolled, answers, seconds, uploads.retries, uploads.duplicates, kills)


def _messages(keys: ClinicKeys, token: bytes) -> list[Release]:
    key = Ed25519PrivateKey.generate()
    enrol = Enrol(base32(token), key.public_key().public_bytes_raw().hex(), {answer.statistic: 1 for answer in CARD})
    contents: list[Content] = [enrol, *CARD]
    return [seal(content, secrets.token_bytes(16), at + 1, key, keys) for at, content in enumerate(contents)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = upload(Path(folder) / "clinic", arguments.devices, arguments.kills)
    lost = found.messages - found.enrolled - found.answers
    row = [found.devices, found.messages, f"{found.seconds:.1f}", f"{found.messages / found.seconds:.0f}"]
    head = ["devices", "messages", "s", "messages/s", "kills", "retries", "duplicates", "lost"]
    print(table(head, [[str(cell) for cell in (*row, found.kills, found.retries, found.duplicates, lost)]]))
    sys.exit(lost != 0)


if __name__ == "__main__":
    main()
