"""Irregular in the way of atrial fibrillation is told from regular and from other ways of being irregular."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.alerts.irregular import irregular_grounds
from device_pipeline.beat import Beat, BeatSource
from device_pipeline.rhythm import BRIDGE_NS, LONGEST_RR_S, STEP, Rhythm, RhythmKind, RhythmSpan
from device_pipeline.rhythm_judge import RhythmJudge
from models.errors import ModelError
from models.rhythm_input import LEAST, WINDOW
from sensors.samples import Gap, GapReason
from tests.device_pipeline.annotated import beat_samples, beats_at, read_annotation

AFIB, N = RhythmKind.AFIB, RhythmKind.N


def spans_of(items: Iterable[Beat | Gap]) -> list[RhythmSpan]:
    rhythm = Rhythm()
    return [span for item in items for span in rhythm.push(item)] + rhythm.flush()


def told(items: Iterable[Beat | Gap]) -> list[tuple[int, int, RhythmKind]]:
    return [(span.start_ns, span.end_ns, span.kind) for span in spans_of(items)]


class Said:
    """A model that says of window after window what it was given, whatever the window."""

    name, version, start, end = "said", "1.2.3", 0.8, 0.3

    def __init__(self, *probabilities: float) -> None:
        self._left = list(probabilities)
        self.asked: list[int] = []

    def probability(self, rr_s: NDArray[np.float64]) -> float:
        self.asked.append(len(rr_s))
        return self._left.pop(0)


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
    assert told(beats) == [(beats[0].t_ns, beats[-1].t_ns, N)]


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
    first = None
    for k, beat in enumerate(beats_of(np.concatenate([steady_s(200), fibrillation_s(200)]))):
        rhythm.push(beat)
        if rhythm.current is AFIB and first is None:
            first = k
    assert first is not None
    assert 200 < first < 260
    (last,) = rhythm.flush()
    assert last.kind is AFIB
    assert rhythm.current is None


def test_too_few_intervals_are_unknown_not_normal() -> None:
    assert spans_of(beats_of(fibrillation_s(LEAST - 1))) == []
    assert spans_of([]) == []
    rhythm = Rhythm()
    for beat in beats_of(steady_s(LEAST - 1)):
        rhythm.push(beat)
    assert rhythm.current is None


def test_nothing_is_said_of_an_absence() -> None:
    before, after = beats_of(fibrillation_s(200)), beats_of(fibrillation_s(200, seed=1), 1000.0)
    gap = Gap(None, before[-1].t_ns, after[0].t_ns, GapReason.LINK_LOST)
    expected = [(before[0].t_ns, before[-1].t_ns, AFIB), (after[0].t_ns, after[-1].t_ns, AFIB)]
    assert told([*before, gap, *after]) == expected
    assert told([*before, *after]) == expected


def test_an_absence_of_a_few_seconds_does_not_break_a_stretch() -> None:
    beats: list[Beat] = []
    start_s = 0.0
    for seed in range(10):
        beats += beats_of(fibrillation_s(30, seed), start_s)
        start_s = beats[-1].t_ns / 1e9 + 5.0
    assert BRIDGE_NS > 5e9
    assert told(beats) == [(beats[0].t_ns, beats[-1].t_ns, AFIB)]


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


def test_a_span_says_how_sure_which_model_was_of_it() -> None:
    model = Said(0.1, 0.2, 0.9, 0.7, 0.2, 0.0)
    rhythm = Rhythm(RhythmJudge(lambda: model))
    beats = beats_of(steady_s(LEAST + 5 * STEP))
    spans = [span for beat in beats for span in rhythm.push(beat)] + rhythm.flush()
    assert [span.kind for span in spans] == [N, AFIB, N]
    assert [span.probability for span in spans] == pytest.approx([0.15, 0.8, 0.1])
    assert {(span.model, span.version) for span in spans} == {("said", "1.2.3")}
    assert model.asked == [LEAST, LEAST + STEP, *[WINDOW] * 4]


def test_what_is_hard_to_tell_keeps_its_kind() -> None:
    model = Said(0.29, 0.79, 0.81, 0.31, 0.79, 0.29)
    rhythm = Rhythm(RhythmJudge(lambda: model))
    spans = [span for beat in beats_of(steady_s(LEAST + 5 * STEP)) for span in rhythm.push(beat)] + rhythm.flush()
    assert [span.kind for span in spans] == [N, AFIB, N]
    assert [span.probability for span in spans] == pytest.approx([(0.29 + 0.79) / 2, (0.81 + 0.31 + 0.79) / 3, 0.29])


@pytest.mark.parametrize(("third", "kind"), [(0.85, AFIB), (0.5, N)])
def test_what_short_windows_leave_open_a_whole_one_decides_from_the_start(third: float, kind: RhythmKind) -> None:
    model = Said(0.5, 0.6, third)
    rhythm = Rhythm(RhythmJudge(lambda: model))
    beats = beats_of(steady_s(LEAST + 2 * STEP))
    for beat in beats[: LEAST + 2 * STEP]:
        rhythm.push(beat)
    assert rhythm.current is None
    assert rhythm.final_ns == beats[0].t_ns
    spans = rhythm.push(beats[-1]) + rhythm.flush()
    assert [(span.start_ns, span.kind) for span in spans] == [(beats[0].t_ns, kind)]
    assert spans[0].probability == pytest.approx((0.5 + 0.6 + third) / 3)


def test_a_stretch_that_goes_on_tells_as_much_as_is_final() -> None:
    model = Said(0.1, 0.9, 0.8)
    rhythm = Rhythm(RhythmJudge(lambda: model))
    assert rhythm.open_span is None
    beats = beats_of(steady_s(LEAST + 2 * STEP))
    for beat in beats:
        rhythm.push(beat)
    span = rhythm.open_span
    assert span is not None
    assert (span.kind, span.probability, span.end_ns) == (AFIB, pytest.approx(0.85), rhythm.final_ns)
    assert rhythm.window_ns == tuple(beat.t_ns for beat in beats[-WINDOW:])


@pytest.mark.parametrize("answer", [float("nan"), -0.1, 1.5])
def test_an_answer_that_is_no_probability_leaves_the_rhythm_unknown(answer: float) -> None:
    rhythm = Rhythm(RhythmJudge(lambda: Said(0.9, answer)))
    beats = beats_of(fibrillation_s(LEAST + 5 * STEP))
    (span,) = [span for beat in beats for span in rhythm.push(beat)] + rhythm.flush()
    assert (span.start_ns, span.end_ns) == (beats[0].t_ns, beats[LEAST + STEP].t_ns)
    assert rhythm.reason == "no_model"
    assert rhythm.current is None


@pytest.mark.parametrize("problem", [ModelError("gone"), OSError("gone"), RuntimeError("gone"), ValueError("gone")])
def test_without_a_model_the_rhythm_is_unknown_and_it_is_asked_for_once(problem: Exception) -> None:
    asked = []

    def make() -> Said:
        asked.append(1)
        raise problem

    rhythm = Rhythm(RhythmJudge(make))
    assert [span for beat in beats_of(fibrillation_s(300)) for span in rhythm.push(beat)] + rhythm.flush() == []
    assert rhythm.reason == "no_model"
    assert len(asked) == 1


def test_no_model_is_made_before_there_is_something_to_judge() -> None:
    rhythm = Rhythm(RhythmJudge(lambda: pytest.fail("made too early")))
    for beat in beats_of(steady_s(LEAST - 1)):
        rhythm.push(beat)
    assert rhythm.reason is None


def test_an_interval_that_is_a_gap_is_not_judged() -> None:
    model = Said(0.1)
    rhythm = Rhythm(RhythmJudge(lambda: model))
    rr_s = np.where(np.arange(LEAST + 3) % 11 == 5, LONGEST_RR_S + 0.5, 0.8)
    for beat in beats_of(rr_s):
        rhythm.push(beat)
    assert model.asked == [LEAST]


def test_an_alert_of_an_irregular_rhythm_names_its_beats_the_score_and_the_model() -> None:
    model = Said(0.9, 0.8)
    rhythm = Rhythm(RhythmJudge(lambda: model))
    beats = beats_of(steady_s(LEAST + STEP))
    for beat in beats[:LEAST]:
        rhythm.push(beat)
    assert irregular_grounds(rhythm, beats[LEAST - 1].t_ns) is None
    for beat in beats[LEAST:]:
        rhythm.push(beat)
    grounds = irregular_grounds(rhythm, beats[-1].t_ns)
    assert grounds is not None
    assert grounds.beats_ns == tuple(beat.t_ns for beat in beats[-32:])
    assert grounds.score == pytest.approx(0.85)
    assert (grounds.model, grounds.version) == ("said", "1.2.3")
    assert (grounds.start_ns, grounds.end_ns) == (beats[0].t_ns, beats[-1].t_ns)
    assert grounds.strip_end_ns - grounds.strip_start_ns == 10 * 10**9
