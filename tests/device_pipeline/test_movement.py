"""Steps, level and posture of each minute, and nothing of a sensor that is not worn, broken or not there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from device_pipeline.motion.activity import Activity, Level, Posture
from device_pipeline.motion.movement import Movement
from device_pipeline.motion.quality_acc import quality
from sensors.files.open import open_source
from sensors.samples import Gap, GapReason, Item, Kind, Samples
from tests.data import shared_data
from tests.laws.cuts import cut_items, random_lengths, singles

S = 1_000_000_000
RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"
Floats = NDArray[np.float64]


def acceleration(values: Floats, fs_hz: float = 50.0, start_s: float = 0.0) -> Samples:
    return Samples(Kind.ACC, "acc", fs_hz, round(start_s * S), S / fs_hz, 0, values)


def electrodes() -> Samples:
    return Samples(Kind.ECG, "ecg", 130.0, 0, S / 130, 0, np.zeros(1))


def gait(seconds: int, cadence_hz: float, swing_g: float, fs_hz: float = 50.0, stride_g: float = 0.0) -> Floats:
    rng = np.random.default_rng(1)
    t = np.arange(round(seconds * fs_hz)) / fs_hz
    phase = 2 * np.pi * cadence_hz * t
    up = 1 + swing_g * (np.sin(phase) + 0.3 * np.sin(2 * phase + 1)) + stride_g * np.sin(phase / 2)
    return np.stack([0.05 * np.sin(phase / 2), up, 0.1 * swing_g * np.cos(phase)], 1) + 0.01 * rng.normal(
        size=(len(t), 3)
    )


def resting(seconds: int, fs_hz: float = 50.0, way: tuple[float, float, float] = (0, 1, 0)) -> Floats:
    """A chest that breathes."""
    rng = np.random.default_rng(2)
    t = np.arange(round(seconds * fs_hz)) / fs_hz
    return np.asarray(way) + 0.012 * np.sin(2 * np.pi * 0.25 * t)[:, None] + 0.004 * rng.normal(size=(len(t), 3))


def told(items: list[Item], end_s: float) -> list[Activity]:
    side = Movement(origin_ns=0, live=False)
    side.begin(0)
    out = [finding for item in items for finding in side.push(item)]
    return [*out, *side.flush(round(end_s * S))]


def minute(values: Floats, fs_hz: float = 50.0) -> Activity:
    (window,) = told([acceleration(values, fs_hz)], len(values) / fs_hz)
    return window


@pytest.mark.parametrize("fs_hz", [10.0, 26.0, 50.0, 104.0, 208.0, 400.0])
@pytest.mark.parametrize(("cadence_hz", "swing_g"), [(1.5, 0.12), (1.9, 0.2), (2.7, 0.7)])
def test_steps_are_counted_at_any_rate(fs_hz: float, cadence_hz: float, swing_g: float) -> None:
    window = minute(gait(60, cadence_hz, swing_g, fs_hz), fs_hz)
    assert window.steps == pytest.approx(60 * cadence_hz, abs=2)


def test_a_swinging_arm_in_a_run_does_not_halve_the_steps() -> None:
    assert minute(gait(60, 2.8, 0.5, stride_g=0.5)).steps == pytest.approx(168, abs=4)


def test_a_part_of_a_minute_counts_as_far_as_it_goes() -> None:
    values = np.concatenate((resting(20), gait(25, 1.8, 0.2), resting(15)))
    assert minute(values).steps == pytest.approx(45, abs=6)


@pytest.mark.parametrize("seed", range(5))
def test_fidgeting_is_no_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = np.arange(3000) / 50
    jerks = np.zeros((3000, 3))
    for at in rng.uniform(0, 60, 25):
        jerks += rng.normal(0, 0.5, 3) * np.exp(-(((t - at) / 0.15) ** 2))[:, None]
    assert minute(resting(60) + jerks).steps == 0
    assert minute(resting(60) + 0.2 * rng.normal(size=(3000, 3))).steps == 0


def test_levels_grow_with_motion() -> None:
    levels = [minute(resting(60)).level, *(minute(gait(60, 2.0, g)).level for g in (0.05, 0.25, 0.9))]
    assert levels == [Level.STILL, Level.LIGHT, Level.MODERATE, Level.VIGOROUS]


def test_the_levels_do_not_depend_on_how_well_the_sensor_knows_gravity() -> None:
    for scale in (0.94, 1.0, 1.06):
        assert minute(resting(60) * scale).level is Level.STILL


def test_without_a_chest_there_is_no_posture() -> None:
    assert minute(resting(60)).posture is None
    assert minute(gait(60, 1.8, 0.2)).posture is None


def test_the_fixture_is_read_as_its_truth_says() -> None:
    truth = json.loads((RECORDINGS / "chest_motion.truth.json").read_text("ascii"))
    blocks = [item for item in open_source(RECORDINGS / "chest_motion.csv").items() if isinstance(item, Samples)]
    windows = told([electrodes(), *blocks], 1260)
    assert len(windows) == 21
    for part in truth["parts"]:
        mine = [w for w in windows if part["start_ns"] <= w.start_ns < part["end_ns"]]
        if part["name"] == "off_body":
            assert {(w.steps, w.level, w.posture, w.reason) for w in mine} == {(None, None, None, "off_body")}
            continue
        assert sum(w.steps or 0 for w in mine) == pytest.approx(part["steps"], abs=3)
        expected = "upright" if part["name"] in ("walk", "run") else part["name"]
        # before the first walk nobody knows which way the strap hangs
        assert {w.posture for w in mine} == ({None} if part["start_ns"] == 0 else {Posture(expected)})


def test_lying_flat_is_known_before_the_first_step_and_nothing_else_is() -> None:
    ways: dict[tuple[float, float, float], Posture | None] = {
        (0, 0, 1): Posture.SUPINE,
        (0, 0, -1): Posture.PRONE,
        (0, 1, 0): None,
        (1, 0, 0): None,
        (0.7, 0, 0.7): None,
    }
    for way, posture in ways.items():
        (window,) = told([electrodes(), acceleration(resting(60, way=way))], 60)
        assert window.posture is posture


def test_a_reclined_trunk_is_neither_upright_nor_lying() -> None:
    reclined = resting(60, way=(0, float(np.cos(np.radians(48))), float(np.sin(np.radians(48)))))
    items: list[Item] = [electrodes(), acceleration(gait(60, 1.8, 0.2)), acceleration(reclined, start_s=60)]
    assert [w.posture for w in told(items, 120)] == [Posture.UPRIGHT, None]


def test_a_sensor_on_a_table_is_off_body_from_its_first_minute_there() -> None:
    rng = np.random.default_rng(3)
    table = np.asarray((0, 0, 1)) + 0.002 * rng.normal(size=(12 * 3000, 3))
    items: list[Item] = [
        acceleration(resting(120)),
        acceleration(table, start_s=120),
        acceleration(resting(60), start_s=840),
    ]
    windows = told(items, 900)
    assert [w.start_ns // (60 * S) for w in windows] == list(range(15))
    assert [w.reason for w in windows] == [None] * 2 + ["off_body"] * 12 + [None]


def test_a_sleeper_is_worn() -> None:
    assert {w.reason for w in told([acceleration(resting(1800))], 1800)} == {None}


def test_a_few_dead_minutes_are_still_and_not_lost() -> None:
    rng = np.random.default_rng(3)
    table = np.asarray((0, 0, 1)) + 0.002 * rng.normal(size=(5 * 3000, 3))
    for items in ([acceleration(table)], [acceleration(table), acceleration(resting(60), start_s=300)]):
        windows = told(list(items), 300 + 60 * (len(items) - 1))
        assert [w.level for w in windows] == [Level.STILL] * len(windows)
        assert len(windows) == 4 + len(items)


def test_an_hour_without_a_stir_is_off_body_from_then_on() -> None:
    t = np.arange(65 * 600) / 10
    faint = np.asarray((0.0, 0.0, 1.0)) + 0.008 * np.sin(2 * np.pi * 0.2 * t)[:, None]
    windows = told([acceleration(faint + 1e-4 * np.sin(9 * t)[:, None], 10.0)], 3900)
    assert [w.reason for w in windows] == [None] * 60 + ["off_body"] * 5


def test_a_gap_says_why_there_is_nothing() -> None:
    items: list[Item] = [
        acceleration(resting(70)),
        Gap("acc", 70 * S, 170 * S, GapReason.LINK_LOST),
        acceleration(resting(70), start_s=170),
    ]
    windows = told(items, 240)
    assert [w.reason for w in windows] == [None, "link_lost", "link_lost", None]
    assert windows[1].quality == pytest.approx(1 / 6, abs=0.01)


def test_quality_knows_saturation_a_stuck_axis_and_a_constant() -> None:
    running = gait(60, 2.7, 0.9)
    assert quality(running, 1.0) == (1.0, None)
    assert quality(running, 0.7) == (0.7, None)
    clipped = np.clip(running * 2, -2, 2)
    index, reason = quality(clipped, 1.0)
    assert (index < 0.5, reason) == (True, "saturated")
    stuck = running.copy()
    stuck[:, 2] = -2.0
    assert quality(stuck, 1.0) == (0.0, "stuck_axis")
    assert quality(np.ones((100, 3)), 1.0) == (0.0, "flat_line")
    assert quality(running * 1000, 1.0) == (0.0, "out_of_range")


def test_what_is_not_good_has_no_value() -> None:
    window = minute(gait(60, 2.7, 0.9) * 1000)
    assert (window.steps, window.level, window.posture, window.reason) == (None, None, None, "out_of_range")


def test_nothing_is_told_where_no_accelerometer_ever_spoke() -> None:
    assert told([electrodes(), Gap(None, 0, 60 * S, GapReason.SILENT)], 600) == []


def test_the_windows_do_not_depend_on_the_cut() -> None:
    values = np.concatenate((resting(30, 25.0), gait(70, 1.8, 0.2, 25.0), resting(50, 25.0)))
    whole = told([electrodes(), acceleration(values, 25.0)], 150)
    for lengths in (singles(), random_lengths(3, 400)):
        assert told(list(cut_items([electrodes(), acceleration(values, 25.0)], lengths)), 150) == whole


def test_runners_on_a_treadmill_run_at_the_cadence_of_runners() -> None:
    """No steps were counted there; people run at 8 to 15 km/h with some 140 to 185 steps a minute."""
    from scipy.io import loadmat

    found = []
    for number in (1, 2, 4, 7, 9, 11, 12):
        kind = 1 if number == 1 else 2
        path = shared_data("ieee_spc_2015", f"DATA_{number:02d}_TYPE{kind:02d}.mat")
        acc = np.ascontiguousarray(loadmat(path)["sig"][-3:].T, dtype=np.float64)
        windows = told([acceleration(acc, 125.0)], len(acc) / 125)
        found += [w.steps for w in windows[1:4]]
        assert all(w.level in (Level.MODERATE, Level.VIGOROUS) for w in windows[1:4])
    assert all(steps is not None and 140 <= steps <= 185 for steps in found)
