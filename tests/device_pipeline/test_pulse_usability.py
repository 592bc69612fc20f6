"""Every ten seconds of a PPG that leads are judged, the same in any cut; an ECG beside it is judged instead."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from device_pipeline.beat import Beat
from device_pipeline.config import Limits
from device_pipeline.run import Finding, Pipeline
from device_pipeline.usability.usable import Usable
from models.errors import ModelError
from models.quality_ppg import PulseQualityNet
from sensors.files.open import open_source
from sensors.samples import Gap, GapReason, Item, Samples
from tests.device_pipeline.ecg_signal import beat_times as ecg_times
from tests.device_pipeline.ecg_signal import block as ecg_block
from tests.device_pipeline.ecg_signal import ecg
from tests.device_pipeline.test_ppg import beat_times, ppg, pulse_wave
from tests.laws.cuts import cut_items, random_lengths

FS_HZ = 125.0
WRIST = Path(__file__).parents[2] / "fixtures" / "recordings" / "wrist_ppg.csv"
_S = 1_000_000_000


def wave(noise: float = 0.005, length_s: float = 65.0) -> list[Item]:
    """From 20 s to 40 s noise is added to it."""
    x = pulse_wave(beat_times(70, length_s), FS_HZ, length_s)
    x += np.random.default_rng(3).normal(0, 0.005, len(x))
    x[round(20 * FS_HZ) : round(40 * FS_HZ)] += np.random.default_rng(4).normal(0, noise, round(20 * FS_HZ))
    return [ppg(x, FS_HZ)]


def everything(items: Iterable[Item], live: bool = False) -> list[Finding]:
    pipeline = Pipeline(Limits(), live=live)
    return [finding for item in items for finding in pipeline.push(item)] + pipeline.flush()


def told(items: Iterable[Item], live: bool = False) -> list[Usable]:
    return [finding for finding in everything(items, live) if isinstance(finding, Usable)]


def test_a_clean_wave_is_usable_and_heavy_noise_is_not() -> None:
    clean, noisy = told(wave(length_s=60.0)), told(wave(noise=2.0, length_s=60.0))
    assert [one.usable for one in clean[1:5]] == [True] * 4
    assert [one.usable for one in noisy[2:4]] == [False] * 2
    assert all(one.reason for one in noisy if not one.usable)
    assert all(one.noisy is None for one in clean + noisy)
    assert [one.start_ns // (10 * _S) for one in clean] == list(range(6))


def test_a_missing_beat_is_asked_about_though_the_index_is_sure() -> None:
    """Where index and beats are plain no net is asked."""
    beats = beat_times(70, 60.0)
    short = np.delete(beats, 25)
    plain, missing = (told([ppg(pulse_wave(which, FS_HZ, 60.0), FS_HZ)]) for which in (beats, short))
    assert [(one.usable, one.method, one.right) for one in plain[1:5]] == [(True, "index", None)] * 4
    (asked,) = [one for one in missing[1:5] if one.method != "index"]
    assert asked.method.startswith("quality_ppg ")
    assert asked.start_ns <= beats[25] * _S < asked.start_ns + asked.length_ns
    assert asked.right is not None


def test_where_the_index_trusts_nothing_no_net_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(self: PulseQualityNet, *_: object) -> float:
        raise AssertionError("the net was asked")

    monkeypatch.setattr(PulseQualityNet, "right", asked)
    noise = told([ppg(np.random.default_rng(1).normal(size=round(60 * FS_HZ)), FS_HZ)])
    assert [(one.usable, one.method, one.right) for one in noise[1:5]] == [(False, "index", None)] * 4
    assert all(one.reason for one in noise)


def test_a_window_that_is_not_whole_has_no_verdict() -> None:
    (whole,) = wave()
    assert isinstance(whole, Samples)
    gap = Gap("ppg", 25 * _S, 26 * _S, GapReason.LINK_LOST)
    found = told([whole.cut(0, round(25 * FS_HZ)), gap, whole.cut(round(26 * FS_HZ), len(whole))])
    assert (found[2].usable, found[2].reason) == (None, "link_lost")
    assert (found[-1].usable, found[-1].reason) == (None, "too_short")


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("most", [1, 60, 3000])
def test_the_law_of_the_cut_holds(most: int, live: bool) -> None:
    assert told(wave(0.3), live) == told(cut_items(wave(0.3), random_lengths(5, most)), live)


@pytest.mark.parametrize("most", [7, 500])
def test_the_law_of_the_cut_holds_on_a_recording(most: int) -> None:
    items = [item for item in open_source(WRIST).items(block_s=11.0) if isinstance(item, Samples | Gap)]
    found = told(items)
    assert len(found) == 16
    assert found == told(cut_items(items, random_lengths(6, most)))


def test_an_ecg_that_comes_along_is_judged_instead() -> None:
    lead = ecg_block(ecg(ecg_times([0.85] * 70), 130.0)[: round(50 * 130.0)], 130.0)
    (pulse,) = wave(length_s=50.0)
    alone, both = told([lead]), told([lead, pulse])
    assert len(both) == len(alone) == 5
    assert not any(one.method.startswith("quality_ppg") for one in both)


def test_without_the_net_the_index_judges_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: PulseQualityNet, *_: object, **__: object) -> None:
        raise ModelError("no weights")

    monkeypatch.setattr(PulseQualityNet, "__init__", missing)
    found = told(wave(2.0))
    assert {one.method for one in found} == {"index"}
    assert [one.usable for one in found[2:4]] == [False] * 2
    assert found[5].usable


def test_a_net_that_breaks_leaves_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: PulseQualityNet, *_: object) -> float:
        raise ModelError("the runtime gave up")

    monkeypatch.setattr(PulseQualityNet, "right", broken)
    found = told(wave(0.1))
    assert {one.method for one in found} == {"index"}
    assert found[5].usable


def test_it_changes_no_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [one for one in everything(wave(0.3)) if isinstance(one, Beat)]
    monkeypatch.setattr(PulseQualityNet, "right", lambda *_: 0.0)
    assert [one for one in everything(wave(0.3)) if isinstance(one, Beat)] == before
