"""A code is given out as text and as a picture, listed without itself, and pairs nobody once it is taken back."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from sync.clinic.__main__ import app
from sync.clinic.clock import SystemClinicClock
from sync.clinic.qr import QUIET, qr_text
from sync.clinic.tables.audit import Audit
from sync.pairing import PairingCode
from sync.receipt import Reason, Status
from tests.rigs.clinic import ClinicRig
from tests.rigs.qr_reader import read_qr, without_quiet_zone

URL = "https://clinic.example"
NEW = ("pair", "new", "--url", URL, "--for", "Patient 17")


def _run(clinic: ClinicRig, *arguments: str | Path) -> Result:
    clinic.clock.day = SystemClinicClock().today()
    return CliRunner().invoke(app, [*map(str, arguments), "--data", str(clinic.folder)])


def _outstanding(clinic: ClinicRig) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(_run(clinic, "pair", "list", "--json").stdout)["pairings"]
    return found


def test_piped_a_code_is_one_line(clinic: ClinicRig) -> None:
    done = _run(clinic, *NEW)
    assert done.stdout.count("\n") == 1
    assert PairingCode.decode(done.stdout).url == URL


def test_a_picture_that_is_asked_for_comes_after_the_code(clinic: ClinicRig) -> None:
    code, picture = _run(clinic, *NEW, "--qr").stdout.split("\n", 1)
    assert picture == qr_text(code) + "\n"


def test_on_a_terminal_the_picture_is_there_unless_it_is_not_wanted(clinic: ClinicRig) -> None:
    for options, expected in (((), True), (("--no-qr",), False)):
        mine, its = pty.openpty()
        command = [sys.executable, "-m", "sync.clinic", *NEW, "--data", str(clinic.folder), *options]
        done = subprocess.run(command, stdout=its, stderr=subprocess.PIPE, check=True)
        os.close(its)
        said = b""
        while not said.endswith(b"\n") or (expected and said.count(b"\n") < 20):
            said += os.read(mine, 65536)
        os.close(mine)
        assert ("█" in said.decode()) == expected
        assert b"until" in done.stderr and "█" not in done.stderr.decode()


@pytest.mark.parametrize("name", ["code.svg", "code.png"])
def test_a_picture_in_a_file_holds_the_code_and_is_its_owners_alone(
    clinic: ClinicRig, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    done = _run(clinic, *NEW, "--qr-file", path, "--json")
    told = json.loads(done.stdout)
    assert set(told) == {"code", "pseudonym", "label", "last_day"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_qr(without_quiet_zone(_svg(path) if name.endswith("svg") else _png(path), QUIET)) == told["code"]
    assert b"Patient" not in path.read_bytes()


def test_a_file_that_is_there_already_stays_and_no_code_is_given_out(clinic: ClinicRig, tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(b"something else")
    done = _run(clinic, *NEW, "--qr-file", path)
    assert done.exit_code == 1 and "is there already" in done.stderr and done.stdout == ""
    assert path.read_bytes() == b"something else"
    assert _outstanding(clinic) == []


@pytest.mark.parametrize("options", [("--qr", "--json"), ("--qr-file", "code.txt"), ("--qr-file", "code")])
def test_what_does_not_go_together_is_a_usage_error(clinic: ClinicRig, options: tuple[str, ...]) -> None:
    assert _run(clinic, *NEW, *options).exit_code == 2
    assert _outstanding(clinic) == []


def test_codes_that_are_out_are_listed_without_themselves(clinic: ClinicRig) -> None:
    assert "no code is out" in _run(clinic, "pair", "list").stderr
    code = _run(clinic, *NEW).stdout.strip()
    clinic.token(None, days=3)
    shown = _run(clinic, "pair", "list")
    assert len(shown.stdout.splitlines()) == 2 and "Patient 17" in shown.stdout
    assert code.partition("#")[2] not in shown.stdout
    assert {each["label"] for each in _outstanding(clinic)} == {None, "Patient 17"}


def test_a_code_that_was_taken_back_pairs_nobody(clinic: ClinicRig) -> None:
    token = PairingCode.decode(_run(clinic, *NEW).stdout).token
    (out,) = _outstanding(clinic)
    assert _run(clinic, "pair", "revoke", out["pseudonym"].lower()).exit_code == 0
    assert _outstanding(clinic) == []
    assert clinic.take(clinic.device().enrol(token)) is Reason.TOKEN
    again = _run(clinic, "pair", "revoke", out["pseudonym"])
    assert again.exit_code == 1 and "no code is out" in again.stderr


def test_a_code_that_was_used_cannot_be_taken_back(clinic: ClinicRig) -> None:
    token = PairingCode.decode(_run(clinic, *NEW).stdout).token
    (out,) = _outstanding(clinic)
    assert clinic.take(clinic.device().enrol(token)) is Status.STORED
    assert _run(clinic, "pair", "revoke", out["pseudonym"]).exit_code == 1


def test_the_audit_log_says_who_gave_a_code_out_and_took_it_back_and_not_for_whom(clinic: ClinicRig) -> None:
    _run(clinic, *NEW)
    (out,) = _outstanding(clinic)
    _run(clinic, "pair", "revoke", out["pseudonym"])
    with clinic.database.reading() as tx:
        revoked, made = Audit(tx, clinic.secrets, clinic.clock).page()
    assert (made.action, revoked.action) == ("pairing code made", "pairing code revoked")
    assert made.subject == revoked.subject == out["pseudonym"]
    assert made.who.startswith("cli:") and "Patient 17" not in repr((made, revoked))


def _svg(path: Path) -> list[list[bool]]:
    text = path.read_text()
    size = int(re.findall(r'viewBox="0 0 (\d+) ', text)[0])
    matrix = [[False] * size for _ in range(size)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", text):
        for at in range(int(length)):
            matrix[int(y)][int(x) + at] = True
    return matrix


def _png(path: Path) -> list[list[bool]]:
    with Image.open(path) as image:
        pixels = image.convert("L")
        return [[pixels.getpixel((x, y)) == 0 for x in range(3, pixels.width, 8)] for y in range(3, pixels.width, 8)]


@pytest.mark.parametrize("label", ["a\nb", "\x1b[31mred", "x" * 100_000, "\u202eabc"])
def test_a_label_is_what_the_pages_take(clinic: ClinicRig, label: str) -> None:
    done = _run(clinic, "pair", "new", "--url", URL, "--for", label)
    assert (done.exit_code, done.stdout, _outstanding(clinic)) == (1, "", [])
    assert "A label" in done.stderr and label not in done.stderr
    assert _run(clinic, "pair", "new", "--url", URL, "--for", " Patient 17 ").exit_code == 0
    assert [each["label"] for each in _outstanding(clinic)] == ["Patient 17"]


def test_a_picture_that_cannot_be_written_gives_no_code_out(
    clinic: ClinicRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "code.png"
    with monkeypatch.context() as patched:
        patched.setattr("sync.clinic.new_file.os.fsync", full)
        done = _run(clinic, *NEW, "--qr-file", path)
    assert (done.exit_code, done.stdout, _outstanding(clinic), list(tmp_path.glob("code*"))) == (3, "", [], [])
    assert _run(clinic, *NEW, "--qr-file", path).exit_code == 0


def test_a_picture_of_a_code_that_could_not_be_stored_does_not_stay(sqlite_clinic: ClinicRig, tmp_path: Path) -> None:
    with sqlite_clinic.database.writing() as tx:
        # found at the commit, after the picture
        tx.execute("CREATE TABLE needs (id INTEGER REFERENCES meta (value) DEFERRABLE INITIALLY DEFERRED)")
        tx.execute("CREATE TRIGGER late AFTER INSERT ON pairings BEGIN INSERT INTO needs VALUES (1); END")
    done = _run(sqlite_clinic, *NEW, "--qr-file", tmp_path / "code.png")
    assert (done.exit_code, list(tmp_path.glob("code*"))) == (3, [])
