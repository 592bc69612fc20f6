"""`init` makes a clinic or nothing: what failed can be run again. Files it made are whole, and replace none."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sync.clinic.__main__ import app
from sync.clinic.backup.key_store import NAME, KeyStore
from sync.clinic.errors import ClinicError
from sync.clinic.new_file import new_file
from sync.clinic.secrets_file import load_secrets, make_secrets
from sync.clinic.tables.meta import Meta


def _init(folder: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["init", "--data", str(folder), *map(str, arguments)])


def test_a_place_of_keys_that_cannot_be_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "clinic"
    done = _init(folder, "--backup-keys", tmp_path / "away" / NAME)
    assert (done.exit_code, list(folder.iterdir())) == (3, [])
    assert _init(folder, "--backup-keys", tmp_path / NAME).exit_code == 0
    assert CliRunner().invoke(app, ["patients", "--data", str(folder)]).exit_code == 0


def test_a_disk_that_is_full_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clinic_database: str | None
) -> None:
    folder, keys = tmp_path / "clinic", tmp_path / "disk" / NAME
    keys.parent.mkdir()
    options: list[str | Path] = [
        "--backup-keys",
        keys,
        *([] if clinic_database is None else ["--database", clinic_database]),
    ]

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Meta, "put", full)
        assert _init(folder, *options).exit_code != 0
    assert [*folder.iterdir(), *keys.parent.iterdir()] == []
    assert _init(folder, *options).exit_code == 0


def test_what_was_there_before_stays(tmp_path: Path) -> None:
    folder, others = tmp_path / "clinic", tmp_path / NAME
    KeyStore(others, bytes(16), create=True).close()
    before = others.read_bytes()
    assert _init(folder, "--backup-keys", others).exit_code == 1
    assert (others.read_bytes(), list(folder.iterdir())) == (before, [])


def test_a_clinic_that_is_there_stays(tmp_path: Path) -> None:
    assert _init(tmp_path).exit_code == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = _init(tmp_path, "--backup-keys", tmp_path / "away" / NAME)
    assert (done.exit_code, "there are keys already" in done.stderr) == (1, True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_keys_are_made_where_no_links_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    made = make_secrets(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["clinic.keys"]
    assert load_secrets(tmp_path).public.id == made.public.id
    with pytest.raises(ClinicError, match="keys already"):
        make_secrets(tmp_path)
    assert load_secrets(tmp_path).public.id == made.public.id


def test_a_file_of_somebody_else_beside_a_new_one_stays(tmp_path: Path) -> None:
    other = tmp_path / "cards.csv.new"
    other.write_text("other")
    with new_file(tmp_path / "cards.csv") as file:
        file.write(b"cards")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"cards.csv": "cards", other.name: "other"}
