"""The wearer's side from pairing to withdrawal, as a wearer has it, with a clinic that listens on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import click
import pytest

from device_pipeline.clock import ManualClock, SystemClock
from sync.pairing import PairingCode
from sync.private.registry import STATISTICS
from tests.sync.private.room import FalseClinic, Room, at
from tests.vitalkeep.command import Done, vitalkeep, vitalkeep_here

NAMES = [statistic.name for statistic in STATISTICS]


@dataclass(frozen=True, slots=True)
class Clinic:
    data: Path
    url: str

    def run(self, *arguments: str) -> str:
        return clinic_command(self.data, *arguments)

    def code(self) -> str:
        return self.run("pair", "new", "--url", self.url).splitlines()[0]

    def patients(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.run("patients", "--json"))["patients"]
        return found


def clinic_command(data: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sync.clinic", *arguments, "--data", str(data)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    data = tmp_path_factory.mktemp("clinic") / "data"
    clinic_command(data, "init", "--name", "Practice")
    serving = subprocess.Popen(
        [sys.executable, "-m", "sync.clinic", "serve", "--data", str(data), "--port", "0", "--rate", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serving.stdout is not None
    yield Clinic(data, serving.stdout.readline().strip())
    serving.terminate()
    serving.communicate(timeout=60)


@pytest.fixture(autouse=True)
def right_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test machines seldom know whether theirs was set."""
    monkeypatch.setattr(SystemClock, "is_synchronised", lambda self: True)
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def room(tmp_path: Path, right_clock: None) -> Room:
    return Room(tmp_path, ManualClock(now_ns=at(date(2024, 7, 1))))


def wearer(home: Path, *arguments: object) -> Done:
    return vitalkeep_here(home, *arguments)


def as_a_store(room: Room) -> Path:
    """The folder to name after --store; ledger and outbox lie beside it."""
    store = room.folder / "store"
    (room.folder / "outbox").rename(store.with_name("store-outbox"))
    (room.folder / "counter").rename(store.with_name("store-counter"))
    return store


def test_nothing_is_made_and_nothing_is_said_to_have_left_without_a_pairing(tmp_path: Path) -> None:
    assert "Nothing leaves" in wearer(tmp_path, "clinic", "list").err
    assert "Nothing leaves" in wearer(tmp_path, "consent", "show").err
    assert "nothing is sent" in wearer(tmp_path, "sync", "run").err
    assert "Nothing waits" in wearer(tmp_path, "sync", "preview").err
    (told,) = wearer(tmp_path, "privacy", "--json").rows()
    assert (told["total"], told["figures"]) == (0.0, [])
    assert not list(tmp_path.rglob("*.db"))


def test_from_pairing_to_withdrawal(tmp_path: Path, clinic: Clinic) -> None:
    before = len(clinic.patients())
    (paired,) = wearer(
        tmp_path, "clinic", "pair", clinic.code(), "--yes", "af_days", "--yes", "worn_days", "--json"
    ).rows()
    assert (paired["clinic"], paired["statistics"], paired["sent"]) == ("Practice", ["af_days", "worn_days"], True)
    assert len(clinic.patients()) == before + 1

    (row,) = wearer(tmp_path, "clinic", "list", "--json").rows()
    assert set(row["statistics"]) == {"af_days", "worn_days"}
    assert wearer(tmp_path, "consent", "grant", "Practice", "rmssd_median", "--yes").code == 0
    lines = wearer(tmp_path, "consent", "show", "--json").rows()
    assert [(line["statistic"], line["granted"], line["holds"]) for line in lines] == [
        ("af_days", True, True),
        ("worn_days", True, True),
        ("rmssd_median", True, True),
    ]
    assert _agreed(clinic) == ["af_days", "rmssd_median", "worn_days"]
    assert wearer(tmp_path, "consent", "withdraw", "Practice", "af_days").code == 0
    assert _agreed(clinic) == ["rmssd_median", "worn_days"]
    (ran,) = wearer(tmp_path, "sync", "run", "--json").rows()
    assert (ran["sealed"], ran["waiting"], ran["arrived"]) == (0, 0, True)

    done = wearer(tmp_path, "consent", "withdraw", "Practice")
    assert "has been asked to delete" in done.out
    assert len(clinic.patients()) == before
    assert not any(line["holds"] for line in wearer(tmp_path, "consent", "show", "--json").rows())
    assert wearer(tmp_path, "consent", "withdraw", "Practice").code == 1


def test_pairing_again_keeps_what_was_agreed_to(tmp_path: Path, clinic: Clinic) -> None:
    for statistic in ("worn_days", "resting_hr_median"):
        assert wearer(tmp_path, "clinic", "pair", clinic.code(), "--yes", statistic).code == 0
    card = json.loads(clinic.run("card", _newest(clinic), "--json"))
    assert sorted(card["agreed"]) == ["resting_hr_median", "worn_days"]


def _newest(clinic: Clinic) -> str:
    """The pseudonym that enrolled last, as the audit log has it."""
    entries = json.loads(clinic.run("audit", "--json"))["entries"]
    return str(next(entry["subject"] for entry in entries if entry["action"] == "enrolled"))


def test_a_yes_after_the_clinic_deleted_all_is_no_yes(tmp_path: Path, clinic: Clinic) -> None:
    """Nothing would be taken, and each figure would still cost."""
    assert wearer(tmp_path, "clinic", "pair", clinic.code(), "--yes", "af_days").code == 0
    assert "erased" in clinic.run("erase", _newest(clinic), "--yes")
    done = wearer(tmp_path, "consent", "grant", "Practice", "worn_days", "--yes")
    assert (done.code, "withdrawn" in done.err, "agreed to nothing" in done.err) == (1, True, True)
    assert not any(line["holds"] for line in wearer(tmp_path, "consent", "show", "--json").rows())
    assert wearer(tmp_path, "clinic", "pair", clinic.code(), "--yes", "af_days").code == 0
    assert "refused" not in wearer(tmp_path, "sync", "run").err


def test_a_no_after_a_yes_grants_nothing(tmp_path: Path, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wearer(tmp_path, "clinic", "pair", clinic.code(), "--yes", "worn_days").code == 0
    answers = iter([True])

    def confirm(*_: object, **__: object) -> bool:
        if next(answers, False):
            return True
        raise click.Abort

    monkeypatch.setattr(click, "confirm", confirm)
    assert wearer(tmp_path, "consent", "grant", "Practice", "af_days", "rmssd_median").code != 0
    held = [line["statistic"] for line in wearer(tmp_path, "consent", "show", "--json").rows() if line["holds"]]
    assert held == ["worn_days"]


def _agreed(clinic: Clinic) -> list[str]:
    """To what, as the clinic shows it, of the patient who enrolled last."""
    pseudonyms = [str(patient["pseudonym"]) for patient in clinic.patients()]
    cards = [json.loads(clinic.run("card", pseudonym, "--json")) for pseudonym in pseudonyms]
    return next(sorted(card["agreed"]) for card in cards if not card["figures"] and "worn_days" in card["agreed"])


def test_asked_figure_by_figure_a_no_is_the_default(tmp_path: Path, clinic: Clinic) -> None:
    before = len(clinic.patients())
    done = vitalkeep(tmp_path, "clinic", "pair", clinic.code())
    assert done.code == 130
    assert "any single day of yours stays hidden" in done.err
    assert len(clinic.patients()) == before
    assert wearer(tmp_path, "clinic", "list", "--json").rows() == []


def test_a_code_of_another_clinic_is_refused_before_anything_is_sealed(tmp_path: Path, clinic: Clinic) -> None:
    other = tmp_path / "other"
    clinic_command(other, "init", "--name", "Impostor")
    code = clinic_command(other, "pair", "new", "--url", clinic.url).splitlines()[0]
    done = wearer(tmp_path, "clinic", "pair", code, "--yes", "af_days")
    assert done.code == 1
    assert "not the clinic that made this code: nothing was sent" in done.problem()


def test_a_code_that_was_used_pairs_nobody_and_leaves_no_consent_behind(tmp_path: Path, clinic: Clinic) -> None:
    """Else each figure would be sealed, cost its ε, and be refused by a clinic that knows no such device."""
    code = clinic.code()
    assert wearer(tmp_path / "first", "clinic", "pair", code, "--yes", "af_days").code == 0
    done = wearer(tmp_path / "second", "clinic", "pair", code, "--yes", "af_days")
    assert done.code == 1
    assert "Practice refused: the pairing code was used before" in done.problem()
    assert not any(line["holds"] for line in wearer(tmp_path / "second", "consent", "show", "--json").rows())


def test_pairing_again_takes_no_day_of_a_consent_away(room: Room) -> None:
    """A newer yes would make the days before it no data."""
    clinic = room.pair(FalseClinic("Practice"), date(2024, 2, 1))
    for statistic in STATISTICS:
        room.publisher.consents.grant(clinic.id, statistic, date(2024, 6, 1), room.clock.now_ns())
    assert set(room.publisher.consents.standing(clinic.id).values()) == {date(2024, 2, 1)}


def test_what_a_clinic_will_never_take_is_told(room: Room) -> None:
    fake = FalseClinic("Practice")
    room.pair(fake, room.publisher.today() - timedelta(days=40))
    room.publisher.publish(room.outbox)
    room.outbox.refused(room.outbox.messages()[0].id, "the clinic does not know this device: pair again")
    store = as_a_store(room)
    rows = wearer(room.folder, "sync", "preview", "--store", store, "--json").rows()
    first, *others = sorted(rows, key=lambda row: row["refused"] is None)
    assert first["refused"] == "the clinic does not know this device: pair again"
    assert all(row["refused"] is None for row in others)
    (ran,) = wearer(room.folder, "sync", "run", "--seal-only", "--store", store, "--json").rows()
    assert ran["refused_there"] == [{"clinic": "Practice", "reason": first["refused"]}]


def test_a_code_that_was_copied_wrong_is_told_before_any_network_is_asked(tmp_path: Path, clinic: Clinic) -> None:
    code = clinic.code()
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    assert "not copied right" in wearer(tmp_path, "clinic", "pair", wrong, "--yes", "af_days").problem()
    assert wearer(tmp_path, "clinic", "pair", code, "--yes", "heart_days").code == 2


def test_a_preview_shows_the_very_bytes_and_the_true_value_beside_them(room: Room) -> None:
    fake = FalseClinic("Practice")
    room.pair(fake, room.publisher.today() - timedelta(days=150))
    room.publisher.publish(room.outbox)
    envelopes = {message.envelope.hex() for message in room.outbox.messages()}
    store = as_a_store(room)
    rows = wearer(room.folder, "sync", "preview", "--store", store, "--json").rows()
    assert {row["bytes"] for row in rows} == envelopes
    worn = {row["from"]: row["true_value"] for row in rows if row["statistic"] == "worn_days"}
    # consent began on the fifth day of the first window: the days before it are no data
    assert worn == {"2024-01-29": 24, "2024-02-26": 28, "2024-03-25": 28, "2024-04-22": 28, "2024-05-20": 28}
    for row in rows:
        assert row["low"] <= row["value"] <= row["high"] or not 0 <= row["value"] <= 28
    told = wearer(room.folder, "privacy", "--store", store)
    assert "ε = 2" in told.out
    assert "guesses right at most about 88 %" in told.out
    picture = room.folder / "budget.png"
    assert wearer(room.folder, "privacy", "--store", store, "--plot", picture).code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_demo_ends_with_a_card_of_all_four_figures_stamped_demo(tmp_path: Path) -> None:
    done = wearer(tmp_path, "clinic", "demo", "--json")
    assert done.code == 0, done.err
    (card,) = done.rows()
    assert card["demo"].startswith("DEMO")
    assert {figure["statistic"] for figure in card["figures"]} == set(NAMES)
    assert not list(tmp_path.rglob("ledger.db"))


def test_the_demo_leaves_its_card_at_a_clinic_of_this_machine(clinic: Clinic, tmp_path: Path) -> None:
    made = json.loads(clinic.run("pair", "new", "--url", clinic.url, "--for", "Demo patient", "--json"))
    done = wearer(tmp_path, "clinic", "demo", "--code", made["code"], "--json")
    assert done.code == 0, done.err
    (told,) = done.rows()
    card = json.loads(clinic.run("card", made["pseudonym"], "--json"))
    assert (told["clinic"], card["label"]) == ("Practice", "Demo patient")
    assert len(card["figures"]) == told["figures"] >= 8
    assert {figure["statistic"] for figure in card["figures"]} == set(NAMES)
    again = wearer(tmp_path, "clinic", "demo", "--code", made["code"])
    assert (again.code, "used before" in again.err) == (1, True)


def test_the_demo_sends_nothing_to_another_machine(tmp_path: Path) -> None:
    code = PairingCode("https://clinic.example", bytes(10), bytes(16)).encode()
    done = wearer(tmp_path, "clinic", "demo", "--code", code)
    assert (done.code, "this machine alone" in done.err) == (1, True)


def test_the_utility_of_each_figure_is_simulated_and_told(tmp_path: Path) -> None:
    rows = wearer(tmp_path, "privacy", "utility", "--json", "--draws", "40").rows()
    assert {row["statistic"] for row in rows} == set(NAMES)
    rates = {row["worn_days"]: row["mean_error"] for row in rows if row["statistic"] == "resting_hr_median"}
    assert rates[84] < 2 < rates[28] < rates[0]
