"""A day's summary is of that day alone: whatever another day's raw data become, it stays what it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import device_pipeline.day_summary as day_summary_module
from device_pipeline.clock import ManualClock
from device_pipeline.day_reader import bounds_ns, stored_day
from device_pipeline.day_summary import LEAST_SLICES, DaySummary, day_summary
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import SessionKind
from sensors.samples import Gap, GapReason, Item, Quantity, Reading

_S = 1_000_000_000
DAY = date(2026, 3, 28)
BERLIN = ZoneInfo("Europe/Berlin")  # its clocks change in the night after DAY
HOURS = 3.5
Parts = list[tuple[str, int, int, int]]


def intervals(start_ns: int, hours: float, rr_s: float, seed: int, irregular: bool = False) -> list[Item]:
    """What a strap notifies of a heart at rest, or of one in fibrillation."""
    chance = np.random.default_rng(seed)
    n = int(hours * 3600 / rr_s)
    spread = 0.22 if irregular else 0.02
    rr = np.clip(rr_s * (1 + spread * chance.standard_normal(n)), 0.35, 2.0)
    at = start_ns + np.cumsum(np.round(rr * 1e9)).astype(np.int64)
    return [Reading(Quantity.RR, "rr", int(t), float(s) * 1e3) for t, s in zip(at, rr, strict=True)]


def noon(day: date, zone: ZoneInfo = BERLIN) -> int:
    return bounds_ns(day, zone)[0] + 10 * 3600 * _S


def summary(items: Iterable[Item], day: date = DAY) -> DaySummary | None:
    return day_summary(day, *bounds_ns(day, BERLIN), [items])


def test_a_day_without_anything_stored_has_no_summary() -> None:
    assert day_summary(DAY, *bounds_ns(DAY, BERLIN), []) is None
    assert summary([]) is None


def test_a_resting_day_tells_its_rate_and_its_variability() -> None:
    found = summary(intervals(noon(DAY), HOURS, 1.0, 1))
    assert found is not None
    assert found.resting_hr_bpm == pytest.approx(60, abs=1)
    assert found.rmssd_ms == pytest.approx(28, rel=0.1)
    assert found.af_s == 0
    assert "60" not in repr(found)


def test_less_than_three_hours_tell_no_resting_rate() -> None:
    found = summary(intervals(noon(DAY), LEAST_SLICES / 12 - 0.5, 1.0, 2))
    assert found is not None
    assert found.resting_hr_bpm is None


def test_an_hour_in_fibrillation_is_counted_once_however_many_sensors_see_it() -> None:
    start_ns = noon(DAY)
    items = intervals(start_ns, 1.0, 0.7, 3, irregular=True)
    once = day_summary(DAY, *bounds_ns(DAY, BERLIN), [items])
    twice = day_summary(DAY, *bounds_ns(DAY, BERLIN), [items, items])
    assert once is not None
    assert once.af_s == pytest.approx(3600, rel=0.1)
    assert twice == once


def test_a_day_off_the_body_has_no_numbers() -> None:
    start_ns, end_ns = bounds_ns(DAY, BERLIN)
    found = summary([Gap(None, start_ns, end_ns, GapReason.OFF_BODY)])
    assert found == DaySummary(DAY, None, None, None)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "Pacific/Kiritimati"])
def test_days_follow_each_other_without_a_hole_where_the_clocks_change(zone: str) -> None:
    for k in range(3):
        day = DAY + timedelta(days=k)
        start_ns, end_ns = bounds_ns(day, ZoneInfo(zone))
        assert end_ns == bounds_ns(day + timedelta(days=1), ZoneInfo(zone))[0]
        assert (end_ns - start_ns) / 3600 / _S in (23, 24, 25)


def stored(
    folder: Path, days: dict[date, list[Item]], kind: SessionKind = SessionKind.LIVE, zone: ZoneInfo = BERLIN
) -> dict[date, object]:
    """One session that goes over all `days`; what each of them and the days around say."""
    store = open_store(folder, ManualClock(now_ns=noon(DAY)))
    with store.writer() as writer:
        writer.begin_session(kind, "strap", "0")
        for day in sorted(days):
            for item in days[day]:
                writer.add_item(item)
    with store.reader() as db:
        around = [min(days) + timedelta(days=k) for k in range(-1, len(days) + 1)]
        return {day: stored_day(db, day, zone) for day in around}


def test_replacing_one_day_of_raw_data_changes_no_other_summary(tmp_path: Path) -> None:
    """The middle day becomes nothing, an extreme, an outage; its neighbours reach up to midnight on both sides."""
    before, after = DAY, DAY + timedelta(days=2)
    middle = DAY + timedelta(days=1)  # 23 hours long
    late_ns = bounds_ns(before, BERLIN)[1] - round(HOURS * 3600) * _S
    days = {
        before: intervals(late_ns, HOURS * 0.999, 0.9, 4, irregular=True),
        middle: intervals(bounds_ns(middle, BERLIN)[0], HOURS, 1.0, 5),
        after: intervals(bounds_ns(after, BERLIN)[0], HOURS, 1.1, 6),
    }
    usual = stored(tmp_path / "usual", days)
    assert len({repr(vars_of(usual[day])) for day in days}) == 3
    extremes: dict[str, list[Item]] = {
        "nothing": [],
        "racing": intervals(bounds_ns(middle, BERLIN)[0], 1.0, 0.5, 7, irregular=True),
        "outage": [Gap(None, *bounds_ns(middle, BERLIN), GapReason.LINK_LOST)],
    }
    for name, items in extremes.items():
        changed = stored(tmp_path / name, {**days, middle: items})
        for day in usual:
            if day != middle:
                assert vars_of(changed[day]) == vars_of(usual[day]), (name, day)
        assert vars_of(changed[middle]) != vars_of(usual[middle])


def test_what_was_replayed_belongs_to_no_day(tmp_path: Path) -> None:
    found = stored(tmp_path / "s", {DAY: intervals(noon(DAY), 0.1, 1.0, 8)}, SessionKind.REPLAY)
    assert set(found.values()) == {None}


def vars_of(found: object) -> object:
    """The numbers, which its repr keeps to itself."""
    if found is None:
        return None
    assert isinstance(found, DaySummary)
    return found.af_s, found.resting_hr_bpm, found.rmssd_ms


HAPPENINGS = ("rest", "racing", "fibrillation", "outage", "off_body", "odd_values")
parts = st.lists(
    st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 22 * 60), st.integers(5, 40), st.integers(0, 99)), max_size=4
)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(parts, min_size=3, max_size=4),
    at=st.integers(0, 3),
    other=parts,
    zone=st.sampled_from(["Europe/Berlin", "UTC", "America/St_Johns", "Pacific/Kiritimati"]),
    first=st.sampled_from([date(2026, 3, 28), date(2026, 10, 24), date(2026, 6, 1)]),
)
def test_whatever_becomes_of_a_day_no_other_day_changes(
    days: list[Parts], at: int, other: Parts, zone: str, first: date
) -> None:
    """Over days, faults, both changes of the clocks and time zones; with limits so low that much is told."""
    where, at = ZoneInfo(zone), at % len(days)
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(day_summary_module, "LEAST_SLICES", 2)
        patch.setattr(day_summary_module, "LEAST_RMSSD", 1)
        told = []
        for k, replaced in enumerate((days, [*days[:at], other, *days[at + 1 :]])):
            dates = [first + timedelta(days=n) for n in range(len(replaced))]
            made = {day: happened(day, where, parts) for day, parts in zip(dates, replaced, strict=True)}
            told.append(stored(Path(folder) / str(k), made, zone=where))
    for day in told[0]:
        if day != first + timedelta(days=at):
            assert vars_of(told[0][day]) == vars_of(told[1][day])


@pytest.mark.slow
def test_what_an_unset_clock_stamped_belongs_to_no_day(tmp_path: Path) -> None:
    clock = ManualClock(now_ns=noon(DAY), synchronised=False)
    store = open_store(tmp_path, clock)
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        for item in intervals(noon(DAY), 0.2, 1.0, 9):
            writer.add_item(item)
    with store.reader() as db:
        assert stored_day(db, DAY, BERLIN) is None


def happened(day: date, zone: ZoneInfo, parts: Parts) -> list[Item]:
    """What was stored of a day in which these things happened, in order of time."""
    start_ns, end_ns = bounds_ns(day, zone)
    items: list[Item] = []
    for what, minute, minutes, seed in sorted(parts, key=lambda part: part[1]):
        at_ns = start_ns + minute * 60 * _S
        until_ns = min(at_ns + minutes * 60 * _S, end_ns)
        match what:
            case "rest":
                items += intervals(at_ns, minutes / 60, 0.95, seed)
            case "racing":
                items += intervals(at_ns, minutes / 60, 0.38, seed)
            case "fibrillation":
                items += intervals(at_ns, minutes / 60, 0.7, seed, irregular=True)
            case "outage":
                items.append(Gap(None, at_ns, until_ns, GapReason.LINK_LOST))
            case "off_body":
                items.append(Gap(None, at_ns, until_ns, GapReason.OFF_BODY))
            case _:
                odd = (1.0, 9e9, 250.0)
                items += [Reading(Quantity.RR, "rr", at_ns + k * _S, value) for k, value in enumerate(odd)]
    return [item for item in items if (item.t_ns if isinstance(item, Reading) else item.end_ns) < end_ns]
