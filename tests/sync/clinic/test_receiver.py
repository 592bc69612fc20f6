"""Each message is stored once or refused with a reason; what a device took back is gone, and stays refused."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.clinic.secrets_file import make_secrets
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.devices import Devices
from sync.pairing import base32
from sync.receipt import Reason, Receipt, Status
from sync.release import ENVELOPE_BYTES, Answer, Content, Delete, Enrol, Release, ReleaseError
from sync.sealing import ClinicKeys, device_id, seal
from tests.rigs.clinic import ClinicRig, FakeDevice, af_days, resting_hr, rmssd, worn_days
from tests.sync.contents import contents

TABLES = ("pairings", "devices", "messages", "answers", "answered", "withdrawn")


def _all_rows(clinic: ClinicRig) -> dict[str, list[tuple[object, ...]]]:
    return {table: clinic.rows(f"SELECT * FROM {table}") for table in TABLES}


# -- what is stored


@pytest.mark.parametrize("answer", [af_days(), worn_days(), resting_hr(), rmssd(), af_days(value=-4.0)])
def test_an_answer_of_an_enrolled_device_is_stored(clinic: ClinicRig, answer: Answer) -> None:
    device = clinic.enrolled()
    assert clinic.take(device.release(answer)) is Status.STORED
    assert [stored.answer for stored in clinic.answers(device.id)] == [answer]


def test_the_same_bytes_again_are_a_duplicate_however_often(clinic: ClinicRig) -> None:
    device = clinic.device()
    messages = [device.enrol(clinic.token()), device.release(af_days()), device.release(worn_days())]
    assert [clinic.take(message) for message in messages] == [Status.STORED] * 3
    before = _all_rows(clinic)
    assert [clinic.take(message) for message in [*messages, *messages]] == [Status.DUPLICATE] * 6
    assert _all_rows(clinic) == before


def test_the_same_answer_in_another_message_is_a_duplicate(clinic: ClinicRig) -> None:
    device = clinic.enrolled()
    assert clinic.take(device.release(af_days())) is Status.STORED
    assert clinic.take(device.release(af_days())) is Status.DUPLICATE
    assert len(clinic.answers(device.id)) == 1


def test_numbers_may_be_left_out(clinic: ClinicRig) -> None:
    device = clinic.enrolled()
    assert clinic.take(device.release(af_days(), sequence=100)) is Status.STORED


def test_two_devices_know_nothing_of_each_other(clinic: ClinicRig) -> None:
    one, other = clinic.enrolled(), clinic.enrolled()
    message = one.release(af_days(value=1.0))
    assert clinic.take(message) is Status.STORED
    assert clinic.take(other.release(af_days(value=2.0), id_=message.id)) is Status.STORED


# -- what is refused


def test_a_second_answer_to_one_question_is_refused(clinic: ClinicRig) -> None:
    """What a whole disk put back from a copy would send: chance drawn again."""
    device = clinic.enrolled()
    assert clinic.take(device.release(af_days(value=3.0))) is Status.STORED
    assert clinic.take(device.release(af_days(value=4.0))) is Reason.ANSWERED
    assert [stored.answer.value for stored in clinic.answers(device.id)] == [3.0]


def test_other_bytes_under_a_known_id_are_refused(clinic: ClinicRig) -> None:
    device = clinic.enrolled()
    message = device.release(af_days())
    assert clinic.take(message) is Status.STORED
    assert clinic.take(device.release(worn_days(), id_=message.id)) is Reason.ID_REUSED


@pytest.mark.parametrize("sequence", [1, 4, 5])
def test_a_number_not_above_the_newest_is_refused(clinic: ClinicRig, sequence: int) -> None:
    device = clinic.enrolled()
    assert clinic.take(device.release(af_days(), sequence=5)) is Status.STORED
    assert clinic.take(device.release(worn_days(), sequence=sequence)) is Reason.SEQUENCE


def test_a_device_that_nobody_enrolled_is_refused(clinic: ClinicRig) -> None:
    assert clinic.take(clinic.device().release(af_days())) is Reason.UNKNOWN_DEVICE


def test_a_token_enrols_once(clinic: ClinicRig) -> None:
    token = clinic.token()
    assert clinic.take(clinic.device().enrol(token)) is Status.STORED
    assert clinic.take(clinic.device().enrol(token)) is Reason.TOKEN


def test_a_token_that_was_never_given_out_is_refused(clinic: ClinicRig) -> None:
    assert clinic.take(clinic.device().enrol(bytes(10))) is Reason.TOKEN


def test_a_token_is_good_until_its_last_day(clinic: ClinicRig) -> None:
    good, late = clinic.token(days=3), clinic.token(days=3)
    clinic.clock.pass_days(3)
    assert clinic.take(clinic.device().enrol(good)) is Status.STORED
    clinic.clock.pass_days(1)
    assert clinic.take(clinic.device().enrol(late)) is Reason.TOKEN


def test_a_message_sealed_to_another_clinic_is_refused(clinic: ClinicRig, tmp_path: Path) -> None:
    device = clinic.enrolled()
    elsewhere = FakeDevice(make_secrets(tmp_path / "other").public, device.key, device.sequence)
    assert clinic.take(elsewhere.release(af_days())) is Reason.SEAL


@pytest.mark.parametrize(
    "forged",
    [
        lambda release: replace(release, signature=bytes(64)),
        lambda release: replace(release, sealed=bytes(len(release.sealed))),
        lambda release: replace(release, id=bytes(16)),
        lambda release: replace(release, sequence=release.sequence + 1),
    ],
)
def test_what_was_changed_on_its_way_is_refused(clinic: ClinicRig, forged: object) -> None:
    device = clinic.enrolled()
    release = device.release(af_days())
    before = _all_rows(clinic)
    assert clinic.take(forged(release)) is Reason.SIGNATURE  # type: ignore[operator]
    assert _all_rows(clinic) == before
    assert clinic.take(release) is Status.STORED


def test_another_key_in_the_name_of_a_device_is_refused(clinic: ClinicRig) -> None:
    device, thief = clinic.enrolled(), clinic.device()
    stolen = thief.release(Delete(), sequence=9)
    assert clinic.take(replace(stolen, device=device.id)) is Reason.SIGNATURE


def test_an_enrolment_with_a_key_that_did_not_sign_is_refused(clinic: ClinicRig) -> None:
    device, other = clinic.device(), clinic.device()
    token = clinic.token()
    for key in (other.key.public_key().public_bytes_raw().hex(), "00" * 32):
        assert clinic.take(device.release(Enrol(_text(token), key, {}))) is Reason.SIGNATURE
    for key in ("", "zz", "00" * 31, device.key.public_key().public_bytes_raw().hex().upper(), "\ud800"):
        assert clinic.take(device.release(Enrol(_text(token), key, {}))) is Reason.CONTENT
    assert clinic.take(device.enrol(token)) is Status.STORED


@pytest.mark.parametrize(
    "answer",
    [
        replace(af_days(), value=29.5),
        replace(af_days(), value=1e6),
        replace(af_days(), value=-1e6),
        replace(af_days(), value=1e300),
        replace(af_days(), epsilon_milli=499),
        replace(af_days(), epsilon_milli=-500),
        replace(af_days(), length_days=84),
        replace(af_days(), window=-1),
        replace(af_days(), window=10**12),
        replace(resting_hr(), value=61.5),
        replace(resting_hr(), value=101.0),
        replace(rmssd(), value=33.4),
        replace(rmssd(), length_days=28),
    ],
)
def test_a_figure_that_no_device_can_have_drawn_is_refused(clinic: ClinicRig, answer: Answer) -> None:
    device = clinic.enrolled()
    assert clinic.take(device.release(answer)) is Reason.BOUNDS
    assert clinic.answers(device.id) == []


@pytest.mark.parametrize("answer", [replace(af_days(), statistic="weight"), replace(af_days(), version=2)])
def test_a_statistic_that_the_clinic_does_not_know_is_refused(clinic: ClinicRig, answer: Answer) -> None:
    assert clinic.take(clinic.enrolled().release(answer)) is Reason.CONTENT


def test_what_was_refused_uses_no_number_up(clinic: ClinicRig) -> None:
    device = clinic.enrolled()
    assert clinic.take(device.release(af_days(value=1e6), sequence=50)) is Reason.BOUNDS
    assert clinic.take(device.release(af_days(), sequence=2)) is Status.STORED


@pytest.mark.parametrize("size", [0, 1, ENVELOPE_BYTES - 1, ENVELOPE_BYTES + 1, 4096])
def test_another_size_gets_no_receipt(clinic: ClinicRig, size: int) -> None:
    with pytest.raises(ReleaseError):
        clinic.receiver.take(bytes(size))


@given(content=contents)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_an_enrolled_device_seals_is_answered(clinic: ClinicRig, content: Content) -> None:
    device = clinic.enrolled()
    assert clinic.take(device.release(content)) in {
        Status.STORED,
        Reason.TOKEN,
        Reason.CONTENT,
        Reason.BOUNDS,
        Reason.SIGNATURE,
    }


@given(data=st.binary(min_size=1020, max_size=1020), known=st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_change_nothing(clinic: ClinicRig, data: bytes, known: bool) -> None:
    device = clinic.enrolled()
    before = _all_rows(clinic)
    envelope = b"VKR1" + (device.id + data[16:] if known else data)
    with suppress(ReleaseError):
        assert clinic.take(Release.decode(envelope)) in {Reason.SIGNATURE, Reason.SEAL}
    assert _all_rows(clinic) == before


# -- what is taken back


def test_a_withdrawal_leaves_an_id_a_number_and_windows_and_nothing_else(clinic: ClinicRig) -> None:
    device, other = clinic.enrolled("Patient 17"), clinic.enrolled()
    clinic.take(device.release(af_days()))
    clinic.take(device.release(resting_hr()))
    clinic.take(other.release(af_days()))
    assert clinic.take(device.delete()) is Status.STORED
    assert clinic.rows("SELECT * FROM withdrawn") == [(device.id, 4, clinic.clock.today().isoformat())]
    assert [row[0] for row in clinic.rows("SELECT device FROM answered")].count(device.id) == 2
    for table in ("devices", "messages", "answers"):
        column = "id" if table == "devices" else "device"
        assert {row[0] for row in clinic.rows(f"SELECT {column} FROM {table}")} == {other.id}


def test_what_was_withdrawn_is_in_no_file_any_more(sqlite_clinic: ClinicRig) -> None:
    clinic = sqlite_clinic
    device = clinic.enrolled("Patient 17")
    key = device.key.public_key().public_bytes_raw()
    clinic.take(device.release(af_days()))
    assert any(b"Patient 17" in path.read_bytes() for path in clinic.folder.iterdir())
    clinic.take(device.delete())
    for path in clinic.folder.iterdir():
        data = path.read_bytes()
        assert b"Patient 17" not in data and key not in data, path.name


def test_a_withdrawal_sent_again_is_granted_again(clinic: ClinicRig) -> None:
    device = clinic.enrolled()
    message = device.delete()
    assert [clinic.take(message) for _ in range(3)] == [Status.STORED] * 3
    assert clinic.take(device.delete()) is Status.STORED


def test_a_withdrawal_of_a_device_that_never_came_is_granted_and_leaves_nothing(clinic: ClinicRig) -> None:
    before = _all_rows(clinic)
    assert clinic.take(clinic.device().delete()) is Status.STORED
    assert _all_rows(clinic) == before


def test_nothing_old_comes_back_after_a_withdrawal(clinic: ClinicRig) -> None:
    device = clinic.device()
    old = [device.enrol(clinic.token()), device.release(af_days()), device.release(worn_days())]
    for message in old:
        clinic.take(message)
    clinic.take(device.delete())
    assert [clinic.take(message) for message in old] == [Reason.SEQUENCE, Reason.WITHDRAWN, Reason.WITHDRAWN]
    assert clinic.devices() == []


def test_who_pairs_again_after_a_withdrawal_answers_no_question_again(clinic: ClinicRig) -> None:
    device = clinic.enrolled()
    clinic.take(device.release(af_days(27)))
    clinic.take(device.delete())
    assert clinic.take(device.enrol(clinic.token())) is Status.STORED
    assert clinic.take(device.release(af_days(27))) is Reason.ANSWERED
    assert clinic.take(device.release(af_days(28))) is Status.STORED


# -- enrolling again


def test_with_its_token_a_device_says_again_what_was_agreed_to(clinic: ClinicRig) -> None:
    device, token = clinic.device(), clinic.token()
    clinic.take(device.enrol(token, {"af_days": 1}))
    assert clinic.take(device.enrol(token, {"worn_days": 2})) is Status.STORED
    (stored,) = clinic.devices()
    assert stored.statistics == {"worn_days": 2}


def test_without_a_token_a_device_that_is_enrolled_says_what_is_agreed_to_now(clinic: ClinicRig) -> None:
    device, stranger = clinic.enrolled("Patient 17"), clinic.device()
    assert clinic.take(device.release(_agreement(device, {"rmssd_median": 1}))) is Status.STORED
    assert clinic.take(stranger.release(_agreement(stranger, {"af_days": 1}))) is Reason.UNKNOWN_DEVICE
    (stored,) = clinic.devices()
    assert (stored.statistics, stored.label) == ({"rmssd_median": 1}, "Patient 17")


def test_nobody_else_can_say_what_a_device_agrees_to(clinic: ClinicRig) -> None:
    device, thief = clinic.enrolled(), clinic.enrolled()
    stolen = thief.release(_agreement(device, {"af_days": 1}), sequence=9)
    assert clinic.take(replace(stolen, device=device.id)) is Reason.SIGNATURE
    assert clinic.take(thief.release(_agreement(device, {}), sequence=10)) is Reason.SIGNATURE


def test_with_a_new_token_a_device_takes_the_new_name(clinic: ClinicRig) -> None:
    device = clinic.enrolled("old")
    clinic.take(device.release(af_days()))
    assert clinic.take(device.enrol(clinic.token("new"))) is Status.STORED
    (stored,) = clinic.devices()
    assert stored.label == "new"
    assert len(clinic.answers(device.id)) == 1


def test_with_a_token_of_nobody_an_enrolled_device_changes_nothing(clinic: ClinicRig) -> None:
    device = clinic.enrolled()
    before = _all_rows(clinic)
    assert clinic.take(device.enrol(bytes(10))) is Reason.TOKEN
    assert _all_rows(clinic) == before


@pytest.mark.parametrize(
    "agreed",
    [
        {"af_days": 1, "\ud800": 1},
        {"a" * 41: 1},
        {"": 1},
        {"AF_days": 1},
        {"af_days\n": 1},
        {"af_days": 0},
        {"af_days": 1000},
        {"a" * 300: 10**60},
        {f"{number:02}": 1 for number in range(51)},
    ],
    ids=["surrogate", "long", "empty", "capitals", "lines", "version 0", "version 1000", "huge", "many"],
)
def test_what_cannot_be_the_name_of_a_statistic_is_agreed_to_by_nobody(
    clinic: ClinicRig, agreed: dict[str, int]
) -> None:
    device, stranger = clinic.enrolled(), clinic.device()
    token = clinic.token()
    before = _all_rows(clinic)
    assert clinic.take(device.release(_agreement(device, agreed))) is Reason.CONTENT
    assert clinic.take(stranger.enrol(token, agreed)) is Reason.CONTENT
    assert _all_rows(clinic) == before


def test_a_statistic_that_is_not_known_here_yet_may_be_agreed_to(clinic: ClinicRig) -> None:
    device = clinic.device()
    agreed = {f"new_{number:02}": 999 for number in range(30)}
    assert clinic.take(device.enrol(clinic.token(), agreed)) is Status.STORED
    (stored,) = clinic.devices()
    assert stored.statistics == agreed


# -- several at once


def test_messages_that_share_a_commit_wait_for_no_one_who_waits_for_the_log(clinic: ClinicRig) -> None:
    """A page changes a patient's row and then writes the log: whoever has the log must want no row any more."""
    known, new = clinic.enrolled("Patient 17"), clinic.device()
    (pseudonym,) = [each.pseudonym for each in clinic.devices()]
    batch = [new.enrol(clinic.token("Patient 18")), known.release(af_days())]
    receipts: list[bytes | Exception] = []
    thread = threading.Thread(target=lambda: receipts.extend(clinic.receiver.take_all(batch)))
    with clinic.database.writing() as tx:
        assert Devices(tx).relabel(pseudonym, "Patient 19")
        thread.start()
        thread.join(1.0)  # until it waits for that row
        assert thread.is_alive()
        Audit(tx, clinic.secrets, clinic.clock).add("reception", Action.LABEL_CHANGED, pseudonym)
    thread.join(20.0)
    assert [Receipt.decode(each).status for each in receipts if isinstance(each, bytes)] == [Status.STORED] * 2
    assert sorted(str(each.label) for each in clinic.devices()) == ["Patient 18", "Patient 19"]


def test_of_messages_that_share_a_commit_the_log_tells_what_was_stored(clinic: ClinicRig) -> None:
    one, other, third = clinic.device(), clinic.device(), clinic.enrolled()
    token = clinic.token()
    receipts = clinic.receiver.take_all([one.enrol(token), other.enrol(token), third.delete()])
    said = [Receipt.decode(each).status for each in receipts if isinstance(each, bytes)]
    assert said == [Status.STORED, Status.REFUSED, Status.STORED]
    logged = clinic.rows("SELECT action FROM audit ORDER BY number")
    assert logged[:3] == [("enrolled",), ("enrolled",), ("withdrawn",)] and len(logged) <= 4


# -- what is kept


def test_no_table_holds_a_time_an_address_or_a_token(clinic: ClinicRig) -> None:
    token = clinic.token("Patient 17")
    device = clinic.device()
    clinic.take(device.enrol(token))
    clinic.take(device.release(af_days()))
    schema = " ".join(clinic.columns()).lower()
    assert not any(word in schema for word in ("_ns", "_at", "time", "address", "agent", "host"))
    for rows in _all_rows(clinic).values():
        for value in (value for row in rows for value in row):
            assert token not in (value, bytes(str(value), "ascii")) and _text(token) != value
            assert not isinstance(value, int) or abs(value) < 10**6


def test_a_device_is_named_by_its_key(clinic: ClinicRig) -> None:
    device = clinic.enrolled()
    (stored,) = clinic.devices()
    assert stored.id == device_id(stored.key) == device.id


def test_a_receipt_for_a_refusal_is_about_the_very_bytes(clinic: ClinicRig) -> None:
    device = clinic.device()
    keys = ClinicKeys(clinic.keys.sealing, clinic.keys.signing)
    release = seal(af_days(), bytes(16), 1, device.key, keys)
    assert clinic.receipt(release).reason is Reason.UNKNOWN_DEVICE  # receipt() checks it against the envelope


def _text(token: bytes) -> str:
    return base32(token)


def _agreement(device: FakeDevice, statistics: dict[str, int]) -> Enrol:
    return Enrol("", device.key.public_key().public_bytes_raw().hex(), statistics)
