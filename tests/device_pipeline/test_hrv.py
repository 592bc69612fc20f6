"""A window gives its values or says why not, and depends on nothing but what is in it."""

from __future__ import annotations

import numpy as np
import pytest

from device_pipeline.beat import Beat, BeatSource
from device_pipeline.hrv import MOST_CORRECTED_PCT, Hrv, hrv_window
from device_pipeline.metrics.registry import WINDOW
from tests.device_pipeline.annotated import beat_samples, beats_at, read_annotation

FIVE_MINUTES_NS = 300 * 10**9


def steady_beats(seconds: float, seed: int = 0) -> list[Beat]:
    rr_s = np.random.default_rng(seed).normal(0.8, 0.02, int(seconds / 0.8) + 1)
    times_s = np.cumsum(rr_s)
    return beats_at(times_s[times_s < seconds])


def test_a_good_window_has_every_metric() -> None:
    hrv = hrv_window(0, FIVE_MINUTES_NS, steady_beats(300), 1.0)
    assert hrv.reason is None
    assert hrv.values is not None
    assert list(hrv.values) == [metric.name for metric in WINDOW]
    assert hrv.values["rmssd_ms"] == pytest.approx(0.02 * np.sqrt(2) * 1000, rel=0.1)
    assert hrv.corrected_pct is not None
    assert hrv.corrected_pct < 1


def test_the_window_says_what_it_stands_for() -> None:
    beats = steady_beats(300)
    hrv = hrv_window(0, FIVE_MINUTES_NS, beats, 1.0)
    assert (hrv.start_ns, hrv.length_ns, hrv.n_beats) == (0, FIVE_MINUTES_NS, len(beats))
    assert hrv.method == "lipponen-tarvainen-2019/leave-out-2"


@pytest.mark.parametrize(
    ("beats", "good_fraction", "reason"),
    [
        pytest.param([], 0.0, "no_data", id="nothing"),
        pytest.param([], 0.3, "poor_signal", id="poor, no beats"),
        pytest.param([], 1.0, "too_few_beats", id="good, no beats"),
        pytest.param(steady_beats(300), 0.49, "poor_signal", id="half is poor"),
        pytest.param(steady_beats(140), 1.0, "too_few_beats", id="half has no beats"),
        pytest.param([Beat(10**9, BeatSource.RR, None)], 1.0, "too_few_beats", id="one beat"),
    ],
)
def test_a_window_that_cannot_stand_for_itself_says_why(beats: list[Beat], good_fraction: float, reason: str) -> None:
    hrv = hrv_window(0, FIVE_MINUTES_NS, beats, good_fraction)
    assert hrv.reason == reason
    assert hrv.values is None


def test_bigeminy_is_called_irregular() -> None:
    times_s = np.cumsum(np.tile([0.55, 1.05], 187))
    hrv = hrv_window(0, FIVE_MINUTES_NS, beats_at(times_s[times_s < 300]), 1.0)
    assert hrv.reason == "irregular"
    assert hrv.values is None
    assert hrv.corrected_pct is not None
    assert hrv.corrected_pct > MOST_CORRECTED_PCT


def test_atrial_fibrillation_is_not_corrected_into_regularity() -> None:
    irregular = valued = 0
    for record in ("04015", "04126", "05261", "06426", "08215"):
        starts, _, rhythms = read_annotation("afdb", record, "atr")
        beats_s = read_annotation("afdb", record, "qrs")[0] / 250.0
        ends = np.append(starts[1:], int(beats_s[-1] * 250))
        for start, end, rhythm in zip(starts.tolist(), ends.tolist(), rhythms.tolist(), strict=True):
            if rhythm != "(AFIB":
                continue
            for start_s in range(start // 250 + 1, end // 250 - 300, 900):
                inside = beats_s[(beats_s >= start_s) & (beats_s < start_s + 300)]
                hrv = hrv_window(start_s * 10**9, FIVE_MINUTES_NS, beats_at(inside), 1.0)
                irregular += hrv.reason == "irregular"
                valued += hrv.values is not None
    assert irregular + valued > 40
    assert irregular / (irregular + valued) > 0.85


def test_sinus_rhythm_over_a_whole_day_is_never_called_irregular() -> None:
    samples, _ = beat_samples("nsrdb", "16786", "atr")
    times_s = samples / 128.0
    windows = [
        hrv_window(start_s * 10**9, FIVE_MINUTES_NS, beats_at(times_s[np.searchsorted(times_s, start_s) :][:n]), 1.0)
        for start_s in range(0, int(times_s[-1]) - 300, 300)
        if (n := int(np.searchsorted(times_s, start_s + 300) - np.searchsorted(times_s, start_s)))
    ]
    assert len(windows) > 250
    assert not [window for window in windows if window.reason == "irregular"]
    assert sum(window.values is not None for window in windows) > 0.98 * len(windows)


def test_a_beat_outside_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="window 0 "):
        hrv_window(0, 10**9, beats_at(np.array([0.5, 1.0])), 1.0)


def test_nothing_of_the_heart_shows_in_a_repr() -> None:
    hrv = Hrv(0, FIVE_MINUTES_NS, 377, 0.0, "m", {"rmssd_ms": 27.0}, None)
    assert "377" not in repr(hrv)
    assert "27" not in repr(hrv)


def test_less_than_a_minute_gives_no_value() -> None:
    beats = [Beat(k * 10**9, BeatSource.ECG, 1.0) for k in range(1, 59)]
    told = hrv_window(0, 59 * 10**9, beats, 1.0)
    assert told.values is None
    assert told.reason == "too_short"
