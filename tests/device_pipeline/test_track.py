"""A track counts only what is good, and tells a beat only when nothing can change it any more."""

from __future__ import annotations

from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.track import Track
from device_pipeline.windows import heart_rate
from sensors.samples import Gap, GapReason

S = 1_000_000_000


def beat(t_s: float, rr_s: float | None = 1.0) -> Beat:
    return Beat(round(t_s * S), BeatSource.ECG, rr_s)


def good(start_s: float, end_s: float) -> Quality:
    return Quality(round(start_s * S), round(end_s * S), 1.0, good=True)


def poor(start_s: float, end_s: float) -> Quality:
    return Quality(round(start_s * S), round(end_s * S), 0.2, good=False, reason="noise")


def gap(start_s: float, end_s: float, reason: GapReason = GapReason.LOST_FRAME) -> Gap:
    return Gap("ecg", round(start_s * S), round(end_s * S), reason)


def track(*outputs: Beat | Quality | Gap, final_s: float = 20.0, lateness_s: float = 0.0) -> Track:
    made = Track(BeatSource.ECG, round(lateness_s * S))
    made.add(outputs, round(final_s * S))
    return made


def test_a_beat_waits_until_the_signal_around_it_is_judged() -> None:
    made = track(beat(1.0, None), beat(2.0), beat(3.0), good(0, 2))
    assert [b.t_ns for b in made.release()] == [S]
    made.add([good(2, 4)], None)
    assert [b.t_ns for b in made.release()] == [2 * S, 3 * S]


def test_a_beat_in_a_poor_stretch_is_no_beat_and_breaks_the_chain() -> None:
    made = track(beat(1.0, None), beat(2.5), beat(3.5), beat(4.5), good(0, 2), poor(2, 3), good(3, 6))
    assert [(b.t_ns, b.rr_s) for b in made.release()] == [(S, None), (round(3.5 * S), None), (round(4.5 * S), 1.0)]


def test_no_interval_bridges_a_gap_whatever_the_stage_said() -> None:
    made = track(beat(1.0, None), beat(3.0, 2.0), good(0, 1.5), gap(1.5, 2.5), good(2.5, 4))
    assert [b.rr_s for b in made.release()] == [None, None]


def test_what_is_off_the_body_has_no_beats_even_if_samples_come() -> None:
    made = track(beat(1.0, None), beat(2.0), beat(3.0), good(0, 4))
    made.off_body(round(1.5 * S), round(2.5 * S))
    assert [(b.t_ns, b.rr_s) for b in made.release()] == [(S, None), (3 * S, None)]
    window = made.window(0, 4 * S)
    assert (window.good_ns, window.absent_ns, window.reason) == (3 * S, S, "off_body")


def test_lateness_holds_beats_back() -> None:
    made = track(beat(1.0, None), beat(4.0, 3.0), good(0, 6), final_s=6.0, lateness_s=3.0)
    assert [b.t_ns for b in made.release()] == [S]


def test_good_poor_and_absent_time_make_up_the_window() -> None:
    made = track(good(0, 3), poor(3, 5), gap(5, 6), good(7, 9))
    window = made.window(0, 10 * S)
    assert (window.good_ns, window.poor_ns, window.absent_ns) == (5 * S, 2 * S, 3 * S)
    assert window.index is not None
    assert abs(window.index - (5 * 1.0 + 2 * 0.2) / 7) < 1e-12


def test_the_reason_is_what_most_of_the_missing_time_suffers_from() -> None:
    assert track(good(0, 4), poor(4, 5), gap(5, 10)).window(0, 10 * S).reason == "lost_frame"
    assert track(good(0, 4), poor(4, 9), gap(9, 10)).window(0, 10 * S).reason == "noise"
    assert track(good(0, 4)).window(0, 10 * S).reason == "silent"
    assert track(good(0, 10)).window(0, 10 * S).reason is None


def test_verdicts_never_count_twice() -> None:
    made = track(good(0, 4), gap(3.5, 6), good(5.5, 8))
    window = made.window(0, 8 * S)
    assert (window.good_ns, window.absent_ns) == (6 * S, 2 * S)


def test_a_gap_told_early_does_not_hide_the_verdict_before_it() -> None:
    made = track(good(0, 2), gap(4, 6), good(2, 4))
    assert made.window(0, 6 * S).good_ns == 4 * S


def test_forgetting_changes_no_window_that_is_still_to_come() -> None:
    outputs = [item for k in range(2000) for item in (beat(k + 0.5), good(k, k + 1))]
    made, kept = track(*outputs, final_s=2000), track(*outputs, final_s=2000)
    made.release()
    kept.release()
    made.forget(1500 * S)
    assert made.window(1500 * S, 1600 * S) == kept.window(1500 * S, 1600 * S)
    assert len(made.window(0, 1500 * S).beats) < 1500


def test_a_rate_counts_only_intervals_inside_the_window() -> None:
    made = track(*(beat(k * 0.5, 0.5 if k else None) for k in range(1, 30)), good(0, 20))
    made.release()
    rate = heart_rate(made.window(0, 10 * S))
    assert rate.bpm is not None
    assert abs(rate.bpm - 120.0) < 1e-9


def test_a_window_that_is_mostly_unreadable_tells_no_rate() -> None:
    made = track(*(beat(k, 1.0) for k in range(1, 20)), good(0, 4), poor(4, 10))
    made.release()
    rate = heart_rate(made.window(0, 10 * S))
    assert (rate.bpm, rate.reason) == (None, "noise")


def test_one_interval_is_no_rate() -> None:
    made = track(beat(3.0, None), beat(4.0), good(0, 10))
    made.release()
    assert heart_rate(made.window(0, 10 * S)).reason == "too_few_beats"
