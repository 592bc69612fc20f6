"""Two colours give the ratio of ratios that was put into them, and no saturation where there is no clean pulse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.oximetry.ratio import METHOD, ratio_of_ratios
from device_pipeline.oximetry.saturation import Saturation
from device_pipeline.oximetry.spo2 import Spo2
from fixtures.ppg_model import pulse
from sensors.files.open import open_source
from sensors.samples import Gap, GapReason, Item, Quantity, Reading, Samples

S = 1_000_000_000
RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"
Floats = NDArray[np.float64]


def light(
    fs_hz: float, rate_bpm: float, ratio: float, perfusion: float = 0.012, noise: float = 0.0, seed: int = 1
) -> tuple[Floats, Floats]:
    """Ten seconds of red and infrared through a finger."""
    rng = np.random.default_rng(seed)
    t_s = np.arange(round(10 * fs_hz)) / fs_hz
    wave, foot_s = np.zeros(len(t_s)), -2.0
    while foot_s < 10:
        rr_s = 60 / rate_bpm * (1 + 0.02 * rng.normal())
        wave += pulse(t_s - foot_s, rr_s)
        foot_s += rr_s
    breath = 0.003 * np.sin(2 * np.pi * 0.25 * t_s)
    red = 60_000 * (1 - ratio * perfusion * wave + breath + noise * rng.normal(size=len(t_s)))
    infrared = 90_000 * (1 - perfusion * wave + breath + noise * rng.normal(size=len(t_s)))
    return red, infrared


@pytest.mark.parametrize("fs_hz", [25.0, 64.0, 100.0, 400.0])
@pytest.mark.parametrize("rate_bpm", [45.0, 70.0, 120.0, 180.0])
@pytest.mark.parametrize("ratio", [0.45, 0.8, 1.2, 1.5])
def test_the_ratio_that_was_put_in_comes_out(fs_hz: float, rate_bpm: float, ratio: float) -> None:
    found = ratio_of_ratios(*light(fs_hz, rate_bpm, ratio), fs_hz)
    assert found.ratio == pytest.approx(ratio, abs=0.02)
    assert found.spo2_pct == pytest.approx(110 - 25 * ratio, abs=0.5)
    assert found.reason is None
    assert found.quality > 0.5


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_a_weak_colour_does_not_make_blood_look_darker(seed: int) -> None:
    found = ratio_of_ratios(*light(100.0, 70.0, 0.5, noise=3e-4, seed=seed), 100.0)
    assert found.spo2_pct == pytest.approx(97.5, abs=1.0)


def test_without_perfusion_there_is_no_number() -> None:
    found = ratio_of_ratios(*light(50.0, 70.0, 0.6, perfusion=0.001, noise=1e-5), 50.0)
    assert (found.spo2_pct, found.reason) == (None, "low_perfusion")
    flat = np.full(500, 1000.0)
    assert ratio_of_ratios(flat + np.arange(500) * 1e-9, flat + np.arange(500) * 1e-9, 50.0).spo2_pct is None


def test_noise_alone_is_no_number() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        red, infrared = (10_000 * (1 + 0.01 * rng.normal(size=1000)) for _ in range(2))
        assert ratio_of_ratios(red, infrared, 100.0).spo2_pct is None


def test_colours_that_disagree_are_no_number() -> None:
    red, infrared = light(50.0, 70.0, 0.6)
    other, _ = light(50.0, 95.0, 0.6, seed=4)
    found = ratio_of_ratios(other, infrared, 50.0)
    assert (found.spo2_pct, found.reason) == (None, "disagreement")
    changed = np.concatenate((red[:250], light(50.0, 70.0, 1.1)[0][250:]))
    assert ratio_of_ratios(changed, infrared, 50.0).reason == "disagreement"


def test_a_wave_without_its_level_is_no_number() -> None:
    red, infrared = light(50.0, 70.0, 0.6)
    assert ratio_of_ratios(red - red.mean(), infrared - infrared.mean(), 50.0).reason == "no_level"
    assert ratio_of_ratios(red - 0.99 * red.mean(), infrared - 0.99 * infrared.mean(), 50.0).reason == "no_level"


def test_a_clipped_colour_is_no_number() -> None:
    red, infrared = light(50.0, 70.0, 0.6)
    assert ratio_of_ratios(np.minimum(red, np.quantile(red, 0.7)), infrared, 50.0).reason == "clipped"


@pytest.mark.parametrize("ratio", [0.25, 1.8])
def test_beyond_the_curve_there_is_no_number(ratio: float) -> None:
    assert ratio_of_ratios(*light(50.0, 70.0, ratio), 50.0).reason == "out_of_range"


def _told(items: list[Item]) -> list[Spo2]:
    side = Saturation(origin_ns=0, live=False)
    side.begin(0)
    told = [finding for item in items for finding in side.push(item)]
    told += side.flush(150 * S)
    return [finding for finding in told if isinstance(finding, Spo2)]


def _fixture() -> list[Item]:
    items = open_source(RECORDINGS / "two_colours.csv").items()
    return [item for item in items if isinstance(item, Samples | Reading | Gap)]


def test_the_fixture_is_read_as_its_truth_says() -> None:
    truth = json.loads((RECORDINGS / "two_colours.truth.json").read_text("ascii"))
    told = _told(_fixture())
    assert len(told) == 15
    assert {window.method for window in told} == {METHOD}
    assert "uncalibrated" in METHOD
    for window in told:
        (part,) = [p for p in truth["parts"] if p["start_ns"] <= window.start_ns < p["end_ns"]]
        hidden = [e["kind"] for e in truth["episodes"] if e["start_ns"] <= window.start_ns < e["end_ns"]]
        if hidden:
            assert (window.spo2_pct, window.reason) == (None, hidden[0])
        else:
            assert window.spo2_pct == pytest.approx(110 - 25 * part["ratio"], abs=0.6)


def test_an_oximeter_leads_and_is_never_mixed_with_two_colours() -> None:
    readings: list[Item] = [Reading(Quantity.SPO2, "spo2", s * S, 95.0) for s in range(150)]
    for items in ([*readings, *_fixture()], [*_fixture()[:3], *readings[:60], *_fixture()[3:], *readings[60:]]):
        told = _told(items)
        assert {window.method for window in told} == {"oximeter"}


def test_missing_samples_of_one_colour_leave_the_window_empty() -> None:
    items: list[Item] = []
    for item in _fixture():
        if isinstance(item, Samples) and item.channel == "ppg_red" and item.start_ns == 0:
            items += [item.cut(0, 500), Gap("ppg_red", 20 * S, 30 * S, GapReason.MISSING), item.cut(750, len(item))]
        else:
            items.append(item)
    told = {window.start_ns // S: window for window in _told(items)}
    assert told[20].reason == "missing" and told[20].quality is None
    assert told[10].spo2_pct is not None and told[30].spo2_pct is not None
