"""The slots: what serves is what the wearer promoted, whole and trusted, or else what came with the program."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.card import ModelCard
from models.errors import BundleError, GoldenError, ModelError, SlotError, TrustError
from models.keyring import Keyring
from models.revocation import RevokedModel, read_revocations
from models.screen import CARD
from models.slots.slots import MOST_STARTS, Slots
from models.slots.state import State, decoded
from tests.models.publisher import bundle, publisher, revoked

US = (publisher(0),)
ROOT = Path(__file__).resolve().parents[2]


def slots_in(folder: Path, publishers: tuple = US) -> Slots:  # type: ignore[type-arg]
    return Slots(folder / "models", publishers, lambda: 1_760_000_000_000_000_000, "0.1.0")


def install(
    slots: Slots, version: str = "9.1.0", number: int | None = 0, *, trust_local: bool = False, **changed: Any
) -> None:
    one = bundle(version, number, **changed)
    slots.install(one, one.packed(one.signature), trust_local=trust_local)


def active(slots: Slots) -> str | None:
    chosen = slots.chosen("screen").installed
    return None if chosen is None else chosen.version


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    return slots_in(tmp_path)


def test_without_anything_installed_the_programs_model_serves_and_nothing_is_written(slots: Slots) -> None:
    chosen = slots.chosen("screen")
    assert (chosen.bundle, chosen.why) == (None, None)
    assert not slots.folder.exists()


def test_a_new_model_waits_in_shadow_until_it_is_promoted(slots: Slots) -> None:
    install(slots)
    assert active(slots) is None
    waiting = slots.shadow("screen")
    assert waiting is not None
    assert waiting[0].latency_us > 0
    slots.promote("screen")
    assert active(slots) == "9.1.0"
    assert slots.shadow("screen") is None
    assert [event.what for event in slots.events()] == ["installed", "promoted"]


def test_rollback_goes_back_one_and_then_to_the_program(slots: Slots) -> None:
    for version in ("9.1.0", "9.2.0"):
        install(slots, version)
        slots.promote("screen")
    slots.rollback("screen")
    assert active(slots) == "9.1.0"
    slots.rollback("screen")
    assert active(slots) is None
    with pytest.raises(SlotError, match="nothing to go back from"):
        slots.rollback("screen")


@pytest.mark.parametrize("version", ["0.9.0", "1.0.0", "9.1.0", "9.2.0"])
def test_no_version_comes_twice_nor_an_older_one_even_after_rollback(slots: Slots, version: str) -> None:
    install(slots, "9.2.0")
    slots.promote("screen")
    slots.rollback("screen")
    with pytest.raises(BundleError, match=r"9\.2\.0 was here already"):
        install(slots, version)
    slots = Slots(slots.folder, US, lambda: 0, "0.1.0")  # remembered on the disk
    with pytest.raises(BundleError, match=r"9\.2\.0 was here already"):
        install(slots, version)


def test_a_program_that_brings_a_newer_one_is_the_floor(slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    install(slots, "9.2.0")
    slots.promote("screen")
    for ours, serves in (("9.1.9", "9.2.0"), ("9.2.0", None), ("9.10.0", None)):
        monkeypatch.setattr(Slots, "shipped", lambda _self, _name, ours=ours: ours)
        assert active(slots) == serves
    assert slots.chosen("screen").why == "9.2.0: the program brings 9.10.0"


def test_golden_scores_off_by_more_than_a_step_are_refused(slots: Slots) -> None:
    with np.load(CARD.with_name("screen.golden.npz")) as golden:
        held = {name: golden[name] for name in golden.files}

    def with_scores(off: float) -> bytes:
        file = io.BytesIO()
        np.savez_compressed(file, **{**held, "scores": held["scores"] + off})
        return file.getvalue()

    with pytest.raises(GoldenError, match="steps, at most one expected"):
        install(slots, golden=with_scores(2.5 / 256))
    for golden in (b"", with_scores(np.nan)):
        with pytest.raises(ModelError):
            install(slots, golden=golden)
    assert slots.shadow("screen") is None
    assert slots.state() == State()
    install(slots, golden=with_scores(0.9 / 256))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"minimum_program": "0.2.0"}, r"made for vitalkeep 0\.2\.0"),
        ({"labels": ["N", "A", "~", "O"]}, "other inputs, labels or thresholds"),
        ({"thresholds": {"new": 0.5}}, "other inputs, labels or thresholds"),
    ],
)
def test_a_bundle_that_does_not_fit_is_refused(slots: Slots, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(BundleError, match=why):
        install(slots, **changed)


def test_a_model_that_comes_with_the_program_alone_is_not_replaced(slots: Slots) -> None:
    from models import qrs
    from models.bundle import bundle_of, read_bundle

    data = bundle_of(qrs.CARD, "2026-01-01T00:00:00Z").packed()
    with pytest.raises(BundleError, match="comes with the program alone"):
        slots.install(read_bundle(data, "file"), data, trust_local=True)


def test_the_wearers_own_word_stays_on_record(slots: Slots) -> None:
    with pytest.raises(TrustError):
        install(slots, number=None)
    install(slots, number=None, trust_local=True)
    slots.promote("screen")
    chosen = slots.chosen("screen").installed
    assert chosen is not None
    assert chosen.trust.kind == "local"
    assert "local" in slots.events()[0].reason


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_damaged_weights_fall_back_to_the_program_with_a_reason(slots: Slots) -> None:
    for version in ("9.1.0", "9.2.0"):
        install(slots, version)
        slots.promote("screen")
    held = slots.state().of("screen").active
    assert held is not None
    damage(slots.folder / "bundles" / f"{held.sha256}.vkmodel")
    chosen = slots.chosen("screen")
    assert chosen.bundle is None
    assert chosen.why is not None
    assert "expected" in chosen.why
    (slots.folder / "bundles" / f"{held.sha256}.vkmodel").unlink()
    assert slots.chosen("screen").bundle is None
    slots.rollback("screen")
    assert active(slots) == "9.1.0"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"schema": "vitalkeep.slots/2"}', bytes(2 << 20)])
def test_a_damaged_state_changes_nothing_and_the_program_serves(slots: Slots, data: bytes) -> None:
    install(slots)
    slots.promote("screen")
    path = slots.folder / "state.json"
    path.write_bytes(data)
    assert slots.chosen("screen").bundle is None
    assert slots.chosen("screen").why
    with pytest.raises(SlotError):
        slots.rollback("screen")
    assert path.read_bytes() == data


def test_a_state_that_others_may_write_to_is_not_believed(slots: Slots) -> None:
    install(slots)
    slots.promote("screen")
    (slots.folder / "state.json").chmod(0o666)
    assert "others may write" in (slots.chosen("screen").why or "")


def test_a_key_that_is_trusted_no_more_takes_its_models_with_it(slots: Slots, tmp_path: Path) -> None:
    install(slots)
    slots.promote("screen")
    for publishers in ((), (publisher(1),), (publisher(0, ("beat",)),)):
        other = slots_in(tmp_path, publishers)
        assert active(other) is None
        assert other.chosen("screen").why == "9.1.0: its key is no longer trusted"


def take_back(slots: Slots, *models: RevokedModel, sequence: int = 1, key_reason: str | None = None) -> list[str]:
    return slots.revoke(read_revocations(revoked(sequence, *models, key_reason=key_reason), "list", US))


def of(version: str) -> RevokedModel:
    return RevokedModel("screen", version, None, "Wrong labels.", "")


def test_what_was_taken_back_gives_way_to_what_was_before(slots: Slots) -> None:
    for version in ("9.1.0", "9.2.0", "9.3.0"):
        install(slots, version)
        if version != "9.3.0":
            slots.promote("screen")
    assert len(take_back(slots, of("9.2.0"))) == 1
    assert active(slots) == "9.1.0"
    assert slots.events()[-1].what == "revoked"
    take_back(slots, of("9.1.0"), sequence=2)
    assert active(slots) is None
    take_back(slots, sequence=3, key_reason="Stolen.")
    assert slots.shadow("screen") is None
    with pytest.raises(TrustError, match="Stolen"):
        install(slots, "9.4.0")
    with pytest.raises(TrustError, match="newer list"):
        take_back(slots, sequence=3)


def test_if_both_are_taken_back_the_program_serves(slots: Slots) -> None:
    for version in ("9.1.0", "9.2.0"):
        install(slots, version)
        slots.promote("screen")
    take_back(slots, of("9.1.0"), of("9.2.0"))
    assert active(slots) is None


def test_what_is_pinned_stays_whatever_becomes_active(slots: Slots) -> None:
    install(slots)
    slots.promote("screen")
    slots.pin("screen")
    slots.rollback("screen", "it failed", "reverted")
    install(slots, "9.2.0")
    slots.promote("screen")
    pinned = slots.pinned("screen")
    assert pinned is not None
    assert pinned.version == "9.1.0"
    slots.release("screen")
    assert slots.pinned("screen") is None


def test_the_programs_own_is_pinned_as_a_copy_that_outlives_an_update(
    slots: Slots, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots.pin("screen")
    monkeypatch.setattr(Slots, "shipped", lambda _self, _name: "9.0.0")
    pinned = slots.pinned("screen")
    assert pinned is not None
    assert pinned.version == ModelCard.read(CARD).version


def test_what_is_pinned_and_taken_back_serves_no_more_and_nothing_in_its_place(slots: Slots) -> None:
    install(slots)
    slots.promote("screen")
    slots.pin("screen")
    take_back(slots, of("9.1.0"))
    with pytest.raises(SlotError, match="taken back"):
        slots.pinned("screen")


def test_a_version_that_is_no_longer_active_is_not_reverted_twice(slots: Slots) -> None:
    for version in ("9.1.0", "9.2.0"):
        install(slots, version)
        slots.promote("screen")
    for _ in range(2):
        slots.rollback("screen", "it failed", "reverted", of="9.2.0")
    assert active(slots) == "9.1.0"


def test_bundles_that_no_slot_names_are_removed(slots: Slots) -> None:
    for number in range(1, 6):
        install(slots, f"9.{number}.0")
        slots.promote("screen")
    assert len(list((slots.folder / "bundles").iterdir())) == 2


def test_what_takes_run_after_run_with_it_is_out_of_use(slots: Slots) -> None:
    install(slots)
    slots.promote("screen")
    install(slots, "9.2.0")
    for _ in range(MOST_STARTS):
        slots.starting("screen")
        assert slots.shadow("screen") is not None
    slots.starting("screen")  # the shadow is the newest: it goes first
    assert slots.shadow("screen") is None
    assert active(slots) == "9.1.0"
    for _ in range(MOST_STARTS - 1):
        slots.starting("screen")
    slots.lasted("screen")
    for _ in range(MOST_STARTS):
        slots.starting("screen")
        assert active(slots) == "9.1.0"
    slots.starting("screen")
    assert active(slots) is None
    assert [event.what for event in slots.events()][-2:] == ["dropped", "reverted"]
    assert "3 runs in a row died" in slots.events()[-1].reason


def test_without_anything_installed_a_start_writes_nothing(slots: Slots) -> None:
    slots.starting("screen")
    slots.lasted("screen")
    assert not slots.folder.exists()


def test_an_event_is_recorded_once(slots: Slots) -> None:
    for _ in range(3):
        slots.record("screen", "9.1.0", "unused", "damaged")
    assert len(slots.events()) == 1


def test_only_the_newest_events_are_kept(slots: Slots) -> None:
    state = State()
    for _ in range(300):
        state = state.with_event(0, "screen", "9.1.0", "unused", "x")
    assert (len(state.events), state.events[-1].number) == (200, 300)
    assert decoded(state.encoded(), "state") == state


def test_a_process_killed_anywhere_leaves_a_whole_state(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    first = 1
    for _ in range(8):
        code = f"from tests.models.slots_killed import change; change({str(tmp_path / 'models')!r}, {first})"
        child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.read(1) == b"."
        time.sleep(float(rng.uniform(0.0, 0.1)))
        child.kill()
        child.communicate()
        slots = slots_in(tmp_path)
        state = slots.state()
        for held in state.of("screen").held():
            slots.load(held)
        reached = int((state.of("screen").highest or "1.0.0").split(".")[1])
        assert reached >= first
        install(slots, f"9.{reached + 1}.0")  # and it goes on from there
        first = reached + 2


def test_a_keyring_pins_and_forgets(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "config" / "publishers.json")
    assert ring.publishers() == ()
    ring.pin(publisher(0))
    ring.pin(publisher(1, ("screen",)))
    ring.pin(publisher(0, ("beat",)))
    assert set(ring.pinned()) == {publisher(0, ("beat",)), publisher(1, ("screen",))}
    for prefix in ("", publisher(1).fingerprint[:7], "0123456789"):
        with pytest.raises(TrustError, match="one expected"):
            ring.forget(prefix)
    assert ring.forget(publisher(1).fingerprint[:12]) == publisher(1, ("screen",))
    assert ring.pinned() == (publisher(0, ("beat",)),)
    ring.path.chmod(0o666)
    with pytest.raises(SlotError, match="others may write"):
        ring.pinned()
    ring.path.chmod(0o600)
    for data in (b"", b"[]", b'{"schema": "x"}', b'{"schema": "vitalkeep.publishers/1", "keys": [1]}'):
        ring.path.write_bytes(data)
        with pytest.raises(TrustError):
            ring.pinned()
