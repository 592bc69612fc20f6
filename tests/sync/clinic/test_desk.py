"""What a clinic does at its desk: made once, codes that pair once, errors in one line."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sync.clinic.__main__ import app
from sync.clinic.clinic import open_clinic
from sync.clinic.clock import SystemClinicClock
from sync.clinic.database.sqlite import NAME, SqliteDatabase
from sync.clinic.errors import ClinicStoreError
from sync.clinic.rate_limit import RateLimit, network_of
from sync.clinic.secrets_file import load_secrets, make_secrets
from sync.pairing import PairingCode
from sync.receipt import Reason, Status
from tests.rigs.clinic import TODAY, ClinicRig, ManualClinicClock
from tests.rigs.postgres import LOCKED, PASSWORD, shared_server


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_clinic_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "clinic"
    made = _run("init", "--data", folder, "--name", "Heart clinic", "--url", "https://clinic.example/", "--json")
    assert made.exit_code == 0
    assert json.loads(made.stdout)["id"] == load_secrets(folder).public.id.hex()
    again = _run("init", "--data", folder)
    assert again.exit_code == 1
    assert "keys already" in again.stderr
    with open_clinic(folder, ManualClinicClock()) as clinic:
        assert (clinic.name, clinic.url) == ("Heart clinic", "https://clinic.example")


def test_only_the_owner_can_read_what_it_keeps(tmp_path: Path) -> None:
    folder = tmp_path / "clinic"
    _run("init", "--data", folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    (tmp_path / "clinic.keys").chmod(0o640)
    with pytest.raises(ClinicStoreError, match="chmod 600"):
        load_secrets(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"sealing": "00", "signing": "00"}', '{"sealing": 1, "signing": 2}'])
def test_keys_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "clinic.keys").write_text(text)
    (tmp_path / "clinic.keys").chmod(0o600)
    with pytest.raises(ClinicStoreError, match="no keys"):
        load_secrets(tmp_path)


@pytest.mark.parametrize("command", [["serve"], ["pair", "new"], ["patients"], ["card", "P-1"]])
def test_without_a_clinic_every_command_says_how_to_make_one(tmp_path: Path, command: list[str]) -> None:
    done = _run(*command, "--data", tmp_path / "none")
    assert done.exit_code == 1
    assert "vitalkeep-clinic init" in done.stderr
    assert "Traceback" not in done.output


def test_a_store_that_cannot_be_used_has_its_exit_code(clinic: ClinicRig) -> None:
    (clinic.folder / "clinic.keys").write_text("{}")
    assert _run("pair", "new", "--data", clinic.folder, "--url", "https://clinic.example").exit_code == 3


def test_a_code_pairs_one_device_once(clinic: ClinicRig) -> None:
    clinic.clock.day = SystemClinicClock().today()
    made = _run("pair", "new", "--data", clinic.folder, "--url", "http://127.0.0.1:8443", "--for", "P 17", "--json")
    told = json.loads(made.stdout)
    code = PairingCode.decode(told["code"])
    assert code.url == "http://127.0.0.1:8443"
    assert code.fingerprint == clinic.keys.id
    assert clinic.take(clinic.device().enrol(code.token)) is Status.STORED
    assert clinic.take(clinic.device().enrol(code.token)) is Reason.TOKEN
    (patient,) = json.loads(_run("patients", "--data", clinic.folder, "--json").stdout)["patients"]
    assert (patient["pseudonym"], patient["label"]) == (told["pseudonym"], "P 17")


def test_name_and_address_can_be_changed_and_are_shown(clinic: ClinicRig) -> None:
    clinic.set_meta("name", "Practice")
    assert "no address yet" in _run("settings", "--data", clinic.folder).stdout
    address = "https://clinic.example/"
    done = _run("settings", "--data", clinic.folder, "--name", "Heart clinic", "--url", address, "--json")
    expected = {"name": "Heart clinic", "url": "https://clinic.example", "id": clinic.keys.id.hex()}
    assert json.loads(done.stdout) == expected
    assert json.loads(_run("settings", "--data", clinic.folder, "--json").stdout) == expected
    assert _run("settings", "--data", clinic.folder, "--url", "clinic.example").exit_code == 1
    assert clinic.rows("SELECT action, detail FROM audit") == [("settings changed", "name, url")]


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "Heart\nclinic"])
def test_a_name_that_devices_would_not_take_is_refused(clinic: ClinicRig, tmp_path: Path, name: str) -> None:
    assert _run("settings", "--data", clinic.folder, "--name", name).exit_code == 1
    made = _run("init", "--data", tmp_path / "new", "--name", name)
    assert (made.exit_code, "1 to 100" in made.stderr) == (1, True)
    assert not (tmp_path / "new").exists()


def test_a_code_needs_an_address(clinic: ClinicRig) -> None:
    assert "--url" in _run("pair", "new", "--data", clinic.folder).stderr
    clinic.set_meta("url", "https://clinic.example")
    done = _run("pair", "new", "--data", clinic.folder)
    assert PairingCode.decode(done.stdout).url == "https://clinic.example"
    assert "until" in done.stderr
    assert _run("pair", "new", "--data", clinic.folder, "--url", "clinic.example").exit_code == 1


def test_an_old_code_leaves_no_row(clinic: ClinicRig) -> None:
    clinic.token("Patient 17", days=1)
    clinic.clock.pass_days(2)
    clinic.token("Patient 18", days=1)
    assert clinic.rows("SELECT label FROM pairings") == [("Patient 18",)]


def test_a_file_of_another_version_is_refused(sqlite_clinic: ClinicRig) -> None:
    with closing(sqlite3.connect(sqlite_clinic.folder / NAME)) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(ClinicStoreError, match="version 9, this program knows 2"):
        SqliteDatabase(sqlite_clinic.folder / NAME)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"something else, long enough to be read as a page" * 100)
    with pytest.raises(ClinicStoreError, match=r"clinic\.db"):
        SqliteDatabase(tmp_path / NAME)


def test_a_certificate_goes_with_its_key(clinic: ClinicRig) -> None:
    done = _run("serve", "--data", clinic.folder, "--certificate", "chain.pem")
    assert done.exit_code == 2
    assert "go together" in done.stderr


@pytest.mark.parametrize("command", [[], ["init"], ["serve"], ["pair"], ["pair", "new"], ["patients"], ["card"]])
def test_every_command_has_help(command: list[str]) -> None:
    done = _run(*command, "--help")
    assert done.exit_code == 0
    assert done.stdout.startswith("Usage: ")


def test_a_limit_counts_each_address_for_itself_and_forgets() -> None:
    clock = ManualClinicClock()
    limit = RateLimit(2, clock)
    assert [limit.admits("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert limit.admits("192.0.2.2")
    clock.now_s += 599.0
    assert not limit.admits("192.0.2.1")
    clock.now_s += 1.0
    assert limit.admits("192.0.2.1")


def test_an_address_of_ipv4_is_its_own_however_it_is_written() -> None:
    assert network_of("::ffff:203.0.113.7") == network_of("203.0.113.7") != network_of("::ffff:203.0.113.8")


def test_a_network_of_ipv6_is_one_address() -> None:
    limit = RateLimit(1, ManualClinicClock())
    assert limit.admits("2001:db8:1:2::1")
    assert not limit.admits("2001:db8:1:2:ffff::2")
    assert limit.admits("2001:db8:1:3::1")
    assert limit.admits("fe80::1%eth0")


def test_a_limit_keeps_no_address() -> None:
    limit = RateLimit(2, ManualClinicClock())
    limit.admits("192.0.2.1")
    assert "192.0.2.1" not in repr(vars(limit))
    assert RateLimit(0, ManualClinicClock()).admits("192.0.2.1")


def test_days_are_all_that_a_clinic_keeps_of_time() -> None:
    assert ManualClinicClock().today() == TODAY


# -- on PostgreSQL


def test_a_clinic_is_made_on_postgresql_and_finds_it_again(tmp_path: Path) -> None:
    url = shared_server().new_database()
    assert (
        _run("init", "--data", tmp_path / "clinic", "--database", url, "--url", "https://clinic.example").exit_code == 0
    )
    made = _run("pair", "new", "--data", tmp_path / "clinic", "--for", "Patient 17", "--json")
    assert json.loads(made.stdout)["label"] == "Patient 17"
    assert not (tmp_path / "clinic" / NAME).exists()
    again = _run("init", "--data", tmp_path / "other", "--database", url)
    assert again.exit_code == 1
    assert "a clinic in this database already" in again.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clinic:battery@there/clinic",
        "postgresql://there/clinic?user=clinic&password=battery",
        "postgres://there/clinic?sslpassword=battery",
        "postgresql://there/clinic?p%61ssword=battery",
    ],
)
def test_an_address_with_a_password_is_not_written_down(tmp_path: Path, url: str) -> None:
    done = _run("init", "--data", tmp_path / "clinic", "--database", url)
    assert done.exit_code == 1
    assert "PGPASSFILE" in done.stderr
    assert "battery" not in done.output
    assert not (tmp_path / "clinic").exists()


def test_an_address_of_the_environment_is_not_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "clinic"
    shared_server().can_be_locked_out()
    name = shared_server().new_database().partition("@/")[2].partition("?")[0]
    monkeypatch.setenv("VITALKEEP_CLINIC_DATABASE", shared_server().url(name, user=LOCKED, password=PASSWORD))
    made = _run("init", "--data", folder)
    assert made.exit_code == 0
    assert "not written down" in made.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["backup-keys.db", "clinic.keys"]
    assert _run("patients", "--data", folder).exit_code == 0
    monkeypatch.delenv("VITALKEEP_CLINIC_DATABASE")
    assert _run("patients", "--data", folder).exit_code == 1


def test_where_the_database_is_away_nothing_is_made(tmp_path: Path) -> None:
    done = _run("init", "--data", tmp_path / "clinic", "--database", f"postgresql:///clinic?host={tmp_path}")
    assert done.exit_code == 3
    assert f"PostgreSQL database clinic on {tmp_path}" in done.stderr
    assert not (tmp_path / "clinic").exists()
