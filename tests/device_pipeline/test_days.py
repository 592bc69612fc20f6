"""A day's numbers come from its own night, of sessions whose clock was right, and of those alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from device_pipeline.baseline.day_number import DayNumber, day_numbers
from device_pipeline.baseline.day_verdict import DayVerdict, Said
from device_pipeline.baseline.days import Days, days_up_to
from device_pipeline.baseline.wearer_day import WearerDay
from device_pipeline.beat import BeatSource
from device_pipeline.clock import ManualClock
from device_pipeline.store import days as day_store
from device_pipeline.store.retention import keep_raw_days
from device_pipeline.store.store import Store, open_store
from tests.device_pipeline.wearer_nights import keep_night, nth

HOUR_NS = 3600 * 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def at(folder: Path, now_ns: int) -> Store:
    return open_store(folder, ManualClock(now_ns, 0))


def numbers(folder: Path, day: date, now_ns: int | None = None) -> dict[str, DayNumber]:
    now_ns = WearerDay.of(day).end_ns if now_ns is None else now_ns
    with at(folder, now_ns).reader() as db:
        return {number.name: number for number in day_numbers(db, WearerDay.of(day), now_ns)}


def up_to(folder: Path, now_ns: int) -> Days:
    with at(folder, now_ns).reader() as db:
        found = days_up_to(db, now_ns, day_store.stored_numbers(db))
    assert found is not None
    return found


def verdict(folder: Path, day: date) -> DayVerdict:
    return up_to(folder, WearerDay.of(day).end_ns).verdict


def test_each_number_of_a_night_is_what_its_windows_say(folder: Path) -> None:
    keep_night(folder, nth(0))
    found = numbers(folder, nth(0))
    assert found["resting_hr_bpm"].value == pytest.approx(58 + 4 - 1.375, abs=0.15)  # the lowest tenth of the swing
    assert found["rmssd_ms"].value == pytest.approx(42, abs=0.2)
    assert found["respiration_bpm"].value == pytest.approx(14.5, abs=0.05)
    assert found["temperature_c"].value == 34.6
    assert found["steps"].value == 66 * 120
    assert found["spo2_pct"] == DayNumber("spo2_pct", None, None, 0, "no_data")
    assert found["rmssd_ms"].method == "ecg made/1, median/1"
    assert found["resting_hr_bpm"].method == "ecg windows of 10 s, tenth/1"
    assert found["temperature_c"].method == "skin, median/1"


def test_a_night_that_was_worn_too_little_has_no_number_but_a_reason(folder: Path) -> None:
    keep_night(folder, nth(0), hours=2.5, steps=None)
    found = numbers(folder, nth(0))
    assert {found[name].reason for name in ("resting_hr_bpm", "rmssd_ms", "temperature_c")} == {"too_little_wear"}
    assert found["steps"].reason == "no_data"
    said = verdict(folder, nth(0))
    assert (said.said, said.reason) == (Said.NOTHING, "too_little_wear")


def test_what_a_clock_that_was_not_right_stamped_belongs_to_no_day(folder: Path) -> None:
    keep_night(folder, nth(0), synchronised=False)
    assert all(number.reason == "no_data" for number in numbers(folder, nth(0)).values())
    with at(folder, WearerDay.of(nth(0)).end_ns).reader() as db:
        assert days_up_to(db, WearerDay.of(nth(0)).end_ns, {}) is None


def test_before_its_morning_a_day_has_no_numbers_and_before_its_end_no_steps(folder: Path) -> None:
    keep_night(folder, nth(0))
    bounds = WearerDay.of(nth(0))
    assert {n.reason for n in numbers(folder, nth(0), bounds.morning_ns - 1).values()} == {"not_over"}
    by_noon = numbers(folder, nth(0), bounds.morning_ns + 3 * HOUR_NS)
    assert by_noon["steps"].reason == "not_over"
    assert by_noon["rmssd_ms"].value is not None


def test_two_sensors_at_once_do_not_count_a_step_twice(folder: Path) -> None:
    keep_night(folder, nth(0), steps=8000)
    keep_night(folder, nth(0), steps=7200, source=BeatSource.PPG, hours=4)
    found = numbers(folder, nth(0))
    assert found["steps"].value == 66 * 120
    assert found["resting_hr_bpm"].method == "ecg windows of 10 s, tenth/1"  # which more of the night has


def test_four_nights_are_asked_for_and_counted(folder: Path) -> None:
    for k in range(4):
        keep_night(folder, nth(k), hr_bpm=58 + k % 2)
        said = verdict(folder, nth(k))
        assert (said.said, said.nights, said.reason) == (Said.LEARNING, k, "too_few_days")
    keep_night(folder, nth(4))
    said = verdict(folder, nth(4))
    assert (said.said, said.nights, said.whole) == (Said.USUAL, 4, True)


def test_an_unlike_night_is_unusual_and_says_by_what(folder: Path) -> None:
    for k in range(8):
        keep_night(folder, nth(k), hr_bpm=58 + k % 3, rmssd_ms=42 - 2 * (k % 3), steps=8000 + 600 * (k % 2))
    keep_night(folder, nth(8), hr_bpm=69, rmssd_ms=27, temperature_c=35.7)
    said = verdict(folder, nth(8))
    assert said.said is Said.UNUSUAL
    sides = {number.name: number.side for number in said.numbers}
    assert (sides["resting_hr_bpm"], sides["rmssd_ms"], sides["temperature_c"]) == ("above", "below", "above")
    assert sides["steps"] == "within"
    assert sides["spo2_pct"] is None


def test_another_method_begins_a_new_baseline_for_its_number_alone_and_says_so(folder: Path) -> None:
    for k in range(6):
        keep_night(folder, nth(k))
    keep_night(folder, nth(6), method="made/2", rmssd_ms=12.0)
    told = {number.name: number for number in verdict(folder, nth(6)).numbers}
    assert (told["rmssd_ms"].days, told["rmssd_ms"].side) == (0, None)
    assert told["rmssd_ms"].changed == "ecg made/1, median/1"
    assert (told["resting_hr_bpm"].days, told["resting_hr_bpm"].changed) == (6, None)
    assert verdict(folder, nth(6)).said is Said.USUAL
    keep_night(folder, nth(7))  # and back: its own days count again
    told = {number.name: number for number in verdict(folder, nth(7)).numbers}
    assert (told["rmssd_ms"].days, told["rmssd_ms"].changed) == (6, "ecg made/2, median/1")


def test_another_sensor_is_another_method(folder: Path) -> None:
    for k in range(5):
        keep_night(folder, nth(k))
    keep_night(folder, nth(5), source=BeatSource.PPG)
    told = {number.name: number for number in verdict(folder, nth(5)).numbers}
    assert {name for name, number in told.items() if number.changed} == {"resting_hr_bpm", "rmssd_ms"}


def test_a_missing_night_is_absent_and_never_a_zero(folder: Path) -> None:
    for k in (0, 1, 3, 4, 5):
        keep_night(folder, nth(k), temperature_c=None if k == 3 else 34.6)
    told = {number.name: number for number in verdict(folder, nth(5)).numbers}
    assert (told["resting_hr_bpm"].days, told["temperature_c"].days) == (4, 3)
    assert told["temperature_c"].side is None


def test_stored_numbers_are_taken_as_they_are_until_something_is_added_to_their_day(folder: Path) -> None:
    for k in range(2):
        keep_night(folder, nth(k))
    later_ns = WearerDay.of(nth(1)).end_ns
    found = up_to(folder, later_ns)
    assert set(found.fresh) == {nth(0), nth(1)}
    with at(folder, later_ns).writer() as writer:
        day_store.store_numbers(writer, found.fresh, later_ns)
        day_store.store_verdict(writer, found.verdict)
    again = up_to(folder, later_ns)
    assert again.fresh == {}
    for day in (nth(0), nth(1)):
        assert sorted(found.numbers[day], key=lambda number: number.name) == again.numbers[day]
    keep_night(folder, nth(3))
    with at(folder, later_ns).writer() as writer:  # and something that was stored later, of an earlier night
        writer.db.execute("UPDATE sessions SET stored_ns = ? WHERE id = 1", (later_ns + 1,))
    assert set(up_to(folder, WearerDay.of(nth(3)).end_ns).fresh) == {nth(0), nth(3)}


def test_the_verdict_is_read_as_it_was_stored_and_outlives_the_raw_data(folder: Path) -> None:
    for k in range(6):
        keep_night(folder, nth(k))
    found = up_to(folder, WearerDay.of(nth(5)).end_ns)
    year_later = at(folder, WearerDay.of(nth(370)).end_ns)
    with year_later.writer() as writer:
        day_store.store_numbers(writer, found.fresh, year_later.clock.now_ns())
        day_store.store_verdict(writer, found.verdict)
        assert keep_raw_days(writer, 30, year_later.clock.now_ns()).readings
    with year_later.reader() as db:
        assert day_store.latest_verdict(db) == found.verdict
        assert len(day_store.stored_numbers(db)) == 6


def test_a_night_lasts_from_evening_to_morning_also_when_the_clocks_change() -> None:
    for k in range(-200, 200):
        bounds = WearerDay.of(nth(k))
        assert bounds.night_ns < bounds.start_ns < bounds.morning_ns < bounds.end_ns
        assert bounds.end_ns == WearerDay.of(nth(k + 1)).start_ns
        assert 11 <= (bounds.morning_ns - bounds.night_ns) / HOUR_NS <= 13
