"""The sending process: it reaches nothing but the outbox, and may be killed at any moment, as may the clinic."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from sync.clinic.clock import SystemClinicClock
from sync.outbox import Outbox, Peer
from sync.uplink.__main__ import app
from tests.architecture.house import ROOT
from tests.architecture.process import modules_after
from tests.rigs.certificate import self_signed
from tests.rigs.clinic import ClinicRig, FakeDevice, af_days, read_rows, worn_days
from tests.rigs.clinic_process import ClinicProcess

SEEING = ("device_pipeline", "models", "sensors", "sync.private", "vitalkeep")


def _drain(outbox: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "sync.uplink", "drain", "--outbox", str(outbox), *options]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    (tmp_path / "outbox").mkdir()
    with Outbox(tmp_path / "outbox") as outbox:
        yield outbox


def _enrol(outbox: Outbox, clinic: ClinicRig, url: str) -> FakeDevice:
    """A device, paired with the clinic at `url`, whose first message waits."""
    clinic.clock.day = SystemClinicClock().today()
    keys = clinic.keys
    outbox.know(Peer(keys.id, "clinic", url, keys.sealing, keys.signing))
    device = clinic.device()
    outbox.put(keys.id, device.enrol(clinic.token()), 0)
    return device


def _answer(outbox: Outbox, clinic: ClinicRig, device: FakeDevice, answers: int) -> None:
    """So many more wait, each about another question."""
    for number in range(device.sequence, device.sequence + answers):
        answer = (af_days if number % 2 else worn_days)(number // 2)
        outbox.put(clinic.keys.id, device.release(answer), 0)


def test_the_process_loads_nothing_that_sees_the_wearer_and_no_other_database(tmp_path: Path) -> None:
    loaded = modules_after("__import__('sync.uplink.__main__') and __import__('sync.uplink.https') and 0", tmp_path)
    assert {"sync.outbox", "sync.uplink.drain", "httpx"} <= loaded
    assert not [name for name in loaded if name.startswith(SEEING)]
    assert not loaded & {"sqlcipher3", "sqlite_utils", "numpy", "opendp", "sync.clinic"}


def test_the_clinic_loads_nothing_that_sees_the_wearer(tmp_path: Path) -> None:
    loaded = modules_after("__import__('sync.clinic.__main__') and __import__('sync.clinic.serve') and 0", tmp_path)
    assert {"sync.clinic.app", "starlette", "uvicorn"} <= loaded
    assert not [name for name in loaded if name.startswith((*SEEING, "sync.uplink", "sync.outbox"))]


def test_a_code_is_answered_and_a_card_arrives_process_to_process(
    clinic: ClinicRig, outbox: Outbox, tmp_path: Path
) -> None:
    with ClinicProcess(clinic.folder) as server:
        asked = subprocess.run(
            [sys.executable, "-m", "sync.uplink", "pair", "--outbox", str(tmp_path / "outbox"), "--url", server.url],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        told = json.loads(asked.stdout)
        assert told == {
            "name": "clinic",
            "url": server.url,
            "id": clinic.keys.id.hex(),
            "sealing": clinic.keys.sealing.hex(),
            "signing": clinic.keys.signing.hex(),
        }
        device = _enrol(outbox, clinic, server.url)
        _answer(outbox, clinic, device, 2)
        done = subprocess.run(
            _drain(tmp_path / "outbox", "--once", "--json"), cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == ["arrived"] * 3
        assert outbox.messages() == []
        assert server.stop() == 0
    assert len(clinic.answers(device.id)) == 2


@pytest.mark.parametrize("trusted", [True, False])
def test_with_tls_a_card_arrives_where_the_certificate_is_trusted(
    clinic: ClinicRig, outbox: Outbox, tmp_path: Path, trusted: bool
) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(self_signed())
    with ClinicProcess(clinic.folder, "--certificate", str(chain), "--private-key", str(chain)) as server:
        _answer(outbox, clinic, _enrol(outbox, clinic, server.url), 1)
        done = subprocess.run(
            _drain(tmp_path / "outbox", "--once"),
            cwd=ROOT,
            env=os.environ | ({"SSL_CERT_FILE": str(chain)} if trusted else {}),
            capture_output=True,
            text=True,
            check=False,
        )
    assert server.url.startswith("https://")
    assert (done.returncode, len(outbox.messages())) == ((0, 0) if trusted else (1, 2)), done.stderr


def test_what_was_erased_before_a_kill_leaves_the_files_when_it_is_served_again(
    clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = clinic.enrolled("Patient 17")
    monkeypatch.setattr(clinic.database, "flush_erased", lambda: None)
    clinic.take(device.delete())
    assert any(b"Patient 17" in path.read_bytes() for path in clinic.folder.iterdir())
    with ClinicProcess(clinic.folder):
        assert not any(b"Patient 17" in path.read_bytes() for path in clinic.folder.iterdir())


def test_a_code_that_is_too_old_leaves_no_label_where_the_clinic_is_served(clinic: ClinicRig) -> None:
    clinic.token("Patient 17", days=1)
    with ClinicProcess(clinic.folder):
        assert not any(b"Patient 17" in path.read_bytes() for path in clinic.folder.iterdir())
        assert clinic.rows("SELECT * FROM pairings") == []


def test_with_nobody_there_the_message_stays_and_the_exit_code_says_so(
    clinic: ClinicRig, outbox: Outbox, tmp_path: Path
) -> None:
    _answer(outbox, clinic, _enrol(outbox, clinic, "http://127.0.0.1:9"), 1)
    done = subprocess.run(_drain(tmp_path / "outbox", "--once"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "failed (ConnectError)" in done.stderr
    assert "Traceback" not in done.stderr
    assert [message.tries for message in outbox.messages()] == [1, 0]


def test_two_senders_at_once_lose_none_double_none_and_are_refused_none(
    clinic: ClinicRig, outbox: Outbox, tmp_path: Path
) -> None:
    """One that runs all the time, and one that the wearer starts by hand."""
    with ClinicProcess(clinic.folder) as server:
        device = _enrol(outbox, clinic, server.url)
        _answer(outbox, clinic, device, 20)
        both = [
            subprocess.Popen(
                _drain(tmp_path / "outbox", "--once"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            for _ in range(2)
        ]
        said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert outbox.messages() == []
    assert len(clinic.answers(device.id)) == 20


def test_it_stops_when_it_is_told_to(clinic: ClinicRig, outbox: Outbox, tmp_path: Path) -> None:
    _enrol(outbox, clinic, "http://127.0.0.1:9")
    with subprocess.Popen(
        _drain(tmp_path / "outbox"), cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        assert "failed" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_an_outbox_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"something else, long enough to be read as a page" * 100)
    for command in (["drain", "--once"], ["pair", "--url", "http://127.0.0.1:9"]):
        done = CliRunner().invoke(app, [*command, "--outbox", str(tmp_path)])
        assert done.exit_code == 3
        assert "outbox.db" in done.stderr


def test_a_clinic_that_is_none_is_told(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["pair", "--outbox", str(tmp_path), "--url", "http://127.0.0.1:9"])
    assert done.exit_code == 1
    assert "ConnectError" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_each_message_arrives_once_whatever_is_killed(
    clinic: ClinicRig, outbox: Outbox, tmp_path: Path, kills: int
) -> None:
    """The sender and the clinic, at any moment, again and again."""
    chance = random.Random(8)
    with ClinicProcess(clinic.folder) as server:
        device = _enrol(outbox, clinic, server.url)
        for kill in range(kills):
            _answer(outbox, clinic, device, 6)
            with subprocess.Popen(
                _drain(tmp_path / "outbox", "--json"),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as sender:
                assert sender.stdout is not None
                sender.stdout.readline()
                time.sleep(chance.uniform(0.0, 0.05))
                if kill % 2:
                    server.kill()
                sender.kill()
            if kill % 2:
                server.start()
            _due_at_once(outbox)
        while outbox.messages():
            subprocess.run(_drain(tmp_path / "outbox", "--once"), cwd=ROOT, stderr=subprocess.DEVNULL, check=False)
            _due_at_once(outbox)
    answers = read_rows(clinic.folder, "SELECT length_days, window, statistic FROM answers")
    assert len(answers) == len(set(answers)) == 6 * kills
    assert read_rows(clinic.folder, "SELECT sequence FROM devices") == [(6 * kills + 1,)]
    assert len(clinic.answers(device.id)) == 6 * kills


def _due_at_once(outbox: Outbox) -> None:
    for message in outbox.messages():
        outbox.tried(message.id, 0)
