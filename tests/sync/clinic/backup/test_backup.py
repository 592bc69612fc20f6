"""A clinic put back is the clinic that was backed up, but for who has withdrawn since: of them nothing is in it."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from sync.clinic.backup.erasure import erase_keys
from sync.clinic.backup.errors import BackupError
from sync.clinic.backup.file import BackupWriter
from sync.clinic.backup.key_store import NAME, KeyStore
from sync.clinic.backup.keys_copy import copy_keys
from sync.clinic.backup.restore import require_keys, restore, verify_backup
from sync.clinic.backup.restored_folder import restored_folder
from sync.clinic.backup.sealed_frame import FRAME_BYTES, HEADER
from sync.clinic.backup.table import TABLES
from sync.clinic.clinic import open_clinic
from sync.clinic.database.database import Database, Row
from sync.clinic.database.opened import open_database
from sync.clinic.database.schema import MIGRATIONS
from sync.clinic.database.sqlite import SqliteDatabase
from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.clinic.receiver import Receiver
from sync.clinic.tables.pairings import Pairings
from sync.receipt import Reason, Status
from tests.rigs.backed_up import LABELS, all_rows, back_up, fill, keys_of, restored
from tests.rigs.clinic import ClinicRig, FakeDevice, af_days, worn_days

ABOUT_A_PATIENT = ("devices", "messages", "answers", "pairings")


def _searched(clinic: ClinicRig, device: FakeDevice, label: str) -> list[bytes]:
    """What is about one patient and long enough to be found by its bytes."""
    (stored,) = [each for each in clinic.devices() if each.id == device.id]
    plain = [label.encode(), stored.key, stored.token_hash]
    return plain + [each.hex().encode() for each in (stored.key, stored.token_hash)]


def _of(rows: dict[str, list[Row]], device: FakeDevice, column: int = 0) -> dict[str, list[Row]]:
    return {name: [row for row in rows[name] if row[column] == device.id] for name in ABOUT_A_PATIENT}


# -- round trips


def test_what_is_put_back_is_what_was_backed_up_row_by_row(
    clinic: ClinicRig, tmp_path: Path, other_database: str | None
) -> None:
    fill(clinic)
    path = tmp_path / "clinic.backup"
    made = back_up(clinic, path)
    assert (made.devices, made.codes, made.day) == (3, 1, clinic.clock.today())
    assert made.bytes == path.stat().st_size
    before = all_rows(clinic.database)
    assert all(before.values()), "a table without a row is not tried"
    with restored(clinic, path, tmp_path / "new", other_database) as (database, contents):
        assert all_rows(database) == before
        assert contents.rows == {name: len(rows) for name, rows in before.items()}
        assert (contents.left_out, contents.missing) == (0, 0)


def test_a_clinic_put_back_goes_on_where_it_was(clinic: ClinicRig, tmp_path: Path, other_database: str | None) -> None:
    device, *_ = fill(clinic)
    old = device.release(af_days(29))
    assert clinic.take(old) is Status.STORED
    back_up(clinic, tmp_path / "b")
    with restored(clinic, tmp_path / "b", tmp_path / "new", other_database) as (database, _):
        clinic.receiver = Receiver(clinic.secrets, database, clinic.clock, lambda: None)
        assert clinic.take(old) is Status.DUPLICATE
        assert clinic.take(device.release(af_days(29, 7.0))) is Reason.ANSWERED
        assert clinic.take(device.release(af_days(30))) is Status.STORED


def test_a_backup_is_of_one_moment_whatever_is_written_meanwhile(
    clinic: ClinicRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, *_ = fill(clinic)
    before = all_rows(clinic.database)

    section = BackupWriter.section
    written: list[Status | Reason] = []

    def and_a_message(*given: object) -> None:
        section(*given)  # type: ignore[arg-type]
        if not written:
            written.append(clinic.take(device.release(af_days(29))))

    monkeypatch.setattr(BackupWriter, "section", and_a_message)
    back_up(clinic, tmp_path / "b")
    monkeypatch.undo()
    assert written == [Status.STORED]
    with restored(clinic, tmp_path / "b", tmp_path / "new") as (database, _):
        assert all_rows(database) == before


def test_every_table_and_column_is_in_a_backup(tmp_path: Path) -> None:
    """All but what is due to be erased: a backup erases that before it begins."""
    with ClinicRig(tmp_path / "clinic") as clinic:
        names = {str(row[0]) for row in clinic.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert names - {"keys_due"} == set(TABLES)
        for table in TABLES.values():
            columns = clinic.rows(f"SELECT name, pk FROM pragma_table_info('{table.name}') ORDER BY cid")
            assert tuple(name for name, _ in columns) == table.names
            assert [name for name, key in columns if key] == list(table.names[: table.key])


def test_many_rows_are_read_and_written_page_by_page(
    clinic: ClinicRig, tmp_path: Path, other_database: str | None
) -> None:
    """More than one page of the clinic's own, and of one patient, and than one statement takes."""
    device = clinic.enrolled("Patient 17")
    with clinic.database.writing() as tx:
        questions = [(device.id, 28, window, "af_days", 1) for window in range(2100)]
        tx.many("INSERT INTO answered VALUES (?, ?, ?, ?, ?)", questions)
        tx.many("INSERT INTO answers VALUES (?, ?, ?, ?, ?, 0.1, 500, '2026-05-01')", questions)
    before = all_rows(clinic.database)
    assert len(before["answers"]) == len(before["answered"]) == 2100
    back_up(clinic, tmp_path / "b")
    with restored(clinic, tmp_path / "b", tmp_path / "new", other_database) as (database, _):
        assert all_rows(database) == before


# -- what is in the file


def test_nothing_of_a_patient_is_in_the_file_in_plain(clinic: ClinicRig, tmp_path: Path) -> None:
    devices = fill(clinic)
    names = [each.pseudonym.encode() for each in clinic.devices()]
    searched = [
        plain for device, label in zip(devices[:3], LABELS, strict=False) for plain in _searched(clinic, device, label)
    ]
    back_up(clinic, tmp_path / "b")
    data = (tmp_path / "b").read_bytes()
    for plain in (*searched, *names, b"Patient", b"af_days", b"500", b"2026-05-01", *(device.id for device in devices)):
        assert plain not in data


def test_two_backups_of_the_same_clinic_have_no_frame_and_no_mark_in_common(clinic: ClinicRig, tmp_path: Path) -> None:
    fill(clinic)
    for name in ("a", "b"):
        back_up(clinic, tmp_path / name)
    one, other = ((tmp_path / name).read_bytes()[HEADER.size :] for name in ("a", "b"))
    pieces = [{data[at : at + 16] for at in range(0, len(data) - 15)} for data in (one, other)]
    assert len(one) == len(other) and not pieces[0] & pieces[1]


def test_the_file_is_its_owners_alone_and_replaces_none(clinic: ClinicRig, tmp_path: Path) -> None:
    fill(clinic)
    path = tmp_path / "b"
    back_up(clinic, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(ClinicError, match="is there already"):
        back_up(clinic, path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["b"]


# -- withdrawal


def test_who_withdrew_after_the_backup_is_in_no_clinic_put_back_from_it(
    clinic: ClinicRig, tmp_path: Path, other_database: str | None
) -> None:
    gone, kept, *_ = fill(clinic)
    searched = _searched(clinic, gone, LABELS[0])
    back_up(clinic, tmp_path / "b")
    before = all_rows(clinic.database)
    assert clinic.take(gone.release(af_days(29))) is Status.STORED  # after the backup
    assert clinic.take(gone.delete()) is Status.STORED
    with restored(clinic, tmp_path / "b", tmp_path / "new", other_database) as (database, contents):
        assert contents.left_out == 1 and contents.missing == 0
        rows = all_rows(database)
        assert not any(_of(rows, gone).values())
        assert _of(rows, kept) == _of(before, kept)
        everything = repr(rows).encode()
        assert not any(plain in everything or repr(plain).encode() in everything for plain in searched)
        for new in (tmp_path / "new").iterdir():
            assert not any(plain in new.read_bytes() for plain in searched), new.name
        # what the clinic knows of a withdrawal, also where it came after the backup
        assert all_rows(clinic.database)["withdrawn"] == rows["withdrawn"]
        answered = [row for row in rows["answered"] if row[0] == gone.id]
        assert len(answered) == 6 and (gone.id, 28, 29, "af_days", 1) in answered
        clinic.receiver = Receiver(clinic.secrets, database, clinic.clock, lambda: None)
        assert clinic.take(gone.release(worn_days(29))) is Reason.WITHDRAWN
        assert clinic.take(gone.enrol(_token(database, clinic))) is Status.STORED
        assert clinic.take(gone.release(af_days(29))) is Reason.ANSWERED


def _token(database: Database, clinic: ClinicRig) -> bytes:
    with database.writing() as tx:
        return Pairings(tx).new(None, clinic.clock.today(), 14)[0]


def test_who_comes_back_after_a_withdrawal_has_another_key_and_the_old_backups_stay_shut(
    clinic: ClinicRig, tmp_path: Path
) -> None:
    device, *_ = fill(clinic)
    back_up(clinic, tmp_path / "old")
    clinic.take(device.delete())
    assert clinic.take(device.enrol(clinic.token("again"))) is Status.STORED
    assert clinic.take(device.release(af_days(31))) is Status.STORED
    back_up(clinic, tmp_path / "new")
    before = all_rows(clinic.database)
    with restored(clinic, tmp_path / "old", tmp_path / "one") as (database, contents):
        assert contents.left_out == 1
        assert not any(_of(all_rows(database), device).values())
    with restored(clinic, tmp_path / "new", tmp_path / "other") as (database, contents):
        assert contents.left_out == 0
        assert all_rows(database) == before


def test_a_code_that_was_used_or_taken_back_is_not_out_again(clinic: ClinicRig, tmp_path: Path) -> None:
    token = clinic.token("Patient 30")
    back_up(clinic, tmp_path / "b")
    device = clinic.device()
    assert clinic.take(device.enrol(token)) is Status.STORED
    assert clinic.take(device.delete()) is Status.STORED
    with restored(clinic, tmp_path / "b", tmp_path / "new") as (database, contents):
        assert contents.left_out == 1
        assert all_rows(database)["pairings"] == []


def test_an_erased_key_is_in_no_file(clinic: ClinicRig, tmp_path: Path) -> None:
    devices = fill(clinic)
    devices += [clinic.enrolled() for _ in range(40)]
    back_up(clinic, tmp_path / "b")
    with keys_of(clinic) as keys:
        found = keys.keys()
    gone = devices[::3]
    # while somebody has them open: nothing is tidied up by closing
    with keys_of(clinic):
        for device in gone:
            clinic.take(device.delete())
        data = b"".join(path.read_bytes() for path in clinic.folder.iterdir())
    for device in devices:
        if device.id in found:
            assert (found[device.id].key in data) == (device not in gone)
    with keys_of(clinic) as keys:
        assert not {device.id for device in gone} & set(keys.keys())


def test_keys_that_cannot_be_reached_hold_up_no_withdrawal_and_are_erased_later(
    clinic: ClinicRig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device, other, *_ = fill(clinic)
    back_up(clinic, tmp_path / "b")
    place = clinic.folder / "backup-keys.path"
    away = tmp_path / "disk" / NAME
    place.write_text(f"{away}\n")
    assert clinic.take(device.delete()) is Status.STORED
    told = capsys.readouterr().err
    assert str(away) in told and "could not be erased" in told and "Patient" not in told
    assert len(clinic.rows("SELECT device FROM keys_due")) == 1
    place.unlink()
    with keys_of(clinic) as keys:
        assert device.id in set(keys.keys())
    assert clinic.take(other.delete()) is Status.STORED  # the next one takes it along
    with keys_of(clinic) as keys:
        assert not {device.id, other.id} & set(keys.keys())
    assert clinic.rows("SELECT device FROM keys_due") == []
    assert capsys.readouterr().err == ""


def test_a_backup_erases_first_what_is_due(clinic: ClinicRig, tmp_path: Path) -> None:
    device, *_ = fill(clinic)
    back_up(clinic, tmp_path / "a")
    clinic.receiver = Receiver(clinic.secrets, clinic.database, clinic.clock, lambda: None)
    assert clinic.take(device.delete()) is Status.STORED
    back_up(clinic, tmp_path / "b")
    with keys_of(clinic) as keys:
        assert device.id not in set(keys.keys())
        assert verify_backup(tmp_path / "a", clinic.keys.id, keys).left_out == 1


def test_a_withdrawal_while_a_backup_is_made_waits_little_and_leaves_the_files_when_the_backup_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ClinicRig(tmp_path / "clinic") as clinic:
        device, *_ = fill(clinic)
        end = BackupWriter.end
        told: list[float] = []

        def withdrawn_before(*given: object) -> int:
            begun_s = time.monotonic()
            assert clinic.take(device.delete()) is Status.STORED
            told.append(time.monotonic() - begun_s)
            return end(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(BackupWriter, "end", withdrawn_before)
        back_up(clinic, tmp_path / "b")
        assert told[0] < 10.0
        assert not any(LABELS[0].encode() in path.read_bytes() for path in clinic.folder.iterdir())
        with keys_of(clinic) as keys:
            assert verify_backup(tmp_path / "b", clinic.keys.id, keys).left_out == 1


# -- keys


def test_keys_older_than_the_backup_are_told_and_leave_nobody_out_in_silence(clinic: ClinicRig, tmp_path: Path) -> None:
    fill(clinic)
    back_up(clinic, tmp_path / "a")
    copy = tmp_path / "copy.db"
    with keys_of(clinic) as keys:
        copy_keys(keys, copy)
    clinic.enrolled("Patient 40")
    back_up(clinic, tmp_path / "b")
    with KeyStore(copy, clinic.keys.id) as keys:
        require_keys(verify_backup(tmp_path / "a", clinic.keys.id, keys), keys)
        contents = verify_backup(tmp_path / "b", clinic.keys.id, keys)
        assert (contents.missing, contents.left_out) == (1, 0)
        with pytest.raises(BackupError, match="older than the backup"):
            require_keys(contents, keys)


def test_a_copy_of_the_keys_is_the_newest_one_and_nothing_else(clinic: ClinicRig, tmp_path: Path) -> None:
    device, *_ = fill(clinic)
    back_up(clinic, tmp_path / "b")
    copy = tmp_path / "copies" / NAME
    copy.parent.mkdir()
    with keys_of(clinic) as keys:
        copy_keys(keys, copy)
        with KeyStore(copy, clinic.keys.id) as copied:
            assert copied.keys() == keys.keys()
            key = keys.keys()[device.id].key
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert key in copy.read_bytes()
    with copy.open("rb") as old:
        clinic.take(device.delete())
        with keys_of(clinic) as keys:
            copy_keys(keys, copy)
        assert set(old.read()) == {0}, "the copy before is overwritten, whoever has it open"
    assert key not in copy.read_bytes()
    assert [path.name for path in copy.parent.iterdir()] == [NAME]


def test_a_copy_of_the_keys_replaces_no_other_file(clinic: ClinicRig, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear reader, " * 1000)
    with keys_of(clinic) as keys:
        for path in (other, keys.path):
            before = path.read_bytes()
            with pytest.raises(ClinicError):
                copy_keys(keys, path)
            assert path.read_bytes() == before
    KeyStore(tmp_path / "foreign.db", bytes(16), create=True).close()
    with keys_of(clinic) as keys, pytest.raises(ClinicError, match="the keys of clinic 00000"):
        copy_keys(keys, tmp_path / "foreign.db")


# -- what is wrong


def test_a_clinic_that_holds_something_takes_no_backup(clinic: ClinicRig, tmp_path: Path) -> None:
    fill(clinic)
    back_up(clinic, tmp_path / "b")
    other = open_database(tmp_path, create=True)
    for name, row in {"meta": "('x', 'y')", "staff": "('x', 'y', 'z')"}.items():
        with other.writing() as tx:
            tx.execute(f"INSERT INTO {name} VALUES {row}")
        before = all_rows(other)
        with keys_of(clinic) as keys, pytest.raises(ClinicError, match="holds something"):
            restore(tmp_path / "b", clinic.keys.id, keys, other, lambda *_: None)
        assert all_rows(other) == before
        with other.writing() as tx:
            tx.execute(f"DELETE FROM {name}")
    other.close()


def test_a_backup_of_other_tables_is_refused(
    clinic: ClinicRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(clinic)
    monkeypatch.setattr("sync.clinic.backup.backup.MIGRATIONS", (*MIGRATIONS, ()))
    back_up(clinic, tmp_path / "b")
    with (
        keys_of(clinic) as keys,
        pytest.raises(BackupError, match=f"version {len(MIGRATIONS) + 1}, this"),
    ):
        verify_backup(tmp_path / "b", clinic.keys.id, keys)


def test_a_backup_that_was_changed_leaves_the_database_as_it_was(
    clinic: ClinicRig, tmp_path: Path, other_database: str | None
) -> None:
    """Also where it was changed after it had been checked."""
    fill(clinic)
    path = tmp_path / "b"
    back_up(clinic, path)
    data = bytearray(path.read_bytes())
    data[-FRAME_BYTES // 2] ^= 1
    path.write_bytes(data)
    with keys_of(clinic) as keys, pytest.raises(BackupError, match="changed"):
        verify_backup(path, clinic.keys.id, keys)
    with pytest.raises(BackupError, match="changed"), restored(clinic, path, tmp_path / "new", other_database):
        pass
    database = open_database(tmp_path / "new", other_database)
    with database.writing() as tx:
        tx.execute("DELETE FROM meta WHERE name = 'restoring'")
    assert not any(all_rows(database).values())
    database.close()


def test_a_file_that_is_not_there_is_told(clinic: ClinicRig, tmp_path: Path) -> None:
    with keys_of(clinic) as keys, pytest.raises(BackupError, match="No such file"):
        verify_backup(tmp_path / "none", clinic.keys.id, keys)


# -- killed

_KILLED = """
import os, signal, sys
from pathlib import Path
from sync.clinic.backup import {module} as module
from sync.clinic.backup.backup import make_backup
from sync.clinic.backup.key_store import KeyStore, NAME
from sync.clinic.backup.restore import restore
from sync.clinic.clinic import open_clinic
from sync.clinic.clock import SystemClinicClock
from sync.clinic.database.opened import open_database

folder, path, new, url = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4] or None
real, left = {target}, {after}

def killed(*given, **named):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given, **named)

{target} = killed
with open_clinic(folder, SystemClinicClock()) as clinic:
    id_ = clinic.secrets.public.id
    with KeyStore(folder / NAME, id_, create=True) as keys:
        {action}
"""
_BACKUP = "make_backup(clinic, keys, path)"
_RESTORE = "restore(path, id_, keys, open_database(new, url, create=True), lambda *_: None)"


def _killed(clinic: ClinicRig, path: Path, new: Path, url: str | None, **parts: object) -> None:
    script = _KILLED.format(**parts)
    command = [sys.executable, "-c", script, str(clinic.folder), str(path), str(new), url or ""]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("module", "target", "after"),
    [
        ("file", "module.BackupWriter._frame", 0),
        ("file", "module.BackupWriter._frame", 3),
        ("file", "module.BackupWriter.end", 0),
        ("key_store", "module.KeyStore.require_keys", 0),
        ("key_store", "module.KeyStore.flush", 1),
        ("file", "os.fsync", 0),
        ("file", "os.link", 0),
    ],
)
def test_a_backup_that_was_killed_is_no_file_and_the_next_one_is_whole(
    clinic: ClinicRig, tmp_path: Path, module: str, target: str, after: int
) -> None:
    fill(clinic)
    path = tmp_path / "b"
    _killed(clinic, path, tmp_path, None, module=module, target=target, after=after, action=_BACKUP)
    assert not path.exists()
    left = set(tmp_path.glob("*.new"))
    back_up(clinic, path)
    assert set(tmp_path.glob("*.new")) == left
    before = all_rows(clinic.database)
    with restored(clinic, path, tmp_path / "new") as (database, _):
        assert all_rows(database) == before


@pytest.mark.parametrize(
    ("target", "after"),
    [
        ("module._Inserts._insert", 0),
        ("module._Inserts._insert", 5),
        ("module._know_withdrawals", 0),
        ("module.BackupReader.lines", 0),
    ],
)
def test_a_restore_that_was_killed_put_nothing_back_and_can_be_done_again(
    clinic: ClinicRig, tmp_path: Path, other_database: str | None, target: str, after: int
) -> None:
    fill(clinic)
    path, new = tmp_path / "b", tmp_path / "new"
    new.mkdir()
    back_up(clinic, path)
    _killed(clinic, path, new, other_database, module="restore", target=target, after=after, action=_RESTORE)
    database = open_database(new, other_database)
    rows = all_rows(database)
    database.close()
    assert [row[0] for row in rows.pop("meta")] == ["restoring"]
    assert not any(rows.values())
    os.link(clinic.folder / "clinic.keys", new / "clinic.keys")
    with pytest.raises(ClinicError, match="cut short"), open_clinic(new, clinic.clock, other_database):
        pass
    before = all_rows(clinic.database)
    with restored(clinic, path, new, other_database) as (database, _):
        assert all_rows(database) == before


def test_a_withdrawal_that_was_killed_before_its_keys_went_is_done_at_the_next_start(
    clinic: ClinicRig, tmp_path: Path
) -> None:
    device, *_ = fill(clinic)
    back_up(clinic, tmp_path / "b")
    clinic.receiver = Receiver(clinic.secrets, clinic.database, clinic.clock, lambda: None)
    assert clinic.take(device.delete()) is Status.STORED
    with keys_of(clinic) as keys:
        key = keys.keys()[device.id].key
    erase_keys(clinic.clinic)
    assert not any(key in path.read_bytes() for path in clinic.folder.iterdir())
    assert clinic.rows("SELECT device FROM keys_due") == []


@pytest.mark.parametrize("place", ["x" * 300 + "/backup-keys.db", "x" * 300])
def test_a_place_of_keys_that_nobody_can_ask_holds_up_no_withdrawal(
    clinic: ClinicRig, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """As where a disk gives errors, or a folder is another user's."""
    device, *_ = fill(clinic)
    (clinic.folder / "backup-keys.path").write_text(f"{tmp_path / place}\n")
    assert clinic.take(device.delete()) is Status.STORED
    erase_keys(clinic.clinic)  # as at the start of a server
    assert "could not be erased" in capsys.readouterr().err
    with pytest.raises(ClinicStoreError):
        KeyStore(tmp_path / place, clinic.keys.id)


def test_an_empty_file_is_not_taken_for_keys_and_stays_empty(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.touch()
    with pytest.raises(ClinicError, match="empty file"):
        KeyStore(path, bytes(16))
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"", [path])
    KeyStore(path, bytes(16), create=True).close()
    KeyStore(path, bytes(16)).close()


def test_keys_without_a_clinic_are_told_and_none_are_made(tmp_path: Path) -> None:
    path = tmp_path / NAME
    KeyStore(path, bytes(16), create=True).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("DELETE FROM clinic")
    with pytest.raises(ClinicError, match="empty file"):
        KeyStore(path, bytes(16))


def test_a_restore_that_fails_leaves_the_mark_of_one_that_was_cut_short(
    clinic: ClinicRig, tmp_path: Path, other_database: str | None
) -> None:
    fill(clinic)
    path, new = tmp_path / "b", tmp_path / "new"
    new.mkdir()
    back_up(clinic, path)
    target = "module._know_withdrawals"
    _killed(clinic, path, new, other_database, module="restore", target=target, after=0, action=_RESTORE)
    with pytest.raises(KeyboardInterrupt), restored_folder(new, other_database, None):
        raise KeyboardInterrupt
    os.link(clinic.folder / "clinic.keys", new / "clinic.keys")
    with pytest.raises(ClinicError, match="cut short"), open_clinic(new, clinic.clock, other_database):
        pass


def test_what_cannot_leave_the_files_yet_undoes_no_backup_and_no_restore(
    sqlite_clinic: ClinicRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(sqlite_clinic)

    def broken(_: object) -> None:
        raise ClinicStoreError("disk I/O error")

    monkeypatch.setattr(SqliteDatabase, "flush_erased", broken)
    path = tmp_path / "b"
    back_up(sqlite_clinic, path)
    with restored(sqlite_clinic, path, tmp_path / "new") as (database, _):
        assert all_rows(database) == all_rows(sqlite_clinic.database)
    assert capsys.readouterr().err.count("may still be in the database's files") == 2
