"""What waits is there until it has arrived or was dropped, whatever is killed; what was dropped is gone for good."""

from __future__ import annotations

import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sync import outbox_key
from sync.outbox import Outbox, OutboxError, Peer
from sync.release import SEALED_BYTES, Release
from tests.architecture.house import ROOT
from tests.sync.outbox_writer import CLINIC, PEER, release

OTHER = Peer(bytes(16), "other", "http://127.0.0.1:2", bytes(32), bytes(32))
KEY_FILE = f"outbox.{CLINIC.hex()}.key"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path) as outbox:
        outbox.know(PEER)
        outbox.know(OTHER)
        yield outbox


@contextmanager
def _database(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "outbox.db")) as db, db:
        yield db


def _sequences(outbox: Outbox, clinic: bytes = CLINIC) -> list[int]:
    return [message.sequence for message in outbox.messages() if message.clinic == clinic]


def test_what_is_put_comes_out_as_it_was_in_the_order_of_its_numbers(outbox: Outbox) -> None:
    for sequence in (3, 1, 2):
        outbox.put(CLINIC, release(sequence), 100 * sequence)
    found = outbox.messages()
    assert [message.envelope for message in found] == [release(n).encode() for n in (1, 2, 3)]
    assert [message.not_before_ns for message in found] == [100, 200, 300]


def test_what_is_put_twice_is_there_once(outbox: Outbox, tmp_path: Path) -> None:
    outbox.put(CLINIC, release(1), 0)
    with Outbox(tmp_path) as other:
        other.put(CLINIC, release(1), 7)
    (message,) = outbox.messages()
    assert message.not_before_ns == 0


def test_nothing_is_due_before_its_slot_or_its_next_try(outbox: Outbox) -> None:
    outbox.put(CLINIC, release(1), 100)
    assert outbox.due(99) == []
    assert len(outbox.due(100)) == 1
    outbox.tried(release(1).id, 200)
    assert outbox.due(199) == []
    (message,) = outbox.due(200)
    assert message.tries == 1


def test_what_is_refused_stays_and_is_not_due(outbox: Outbox) -> None:
    outbox.put(CLINIC, release(1), 0)
    outbox.refused(release(1).id, "no")
    assert outbox.due(10**18) == []
    assert [message.refused for message in outbox.messages()] == ["no"]


def test_what_has_arrived_goes(outbox: Outbox) -> None:
    outbox.put(CLINIC, release(1), 0)
    outbox.put(CLINIC, release(2), 0)
    outbox.arrived(release(1).id)
    assert _sequences(outbox) == [2]


def test_a_drop_takes_the_messages_of_one_clinic_alone(outbox: Outbox) -> None:
    outbox.put(CLINIC, release(1), 0)
    outbox.put(CLINIC, release(2), 0)
    outbox.put(OTHER.id, release(3), 0)
    assert outbox.drop(CLINIC) == 2
    assert _sequences(outbox) == []
    assert _sequences(outbox, OTHER.id) == [3]
    assert outbox.drop(CLINIC) == 0


def test_after_a_drop_there_is_a_new_key(outbox: Outbox, tmp_path: Path) -> None:
    outbox.put(CLINIC, release(1), 0)
    before = (tmp_path / KEY_FILE).read_bytes()
    outbox.drop(CLINIC)
    assert not (tmp_path / KEY_FILE).exists()
    outbox.put(CLINIC, release(1), 0)
    assert (tmp_path / KEY_FILE).read_bytes() != before
    assert _sequences(outbox) == [1]


def test_no_file_holds_an_envelope_in_the_clear(outbox: Outbox, tmp_path: Path) -> None:
    outbox.put(CLINIC, release(1), 0)
    marked = release(1).sealed[:64]
    assert all(marked not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_copy_of_the_database_without_its_key_tells_nothing(outbox: Outbox, tmp_path: Path) -> None:
    """Erasing 32 bytes erases what any copy of the pages still holds."""
    outbox.put(CLINIC, release(1), 0)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tmp_path.glob("outbox.db*"):
        (copy / path.name).write_bytes(path.read_bytes())
    outbox.drop(CLINIC)
    with Outbox(copy) as copied:
        assert copied.messages() == []
    with _database(copy) as db:
        ((encrypted,),) = db.execute("SELECT encrypted FROM messages").fetchall()
    outbox.put(CLINIC, release(2), 0)
    key = (tmp_path / KEY_FILE).read_bytes()[16:]
    with pytest.raises(InvalidTag):
        ChaCha20Poly1305(key).decrypt(encrypted[:12], encrypted[12:], CLINIC + release(1).id)


def test_the_key_is_overwritten_before_its_file_goes(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.put(CLINIC, release(1), 0)
    seen: list[bytes] = []
    unlink = Path.unlink

    def watched(path: Path, missing_ok: bool = False) -> None:
        if path.name == KEY_FILE:
            seen.append(path.read_bytes())
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", watched)
    outbox.drop(CLINIC)
    assert seen == [bytes(48)]


@pytest.mark.parametrize("cut", ["overwritten", "unlinked"])
def test_a_drop_cut_short_after_its_key_has_gone_is_a_drop(outbox: Outbox, tmp_path: Path, cut: str) -> None:
    outbox.put(CLINIC, release(1), 0)
    outbox.put(CLINIC, release(2), 0)
    if cut == "overwritten":
        (tmp_path / KEY_FILE).write_bytes(bytes(48))
    else:
        outbox_key.destroy_key(tmp_path, CLINIC)
    with Outbox(tmp_path) as opened:
        assert opened.messages() == []
        opened.put(CLINIC, release(2), 9)
        assert _sequences(opened) == [2]
        assert opened.messages()[0].not_before_ns == 9


def test_what_was_encrypted_with_an_erased_key_is_no_damage(outbox: Outbox, tmp_path: Path) -> None:
    """Read while another process drops and puts again: what was dropped is simply not there."""
    outbox.put(CLINIC, release(1), 0)
    outbox_key.destroy_key(tmp_path, CLINIC)
    outbox_key.require_key(tmp_path, CLINIC)
    assert outbox.messages() == []


def test_a_key_whose_making_was_cut_short_is_made_again(outbox: Outbox, tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).with_suffix(".new").write_bytes(b"half")
    outbox.put(CLINIC, release(1), 0)
    assert _sequences(outbox) == [1]
    assert not (tmp_path / KEY_FILE).with_suffix(".new").exists()


def test_only_the_owner_can_read_its_files(outbox: Outbox, tmp_path: Path) -> None:
    outbox.put(CLINIC, release(1), 0)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_message_changed_on_the_disk_is_told_and_not_sent(outbox: Outbox, tmp_path: Path) -> None:
    outbox.put(CLINIC, release(1), 0)
    with _database(tmp_path) as db:
        db.execute("UPDATE messages SET encrypted = zeroblob(1052)")
    with pytest.raises(OutboxError, match="damaged"):
        outbox.messages()


def test_the_keys_of_a_clinic_stay_and_its_address_may_change(outbox: Outbox) -> None:
    outbox.know(Peer(CLINIC, "new", "https://clinic.example", b"\1" * 32, b"\1" * 32))
    assert Peer(CLINIC, "new", "https://clinic.example", PEER.sealing, PEER.signing) in outbox.peers()


def test_a_file_that_is_no_outbox_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"something else, long enough to be read as a page" * 100)
    with pytest.raises(OutboxError, match=r"outbox\.db"):
        Outbox(tmp_path)


def test_an_outbox_of_another_version_is_refused(outbox: Outbox, tmp_path: Path) -> None:
    with _database(tmp_path) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(OutboxError, match="version 9, this program knows 1"):
        Outbox(tmp_path)


@pytest.mark.parametrize("kills", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_a_kill_loses_nothing_that_was_put_and_brings_nothing_dropped_back(tmp_path: Path, kills: int) -> None:
    chance = random.Random(3)
    first = 0
    there: set[int] = set()
    for _ in range(kills):
        acts = _until_killed(tmp_path, first, chance.randint(1, 12), chance.uniform(0.0, 0.01))
        maybe: set[int] = set()
        for act, number in acts:
            if act == "put":
                there.add(number)
                maybe.discard(number)
            elif act == "putting":
                maybe = {number}
            else:  # about to drop: what was there may be gone or not, and then is
                maybe = set(there) if act == "dropping" else set()
                there = there - maybe if act == "dropping" else there
        with Outbox(tmp_path) as outbox:
            messages = outbox.messages()
        found = {message.sequence for message in messages}
        for message in messages:
            assert message.envelope == release(message.sequence).encode()
        assert there <= found <= there | maybe
        there = found
        first = max([first, *(number for _, number in acts)])
    assert first > kills / 2


def _until_killed(folder: Path, first: int, after_lines: int, after_s: float) -> list[tuple[str, int]]:
    """What the process did until it was killed, some time after so many words of it."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.sync.outbox_writer", str(folder), str(first)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    with writer:
        said = [writer.stdout.readline() for _ in range(after_lines)]
        time.sleep(after_s)
        writer.send_signal(signal.SIGKILL)
        lines = [*said, *writer.stdout.readlines()]
    assert writer.returncode == -signal.SIGKILL
    return [(act, int(number)) for act, number in (line.decode().split() for line in lines)]


def test_an_envelope_fits_the_schema() -> None:
    assert len(Release(bytes(16), bytes(16), 1, bytes(SEALED_BYTES), bytes(64)).encode()) == 1024
