"""A wearer takes everything back: rows, names, keys and pages are gone; ids of windows stay, and the log says so."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from sync.clinic.app import make_app
from sync.clinic.errors import ClinicStoreError
from sync.clinic.tables.audit import Audit
from sync.receipt import Receipt, Status, check
from sync.release import Release
from tests.rigs.asgi_client import AsgiClient
from tests.rigs.backed_up import all_rows, back_up, fill, keys_of
from tests.rigs.clinic import ClinicRig, FakeDevice
from tests.rigs.visitor import Visitor, employ

LABEL = "Patient 17"


def _sent(clinic: ClinicRig, device: FakeDevice, release: Release) -> Status:
    """Over the wire, as the uplink does it."""
    client = AsgiClient(make_app(clinic.clinic, most_per_address=0), "https://clinic.example")
    answer = client.request("POST", "/v1/messages", release.encode(), {"Content-Type": "application/octet-stream"})
    receipt = Receipt.decode(answer.content)
    check(receipt, release, clinic.keys.signing)
    assert receipt.id == release.id and release.device == device.id
    return receipt.status


def _staff(clinic: ClinicRig) -> Visitor:
    employ(clinic, "doctor")
    visitor = Visitor(make_app(clinic.clinic, most_per_address=0))
    visitor.sign_in("doctor")
    return visitor


def _pages(visitor: Visitor, pseudonym: str) -> dict[str, httpx.Response]:
    return {path: visitor.get(path) for path in ("/", "/patients", f"/patients/{pseudonym}", "/audit")}


def test_a_withdrawal_from_the_device_to_the_last_page(clinic: ClinicRig, tmp_path: Path) -> None:
    gone, kept, *_ = fill(clinic)
    (pseudonym,) = [each.pseudonym for each in clinic.devices() if each.id == gone.id]
    (plain,) = [each for each in clinic.devices() if each.id == gone.id]
    back_up(clinic, tmp_path / "clinic.backup")
    before = all_rows(clinic.database)
    with keys_of(clinic) as keys:
        key = keys.keys()[gone.id].key
    visitor = _staff(clinic)
    shown = _pages(visitor, pseudonym)
    assert shown[f"/patients/{pseudonym}"].status_code == 200
    assert LABEL in shown["/patients"].text

    assert _sent(clinic, gone, gone.delete()) is Status.STORED

    after = all_rows(clinic.database)
    for table in ("devices", "messages", "answers"):
        assert after[table] == [row for row in before[table] if row[0] != gone.id], table
        assert any(row[0] == kept.id for row in after[table])
    assert after["answered"] == before["answered"]
    assert [row for row in after["withdrawn"] if row[0] == gone.id] == [
        (gone.id, gone.sequence, clinic.clock.today().isoformat())
    ]
    assert clinic.rows("SELECT device FROM keys_due") == []
    with keys_of(clinic) as keys:
        assert gone.id not in set(keys.keys()) and kept.id in set(keys.keys())
    files = b"".join(path.read_bytes() for path in clinic.folder.iterdir())
    assert not any(each in files for each in (key, LABEL.encode(), plain.key, plain.token_hash))
    with clinic.database.reading() as tx:
        audit = Audit(tx, clinic.secrets, clinic.clock)
        newest = audit.page()[:2]
        assert audit.verify().faults == []
    assert [(each.action, each.subject, each.who, each.moment) for each in newest] == [
        (action, pseudonym, "device", clinic.clock.today().isoformat())
        for action in ("backup keys erased", "withdrawn")
    ]
    shown = _pages(visitor, pseudonym)
    assert shown[f"/patients/{pseudonym}"].status_code == 404
    assert "withdrawn" in shown["/audit"].text and "backup keys erased" in shown["/audit"].text
    assert not any(LABEL in page.text for page in shown.values())
    # that a patient withdrew is told; nothing leads to a page of theirs
    assert not any(f"/patients/{pseudonym}" in page.text for page in shown.values())
    assert pseudonym not in shown["/patients"].text


def test_postgresql_takes_the_rows_out_of_its_pages_at_once(clinic: ClinicRig, clinic_database: str | None) -> None:
    if clinic_database is None:
        return  # a file: secure_delete and a checkpoint, which the test above looks into
    gone, *_ = fill(clinic)
    with closing(psycopg.connect(clinic_database, autocommit=True)) as beside:
        counted = (
            "SELECT relname, vacuum_count FROM pg_stat_user_tables"
            " WHERE relname IN ('devices', 'messages', 'answers', 'pairings', 'keys_due')"
        )
        before: dict[str, int] = dict(beside.execute(counted).fetchall())
        assert clinic.take(gone.delete()) is Status.STORED
        after: dict[str, int] = dict(beside.execute(counted).fetchall())
    assert len(after) == 5
    assert all(after[table] > before[table] for table in after)


def test_where_the_files_cannot_be_cleaned_now_the_withdrawal_has_its_receipt(
    clinic: ClinicRig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    device, *_ = fill(clinic)

    def busy() -> None:
        raise ClinicStoreError("busy")

    monkeypatch.setattr(clinic.database, "flush_erased", busy)
    assert clinic.take(device.delete()) is Status.STORED
    assert "may still be in the database's files" in capsys.readouterr().err
    assert device.id not in {each.id for each in clinic.devices()}
