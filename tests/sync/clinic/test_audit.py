"""The audit log: what is changed in it or cut out of it shows, and no health value can be in it."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from sync.clinic.tables.audit import DEVICE, PAGE, Action, Audit, Entry, Verification
from sync.clinic.tables.meta import Meta
from tests.rigs.clinic import TODAY, ClinicRig


def _add(
    clinic: ClinicRig, who: str = "reception", action: Action = Action.SIGN_IN, subject: str | None = None
) -> None:
    with clinic.database.writing() as tx:
        Audit(tx, clinic.secrets, clinic.clock).add(who, action, subject)


def _entries(clinic: ClinicRig) -> list[Entry]:
    with clinic.database.reading() as tx:
        return Audit(tx, clinic.secrets, clinic.clock).page()


def _verified(clinic: ClinicRig) -> Verification:
    with clinic.database.reading() as tx:
        return Audit(tx, clinic.secrets, clinic.clock).verify()


def _tamper(clinic: ClinicRig, *statements: str) -> None:
    with clinic.database.writing() as tx:
        for statement in statements:
            tx.execute(statement)


@pytest.fixture
def logged(clinic: ClinicRig) -> ClinicRig:
    for number in range(1, 11):
        _add(clinic, subject=f"P-{number}")
    return clinic


def test_an_empty_log_is_whole(clinic: ClinicRig) -> None:
    assert _verified(clinic) == Verification(0, [])


def test_what_staff_did_has_the_second_and_what_a_device_did_the_day(clinic: ClinicRig) -> None:
    clinic.clock.now_s = 61.7
    _add(clinic)
    _add(clinic, DEVICE, Action.ENROLLED, "P-1")
    device, staff = _entries(clinic)
    assert staff == Entry(1, "2026-05-01T08:31:01Z", "reception", "signed in", None, None)
    assert device == Entry(2, "2026-05-01", "device", "enrolled", "P-1", None)
    assert staff.day == device.day == TODAY


def test_the_newest_are_shown_first_page_by_page(clinic: ClinicRig) -> None:
    for _ in range(PAGE + 5):
        _add(clinic)
    with clinic.database.reading() as tx:
        audit = Audit(tx, clinic.secrets, clinic.clock)
        first = audit.page()
        second = audit.page(before=first[-1].number)
    assert [each.number for each in first + second] == list(range(PAGE + 5, 0, -1))


def test_since_a_day_is_from_that_day_on(clinic: ClinicRig) -> None:
    for _ in range(3):
        _add(clinic)
        _add(clinic, DEVICE, Action.WITHDRAWN, "P-1")
        clinic.clock.pass_days(1)
    with clinic.database.reading() as tx:
        audit = Audit(tx, clinic.secrets, clinic.clock)
        assert [each.number for each in audit.since(TODAY + timedelta(days=1))] == [3, 4, 5, 6]
        assert audit.since(date(2030, 1, 1)) == []


@pytest.mark.parametrize(
    "change",
    [
        "subject = 'P-99'",
        "subject = NULL",
        "who = 'doctor'",
        "action = 'exported'",
        "moment = '2026-05-02T00:00:00Z'",
        "detail = ''",
        "mac = (SELECT mac FROM audit WHERE number = 4)",
        "number = 55",
    ],
)
def test_an_entry_that_was_changed_is_found(logged: ClinicRig, change: str) -> None:
    assert _verified(logged) == Verification(10, [])
    _tamper(logged, f"UPDATE audit SET {change} WHERE number = 5")
    assert "5" in " ".join(_verified(logged).faults)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DELETE FROM audit WHERE number = 5"], "entry 5 is missing"),
        (["DELETE FROM audit WHERE number IN (1, 2, 3)"], "entries 1 to 3 are missing"),
        (["DELETE FROM audit WHERE number > 8"], "entries 9 to 10 are missing at the end"),
        (["DELETE FROM audit"], "entries 1 to 10 are missing at the end"),
        (["DELETE FROM audit WHERE number = 5", "UPDATE audit SET number = number - 1 WHERE number = 6"], "entry 5"),
        (["INSERT INTO audit SELECT 0, moment, who, action, subject, detail, mac FROM audit WHERE number = 1"], "0"),
        (["INSERT INTO audit SELECT 11, moment, who, action, subject, detail, mac FROM audit WHERE number = 10"], "11"),
        (["DELETE FROM meta WHERE name = 'audit_head'"], "mark"),
        (["UPDATE meta SET value = 'x' WHERE name = 'audit_head'"], "mark"),
    ],
)
def test_a_log_that_was_cut_or_added_to_is_found(logged: ClinicRig, statements: list[str], said: str) -> None:
    _tamper(logged, *statements)
    assert said in " ".join(_verified(logged).faults)


def test_a_cut_end_with_a_mark_to_fit_is_found(logged: ClinicRig) -> None:
    """The mark has a MAC of its own: an earlier entry's does not do."""
    (mac,) = logged.rows("SELECT mac FROM audit WHERE number = 8")[0]
    assert isinstance(mac, bytes)
    with logged.database.writing() as tx:
        tx.execute("DELETE FROM audit WHERE number > 8")
        stored = (Meta(tx).get("audit_head") or "").split(":")
        Meta(tx).put("audit_head", f"8:{mac.hex()}:{stored[2]}")
    assert _verified(logged).faults


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit WHERE number > 8",
        "DELETE FROM audit WHERE number = 5",
        "DELETE FROM meta WHERE name = 'audit_head'",
        "UPDATE meta SET value = '8:00:00' WHERE name = 'audit_head'",
    ],
)
def test_what_was_found_once_is_found_after_more_was_written(logged: ClinicRig, statement: str) -> None:
    _tamper(logged, statement)
    for _ in range(3):
        _add(logged)
        assert _verified(logged).faults


def test_with_the_keys_of_another_clinic_nothing_is_genuine(
    logged: ClinicRig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ClinicRig(tmp_path_factory.mktemp("other") / "clinic") as other, logged.database.reading() as tx:
        assert len(Audit(tx, other.secrets, other.clock).verify().faults) == 11


def test_a_great_many_faults_are_told_in_few_words(clinic: ClinicRig) -> None:
    for _ in range(40):
        _add(clinic)
    _tamper(clinic, "UPDATE audit SET who = 'doctor'")
    faults = _verified(clinic).faults
    assert len(faults) == 21
    assert faults[-1] == "and more"


def test_many_who_write_at_once_make_one_chain(clinic: ClinicRig) -> None:
    def write() -> None:
        for _ in range(10):
            _add(clinic)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _verified(clinic) == Verification(80, [])


def test_an_entry_of_what_did_not_happen_is_not_there(clinic: ClinicRig) -> None:
    with pytest.raises(RuntimeError), clinic.database.writing() as tx:
        Audit(tx, clinic.secrets, clinic.clock).add("reception", Action.EXPORTED)
        raise RuntimeError("stopped")
    assert _verified(clinic) == Verification(0, [])


def test_long_texts_are_a_mistake_of_ours(clinic: ClinicRig) -> None:
    with pytest.raises(ValueError, match="201 characters"), clinic.database.writing() as tx:
        Audit(tx, clinic.secrets, clinic.clock).add("reception", Action.EXPORTED, detail="x" * 201)
