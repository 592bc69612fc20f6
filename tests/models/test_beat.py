"""Each beat gets one answer, in order, by what lies around it and not by how the beats were grouped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.beat import LOOK_AHEAD, BeatTyper, Typed
from models.beat_context import BeatContext
from models.beat_features import MOST, NAMES
from models.beat_input import AFTER_S, BEFORE_S, POINTS, beat_waves

Floats = NDArray[np.float64]
_FS_HZ = 250.0
_BELLS = ((-0.17, 0.12, 0.025), (-0.02, -0.1, 0.008), (0.0, 1.0, 0.011), (0.025, -0.2, 0.009), (0.28, 0.3, 0.05))
_ODD = ((0.0, -0.9, 0.04), (0.06, 1.6, 0.035), (0.3, -0.5, 0.07))


def recording(n: int, odd_each: int = 9, early_each: int = 7, seed: int = 1) -> tuple[Floats, Floats, str]:
    """(mV at 250 Hz, samples of the R peaks, kind of each beat): odd wide ones, and early ones without a P wave."""
    rng = np.random.default_rng(seed)
    at_s, kinds, now = [], "", 1.0
    for k in range(n):
        kind = "V" if k > 20 and k % odd_each == 5 else "S" if k > 20 and k % early_each == 3 else "N"
        at_s.append(now - (0.0 if kind == "N" else 0.27))
        kinds += kind
        now += 0.85 + rng.normal(0, 0.012)
    t = np.arange(round((now + 1) * _FS_HZ)) / _FS_HZ
    ecg = rng.normal(0, 0.01, len(t))
    for moment, kind in zip(at_s, kinds, strict=True):
        near = slice(max(0, round((moment - 1) * _FS_HZ)), round((moment + 1) * _FS_HZ))
        for place, height, width in _ODD if kind == "V" else _BELLS[1:] if kind == "S" else _BELLS:
            ecg[near] += height * np.exp(-0.5 * ((t[near] - moment - place) / width) ** 2)
    return ecg, np.round(np.array(at_s) * _FS_HZ), kinds


def intervals(at: Floats) -> list[float | None]:
    return [None, *(np.diff(at) / _FS_HZ).tolist()]


def grouped(waves: Floats, before_s: list[float | None], sizes: list[int]) -> list[Typed]:
    typer, out, start = BeatTyper(), [], 0
    for size in [*sizes, len(waves)]:
        out += typer.push(waves[start : start + size], before_s[start : start + size])
        start += size
        assert len(out) >= min(start, len(waves)) - LOOK_AHEAD
    return out + typer.flush()


def test_the_answers_do_not_depend_on_how_the_beats_were_grouped() -> None:
    ecg, at, _ = recording(420)
    waves, before_s = beat_waves(ecg, _FS_HZ, at), intervals(at)
    before_s[100] = before_s[333] = None
    whole = grouped(waves, before_s, [])
    assert len(whole) == len(waves)
    rng = np.random.default_rng(3)
    for sizes in ([1] * 420, [0, 7] * 60, rng.integers(0, 90, 12).tolist()):
        assert grouped(waves, before_s, sizes) == whole


def test_beats_further_ahead_than_it_looks_change_nothing() -> None:
    ecg, at, _ = recording(120)
    waves, before_s = beat_waves(ecg, _FS_HZ, at), intervals(at)
    typer = BeatTyper()
    first = typer.push(waves, before_s)
    assert len(first) == len(waves) - LOOK_AHEAD
    other = BeatTyper()
    seen = other.push(waves[:80], before_s[:80])
    assert seen == first[: len(seen)]
    assert other.push(-waves[:40], before_s[:40])[: 80 - len(seen)] != first[len(seen) : 80]


def test_odd_wide_beats_are_v_and_the_usual_ones_n() -> None:
    ecg, at, kinds = recording(300)
    said = "".join(typed.label for typed in grouped(beat_waves(ecg, _FS_HZ, at), intervals(at), []))
    inside = range(20, 290)
    assert sum(said[k] == "V" for k in inside if kinds[k] == "V") >= 0.95 * sum(kinds[k] == "V" for k in inside)
    assert sum(said[k] == "N" for k in inside if kinds[k] == "N") >= 0.95 * sum(kinds[k] == "N" for k in inside)


def test_after_flush_and_reset_what_was_before_is_forgotten() -> None:
    ecg, at, _ = recording(60)
    waves, before_s = beat_waves(ecg, _FS_HZ, at), intervals(at)
    alone = grouped(waves, before_s, [])
    typer = BeatTyper()
    typer.push(-2 * waves, before_s)
    typer.reset()
    assert typer.push(waves, before_s) + typer.flush() == alone
    assert typer.push(waves, before_s) + typer.flush() == alone
    assert typer.flush() == []
    assert typer.push(waves[:0], []) == []


def test_what_is_held_does_not_grow_with_the_beats_seen() -> None:
    ecg, at, _ = recording(200)
    waves, before_s = beat_waves(ecg, _FS_HZ, at), np.array([np.nan, *(np.diff(at) / _FS_HZ)])
    context = BeatContext()
    for _ in range(12):
        context.push(waves, before_s)
        assert context.held < 700


@pytest.mark.parametrize("fs_hz", [125.0, 130.0, 360.0, 500.0, 1000.0])
def test_another_rate_gives_nearly_the_same_wave(fs_hz: float) -> None:
    ecg, at, _ = recording(30)
    t = np.arange(round(len(ecg) * fs_hz / _FS_HZ)) / fs_hz
    other = np.interp(t, np.arange(len(ecg)) / _FS_HZ, ecg)
    plain, again = beat_waves(ecg, _FS_HZ, at), beat_waves(other, fs_hz, at * fs_hz / _FS_HZ)
    assert plain.shape == (30, POINTS)
    assert np.corrcoef(plain.ravel(), again.ravel())[0, 1] > 0.97


def test_a_wave_is_the_same_in_any_stretch_that_holds_its_beat() -> None:
    ecg, at, _ = recording(30)
    whole = beat_waves(ecg, _FS_HZ, at)
    before, after = int(np.ceil(BEFORE_S * _FS_HZ)), int(np.ceil(AFTER_S * _FS_HZ))
    for k in (5, 17):
        for more in (0, 1, 333):
            start = int(at[k]) - before - more
            part = ecg[max(0, start) : int(at[k]) + after + 1]
            assert np.array_equal(beat_waves(part, _FS_HZ, at[k : k + 1] - max(0, start))[0], whole[k])


@pytest.mark.parametrize("size", [0.0, 1e-9, 1.0, 1e9, np.inf, np.nan])
def test_whatever_comes_in_no_nan_comes_out(size: float) -> None:
    rng = np.random.default_rng(5)
    waves = rng.normal(0, 1, (150, POINTS)) * size
    before_s = rng.choice([0.0, 0.2, 0.8, 3.0, np.nan], 150)
    context = BeatContext()
    rows = np.concatenate([context.push(waves, before_s), context.flush()])
    assert rows.shape == (150, len(NAMES))
    assert np.isfinite(rows).all()
    assert np.abs(rows).max() <= MOST


def test_what_is_told_of_a_beat_is_not_printed() -> None:
    assert repr(Typed("V", (0.0, 0.0, 1.0, 0.0, 0.0), 1.0)) == "<Typed>"


def test_where_another_net_takes_over_its_own_card_weighs_what_it_says() -> None:
    ecg, at, _ = recording(60)
    waves, before_s = beat_waves(ecg, _FS_HZ, at), intervals(at)
    plain, changed = BeatTyper(), BeatTyper()
    usual = [*plain.push(waves, before_s), *plain.flush()]
    told = changed.push(waves[:30], before_s[:30])
    card = changed._net.card
    changed._net.card = replace(card, thresholds={**card.thresholds, "weight of V": 1e9})
    n = len(told)
    told += [*changed.push(waves[30:], before_s[30:]), *changed.flush()]
    assert told[:n] == usual[:n]
    assert n > 0
    assert told[n:] != usual[n:]
    assert all(typed.label == "V" for typed in told[n:] if typed.probabilities[2] > 0)
