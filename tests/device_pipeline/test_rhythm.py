"""Irregular in the way of atrial fibrillation is told from regular and from other ways of being irregular."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatSource
from device_pipeline.rhythm import BRIDGE_NS, LEAST, Rhythm, RhythmKind, RhythmSpan
from sensors.samples import Gap, GapReason
from tests.device_pipeline.annotated import beat_samples, beats_at, read_annotation

AFIB, N = RhythmKind.AFIB, RhythmKind.N


def spans_of(items: Iterable[Beat | Gap]) -> list[RhythmSpan]:
    rhythm = Rhythm()
    return [span for item in items for span in rhythm.push(item)] + rhythm.flush()


def beats_of(rr_s: NDArray[np.float64] | list[float], start_s: float = 0.0) -> list[Beat]:
    return beats_at(start_s + np.cumsum(np.concatenate([[0.0], rr_s])))


def steady_s(n: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0.8, 0.02, n)


def fibrillation_s(n: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).gamma(20.0, 0.7 / 20.0, n).clip(0.3, 1.8)


def with_early_beats(n: int, every: int, seed: int = 0) -> NDArray[np.float64]:
    """A beat every `every` comes early and a compensatory pause follows."""
    rr_s = steady_s(n, seed)
    rng = np.random.default_rng(seed)
    for k in range(every, n - 1, every):
        early_s = rng.normal(0.3, 0.02)
        rr_s[k - 1] -= early_s
        rr_s[k] += early_s
    return rr_s


def with_early_beats_at_random(n: int, seed: int = 0) -> NDArray[np.float64]:
    """Every third beat or so comes early, by any much, and a compensatory pause follows."""
    rng = np.random.default_rng(seed)
    rr_s = rng.normal(0.7, 0.03, n)
    k = 1
    while k < n - 1:
        if rng.random() < 0.3:
            early_s = rng.uniform(0.1, 0.35)
            rr_s[k - 1] -= early_s
            rr_s[k] += early_s
            k += 1
        k += 1
    return rr_s


@pytest.mark.parametrize(
    "rr_s",
    [
        pytest.param(steady_s(600), id="steady"),
        pytest.param(0.9 + 0.15 * np.sin(np.arange(600) * 2 * np.pi / 4.7), id="breathing"),
        pytest.param(with_early_beats(600, 2), id="bigeminy"),
        pytest.param(with_early_beats(600, 3), id="trigeminy"),
        pytest.param(with_early_beats(600, 4), id="quadrigeminy"),
        pytest.param(with_early_beats(600, 7), id="frequent early beats"),
        pytest.param(with_early_beats_at_random(600), id="early beats at random"),
        pytest.param(np.linspace(1.0, 0.45, 600) + np.random.default_rng(0).normal(0, 0.01, 600), id="exercise"),
    ],
)
def test_other_ways_of_being_irregular_are_not_called_fibrillation(rr_s: NDArray[np.float64]) -> None:
    beats = beats_of(rr_s)
    assert spans_of(beats) == [RhythmSpan(beats[0].t_ns, beats[-1].t_ns, N)]


def test_fibrillation_is_found_and_bounded() -> None:
    beats = beats_of(np.concatenate([steady_s(300), fibrillation_s(300), steady_s(300, seed=1)]))
    spans = spans_of(beats)
    assert [span.kind for span in spans] == [N, AFIB, N]
    assert abs(spans[1].start_ns - beats[300].t_ns) < 20e9
    assert abs(spans[1].end_ns - beats[600].t_ns) < 20e9
    assert [span.end_ns for span in spans[:-1]] == [span.start_ns for span in spans[1:]]
    assert (spans[0].start_ns, spans[-1].end_ns) == (beats[0].t_ns, beats[-1].t_ns)


def test_an_open_irregular_stretch_is_told_before_it_ends() -> None:
    rhythm = Rhythm()
    told = None
    for k, beat in enumerate(beats_of(np.concatenate([steady_s(200), fibrillation_s(200)]))):
        rhythm.push(beat)
        if rhythm.current is AFIB and told is None:
            told = k
    assert told is not None
    assert 200 < told < 260
    (last,) = rhythm.flush()
    assert last.kind is AFIB
    assert rhythm.current is None


def test_too_few_intervals_are_unknown_not_normal() -> None:
    assert spans_of(beats_of(fibrillation_s(LEAST))) == []
    assert spans_of([]) == []
    rhythm = Rhythm()
    for beat in beats_of(steady_s(LEAST)):
        rhythm.push(beat)
    assert rhythm.current is None


def test_nothing_is_said_of_an_absence() -> None:
    before, after = beats_of(fibrillation_s(200)), beats_of(fibrillation_s(200, seed=1), 1000.0)
    gap = Gap(None, before[-1].t_ns, after[0].t_ns, GapReason.LINK_LOST)
    expected = [
        RhythmSpan(before[0].t_ns, before[-1].t_ns, AFIB),
        RhythmSpan(after[0].t_ns, after[-1].t_ns, AFIB),
    ]
    assert spans_of([*before, gap, *after]) == expected
    assert spans_of([*before, *after]) == expected


def test_an_absence_of_a_few_seconds_does_not_break_a_stretch() -> None:
    beats: list[Beat] = []
    start_s = 0.0
    for seed in range(10):
        beats += beats_of(fibrillation_s(30, seed), start_s)
        start_s = beats[-1].t_ns / 1e9 + 5.0
    assert BRIDGE_NS > 5e9
    assert spans_of(beats) == [RhythmSpan(beats[0].t_ns, beats[-1].t_ns, AFIB)]


def test_what_was_final_never_changes() -> None:
    rr_s = np.concatenate([with_early_beats(150, 5), fibrillation_s(80), steady_s(100), fibrillation_s(150, seed=2)])
    items: list[Beat | Gap] = [*beats_of(rr_s), Gap(None, 10**12, 2 * 10**12, GapReason.OFF_BODY)]
    items += beats_of(rr_s, 2000.0)
    spans = spans_of(items)

    def kind_at(t_ns: float, among: list[RhythmSpan]) -> RhythmKind | None:
        return next((span.kind for span in among if span.start_ns <= t_ns < span.end_ns), None)

    rhythm, out, final_ns = Rhythm(), list[RhythmSpan](), 0
    for item in items:
        out += rhythm.push(item)
        assert rhythm.final_ns is not None
        assert rhythm.final_ns >= final_ns
        final_ns = rhythm.final_ns
        known = list(out)
        if rhythm.current is not None and rhythm.since_ns is not None:
            known.append(RhythmSpan(rhythm.since_ns, final_ns, rhythm.current))
        for t_ns in (final_ns - 1, final_ns - 10**10, final_ns - 6 * 10**10):
            assert kind_at(t_ns, known) == kind_at(t_ns, spans)


def test_irregular_rhythm_agrees_with_the_cardiologists() -> None:
    found = {True: [0, 0], False: [0, 0]}
    for record in ("04126", "08215", "08378", "08434"):
        samples, _, rhythms = read_annotation("afdb", record, "atr")
        beats = read_annotation("afdb", record, "qrs")[0]
        of_beat = rhythms[np.searchsorted(samples, beats, "right") - 1]
        times_ns = np.round(beats / 250.0 * 1e9)
        called = np.zeros(len(beats), dtype=bool)
        for span in spans_of(beats_at(beats / 250.0)):
            called |= (times_ns >= span.start_ns) & (times_ns < span.end_ns) & (span.kind is AFIB)
        for is_af in (True, False):
            judged = (of_beat == "(AFIB") == is_af
            judged &= of_beat != "(AFL"
            found[is_af][0] += int(np.sum(called[judged] == is_af))
            found[is_af][1] += int(np.sum(judged))
    assert found[True][0] / found[True][1] > 0.97
    assert found[False][0] / found[False][1] > 0.99


@pytest.mark.parametrize("record", ["16265", "16786"])
def test_a_day_of_sinus_rhythm_has_no_false_episode(record: str) -> None:
    samples, _ = beat_samples("nsrdb", record, "atr")
    assert {span.kind for span in spans_of(beats_at(samples / 128.0))} == {N}


def test_a_beat_without_an_interval_adds_none() -> None:
    beats = [Beat(k * 10**9, BeatSource.PPG, None) for k in range(1000)]
    assert spans_of(beats) == []


def test_nothing_of_the_heart_shows_in_a_repr() -> None:
    assert "AFIB" not in repr(RhythmSpan(0, 1, AFIB))


@pytest.mark.parametrize("record", ["106", "119", "209", "215", "220", "223"])
def test_real_early_beats_in_runs_and_patterns_are_not_called_fibrillation(record: str) -> None:
    samples, _ = beat_samples("mitdb", record, "atr")
    assert {span.kind for span in spans_of(beats_at(samples / 360.0))} == {N}


def test_beats_at_one_moment_are_survived() -> None:
    assert spans_of(beats_at(np.zeros(200))) == []
