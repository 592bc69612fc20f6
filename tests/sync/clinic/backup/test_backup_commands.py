"""`backup` and `restore` as a clinic types them: a new machine, a move to PostgreSQL and back, and what goes wrong."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sync.clinic.__main__ import app
from sync.clinic.backup.key_store import NAME
from sync.clinic.backup.sealed_frame import FRAME_BYTES
from sync.clinic.clinic import open_clinic
from sync.clinic.database.opened import open_database
from sync.clinic.tables.audit import Audit
from tests.rigs.backed_up import LABELS, all_rows, fill
from tests.rigs.clinic import ClinicRig

ABOUT = ("devices", "messages", "answers", "answered", "withdrawn", "pairings", "staff", "api_tokens")


def _run(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in done.output
    return done


def _new_machine(clinic: ClinicRig, folder: Path) -> Path:
    """What docs/backups.md says to bring along."""
    folder.mkdir(mode=0o700)
    for name in ("clinic.keys", NAME):
        shutil.copy2(clinic.folder / name, folder / name)
    return folder


def _told(done: Result) -> dict[str, object]:
    assert done.exit_code == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def _database(url: str | None) -> tuple[str, ...]:
    return () if url is None else ("--database", url)


def test_a_clinic_moves_to_a_new_machine_and_to_another_kind_of_database(
    clinic: ClinicRig, tmp_path: Path, other_database: str | None
) -> None:
    fill(clinic)
    path = tmp_path / "a.backup"
    assert _told(_run("backup", path, "--data", clinic.folder, "--json"))["devices"] == 3
    before = all_rows(clinic.database)
    new = _new_machine(clinic, tmp_path / "new")
    told = _told(_run("restore", path, "--data", new, *_database(other_database), "--json"))
    assert (told["left_out"], told["missing"]) == (0, 0)
    # from here on without --database: it was written down
    patients = _told(_run("patients", "--data", new, "--json"))
    assert patients == _told(_run("patients", "--data", clinic.folder, "--json"))
    with open_clinic(new, clinic.clock) as restored, restored.database.reading() as tx:
        rows = {name: tx.all(f"SELECT count(*) FROM {name}")[0][0] for name in ABOUT}
        audit = Audit(tx, restored.secrets, restored.clock)
        assert audit.verify().faults == []
        assert audit.page()[0].action == "restored"
    assert rows == {name: len(before[name]) for name in ABOUT}
    assert all(rows.values())


def test_the_audit_log_says_who_backed_up(clinic: ClinicRig, tmp_path: Path) -> None:
    _run("backup", tmp_path / "a.backup", "--data", clinic.folder)
    with clinic.database.reading() as tx:
        entry, *_ = Audit(tx, clinic.secrets, clinic.clock).page()
    assert (entry.action, entry.detail) == ("backed up", "a.backup")
    assert entry.who.startswith("cli:")


def test_a_backup_says_what_it_holds_and_where_its_keys_are(clinic: ClinicRig, tmp_path: Path) -> None:
    fill(clinic)
    path = tmp_path / "a.backup"
    done = _run("backup", path, "--data", clinic.folder)
    assert done.stdout == f"{path}: devices: 3, codes that are out: 1, bytes: {path.stat().st_size}\n"
    assert str(clinic.folder / NAME) in done.stderr
    told = _told(_run("backup", "--verify", path, "--data", clinic.folder, "--json"))
    rows = told["rows"]
    assert isinstance(rows, dict) and (rows["devices"], rows["answers"]) == (3, 15)


def test_keys_are_copied_along_and_open_the_backup(clinic: ClinicRig, tmp_path: Path) -> None:
    fill(clinic)
    path, copy = tmp_path / "a.backup", tmp_path / "stick" / NAME
    copy.parent.mkdir()
    assert _run("backup", path, "--keys-to", copy, "--data", clinic.folder).exit_code == 0
    new = tmp_path / "new"
    new.mkdir(mode=0o700)
    shutil.copy2(clinic.folder / "clinic.keys", new)
    assert _run("restore", path, "--data", new, "--backup-keys", copy).exit_code == 0
    assert not (new / NAME).exists()
    # the keys stay where they are, and are used from there
    assert _run("backup", tmp_path / "b.backup", "--data", new).exit_code == 0
    assert _run("backup", "--verify", tmp_path / "b.backup", "--data", new).exit_code == 0


def test_who_withdrew_is_left_out_and_counted(clinic: ClinicRig, tmp_path: Path) -> None:
    gone, *_ = fill(clinic)
    _run("backup", tmp_path / "a.backup", "--data", clinic.folder)
    clinic.take(gone.delete())
    new = _new_machine(clinic, tmp_path / "new")
    done = _run("restore", tmp_path / "a.backup", "--data", new)
    assert done.exit_code == 0 and "devices: 2" in done.stdout
    assert "left out, since their key was erased: 1" in done.stderr
    assert LABELS[0] not in _run("patients", "--data", new).stdout


def test_with_older_keys_nothing_is_put_back_unless_it_is_meant(clinic: ClinicRig, tmp_path: Path) -> None:
    fill(clinic)
    _run("backup", tmp_path / "a.backup", "--data", clinic.folder)
    new = _new_machine(clinic, tmp_path / "new")
    clinic.enrolled("Patient 40")
    _run("backup", tmp_path / "b.backup", "--data", clinic.folder)
    done = _run("restore", tmp_path / "b.backup", "--data", new)
    assert done.exit_code == 1 and "older than the backup" in done.stderr
    assert sorted(path.name for path in new.iterdir()) == [NAME, "clinic.keys"]
    done = _run("restore", tmp_path / "b.backup", "--data", new, "--without-missing")
    assert done.exit_code == 0 and "their key is not here: 1" in done.stderr


@pytest.mark.parametrize("what", ["cut", "changed", "other", "missing"])
def test_a_wrong_file_is_told_and_leaves_nothing_behind(
    clinic: ClinicRig, tmp_path: Path, other_database: str | None, what: str
) -> None:
    fill(clinic)
    path = tmp_path / "a.backup"
    _run("backup", path, "--data", clinic.folder)
    new = _new_machine(clinic, tmp_path / "new")
    data = bytearray(path.read_bytes())
    data[FRAME_BYTES * 2] ^= what == "changed"
    if what == "missing":
        path = tmp_path / "none"
    else:
        path.write_bytes(data[: -FRAME_BYTES // 2] if what == "cut" else b"PK" + data if what == "other" else data)
    for arguments in (("backup", "--verify"), ("restore", *_database(other_database))):
        done = _run(*arguments, path, "--data", new)
        assert done.exit_code == 1 and str(path) in done.stderr and done.stdout == ""
    assert sorted(path.name for path in new.iterdir()) == [NAME, "clinic.keys"]
    if other_database is not None:
        with closing(open_database(new, other_database, create=True)) as database:
            assert not any(all_rows(database).values())


def test_where_a_clinic_is_nothing_is_put_back(clinic: ClinicRig, tmp_path: Path, other_database: str | None) -> None:
    fill(clinic)
    _run("backup", tmp_path / "a.backup", "--data", clinic.folder)
    before = all_rows(clinic.database)
    done = _run("restore", tmp_path / "a.backup", "--data", clinic.folder)
    assert done.exit_code == 1 and "holds something" in done.stderr
    assert all_rows(clinic.database) == before


def test_without_the_clinics_keys_or_the_backups_keys_it_says_which(clinic: ClinicRig, tmp_path: Path) -> None:
    _run("backup", tmp_path / "a.backup", "--data", clinic.folder)
    new = tmp_path / "new"
    new.mkdir(mode=0o700)
    assert "no clinic here" in _run("restore", tmp_path / "a.backup", "--data", new).stderr
    shutil.copy2(clinic.folder / "clinic.keys", new)
    done = _run("restore", tmp_path / "a.backup", "--data", new)
    assert done.exit_code == 1 and str(new / NAME) in done.stderr
    assert [path.name for path in new.iterdir()] == ["clinic.keys"]


def test_the_keys_of_backups_lie_where_init_was_told(tmp_path: Path) -> None:
    folder, place = tmp_path / "clinic", tmp_path / "disk" / NAME
    place.parent.mkdir()
    assert _run("init", "--data", folder, "--backup-keys", place).exit_code == 0
    assert place.exists() and not (folder / NAME).exists()
    assert _run("backup", tmp_path / "a.backup", "--data", folder).exit_code == 0
    place.parent.rename(tmp_path / "away")
    done = _run("backup", tmp_path / "b.backup", "--data", folder)
    assert done.exit_code == 1 and str(place) in done.stderr
    assert not (tmp_path / "b.backup").exists()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_every_command_has_help_with_examples(command: str) -> None:
    done = _run(command, "--help")
    assert done.exit_code == 0 and f"vitalkeep-clinic {command} " in done.stdout


def test_a_place_of_the_keys_that_cannot_be_written_is_told_before_there_is_a_backup(
    clinic: ClinicRig, tmp_path: Path
) -> None:
    path = tmp_path / "a.backup"
    for keys_to in (tmp_path / "away" / NAME, tmp_path / ("x" * 250)):
        done = _run("backup", path, "--data", clinic.folder, "--keys-to", keys_to)
        assert (done.exit_code, str(keys_to) in done.stderr, path.exists()) == (3, True, False)
    assert _run("backup", path, "--data", clinic.folder, "--keys-to", tmp_path / NAME).exit_code == 0


def test_a_backup_is_in_the_log_before_it_is_there(clinic: ClinicRig, tmp_path: Path) -> None:
    path = tmp_path / "a.backup"
    _run("backup", path, "--data", clinic.folder)
    shutil.copy2(clinic.folder / "clinic.keys", tmp_path)
    shutil.copy2(clinic.folder / NAME, tmp_path)
    assert _run("restore", path, "--data", tmp_path).exit_code == 0
    with open_clinic(tmp_path, clinic.clock) as put_back, put_back.database.reading() as tx:
        actions = [entry.action for entry in Audit(tx, put_back.secrets, put_back.clock).page()]
    assert actions == ["restored", "backed up"]


def test_to_verify_a_backup_writes_nothing(clinic: ClinicRig, tmp_path: Path) -> None:
    path = tmp_path / "a.backup"
    _run("backup", path, "--data", clinic.folder)
    before = {each: each.read_bytes() for each in clinic.folder.iterdir()}
    assert _run("backup", "--verify", path, "--data", clinic.folder).exit_code == 0
    assert {each: each.read_bytes() for each in clinic.folder.iterdir()} == before
    (clinic.folder / NAME).write_bytes(b"")
    assert _run("backup", "--verify", path, "--data", clinic.folder).exit_code == 1
    assert (clinic.folder / NAME).read_bytes() == b""
