"""`staff` and `audit` on the command line: who may sign in, and what was written down of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sync.clinic.__main__ import app
from sync.clinic.cli.options import who_runs_this
from sync.clinic.desk.passwords import Passwords
from sync.clinic.tables.staff import Staff
from tests.rigs.clinic import ClinicRig
from tests.rigs.visitor import PASSWORD


def _run(clinic: ClinicRig, *arguments: str, typed: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(clinic.folder)], input=typed)


def _password_of(clinic: ClinicRig, name: str) -> str | None:
    with clinic.database.reading() as tx:
        member = Staff(tx).get(name)
    return None if member is None else member.password


def _said(clinic: ClinicRig) -> list[tuple[object, ...]]:
    return clinic.rows("SELECT who, action, subject FROM audit ORDER BY number")


def test_a_password_is_typed_twice_and_shown_never(clinic: ClinicRig) -> None:
    result = _run(clinic, "staff", "add", "Reception", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert (result.exit_code, result.stdout) == (0, "")
    assert PASSWORD not in result.stderr
    stored = _password_of(clinic, "reception")
    assert stored is not None
    assert Passwords().matches(stored, PASSWORD)
    assert _said(clinic) == [(who_runs_this(), "staff added", "reception")]


def test_who_types_two_passwords_is_asked_again(clinic: ClinicRig) -> None:
    result = _run(clinic, "staff", "add", "reception", typed=f"{PASSWORD}\nanother one\n")
    assert result.exit_code != 0
    assert _password_of(clinic, "reception") is None


def test_a_generated_password_is_printed_once(clinic: ClinicRig) -> None:
    result = _run(clinic, "staff", "add", "doctor", "--generate", "--json")
    made = json.loads(result.stdout)["password"]
    assert Passwords().matches(_password_of(clinic, "doctor"), made)
    plain = _run(clinic, "staff", "password", "doctor", "--generate")
    assert Passwords().matches(_password_of(clinic, "doctor"), plain.stdout.strip())
    assert made != plain.stdout.strip()
    assert "password" not in _run(clinic, "staff", "list").stdout.replace("by password", "")


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_a_password_is_read_from_standard_input(clinic: ClinicRig, ending: str) -> None:
    assert _run(clinic, "staff", "add", "doctor", "--password-stdin", typed=PASSWORD + ending).exit_code == 0
    assert Passwords().matches(_password_of(clinic, "doctor"), PASSWORD)


@pytest.mark.parametrize(
    "typed", [b"short\n", b"", b"reception2026\n", b"Heart clinic 1\n", b"\xff\xfe" * 10, b"x7kq" * 1000]
)
def test_a_password_that_is_none_adds_nobody(clinic: ClinicRig, typed: bytes) -> None:
    clinic.set_meta("name", "Heart clinic")
    result = _run(clinic, "staff", "add", "reception", "--password-stdin", typed=typed)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(("a password", "this password"))
    assert _password_of(clinic, "reception") is None
    assert _said(clinic) == []


@pytest.mark.parametrize("name", ["", " ", "device", "Unknown", "token:x", "a b", "ü", "a" * 65, ".x", "x/../y", "x\n"])
def test_what_can_be_no_name_is_refused(clinic: ClinicRig, name: str) -> None:
    result = _run(clinic, "staff", "add", name, "--no-password")
    assert result.exit_code == (0 if name == "x\n" else 1)
    assert [row[2] for row in _said(clinic)] == (["x"] if name == "x\n" else [])


def test_nobody_is_added_twice_or_removed_twice(clinic: ClinicRig) -> None:
    assert _run(clinic, "staff", "add", "doctor@clinic.example", "--no-password").exit_code == 0
    assert _run(clinic, "staff", "add", "Doctor@clinic.example", "--generate").exit_code == 1
    assert _password_of(clinic, "doctor@clinic.example") == ""
    assert _run(clinic, "staff", "remove", "doctor@clinic.example").exit_code == 0
    gone = _run(clinic, "staff", "remove", "doctor@clinic.example")
    assert (gone.exit_code, gone.stdout) == (1, "")
    assert _run(clinic, "staff", "password", "doctor@clinic.example", "--generate").exit_code == 1
    assert [row[1] for row in _said(clinic)] == ["staff added", "staff removed"]


def test_one_way_to_a_password_at_a_time(clinic: ClinicRig) -> None:
    assert _run(clinic, "staff", "add", "doctor", "--generate", "--password-stdin").exit_code == 2
    assert _run(clinic, "staff", "add", "doctor", "--generate", "--no-password").exit_code == 2


def test_who_may_sign_in_is_listed(clinic: ClinicRig) -> None:
    assert "nobody" in _run(clinic, "staff", "list").stderr
    _run(clinic, "staff", "add", "reception", "--password-stdin", typed=PASSWORD)
    _run(clinic, "staff", "add", "doctor", "--no-password")
    lines = _run(clinic, "staff", "list").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["doctor", "reception"]
    listed = json.loads(_run(clinic, "staff", "list", "--json").stdout)["staff"]
    assert [(each["name"], each["password"]) for each in listed] == [("doctor", False), ("reception", True)]


def test_the_log_is_shown_and_verified(clinic: ClinicRig) -> None:
    assert "nothing" in _run(clinic, "audit").stderr
    _run(clinic, "staff", "add", "reception", "--no-password")
    clinic.enrolled()
    shown = _run(clinic, "audit")
    assert "enrolled" in shown.stdout.splitlines()[0]
    assert "staff added  reception" in shown.stdout.splitlines()[1]
    entries = json.loads(_run(clinic, "audit", "--json").stdout)["entries"]
    assert [each["number"] for each in entries] == [2, 1]
    since = json.loads(_run(clinic, "audit", "--json", "--since", "2026-05-01").stdout)["entries"]
    assert [each["number"] for each in since] == [1, 2]
    whole = _run(clinic, "audit", "--verify")
    assert (whole.exit_code, whole.stdout) == (0, "2 entries, each as it was written, none missing\n")
    assert _run(clinic, "audit", "--verify", "--since", "2026-05-01").exit_code == 2


def test_a_log_that_was_changed_is_a_failure(clinic: ClinicRig) -> None:
    _run(clinic, "staff", "add", "reception", "--no-password")
    with clinic.database.writing() as tx:
        tx.execute("DELETE FROM audit")
    result = _run(clinic, "audit", "--verify")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "entry 1 is missing at the end\n"
    found = json.loads(_run(clinic, "audit", "--verify", "--json").stdout)
    assert found == {"entries": 0, "faults": ["entry 1 is missing at the end"]}


def test_what_the_command_line_tells_of_a_proxy_goes_together(tmp_path: Path) -> None:
    alone = CliRunner().invoke(app, ["serve", "--data", str(tmp_path), "--proxy-header", "X-User"])
    assert (alone.exit_code, "--proxy-address" in alone.stderr) == (2, True)


def test_a_pairing_code_made_here_is_written_down_without_its_label(clinic: ClinicRig) -> None:
    made = _run(clinic, "pair", "new", "--for", "Patient 17", "--url", "https://clinic.example", "--json")
    pseudonym = json.loads(made.stdout)["pseudonym"]
    rows = clinic.rows("SELECT who, action, subject, detail FROM audit")
    assert rows == [(who_runs_this(), "pairing code made", pseudonym, None)]


def test_what_devices_do_is_written_down_by_the_day(clinic: ClinicRig) -> None:
    device = clinic.enrolled("Patient 17")
    pseudonym = clinic.devices()[0].pseudonym
    clinic.take(device.enrol(clinic.token()))  # paired anew
    again = clinic.devices()[0].pseudonym
    clinic.take(device.delete())
    rows = clinic.rows("SELECT moment, who, action, subject, detail FROM audit ORDER BY number")
    day = clinic.clock.today().isoformat()
    assert rows == [
        (day, "device", "enrolled", pseudonym, None),
        (day, "device", "enrolled", again, f"was {pseudonym}"),
        (day, "device", "withdrawn", again, None),
        (day, "device", "backup keys erased", again, None),
    ]
    assert "Patient 17" not in repr(rows)


def test_what_is_refused_of_devices_is_not_written_down(clinic: ClinicRig) -> None:
    device = clinic.device()
    clinic.take(device.enrol(bytes(10)))
    clinic.take(device.delete())
    assert _said(clinic) == []
