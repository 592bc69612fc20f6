"""A model on trial in a session: what it says in shadow is stored, what fails goes back, and both are told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.alerts.alert import Alert, Grounds
from device_pipeline.beat import BeatSource
from device_pipeline.beat_types import BeatType
from device_pipeline.config import Limits
from device_pipeline.run import Finding
from device_pipeline.store import model_rows
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import Ended, SessionKind
from device_pipeline.track import Window
from models import beat, screen
from models.bundle import Bundle, bundle_of, read_bundle
from models.card import ModelCard
from models.errors import ModelError
from models.interpreter import Net, load
from models.slots.slots import Slots
from sensors.recording import Recording
from sensors.replay_link import ReplayLink
from sensors.samples import Item
from tests.vitalkeep.command import RECORDINGS, vitalkeep_here
from vitalkeep import model_choice
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.model_trial import LASTED_NS, ModelsOnTrial, SessionModels, history
from vitalkeep.session import hold_session

H_NS = 3_600_000_000_000
STRAP = RECORDINGS / "chest_strap_rest.jsonl.gz"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for kind in ("DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    yield tmp_path


def newer(version: str) -> bytes:
    """The shipped beat model under another version."""
    import json

    from models.bundle import unsigned

    shipped = bundle_of(beat.CARD, "2026-01-01T00:00:00Z")
    card = json.dumps({**json.loads(beat.CARD.read_text(encoding="utf-8")), "version": version}).encode()
    weights = {name: data for name, data in shipped.members.items() if name.endswith(".tflite")}
    return unsigned(card, shipped.golden, weights, "2026-01-01T00:00:00Z", "0.1.0").packed()


def let_in(version: str = "8.0.0", *, promoted: bool = False) -> Slots:
    slots = model_choice.slots()
    data = newer(version)
    slots.install(read_bundle(data, "file"), data, trust_local=True)
    if promoted:
        slots.promote("beat")
    return slots


class Seen:
    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.findings: list[Finding] = []

    def item(self, item: Item) -> None: ...

    def finding(self, finding: Finding) -> None:
        self.findings.append(finding)

    def tick(self) -> None: ...

    def trouble(self, message: str) -> None:
        self.troubles.append(message)


def held(folder: Path, models: SessionModels | None) -> tuple[Store, Seen]:
    store, seen = open_store(folder / "store"), Seen()
    with store.writer() as writer:
        writer.begin_session(SessionKind.REPLAY, "strap", "0")
        link = ReplayLink(Recording(STRAP), None)
        asyncio.run(hold_session(link, Limits(), writer, [seen], models=models))
        writer.end_session(Ended.CLEAN)
    return store, seen


def plain(findings: list[Finding]) -> list[str]:
    return [
        f"{type(finding).__name__} {getattr(finding, 't_ns', 0)} {getattr(finding, 'label', '')}"
        for finding in findings
    ]


def test_what_a_model_says_in_shadow_is_stored_and_changes_nothing(tmp_path: Path) -> None:
    let_in()
    store, seen = held(tmp_path / "a", ModelsOnTrial.here().session())
    _, without = held(tmp_path / "b", None)
    assert plain(seen.findings) == plain(without.findings)
    with store.reader() as db:
        scores = list(model_rows.shadow_scores(db, 1))
        (tally,) = model_rows.shadow_tallies(db)
        (event,) = model_rows.model_events(db, 9)
    assert len(scores) > 20
    assert (tally.model, tally.version, tally.alike) == ("beat", "8.0.0", tally.calls)
    assert all(score.label == score.active_label and score.score == score.active_score for score in scores)
    assert [score.t_ns for score in scores] == sorted(score.t_ns for score in scores)
    assert event.what == "installed"
    assert seen.troubles == []
    told = vitalkeep_here(tmp_path, "status", "--json", "--store", store.folder).rows()[0]
    assert told["shadow"] == [{"model": "beat", "version": "8.0.0", "calls": len(scores), "alike": len(scores)}]
    assert told["model_events"][0]["what"] == "installed"
    assert "in shadow" in vitalkeep_here(tmp_path, "status", "--store", store.folder).out


def test_models_may_come_before_the_first_run(tmp_path: Path) -> None:
    let_in()
    done = vitalkeep_here(tmp_path, "run", "--replay", STRAP, "--speed", "max", "--no-view")
    assert (done.code, done.problem()) == (0, NOT_MEDICAL)
    assert vitalkeep_here(tmp_path, "status", "--json").rows()[0]["shadow"][0]["version"] == "8.0.0"


def test_a_model_that_fails_in_service_goes_back_and_the_session_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = let_in(promoted=True)
    models = ModelsOnTrial.here()
    whole, calls = Net.rows, []

    def call(self: Net, **inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.card.version == "8.0.0":
            calls.append(1)
            if len(calls) > 10:
                raise RuntimeError("a tensor broke")
        return whole(self, **inputs)

    monkeypatch.setattr(Net, "rows", call)
    store, seen = held(tmp_path / "a", models.session())
    monkeypatch.setattr(Net, "rows", whole)
    _, without = held(tmp_path / "b", None)
    assert len(calls) == 11
    versions = [finding.version for finding in seen.findings if isinstance(finding, BeatType)]
    assert versions == sorted(versions, reverse=True)  # who said it is told as it was
    assert set(versions) == {"8.0.0", ModelCard.read(beat.CARD).version}
    assert plain(seen.findings) == plain(without.findings)
    assert seen.troubles == ["model beat 8.0.0 reverted: it failed: RuntimeError"]
    assert slots.chosen("beat").bundle is None
    with store.reader() as db:
        assert [event.what for event in model_rows.model_events(db, 9)] == ["installed", "promoted", "reverted"]
    assert not ModelsOnTrial.here().is_any


def test_a_net_that_cannot_even_be_made_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = let_in(promoted=True)
    session = ModelsOnTrial.here().session()
    whole = Net.__init__

    def init(self: Net, weights: bytes, card: ModelCard, threads: int = 1) -> None:
        if card.version == "8.0.0":
            raise ModelError("another runtime")
        whole(self, weights, card, threads)

    monkeypatch.setattr(Net, "__init__", init)
    with session.using():
        for _ in range(2):
            assert load(beat.CARD).card.version == ModelCard.read(beat.CARD).version
    assert slots.chosen("beat").bundle is None
    assert [event.what for event in slots.events()] == ["installed", "promoted", "reverted"]


def test_where_the_disk_takes_nothing_the_session_goes_back_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in(promoted=True)
    models = ModelsOnTrial.here()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Slots, "rollback", full)
    session = models.session()
    session.take(0)
    one = next(iter(models._on_trial.values()))
    one.trial.revert("it failed")
    (event,) = session.take(0)
    assert (event.model, event.what, event.reason) == ("beat", "reverted", "it failed")  # type: ignore[union-attr]
    assert event.t_ns > 0


def raised(model: str, k: int) -> Alert:
    grounds = Grounds(k, k + 1, (k,), 0.9, model, "8.0.0", k, k + 1)
    return Alert("frequent_ventricular", k, k + 1, None, "text", grounds)


def test_a_model_that_warns_far_more_often_than_before_goes_back(tmp_path: Path) -> None:
    slots = let_in(promoted=True)
    models = ModelsOnTrial.here(lambda model, since_ns: ((0, 300.0), (0, 0.0)))
    session = models.session()
    session.finding(Window(BeatSource.ECG, 0, H_NS, (), H_NS, 0, None, None))
    for k in range(10):
        session.finding(raised("another", k))
    assert slots.chosen("beat").bundle is not None
    for k in range(10):
        session.finding(raised("beat", k))
    assert slots.chosen("beat").bundle is None
    assert slots.events()[-1].what == "reverted"
    assert "alerts" in slots.events()[-1].reason


def test_the_history_is_what_the_store_holds_before_and_since(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    day_ns = 24 * H_NS
    with store.writer() as writer:
        writer.begin_session(SessionKind.REPLAY, "strap", "0")
        for k in range(30):
            start_ns = k * day_ns
            writer.add_finding(Window(BeatSource.ECG, start_ns, start_ns + H_NS, (), H_NS, 0, None, None))
            writer.add_finding(raised("beat", start_ns))
            writer.add_finding(raised("another", start_ns + 5))
        writer.end_session(Ended.CLEAN)
    with store.reader() as db:
        assert history(db, 30 * day_ns)("beat", 20 * day_ns) == ((14, 14.0), (10, 10.0))


def test_what_cannot_serve_is_said_once_and_recorded(tmp_path: Path) -> None:
    slots = let_in(promoted=True)
    (path,) = (slots.folder / "bundles").iterdir()
    path.write_bytes(b"damaged")
    for _ in range(2):
        models = ModelsOnTrial.here()
        assert not models.is_any
        assert "not in service: 8.0.0: sha256" in models.notes[0]
    assert [event.what for event in slots.events()] == ["installed", "promoted", "unused"]
    row = next(row for row in vitalkeep_here(tmp_path, "model", "list", "--json").rows() if row["name"] == "beat")
    assert row["origin"] == "program"
    assert row["why"].startswith("8.0.0: sha256")


def test_a_run_that_ends_as_runs_end_counts_nothing_against_a_model(tmp_path: Path) -> None:
    slots = let_in(promoted=True)
    session = ModelsOnTrial.here().session()
    assert slots.state().of("beat").starts == 1
    with pytest.raises(KeyError), session.using():
        raise KeyError
    assert slots.state().of("beat").starts == 0


def test_a_run_that_has_lasted_counts_nothing_against_a_model(tmp_path: Path) -> None:
    slots = let_in(promoted=True)
    session = ModelsOnTrial.here().session()
    session.take(5)
    assert slots.state().of("beat").starts == 1
    session.take(5 + LASTED_NS + 1)
    assert slots.state().of("beat").starts == 0


def test_a_list_of_keys_that_is_damaged_leaves_the_program_s_own_in_service(home: Path) -> None:
    let_in(promoted=True)
    path = home / "config" / "vitalkeep" / "publishers.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"{")
    models = ModelsOnTrial.here()
    assert not models.is_any
    assert "not in service" in models.notes[0]


def test_analyze_uses_what_is_in_service(tmp_path: Path) -> None:
    from tests.models.publisher import write

    assert vitalkeep_here(tmp_path, "model", "install", write(tmp_path, number=None), "--trust-local").code == 0
    record = STRAP
    before = vitalkeep_here(tmp_path, "analyze", "--json", "--jobs", "1", record).rows()[0]
    assert vitalkeep_here(tmp_path, "model", "promote", "screen").code == 0
    after = vitalkeep_here(tmp_path, "analyze", "--json", "--jobs", "1", record).rows()[0]
    if before["screen"]["model"] is not None:
        assert (before["screen"]["model"], after["screen"]["model"]) == (
            f"screen {ModelCard.read(screen.CARD).version}",
            "screen 9.1.0",
        )
    assert before["labels"] == after["labels"]


def test_a_bundle_is_no_more_than_its_parts(tmp_path: Path) -> None:
    assert isinstance(read_bundle(newer("8.0.0"), "file"), Bundle)
