"""A store that cannot be used is one clear line and exit code 3; one that fails on the way does not end the watch."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from device_pipeline.errors import StoreFullError
from device_pipeline.store import batch as writing
from device_pipeline.store import derived
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import Ended, SessionKind, StoreWriter
from tests.vitalkeep.command import RECORDINGS, vitalkeep, vitalkeep_here
from vitalkeep.cli.app import app

REST = RECORDINGS / "chest_strap_rest.jsonl.gz"
STRAP = RECORDINGS / "chest_strap.jsonl.gz"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A store with one session in it, where the command line looks for it."""
    folder = tmp_path / "data" / "vitalkeep"
    with open_store(folder).writer() as writer:
        writer.begin_session(SessionKind.REPLAY, "strap", "0")
    return folder


def spoil_pages(folder: Path) -> None:
    data = bytearray((folder / "store.db").read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    (folder / "store.db").write_bytes(data)


def put_a_folder_there(folder: Path) -> None:
    (folder / "store.db").unlink()
    (folder / "store.db").mkdir()


SPOIL: dict[str, tuple[Callable[[Path], object], str]] = {
    "the key is gone": (lambda folder: (folder / "store.key").unlink(), "is missing"),
    "another key": (lambda folder: (folder / "store.key").write_bytes(bytes(32)), "does not open with the key"),
    "half a key": (lambda folder: (folder / "store.key").write_bytes(bytes(16)), "has 16 bytes, expected 32"),
    "a key for all to read": (lambda folder: (folder / "store.key").chmod(0o644), "has mode 0644, expected 0600"),
    "a folder for all to enter": (lambda folder: folder.chmod(0o755), "has mode 0755, expected 0700"),
    "no database": (lambda folder: (folder / "store.db").write_bytes(b"not a database" * 500), "does not open"),
    "damaged pages": (spoil_pages, "store.db"),
    "a folder for a database": (put_a_folder_there, "store.db"),
}


@pytest.mark.parametrize("what", SPOIL)
def test_a_store_that_cannot_be_opened_is_one_line_and_nothing_is_changed(
    what: str, made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil, said = SPOIL[what]
    spoil(made)
    kept = {
        path.name: path.read_bytes() for path in made.iterdir() if path.is_file() and path.name.startswith("store.")
    }
    done = vitalkeep_here(tmp_path, "run", "--replay", REST, "--speed", "max")
    assert done.code == 3
    assert done.out == ""
    assert said in done.problem()
    assert capfd.readouterr() == ("", ""), "the driver's own words"
    for name, content in kept.items():
        if name in ("store.db", "store.key"):
            assert (made / name).read_bytes() == content


def test_a_place_where_no_store_can_be_made_is_told(tmp_path: Path) -> None:
    for run in (vitalkeep, vitalkeep_here):
        done = run(tmp_path, "run", "--replay", REST, "--speed", "max", "--store", "/proc/nobody/store")
        assert done.code == 3
        assert "/proc/nobody" in done.problem()


# -- a store that fails on the way


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits five times a second instead of every five."""
    monkeypatch.setattr(writing, "COMMIT_EVERY_NS", 200_000_000)


def play(folder: Path, *arguments: str) -> Result:
    words = ["run", "--replay", str(STRAP), "--store", str(folder), "--speed", "400", *arguments]
    result = CliRunner().invoke(app, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.usefixtures("often")
def test_a_full_disk_is_said_once_and_the_watch_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = StoreWriter.begin_session

    def begin_with_few_pages(self: StoreWriter, *arguments: object, **named: object) -> int:
        session = begin(self, *arguments, **named)  # type: ignore[arg-type]
        pages = self.db.execute("PRAGMA page_count").fetchone()[0]
        self.db.execute(f"PRAGMA max_page_count = {pages + 60}")
        return session

    monkeypatch.setattr(StoreWriter, "begin_session", begin_with_few_pages)
    result = play(tmp_path / "store")
    assert result.exit_code == 3
    lines = result.stderr.splitlines()
    assert len([line for line in lines if "disk full" in line]) == 1
    assert lines[-1] == "vitalkeep: not everything of session 1 is stored"
    assert len([line for line in lines if "alert raised" in line]) == 5
    assert "Everything is stored" not in result.stdout
    assert "heart rate" in result.stdout
    monkeypatch.undo()
    store = open_store(tmp_path / "store")
    with store.reader() as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (session,) = derived.sessions(db)
        kept = [(beat.t_ns, beat.source) for beat in derived.beats(db, 1)]
    assert session.ended is None
    assert 50 < len(kept) < 2000
    assert session.last_ns is not None
    assert session.last_ns >= kept[-1][0]
    store.writer().close()
    with store.reader() as db:
        assert derived.sessions(db)[0].ended is Ended.KILLED
        assert [(beat.t_ns, beat.source) for beat in derived.beats(db, 1)] == kept


def due_again_soon(writer: StoreWriter) -> None:
    if writer._batch is not None:
        writer._batch.due_ns = writer._clock.monotonic_ns() + 100_000_000


@pytest.mark.usefixtures("often")
def test_a_disk_that_was_full_for_a_while_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, tries = StoreWriter.commit, [0]

    def sometimes(self: StoreWriter) -> None:
        tries[0] += 1
        if tries[0] in (3, 4):
            due_again_soon(self)
            raise StoreFullError("disk full: store.db cannot grow")
        commit(self)

    monkeypatch.setattr(StoreWriter, "commit", sometimes)
    result = play(tmp_path / "store")
    assert result.exit_code == 0
    assert tries[0] > 5
    assert len([line for line in result.stderr.splitlines() if "disk full" in line]) == 1
    assert "Everything is stored" in result.stdout
    monkeypatch.undo()
    whole = vitalkeep(tmp_path, "run", "--replay", STRAP, "--speed", "max")
    assert whole.code == 0
    with open_store(tmp_path / "store").reader() as mine, open_store(tmp_path / "data/vitalkeep").reader() as theirs:
        assert list(derived.beats(mine, 1)) == list(derived.beats(theirs, 1))
        assert derived.sessions(mine)[0].ended is Ended.CLEAN


@pytest.mark.usefixtures("often")
def test_what_memory_can_no_longer_hold_is_lost_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: StoreWriter) -> None:
        due_again_soon(self)
        raise StoreFullError("disk full: store.db cannot grow")

    monkeypatch.setattr(writing, "PENDING_LIMIT_BYTES", 50_000)
    monkeypatch.setattr(StoreWriter, "commit", full)
    result = play(tmp_path / "store", "--json")
    assert result.exit_code == 3
    problem, end = result.stderr.splitlines()
    assert "wait to be stored, expected at most 50000" in problem or "disk full" in problem
    assert end == "vitalkeep: not everything of session 1 is stored"
    assert '"rule": "no_data", "state": "over"' in result.stdout


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with hardly any room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k,mode=0700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        # Where nothing may be mounted, files may not grow beyond what there would be room for.
        yield folder
        return
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_on_a_disk_without_room_the_session_is_there_and_said_to_be_short(disk: Path, tmp_path: Path) -> None:
    limit = [] if os.path.ismount(disk) else ["prlimit", "--fsize=300000"]
    if limit and shutil.which("prlimit") is None:
        pytest.fail("neither mount nor prlimit is here")
    done = vitalkeep(tmp_path, "run", "--replay", STRAP, "--speed", "max", "--store", disk / "store", before=limit)
    assert done.code == 3
    assert "Traceback" not in done.err
    assert done.err.splitlines()[-1] == "vitalkeep: not everything of session 1 is stored"
    assert len([line for line in done.err.splitlines() if "alert raised" in line]) == 5
    (status,) = vitalkeep(tmp_path, "status", "--json", "--store", disk / "store").rows()
    assert [session["ended"] for session in status["sessions"]] == ["killed"]
