"""The beat rules alone, on hand-made energy peaks at 100 samples a second."""

from __future__ import annotations

from device_pipeline.signal.qrs_rules import Found, QrsRules


def _decide(peaks: list[tuple[int, float, float]], end: int, step: int) -> list[Found]:
    rules = QrsRules(100.0)
    found: list[Found] = []
    for now in range(step, end + step, step):
        due = [peak for peak in peaks if now - step <= peak[0] < now]
        rules.push([p[0] for p in due], [p[1] for p in due], [p[2] for p in due])
        found += rules.advance(now)
        assert all(beat.at < rules.final or beat.at <= now for beat in found)
    return found + rules.advance(end, ended=True)


def _beats(first: int, stop: int, every: int, energy: float) -> list[tuple[int, float, float]]:
    return [(at, energy, 10 * energy) for at in range(first, stop, every)]


def test_after_beats_that_were_too_small_for_long_nothing_is_sure() -> None:
    peaks = sorted(_beats(50, 2000, 80, 1.0) + _beats(2050, 4000, 80, 0.06) + _beats(80, 4000, 80, 0.005))
    found = _decide(peaks, 4000, 10)
    small = [beat for beat in found if beat.at >= 2050]
    assert len(small) > 15
    assert not small[0].sure
    assert all(beat.sure for beat in small[1:])


def test_a_p_wave_gives_way_to_its_qrs_and_leaves_no_trace_in_the_levels() -> None:
    waves = [peak for at in range(50, 4000, 200) for peak in ((at, 0.3, 3.0), (at + 18, 1.0, 10.0))]
    found = _decide(waves, 4000, 10)
    assert [beat.at for beat in found] == list(range(68, 4000, 200))
    assert found[-1].level > 0.9


def test_the_steps_in_which_time_advances_change_nothing() -> None:
    peaks = sorted(_beats(50, 1500, 80, 1.0) + _beats(90, 1500, 160, 0.2) + _beats(1900, 4000, 70, 0.3))
    assert _decide(peaks, 4000, 1) == _decide(peaks, 4000, 4000) == _decide(peaks, 4000, 37)
