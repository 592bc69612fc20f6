"""The key: made once, never overwritten, never shown; whoever lost it or opened it to others is told plainly."""

from __future__ import annotations

import os
import stat
import traceback
from pathlib import Path

import pytest

from device_pipeline.errors import StoreError, StoreKeyError, StoreMissingError
from device_pipeline.store.store import open_store
from device_pipeline.store.vault import KEY_BYTES, Key, create_key, load_key
from device_pipeline.store.writer import SessionKind


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a store that holds one session."""
    folder = tmp_path / "data" / "vitalkeep"
    with open_store(folder).writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
    return folder


def refused(folder: Path) -> str:
    """What both a reader and a writer are told; the key is in neither message nor traceback."""
    key = folder / "store.key"
    raw = key.read_bytes() if key.is_file() else None
    with pytest.raises(StoreKeyError) as reading, open_store(folder).reader():
        pass
    with pytest.raises(StoreKeyError) as writing:
        open_store(folder).writer()
    assert str(reading.value) == str(writing.value)
    assert (key.read_bytes() if key.is_file() else None) == raw
    for caught in (reading, writing):
        told = "".join(traceback.format_exception(caught.value))
        assert not raw or (raw.hex() not in told and repr(raw) not in told)
    return str(reading.value)


def test_everything_is_for_the_owner_only(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with open_store(folder).writer():
        names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {"store.db", "store.db-wal", "store.db-shm", "store.key", "writer.lock"} == set(names)
    assert set(names.values()) == {0o600}


def test_a_lax_umask_opens_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open_store(tmp_path / "store").writer():
            assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "store").iterdir())
    finally:
        os.umask(before)


def test_two_stores_have_two_keys(tmp_path: Path) -> None:
    for name in ("a", "b"):
        open_store(tmp_path / name).writer().close()
    a, b = ((tmp_path / name / "store.key").read_bytes() for name in ("a", "b"))
    assert len(a) == len(b) == KEY_BYTES
    assert a != b


def test_a_key_is_never_overwritten(folder: Path) -> None:
    before = (folder / "store.key").read_bytes()
    with pytest.raises(StoreKeyError, match="never overwritten"):
        create_key(folder)
    assert (folder / "store.key").read_bytes() == before
    assert not (folder / "store.key.new").exists()


def test_a_database_without_its_key_is_refused_and_gets_no_new_one(folder: Path) -> None:
    (folder / "store.key").unlink()
    assert "missing" in refused(folder)
    assert not (folder / "store.key").exists()


@pytest.mark.parametrize("n", [0, 31, 33, 64])
def test_a_key_of_the_wrong_length_states_both(folder: Path, n: int) -> None:
    (folder / "store.key").write_bytes(b"x" * n)
    assert f"has {n} bytes, expected 32" in refused(folder)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(folder: Path, mode: int) -> None:
    (folder / "store.key").chmod(mode)
    assert f"mode {mode:04o}, expected 0600" in refused(folder)


def test_a_folder_that_others_may_enter_is_refused(folder: Path) -> None:
    folder.chmod(0o750)
    assert "mode 0750, expected 0700" in refused(folder)


def test_a_key_that_is_a_link_or_a_folder_is_refused(folder: Path) -> None:
    (folder / "store.key").rename(folder / "elsewhere")
    (folder / "store.key").symlink_to(folder / "elsewhere")
    refused(folder)
    (folder / "store.key").unlink()
    (folder / "store.key").mkdir()
    refused(folder)


def test_another_key_is_told_plainly(folder: Path) -> None:
    (folder / "store.key").write_bytes(bytes(32))
    assert "does not open with the key" in refused(folder)


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + bytes(4080), b"hello" * 1000], ids=["plain", "text"])
def test_what_is_no_database_is_told_plainly(folder: Path, content: bytes) -> None:
    (folder / "store.db").write_bytes(content)
    assert "no vitalkeep database" in refused(folder)
    assert (folder / "store.db").read_bytes() == content


def test_a_reader_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError), open_store(tmp_path / "none").reader():
        pass
    assert not (tmp_path / "none").exists()


def test_an_empty_folder_is_made_private_and_one_with_things_in_it_is_not_touched(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    for folder in (empty, full):
        folder.mkdir(mode=0o755)
    (full / "letter.txt").write_text("")
    open_store(empty).writer().close()
    assert stat.S_IMODE(empty.stat().st_mode) == 0o700
    with pytest.raises(StoreError, match="mode 0755, expected 0700"):
        open_store(full).writer()
    assert stat.S_IMODE(full.stat().st_mode) == 0o755
    assert [path.name for path in full.iterdir()] == ["letter.txt"]


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        open_store(tmp_path / "file").writer()
    with pytest.raises(StoreError, match="file"):
        open_store(tmp_path / "file" / "store").writer()


def test_a_key_does_not_show_itself(folder: Path) -> None:
    key = load_key(folder)
    assert repr(key) == str(key) == "<Key>"
    assert repr(Key(bytes(32))) == "<Key>"
