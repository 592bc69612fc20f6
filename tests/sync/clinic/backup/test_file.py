"""A backup is whole and this clinic's own, or it is refused; what is in it shows to nobody without its keys."""

from __future__ import annotations

import io
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.clinic.backup.errors import BackupError
from sync.clinic.backup.file import BackupReader, BackupWriter, Line
from sync.clinic.backup.key_store import BackupKey
from sync.clinic.backup.sealed_frame import FRAME_BYTES, HEADER, MAGIC, MARK_BYTES, PAYLOAD_BYTES, Marks, SectionKey

CLINIC = bytes(range(16))
OWN = BackupKey(b"o" * 16, b"O" * 32)
KEYS = {bytes([n]) * 16: BackupKey(bytes([n, 1]) * 8, bytes([n, 2]) * 16) for n in range(3)}
LONG = b'["answers","' + b"x" * (2 * PAYLOAD_BYTES) + b'"]\n'
LINES = {subject: [b'["devices",%d]\n' % n, *[b'["answers",%d]\n' % n] * n * 900] for n, subject in enumerate(KEYS)}


def _written(lines: dict[bytes, list[bytes]] | None = None) -> bytes:
    file = io.BytesIO()
    header = HEADER.pack(MAGIC, CLINIC, secrets.token_bytes(16))
    marks = Marks(header, OWN)
    own = SectionKey(header, marks.of(OWN.id), OWN)
    writer = BackupWriter(file, header)
    writer.section(own, [b'["backup",{}]\n', LONG])
    for subject, texts in (LINES if lines is None else lines).items():
        writer.section(SectionKey(header, marks.of(KEYS[subject].id), KEYS[subject]), texts)
    assert writer.end(own) == len(file.getvalue())
    return file.getvalue()


def _reader(
    data: bytes, keys: dict[bytes, BackupKey] | None = None, erased: tuple[bytes, ...] = (), own: BackupKey = OWN
) -> BackupReader:
    return BackupReader(io.BytesIO(data), CLINIC, own, KEYS if keys is None else keys, erased)


def _read(data: bytes) -> list[Line]:
    return list(_reader(data).lines())


WHOLE = _written()


def test_what_is_read_is_what_was_written() -> None:
    found = _read(WHOLE)
    assert [line.text + b"\n" for line in found if line.subject is None] == [b'["backup",{}]\n', LONG]
    for subject, lines in LINES.items():
        assert [line.text + b"\n" for line in found if line.subject == subject] == lines


@given(st.data())
@settings(max_examples=150)
def test_a_backup_that_was_changed_anywhere_is_refused(data: st.DataObject) -> None:
    changed = bytearray(WHOLE)
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BackupError):
        _read(bytes(changed))


@given(st.integers(0, len(WHOLE) - 1))
@settings(max_examples=60)
def test_a_backup_that_was_cut_anywhere_is_refused(size: int) -> None:
    with pytest.raises(BackupError):
        _read(WHOLE[:size])


@pytest.mark.parametrize("frames", range((len(WHOLE) - HEADER.size) // FRAME_BYTES))
def test_a_backup_that_was_cut_between_two_frames_is_refused(frames: int) -> None:
    with pytest.raises(BackupError, match="cut"):
        _read(WHOLE[: HEADER.size + frames * FRAME_BYTES])


@given(st.data())
@settings(max_examples=60)
def test_frames_in_another_order_taken_out_or_doubled_are_refused(data: st.DataObject) -> None:
    frames = _frames(WHOLE)
    order = data.draw(st.lists(st.integers(0, len(frames) - 1), max_size=len(frames) + 2))
    if order == list(range(len(frames))):
        return
    with pytest.raises(BackupError):
        _read(WHOLE[: HEADER.size] + b"".join(frames[n] for n in order))


def test_frames_of_another_backup_are_refused() -> None:
    frames, others = _frames(WHOLE), _frames(_written())
    for n in range(len(frames)):
        mixed = [*frames[:n], others[n], *frames[n + 1 :]]
        with pytest.raises(BackupError):
            _read(WHOLE[: HEADER.size] + b"".join(mixed))


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_refused(data: bytes) -> None:
    for begun in (data, MAGIC + data, WHOLE[: HEADER.size] + data, WHOLE + data + b"x"):
        with pytest.raises(BackupError):
            _read(begun)


def test_a_frame_behind_the_end_is_refused_whatever_is_in_it() -> None:
    """Also one under a mark that nobody knows, which nobody could open."""
    for frame in (bytes(FRAME_BYTES), secrets.token_bytes(FRAME_BYTES), *_frames(WHOLE)):
        with pytest.raises(BackupError):
            _read(WHOLE + frame)


def test_no_two_frames_are_encrypted_with_the_same_stream() -> None:
    key = SectionKey(HEADER.pack(MAGIC, CLINIC, bytes(16)), bytes(MARK_BYTES), OWN)
    sealed = {key.seal(number, b"the same")[MARK_BYTES:-16] for number in range(50)}
    assert len(sealed) == 50


def test_a_backup_of_another_clinic_is_told_with_both_names() -> None:
    with pytest.raises(BackupError, match=f"{CLINIC.hex()}.*{b'x'.hex() * 16}"):
        BackupReader(io.BytesIO(WHOLE), b"x" * 16, OWN, KEYS, ())


def test_with_other_keys_of_the_clinic_nothing_is_read() -> None:
    for other in (BackupKey(OWN.id, b"x" * 32), BackupKey(b"x" * 16, OWN.key)):
        with pytest.raises(BackupError, match="other backup keys"):
            list(_reader(WHOLE, own=other).lines())


def test_a_section_whose_key_was_erased_is_left_out_and_counted() -> None:
    gone, *_ = KEYS
    kept = {subject: key for subject, key in KEYS.items() if subject != gone}
    reader = _reader(WHOLE, kept, (KEYS[gone].id,))
    assert {line.subject for line in reader.lines()} == {None, *kept}
    assert (len(reader.left_out), len(reader.missing)) == (1, 0)


def test_a_section_whose_key_nobody_knows_of_is_counted_apart() -> None:
    reader = _reader(WHOLE, {}, ())
    assert {line.subject for line in reader.lines()} == {None}
    assert (len(reader.left_out), len(reader.missing)) == (0, 3)


def test_a_section_that_is_left_out_may_not_be_changed_either() -> None:
    first = next(n for n, frame in enumerate(_frames(WHOLE)) if frame[:MARK_BYTES] != WHOLE[HEADER.size :][:MARK_BYTES])
    changed = bytearray(WHOLE)
    changed[HEADER.size + first * FRAME_BYTES + 1000] ^= 1
    reader = _reader(bytes(changed), {}, tuple(key.id for key in KEYS.values()))
    with pytest.raises(BackupError, match="end says"):
        list(reader.lines())


def test_another_key_under_the_mark_of_one_opens_nothing() -> None:
    swapped = {subject: BackupKey(key.id, b"x" * 32) for subject, key in KEYS.items()}
    with pytest.raises(BackupError, match="changed"):
        list(_reader(WHOLE, swapped).lines())


def test_two_backups_of_the_same_rows_have_nothing_in_common() -> None:
    """Any 8 bytes that both have would be a chance of 1 in 10^8 here; of their marks none is the same."""
    one, other = _written(), _written()
    assert not _pieces(one[HEADER.size :]) & _pieces(other[HEADER.size :])
    assert not _marks(one) & _marks(other)


def test_no_frame_shows_what_is_in_it() -> None:
    for plain in (b"devices", b"answers", b"backup", b"sha256", bytes(32), *KEYS, *(key.id for key in KEYS.values())):
        assert plain not in WHOLE[HEADER.size :]


def test_a_patient_of_one_row_takes_as_much_room_as_one_of_two_years() -> None:
    subject = next(iter(KEYS))
    few = {subject: [b'["devices",1]\n']}
    many = {subject: [b'["devices",1]\n'] + [b'["messages","%s","%s"]\n' % (b"0" * 32, b"0" * 64)] * 140}
    assert len(_written(few)) == len(_written(many))


def test_what_does_not_fit_into_a_frame_is_our_mistake() -> None:
    header = HEADER.pack(MAGIC, CLINIC, bytes(16))
    with pytest.raises(ValueError, match="bytes of payload"):
        SectionKey(header, bytes(MARK_BYTES), OWN).seal(0, bytes(PAYLOAD_BYTES + 1))


def _frames(data: bytes) -> list[bytes]:
    return [data[at : at + FRAME_BYTES] for at in range(HEADER.size, len(data), FRAME_BYTES)]


def _marks(data: bytes) -> set[bytes]:
    return {frame[:MARK_BYTES] for frame in _frames(data)}


def _pieces(data: bytes) -> set[bytes]:
    return {data[at : at + 8] for at in range(len(data) - 7)}
