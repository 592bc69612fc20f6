"""The chain over windows: steady through a bad one, ready for a jump that lasts, and unsure where all is unclear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.ppg_rate import rate_net, rate_trust
from models.ppg_rate_features import FEATURES, LONG, RATES_BPM, rate_features
from models.rate_track import LAG, Estimate, RateTrack

Floats = NDArray[np.float64]


def peak(bpm: float, height: float = 8.0) -> Floats:
    return np.asarray(height * np.exp(-0.5 * ((RATES_BPM - bpm) / 3) ** 2))


def tracked(
    logits: Sequence[Floats | None],
    beats_bpm: float | None = None,
    good: float = 1.0,
    moves: Floats | None = None,
    unrest: float = 0.0,
) -> list[Estimate]:
    track = RateTrack(rate_trust())
    out = []
    for one in logits:
        track.push(one, moves)
        if track.waiting > LAG:
            out.append(track.tell(beats_bpm, good, unrest))
    while track.waiting:
        out.append(track.tell(beats_bpm, good, unrest))
    return out


def test_one_window_that_says_something_else_is_outvoted() -> None:
    told = tracked([peak(80)] * 10 + [peak(140)] + [peak(80)] * 10)
    assert all(abs(one.bpm - 80) < 2 for one in told)


def test_a_change_that_lasts_is_followed() -> None:
    told = tracked([peak(80)] * 10 + [peak(120)] * 10)
    assert abs(told[5].bpm - 80) < 2
    assert abs(told[-1].bpm - 120) < 2


def test_what_comes_after_decides_the_first_windows() -> None:
    both = np.maximum(peak(70), peak(140))
    told = tracked([both, both, peak(140), peak(140), peak(140)])
    assert abs(told[0].bpm - 140) < 3


def test_without_a_wave_or_with_an_even_one_the_index_is_low() -> None:
    for logits in ([None] * 8, [np.zeros(len(RATES_BPM))] * 8):
        assert all(one.index < 0.2 for one in tracked(list(logits)))


def test_a_clear_rate_has_a_high_index_and_lies_where_it_should() -> None:
    told = tracked([peak(73, 14.0)] * 12)
    assert all(one.index > 0.7 and abs(one.bpm - 73) < 1 for one in told)


def test_beats_tell_the_rate_where_the_chain_agrees_and_only_there() -> None:
    assert tracked([peak(73)] * 6, 73.9)[3].bpm == 73.9
    assert tracked([peak(73)] * 6, 73.9, good=0.3)[3].bpm != 73.9
    far = tracked([peak(73)] * 6, 90.0)[3]
    assert abs(far.bpm - 73) < 2
    assert far.index < tracked([peak(73)] * 6, 73.5)[3].index


def test_beats_that_come_unevenly_are_trusted_less() -> None:
    even, uneven = (tracked([peak(73)] * 6, 73.5, unrest=unrest)[3].index for unrest in (0.02, 0.4))
    assert even - uneven > 0.1


def test_a_rate_that_is_also_the_movements_is_not_trusted_before_it_was_seen_apart_from_it() -> None:
    same, other = peak(100, 3.0), peak(160, 3.0)
    beside = tracked([peak(100, 6.0)] * 8, moves=other)
    within = tracked([peak(100, 6.0)] * 8, moves=same)
    assert beside[4].index - within[4].index > 0.2


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("moves", [True, False])
def test_features_are_finite_whatever_the_wave(channels: int, moves: bool) -> None:
    for waves in (np.zeros((channels, LONG)), np.ones((channels, LONG)), np.eye(channels, LONG) * 1e9):
        features = rate_features(waves, np.zeros((3, LONG)) if moves else None, 80.0, 1.0)
        assert features.shape == (len(RATES_BPM), FEATURES)
        assert np.isfinite(features).all()
        assert np.isfinite(rate_net()(features)).all()
