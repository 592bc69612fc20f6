"""Every ten seconds of an ECG are judged, the same in any cut; where there is no whole window there is no verdict."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from device_pipeline.config import Limits
from device_pipeline.run import Pipeline
from device_pipeline.usability.usable import Usable
from models.errors import ModelError
from models.quality import QualityNet
from sensors.samples import Gap, GapReason, Item, Samples
from tests.device_pipeline.ecg_signal import beat_times, block, ecg
from tests.laws.cuts import cut_items, random_lengths

FS_HZ = 130.0
_S = 1_000_000_000


def lead(noise_mv: float = 0.01, length_s: float = 65.0) -> list[Item]:
    """From 20 s to 40 s noise is added to it."""
    x = ecg(beat_times([0.85] * 70), FS_HZ)[: round(length_s * FS_HZ)]
    x[round(20 * FS_HZ) : round(40 * FS_HZ)] += np.random.default_rng(3).normal(0, noise_mv, round(20 * FS_HZ))
    return [block(x, FS_HZ)]


def told(items: Iterable[Item], live: bool = False) -> list[Usable]:
    pipeline = Pipeline(Limits(), live=live)
    out = [finding for item in items for finding in pipeline.push(item)] + pipeline.flush()
    return [finding for finding in out if isinstance(finding, Usable)]


def test_a_clean_lead_is_usable_and_heavy_noise_is_not() -> None:
    clean, noisy = told(lead(length_s=60.0)), told(lead(noise_mv=1.5, length_s=60.0))
    assert [one.usable for one in clean[1:6]] == [True] * 5
    assert [one.usable for one in noisy[2:4]] == [False] * 2
    assert all(one.reason for one in noisy if not one.usable)
    assert all(one.right is not None and one.right < 0.5 for one in noisy[2:4])
    assert {one.start_ns // (10 * _S) for one in clean} == set(range(6))


def test_where_the_index_is_sure_no_net_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(self: QualityNet, *_: object) -> None:
        raise AssertionError("the net was asked")

    monkeypatch.setattr(QualityNet, "judge", asked)
    sure = told(lead())[2:5]
    assert [(one.usable, one.method, one.right) for one in sure] == [(True, "index", None)] * 3


def test_a_window_that_is_not_whole_has_no_verdict() -> None:
    (whole,) = lead()
    assert isinstance(whole, Samples)
    gap = Gap("ecg", 25 * _S, 26 * _S, GapReason.LINK_LOST)
    found = told([whole.cut(0, round(25 * FS_HZ)), gap, whole.cut(round(26 * FS_HZ), len(whole))])
    assert (found[2].usable, found[2].reason) == (None, "link_lost")
    assert (found[-1].usable, found[-1].reason) == (None, "too_short")


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("most", [1, 60, 3000])
def test_the_law_of_the_cut_holds(most: int, live: bool) -> None:
    assert told(lead(0.4), live) == told(cut_items(lead(0.4), random_lengths(5, most)), live)


def test_without_the_net_the_index_judges_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: QualityNet, *_: object, **__: object) -> None:
        raise ModelError("no weights")

    monkeypatch.setattr(QualityNet, "__init__", broken)
    found = told(lead(1.5))
    assert {one.method for one in found} == {"index"}
    assert [one.usable for one in found[2:4]] == [False] * 2


def test_no_repr_tells_of_the_wearer() -> None:
    assert repr(told(lead())[0]) == "<Usable start_ns=0>"
