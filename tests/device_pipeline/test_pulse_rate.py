"""The heart rate of pulse waves: right at rest and in motion, and none where there is no pulse or no saying."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.beat import BeatSource
from device_pipeline.config import Limits
from device_pipeline.pulse_rate import DELAY_S, MIN_INDEX_MOVING
from device_pipeline.run import Pipeline
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, GapReason, Kind, Samples

Floats = NDArray[np.float64]

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"
SECOND_NS = 1_000_000_000
FS_HZ = 50.0


def channel(kind: Kind, name: str, values: Floats, fs_hz: float = FS_HZ, start_s: float = 0) -> Samples:
    return Samples(kind, name, fs_hz, round(start_s * SECOND_NS), SECOND_NS / fs_hz, 0, values)


def wrist() -> tuple[Floats, Floats]:
    with (RECORDINGS / "wrist_ppg.csv").open() as file:
        rows = np.array([[float(row[c]) for c in ("ppg", "acc_x", "acc_y", "acc_z")] for row in csv.DictReader(file)])
    return rows[:, 0].copy(), rows[:, 1:].copy()


def wrist_truth_bpm(start_s: float) -> float:
    truth = json.loads((RECORDINGS / "wrist_ppg.truth.json").read_text())
    rr_s = [
        beat["rr_ns"] / SECOND_NS
        for beat in truth["beats"]
        if beat["rr_ns"]
        and beat["upstroke_ns"] - beat["rr_ns"] >= start_s * SECOND_NS
        and beat["upstroke_ns"] < (start_s + 8) * SECOND_NS
    ]
    return float(60 * len(rr_s) / sum(rr_s))


def told(*items: Samples | Gap, acc: bool = False, second: bool = False) -> list[HeartRate]:
    pipeline = Pipeline(
        Limits(),
        channel="ppg",
        live=False,
        acc_channel="acc" if acc else None,
        second_ppg="ppg_2" if second else None,
    )
    pipeline.begin(0)
    found = [finding for item in items for finding in pipeline.push(item)]
    return [f for f in [*found, *pipeline.flush()] if isinstance(f, HeartRate)]


def pulse(bpm: float, seconds: float, fs_hz: float = FS_HZ) -> Floats:
    phase = np.arange(round(seconds * fs_hz)) / fs_hz * bpm / 60 % 1
    return np.asarray(1000 * (np.exp(-((phase - 0.2) ** 2) / 0.008) + 0.4 * np.exp(-((phase - 0.5) ** 2) / 0.01)))


def test_walking_the_rate_is_the_hearts_and_not_the_strides() -> None:
    ppg, acc_g = wrist()
    rates = told(channel(Kind.PPG, "ppg", ppg), channel(Kind.ACC, "acc", acc_g), acc=True)
    walking = [rate for rate in rates if 80 <= rate.start_ns / SECOND_NS <= 122]
    errors = [abs(r.bpm - wrist_truth_bpm(r.start_ns / SECOND_NS)) for r in walking if r.bpm is not None]
    assert len(errors) >= 0.9 * len(walking)
    assert np.mean(errors) < 1.5
    assert max(errors) < 4


def test_at_rest_one_wave_is_enough() -> None:
    ppg, _ = wrist()
    rates = told(channel(Kind.PPG, "ppg", ppg[: round(80 * FS_HZ)]))
    errors = [abs(r.bpm - wrist_truth_bpm(r.start_ns / SECOND_NS)) for r in rates if r.bpm is not None]
    assert len(errors) >= 0.95 * len(rates)
    assert np.mean(errors) < 0.5


def test_every_window_of_the_grid_is_told_once_and_in_order() -> None:
    ppg, acc_g = wrist()
    rates = told(channel(Kind.PPG, "ppg", ppg), channel(Kind.ACC, "acc", acc_g), acc=True)
    assert [rate.start_ns for rate in rates] == [2 * SECOND_NS * k for k in range(77)]
    assert {rate.length_ns for rate in rates} == {8 * SECOND_NS}
    assert all((rate.bpm is None) == (rate.reason is not None) for rate in rates)
    assert all(rate.source is BeatSource.PPG for rate in rates)
    assert all(rate.bpm is None or (rate.quality is not None and rate.quality >= MIN_INDEX_MOVING) for rate in rates)


def test_a_window_is_told_once_what_comes_after_it_is_known_and_no_later() -> None:
    ppg, _ = wrist()
    pipeline = Pipeline(Limits(), channel="ppg", live=False)
    for second in range(60):
        block = channel(Kind.PPG, "ppg", ppg).cut(round(second * FS_HZ), round((second + 1) * FS_HZ))
        for rate in (f for f in pipeline.push(block) if isinstance(f, HeartRate)):
            late_s = second + 1 - (rate.start_ns + rate.length_ns) / SECOND_NS
            assert DELAY_S <= late_s <= DELAY_S + 8


def test_noise_has_no_heart_rate() -> None:
    shares = []
    for seed in (1, 2, 3):
        noise = np.random.default_rng(seed).normal(size=round(120 * FS_HZ))
        for kind in (noise, np.cumsum(noise), np.convolve(noise, np.hanning(40), "same")):
            rates = told(channel(Kind.PPG, "ppg", 100 * kind))
            shares.append(np.mean([rate.bpm is not None for rate in rates]))
    assert max(shares) < 0.2
    assert np.mean(shares) < 0.05


def test_a_stride_without_a_pulse_is_not_taken_for_one() -> None:
    rng = np.random.default_rng(5)
    t_s = np.arange(round(120 * FS_HZ)) / FS_HZ
    phase = 2 * np.pi * 1.7 * t_s + 0.3 * np.sin(0.3 * t_s)
    acc_g = np.stack((0.4 * np.sin(phase), 0.2 * np.sin(2 * phase + 1), 1 + 0.3 * np.cos(phase)), axis=1)
    acc_g += 0.02 * rng.normal(size=acc_g.shape)
    ppg = 100 * (np.sin(phase - 0.4) + 0.3 * np.sin(2 * phase)) + 20 * rng.normal(size=len(t_s))
    rates = told(channel(Kind.PPG, "ppg", ppg), channel(Kind.ACC, "acc", acc_g), acc=True)
    wrong = [rate for rate in rates if rate.bpm is not None]
    assert len(wrong) < 0.1 * len(rates)
    assert {rate.reason for rate in rates if rate.bpm is None} <= {"motion", "unsure", "noise"}


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_unit_and_offset_of_the_wave_do_not_matter(scale: float, offset: float) -> None:
    rng = np.random.default_rng(2)
    wave = pulse(72, 60)
    wave += 30 * rng.normal(size=len(wave))
    rates = told(channel(Kind.PPG, "ppg", wave * scale + offset * scale))
    assert np.mean([rate.bpm is not None and abs(rate.bpm - 72) < 1.5 for rate in rates]) > 0.9


def test_a_second_wave_that_is_flat_or_missing_takes_nothing_away() -> None:
    wave = channel(Kind.PPG, "ppg", pulse(66, 60) + np.random.default_rng(1).normal(size=3000) * 20)
    flat = channel(Kind.PPG, "ppg_2", np.full(3000, 5.0))
    missing = Gap("ppg_2", 0, 60 * SECOND_NS, GapReason.MISSING)
    for second in (flat, missing):
        rates = told(wave, second, second=True)
        assert len(rates) == 27
        assert np.mean([rate.bpm is not None and abs(rate.bpm - 66) < 1.5 for rate in rates]) > 0.9


def test_what_was_not_measured_has_no_rate_and_says_why() -> None:
    gap = Gap("ppg", 60 * SECOND_NS, 120 * SECOND_NS, GapReason.MISSING)
    first, second = pulse(60, 60), pulse(110, 60)
    rates = told(channel(Kind.PPG, "ppg", first), gap, channel(Kind.PPG, "ppg", second, start_s=120))
    inside = [rate for rate in rates if 60 <= rate.start_ns / SECOND_NS <= 112]
    assert all(rate.bpm is None and rate.reason == "missing" for rate in inside)
    after = [rate.bpm for rate in rates if rate.start_ns / SECOND_NS >= 126]
    assert after and all(bpm is not None and abs(bpm - 110) < 2 for bpm in after), "what was before is forgotten"


def test_a_flat_line_is_a_fault_and_no_slow_heart() -> None:
    rates = told(channel(Kind.PPG, "ppg", np.concatenate((pulse(60, 40), np.full(2000, 7.0)))))
    flat = [rate for rate in rates if rate.start_ns >= 42 * SECOND_NS]
    assert flat
    assert all(rate.bpm is None and rate.reason == "flat_line" for rate in flat)
