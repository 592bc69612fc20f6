"""The shapes of an ECG's beats are told minute by minute, the same in any cut; what was learnt comes back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from device_pipeline.anomaly.anomaly import Anomaly, LearntShapes
from device_pipeline.clock import ManualClock
from device_pipeline.config import Limits
from device_pipeline.run import Finding, Pipeline
from device_pipeline.store.learnt import learnt_shapes
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import SessionKind
from models.errors import ModelError
from models.morphology import LEAST_BEATS, Morphology
from models.morphology_calibration import Calibration
from sensors.samples import Gap, GapReason, Item, Kind, Samples
from tests.device_pipeline.ecg_signal import WIDE, block, ecg
from tests.laws.cuts import cut_items, random_lengths

FS_HZ = 130.0
_S = 1_000_000_000
MINUTES = 8


def wearer(odd_from_s: float = 400.0) -> list[Item]:
    """Eight minutes at 75 bpm, every twelfth beat a wide one from `odd_from_s` on; half a minute of them is missing."""
    times = np.arange(0.6, MINUTES * 60 - 1, 0.8)
    odd = (times > odd_from_s) & (np.arange(len(times)) % 12 == 0)
    length_s = MINUTES * 60.0
    x = ecg(times[~odd], FS_HZ, length_s=length_s) + ecg(times[odd], FS_HZ, length_s=length_s, shape=WIDE, seed=2)
    whole = block(x, FS_HZ)
    cut_s, on_s = 100, 130
    return [
        whole.cut(0, round(cut_s * FS_HZ)),
        Gap("ecg", cut_s * _S, on_s * _S, GapReason.LINK_LOST),
        whole.cut(round(on_s * FS_HZ), len(whole)),
    ]


def told(items: Iterable[Item], known: dict[str, Calibration] | None = None, live: bool = True) -> list[Finding]:
    pipeline = Pipeline(Limits(), live=live)
    pipeline.know(known or {})
    out = [finding for item in items for finding in pipeline.push(item)]
    out += pipeline.flush()
    return [finding for finding in out if isinstance(finding, Anomaly | LearntShapes)]


def minutes(found: Iterable[Finding]) -> list[Anomaly]:
    return [finding for finding in found if isinstance(finding, Anomaly)]


def test_every_minute_is_told_and_odd_beats_stand_out() -> None:
    found = told(wearer())
    mine = minutes(found)
    assert [one.start_ns for one in mine] == [k * 60 * _S for k in range(MINUTES)]
    assert mine[0].reason == f"calibrating (0 of {LEAST_BEATS} beats)"
    before, after = mine[5], mine[7]
    assert (before.reason, after.reason) == (None, None)
    assert before.odd_n is not None
    assert after.odd_n is not None
    assert before.odd_n <= 2
    assert 5 <= after.odd_n <= 8
    (learnt,) = (one for one in found if isinstance(one, LearntShapes))
    assert learnt.n_beats >= LEAST_BEATS
    assert learnt.channel == "ecg"


@pytest.mark.parametrize("most", [40, 5000])
def test_the_law_of_the_cut_holds(most: int) -> None:
    for live in (True, False):
        assert told(wearer(), live=live) == told(cut_items(wearer(), random_lengths(3, most)), live=live)


def test_no_beat_is_cut_across_a_hole() -> None:
    third = minutes(told(wearer()))[1]
    assert third.n_beats < 52


def test_without_an_ecg_nothing_is_told() -> None:
    t = np.arange(12000) / 100.0
    wave = Samples(Kind.PPG, "ppg", 100.0, 0, 1e7, 0, np.sin(2 * np.pi * 1.2 * t))
    assert told([wave]) == []


def test_a_model_that_is_missing_is_a_reason_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Morphology, *_: object, **__: object) -> None:
        raise ModelError("no weights")

    monkeypatch.setattr(Morphology, "__init__", broken)
    pipeline = Pipeline(Limits())
    out = [finding for item in wearer() for finding in pipeline.push(item)] + pipeline.flush()
    assert {one.reason for one in minutes(out)} == {"no_model"}
    assert pipeline.beats_n > 500


@pytest.mark.parametrize(("kind", "again"), [(SessionKind.LIVE, True), (SessionKind.REPLAY, False)])
def test_what_a_live_session_learnt_is_known_to_the_next_of_its_device(
    kind: SessionKind, again: bool, tmp_path: Path
) -> None:
    store = open_store(tmp_path / "store", ManualClock(0))
    with store.writer() as writer:
        writer.begin_session(kind, "strap", "0")
        for finding in told(wearer()):
            writer.add_finding(finding)
    with store.writer() as writer:
        session = writer.begin_session(kind, "strap", "0")
        known = learnt_shapes(writer.db, session)
    with store.writer() as writer:
        other = learnt_shapes(writer.db, writer.begin_session(kind, "another strap", "0"))
    assert other == {}
    assert ("ecg" in known) == again
    first = minutes(told(wearer(odd_from_s=20.0), known))[0]
    assert (first.reason is None) == again
    if again:
        assert first.odd_n is not None
        assert first.odd_n >= 3
