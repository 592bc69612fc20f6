"""Beats from intervals and from annotations: what no interval covers is a gap, and a hole is never a pause."""

from __future__ import annotations

from itertools import pairwise

from device_pipeline.beat import Beat, BeatLabel, BeatSource, Quality
from device_pipeline.beats.annotated import AAMI_LABEL, AnnotatedBeats
from device_pipeline.beats.rr import RrBeats
from sensors.files.annotation import BEAT_SYMBOLS
from sensors.samples import Gap, GapReason, Quantity, Reading

MS = 1_000_000
Output = Beat | Quality | Gap


def rr(t_ms: int, value_ms: float) -> Reading:
    return Reading(Quantity.RR, "rr", t_ms * MS, value_ms)


def played(*items: Reading | Gap) -> list[Output]:
    stage = RrBeats()
    return [out for item in items for out in stage.push(item)]


def beats(outputs: list[Output]) -> list[tuple[int, float | None]]:
    return [(out.t_ns // MS, out.rr_s) for out in outputs if isinstance(out, Beat)]


def gaps(outputs: list[Output]) -> list[tuple[int, int, str]]:
    return [(out.start_ns // MS, out.end_ns // MS, out.reason) for out in outputs if isinstance(out, Gap)]


def test_intervals_that_follow_each_other_leave_no_gap() -> None:
    out = played(rr(800, 800), rr(1600, 800), rr(2500, 900))
    assert beats(out) == [(800, 0.8), (1600, 0.8), (2500, 0.9)]
    assert gaps(out) == []


def test_what_no_interval_covers_is_a_gap() -> None:
    assert gaps(played(rr(800, 800), rr(5000, 800))) == [(800, 4200, GapReason.MISSING)]


def test_the_reason_of_a_gap_is_kept() -> None:
    out = played(rr(800, 800), Gap("rr", 800 * MS, 4200 * MS, GapReason.LINK_LOST), rr(5000, 800))
    assert gaps(out) == [(800, 4200, GapReason.LINK_LOST)]


def test_a_hole_written_as_one_interval_is_no_pause() -> None:
    out = played(rr(800, 800), rr(60_800, 60_000), rr(61_600, 800))
    assert beats(out) == [(800, 0.8), (60_800, None), (61_600, 0.8)]
    assert gaps(out) == [(800, 60_800, GapReason.MISSING)]


def test_an_impossibly_short_interval_is_not_used() -> None:
    assert beats(played(rr(800, 800), rr(850, 50)))[1] == (850, None)


def test_clocks_that_jitter_a_little_make_no_gap() -> None:
    assert gaps(played(rr(800, 800), rr(1630, 800), rr(2400, 800))) == []


def test_verdicts_never_overlap() -> None:
    out = played(rr(800, 800), rr(1500, 800), rr(2400, 800), rr(2300, 700), rr(3300, 800))
    spans = [(o.start_ns, o.end_ns) for o in out if not isinstance(o, Beat)]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_annotations_become_beats_with_their_aami_class() -> None:
    stage = AnnotatedBeats()
    out = [o for k, symbol in enumerate("N+V~A") for o in stage.push_beat(k * 800 * MS, symbol)]
    told = [(b.label, b.rr_s, b.source) for b in out if isinstance(b, Beat)]
    source = BeatSource.ANNOTATION
    assert told == [(BeatLabel.N, None, source), (BeatLabel.V, 1.6, source), (BeatLabel.S, 1.6, source)]


def test_every_beat_code_has_a_class() -> None:
    assert AAMI_LABEL.keys() == BEAT_SYMBOLS


def test_a_long_interval_between_annotations_is_a_gap() -> None:
    stage = AnnotatedBeats()
    out = [*stage.push_beat(0, "N"), *stage.push_beat(3001 * MS, "N")]
    assert gaps(out) == [(0, 3001, GapReason.MISSING)]
    assert beats(out)[-1] == (3001, None)


def test_annotations_at_one_moment_are_one_beat() -> None:
    stage = AnnotatedBeats()
    assert len(stage.push_beat(5, "N")) == 1
    assert stage.push_beat(5, "N") == []
