"""Erasing at the desk is a withdrawal that the device did not ask for: rows and key go, and nothing old comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sync.clinic.__main__ import app
from sync.clinic.errors import ClinicStoreError
from sync.receipt import Reason, Status
from tests.rigs.backed_up import back_up, keys_of
from tests.rigs.clinic import ClinicRig, af_days, worn_days


def test_nothing_is_left_but_what_refuses_the_device(clinic: ClinicRig) -> None:
    device, other = clinic.enrolled("Patient 17"), clinic.enrolled("Patient 18")
    clinic.take(device.release(af_days()))
    clinic.take(other.release(af_days()))
    pseudonym = next(each.pseudonym for each in clinic.devices() if each.id == device.id)
    done = CliRunner().invoke(app, ["erase", pseudonym.lower(), "--yes", "--json", "--data", str(clinic.folder)])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"pseudonym": pseudonym, "erased": True})
    assert [each.id for each in clinic.devices()] == [other.id]
    for table in ("messages", "answers"):
        assert {row[0] for row in clinic.rows(f"SELECT device FROM {table}")} == {other.id}
    assert [row[:2] for row in clinic.rows("SELECT device, sequence FROM withdrawn")] == [(device.id, 2)]
    assert clinic.take(device.release(worn_days())) is Reason.WITHDRAWN
    assert clinic.take(device.delete()) is Status.STORED
    assert clinic.take(device.enrol(clinic.token())) is Status.STORED
    assert clinic.take(device.release(af_days())) is Reason.ANSWERED


def test_it_is_in_the_audit_log_and_names_no_label(clinic: ClinicRig) -> None:
    device = clinic.enrolled("Patient 17")
    (patient,) = clinic.devices()
    CliRunner().invoke(app, ["erase", patient.pseudonym, "--yes", "--data", str(clinic.folder)])
    rows = clinic.rows("SELECT who, action, subject, detail FROM audit ORDER BY number")
    assert [row[1:3] for row in rows][-2:] == [
        ("patient erased", patient.pseudonym),
        ("backup keys erased", patient.pseudonym),
    ]
    assert str(rows[-2][0]).startswith("cli:")
    assert "Patient 17" not in str(rows)
    assert clinic.take(device.delete()) is Status.STORED


@pytest.mark.parametrize(("typed", "left"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_it_asks_first(clinic: ClinicRig, typed: str, left: int) -> None:
    clinic.enrolled()
    (patient,) = clinic.devices()
    done = CliRunner().invoke(app, ["erase", patient.pseudonym, "--data", str(clinic.folder)], input=typed)
    assert (len(clinic.devices()), done.exit_code) == (left, left)


def test_a_patient_who_is_not_there_is_told(clinic: ClinicRig) -> None:
    done = CliRunner().invoke(app, ["erase", "P-00000000", "--yes", "--data", str(clinic.folder)])
    assert (done.exit_code, "no device is enrolled" in done.stderr) == (1, True)


@pytest.mark.parametrize("command", ["erase", "revoke"])
def test_the_keys_go_though_the_files_of_the_database_cannot_be_cleaned(
    clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    def broken(_: object) -> None:
        raise ClinicStoreError("clinic.db: disk I/O error")

    monkeypatch.setattr(type(clinic.database), "flush_erased", broken)
    if command == "erase":
        clinic.enrolled()
        arguments = ["erase", clinic.devices()[0].pseudonym, "--yes"]
    else:
        clinic.token()
        arguments = ["pair", "revoke", str(clinic.rows("SELECT pseudonym FROM pairings")[0][0])]
    back_up(clinic, tmp_path / "b")
    with keys_of(clinic) as keys:
        assert len(keys.keys()) == 1
    done = CliRunner().invoke(app, [*arguments, "--data", str(clinic.folder)])
    assert done.exit_code == 0, done.stderr
    assert "disk I/O error" in done.stderr and "is stored; this is tried again" in done.stderr
    with keys_of(clinic) as keys:
        assert keys.keys() == {}
