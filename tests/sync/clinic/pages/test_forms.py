"""What staff change: a code shown once and kept nowhere, settings within bounds, and each change in the log."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from sync.clinic.app import make_app
from sync.clinic.errors import ClinicStoreError
from sync.clinic.pages.audit import PER_PAGE
from sync.clinic.settings import Settings, read_settings
from sync.clinic.tables.audit import Action, Audit
from sync.pairing import PairingCode
from sync.receipt import Reason, Status
from tests.rigs.backed_up import back_up, keys_of
from tests.rigs.clinic import TODAY, URL, ClinicRig
from tests.rigs.html_page import HtmlPage, require_page
from tests.rigs.visitor import Visitor
from tests.sync.clinic.pages.practice import add_patient, card


def _make_code(visitor: Visitor, label: str = "Patient 17", days: str = "14") -> tuple[PairingCode, str]:
    visitor.get("/pair")
    response = visitor.post("/pair", {"label": label, "days": days})
    assert response.status_code == 200
    page = HtmlPage(response.text)
    require_page(page)
    (letters,) = page.all("p", css_class="letters")
    return PairingCode.decode(letters.text), response.text


def test_a_code_pairs_a_device_once_and_is_shown_once(clinic: ClinicRig, visitor: Visitor) -> None:
    code, shown = _make_code(visitor)
    assert (code.url, code.fingerprint) == (URL, clinic.keys.id)
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="qr"' in shown
    assert "Shown this once." in shown
    listed = visitor.get("/pair").text
    assert "Patient 17" in listed
    assert code.token_text[:6] not in listed
    assert clinic.take(clinic.device().enrol(code.token)) is Status.STORED
    assert clinic.take(clinic.device().enrol(code.token)) is Reason.TOKEN
    assert [device.label for device in clinic.devices()] == ["Patient 17"]


def test_no_part_of_a_code_is_in_an_address_or_in_the_log(clinic: ClinicRig, visitor: Visitor) -> None:
    code, shown = _make_code(visitor)
    page = HtmlPage(shown)
    addresses = [value for each in page.all() for name, value in each.attributes.items() if name in ("href", "action")]
    text = code.token_text
    pieces = {text[at : at + 6] for at in range(len(text) - 5)}
    stored = str(clinic.rows("SELECT * FROM audit")) + str(clinic.rows("SELECT pseudonym, label FROM pairings"))
    assert not [piece for piece in pieces for where in (*addresses, stored) if piece in where.upper()]
    assert clinic.rows("SELECT who, detail FROM audit WHERE action = 'pairing code made'") == [("reception", None)]


def test_a_code_without_a_label_is_of_its_pseudonym(clinic: ClinicRig, visitor: Visitor) -> None:
    _, shown = _make_code(visitor, label="  ")
    ((pseudonym, label),) = clinic.rows("SELECT pseudonym, label FROM pairings")
    assert label is None
    assert str(pseudonym) in shown


def test_codes_end_when_it_was_said_and_are_not_listed_any_more(clinic: ClinicRig, visitor: Visitor) -> None:
    _make_code(visitor, days="3")
    assert clinic.rows("SELECT last_day FROM pairings") == [((TODAY + timedelta(days=3)).isoformat(),)]
    clinic.clock.pass_days(4)
    assert "Patient 17" not in visitor.get("/pair").text


@pytest.mark.parametrize("days", ["0", "366", "-1", "1.5", "", "x", "٣", "1e2"])
def test_days_that_no_code_has_make_none(clinic: ClinicRig, visitor: Visitor, days: str) -> None:
    visitor.get("/pair")
    response = visitor.post("/pair", {"label": "Patient 17", "days": days})
    assert response.status_code == 400
    page = HtmlPage(response.text)
    require_page(page)
    assert "No code was made" in page.root.text
    (field,) = [each for each in page.all("input") if each.attributes.get("name") == "label"]
    assert field.attributes["value"] == "Patient 17"
    assert clinic.rows("SELECT count(*) FROM pairings") == [(0,)]


def test_a_revoked_code_pairs_nobody(clinic: ClinicRig, visitor: Visitor) -> None:
    code, _ = _make_code(visitor)
    ((pseudonym,),) = clinic.rows("SELECT pseudonym FROM pairings")
    visitor.get("/pair")
    first = visitor.post("/pair/revoke", {"pseudonym": str(pseudonym)})
    assert (first.status_code, first.headers["location"]) == (303, "/pair?done=revoked")
    assert "The code was revoked" in visitor.get("/pair?done=revoked").text
    assert visitor.post("/pair/revoke", {"pseudonym": str(pseudonym)}).headers["location"] == "/pair?done=gone"
    assert visitor.post("/pair/revoke", {"pseudonym": "' OR 1=1"}).headers["location"] == "/pair?done=gone"
    assert clinic.take(clinic.device().enrol(code.token)) is Reason.TOKEN
    assert clinic.rows("SELECT subject FROM audit WHERE action = 'pairing code revoked'") == [(pseudonym,)]


def test_of_a_revoked_code_neither_its_label_nor_its_backup_key_is_left(
    clinic: ClinicRig, visitor: Visitor, tmp_path: Path
) -> None:
    _make_code(visitor, label="Patient 4711")
    back_up(clinic, tmp_path / "clinic.backup")
    ((token, pseudonym),) = clinic.rows("SELECT token, pseudonym FROM pairings")
    with keys_of(clinic) as keys:
        assert list(keys.tokens()) == [token]
    visitor.post("/pair/revoke", {"pseudonym": str(pseudonym)})
    with keys_of(clinic) as keys:
        assert list(keys.tokens()) == []
    files = b"".join(path.read_bytes() for path in clinic.folder.iterdir())
    assert b"Patient 4711" not in files


def test_what_cannot_be_erased_now_is_told_and_the_code_is_revoked_all_the_same(
    clinic: ClinicRig, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def busy() -> None:
        raise ClinicStoreError("somebody else reads")

    _make_code(visitor)
    ((pseudonym,),) = clinic.rows("SELECT pseudonym FROM pairings")
    monkeypatch.setattr(clinic.database, "flush_erased", busy)
    response = visitor.post("/pair/revoke", {"pseudonym": str(pseudonym)})
    assert response.headers["location"] == "/pair?done=revoked"
    assert "somebody else reads" in capsys.readouterr().err
    assert clinic.rows("SELECT count(*) FROM pairings") == [(0,)]


def test_without_an_address_no_code_is_made_and_how_to_set_one_is_said(clinic: ClinicRig, visitor: Visitor) -> None:
    from dataclasses import replace

    nowhere = Visitor(make_app(replace(clinic.clinic, url=None), most_per_address=0))
    nowhere.sign_in()
    page = HtmlPage(nowhere.get("/pair").text)
    require_page(page)
    assert "vitalkeep-clinic settings --url" in page.root.text
    nowhere.post("/pair", {"label": "x", "days": "3"})
    assert clinic.rows("SELECT count(*) FROM pairings") == [(0,)]


# -- settings


def _settings(clinic: ClinicRig) -> Settings:
    with clinic.database.reading() as tx:
        return read_settings(tx)


def test_settings_are_kept_and_the_change_is_written_down(clinic: ClinicRig, visitor: Visitor) -> None:
    assert _settings(clinic) == Settings(20, 7, None)
    visitor.get("/settings")
    response = visitor.post("/settings", {"share": "35", "silence": "0", "name": " Ward 3 "})
    assert response.headers["location"] == "/settings?done=saved"
    assert _settings(clinic) == Settings(35, 0, "Ward 3")
    page = HtmlPage(visitor.get("/settings?done=saved").text)
    assert "Saved." in page.root.text
    assert "comes to 10 days or more" in page.root.text
    visitor.post("/settings", {"share": "35", "silence": "0", "name": "Ward 3"})
    details = clinic.rows("SELECT who, detail FROM audit WHERE action = 'settings changed'")
    assert details == [("reception", "share of AF-days 20 % to 35 %, silence 7 to 0 days, the name shown")]


@pytest.mark.parametrize(
    ("field", "value"),
    [("share", "4"), ("share", "101"), ("share", "20.5"), ("silence", "-1"), ("silence", "181"), ("name", "x" * 81)],
)
def test_settings_out_of_bounds_change_nothing(clinic: ClinicRig, visitor: Visitor, field: str, value: str) -> None:
    visitor.get("/settings")
    response = visitor.post("/settings", {"share": "35", "silence": "9", "name": "", field: value})
    assert response.status_code == 400
    page = HtmlPage(response.text)
    require_page(page)
    (refused,) = [each for each in page.all("input") if each.attributes.get("aria-invalid")]
    assert (refused.attributes["name"], refused.attributes["value"]) == (field, value)
    assert _settings(clinic) == Settings()


@pytest.mark.parametrize("stored", ["", "x", "0", "101", "²", "9" * 30])
def test_settings_that_cannot_be_read_are_as_at_first(clinic: ClinicRig, stored: str) -> None:
    clinic.set_meta("af_share_percent", stored)
    assert _settings(clinic) == Settings()


# -- audit


def test_the_log_is_read_a_page_at_a_time_without_a_gap(clinic: ClinicRig, visitor: Visitor) -> None:
    with clinic.database.writing() as tx:
        audit = Audit(tx, clinic.secrets, clinic.clock)
        for number in range(2 * PER_PAGE + 7):
            audit.add("cli:root", Action.EXPORTED, None, f"<i>{number}</i>")
    seen: list[int] = []
    path: str | None = "/audit"
    while path is not None:
        page = HtmlPage(visitor.get(path).text)
        require_page(page)
        heads = [head.text for head in page.all("th") if head.attributes["scope"] == "row"]
        seen += [int(re.sub(r"\D", "", head)) for head in heads]
        older = [link.attributes["href"] for link in page.all("a") if link.text == "Older entries"]
        path = older[0] if older else None
    ((entries,),) = clinic.rows("SELECT count(*) FROM audit")
    assert seen == list(range(len(seen), 0, -1))
    assert len(seen) == entries


def test_an_entry_leads_to_its_patient_while_there_is_one(clinic: ClinicRig, visitor: Visitor) -> None:
    pseudonym = add_patient(clinic, None, card())
    with clinic.database.writing() as tx:
        audit = Audit(tx, clinic.secrets, clinic.clock)
        audit.add("doctor", Action.EXPORTED, pseudonym)
        audit.add("doctor", Action.EXPORTED, "P-00000000")
        audit.add("doctor", Action.STAFF_ADDED, "<b>x</b>")
    page = HtmlPage(visitor.get("/audit").text)
    (main,) = page.all("main")
    links = [link.attributes["href"] for link in main.all("a")]
    assert links == [f"/patients/{pseudonym}"]
    assert "<b>x</b>" in main.text
