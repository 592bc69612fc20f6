"""A day of a chest strap through the reader: its rate is right, its times rise, what was lost is a gap and no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.link import Device, Notification
from sensors.profiles.heart_rate import HeartRateMeasurement, HeartRateProfile
from sensors.reader import Reader
from sensors.samples import Gap, GapReason, Item, Quantity, Reading, Samples
from tests.fakes.long_strap import (
    DAY_S,
    FRAME,
    FS_HZ,
    LINK_DOWN_S,
    LOST_FRAMES,
    LOST_NOTIFICATIONS_S,
    STARTED_NS,
    LongStrap,
    sample_ns,
)

S, MS = 10**9, 10**6


@dataclass
class Day:
    """What came out; of the samples, two times for each frame and whether its values were those that were sent."""

    strap: LongStrap
    first_ns: list[int] = field(default_factory=list)
    last_ns: list[int] = field(default_factory=list)
    as_sent: list[bool] = field(default_factory=list)
    rr: list[Reading] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    duplicates: int = 0


@pytest.fixture(scope="module", params=[7_100.0, pytest.param(DAY_S, marks=pytest.mark.slow)], ids=["2 h", "24 h"])
def day(request: pytest.FixtureRequest) -> Day:
    day = Day(LongStrap(request.param))
    reader = Reader(day.strap.device)

    def take(items: list[Samples | Reading | Gap]) -> None:
        for item in items:
            if isinstance(item, Samples):
                uv = day.strap.uv(day.strap.frames[len(day.first_ns)])
                day.as_sent.append(np.array_equal(item.values, uv / 1000))
                day.first_ns.append(item.t_ns(0))
                day.last_ns.append(item.t_ns(len(item) - 1))
            elif isinstance(item, Gap):
                day.gaps.append(item)
            elif item.quantity is Quantity.RR:
                day.rr.append(item)

    for event in day.strap.events():
        take(reader.push(event))
    take(reader.flush())
    day.duplicates = reader.duplicates
    return day


def test_every_frame_that_arrived_is_there_once_as_it_was_sent(day: Day) -> None:
    assert len(day.as_sent) == len(day.strap.frames) > 1.6 * day.strap.seconds
    assert all(day.as_sent)
    assert day.duplicates == 0


def test_the_rate_over_the_day_is_right(day: Day) -> None:
    first, last = day.strap.frames[0], day.strap.frames[-1] + FRAME - 1
    rate_hz = (last - first) / ((day.last_ns[-1] - day.first_ns[0]) / 1e9)
    assert rate_hz == pytest.approx(FS_HZ, rel=1e-5)  # asked for is 1e-3


def test_sample_times_rise_and_stay_with_the_truth(day: Day) -> None:
    first, last = np.array(day.first_ns), np.array(day.last_ns)
    assert bool(np.all(last > first))
    assert bool(np.all(first[1:] > last[:-1]))
    begun = np.array(day.strap.frames)
    # late by the radio's latency, and by what a first frame after a break was late until that is seen
    for given_ns, k in ((first, begun), (last, begun + FRAME - 1)):
        off_ms = (given_ns - sample_ns(k)) / MS
        assert 0 < off_ms.min() <= off_ms.max() < 150
        assert np.percentile(off_ms, 99) < 30
        assert off_ms[-1] < 30


def test_no_sample_is_stretched(day: Day) -> None:
    # the offset between the clocks moves by 0.1 % of time at most; before any stamp, only the nominal rate is known
    steps: NDArray[np.float64] = (np.array(day.last_ns) - np.array(day.first_ns)) / (FRAME - 1)
    assert float(np.abs(steps[1:] * FS_HZ / 1e9 - 1).max()) < 0.0015


def test_what_was_lost_is_a_gap_of_its_length_and_nothing_else_is(day: Day) -> None:
    ecg = [gap for gap in day.gaps if gap.channel == "ecg"]
    lost = [gap for gap in ecg if gap.reason is GapReason.LOST_FRAME]
    were_lost = [(from_s, count) for from_s, count in LOST_FRAMES if from_s < day.strap.seconds]
    were_down = [(a, b) for a, b in LINK_DOWN_S if a < day.strap.seconds]
    assert len(lost) == len(were_lost) >= 3
    for gap, (from_s, count) in zip(lost, were_lost, strict=True):
        assert (gap.start_ns - STARTED_NS) / 1e9 == pytest.approx(from_s, abs=1)
        assert (gap.end_ns - gap.start_ns) / 1e9 == pytest.approx(count * FRAME / FS_HZ, abs=0.005)
    down = [(gap.start_ns, gap.end_ns) for gap in day.gaps if gap.channel is None]
    assert down == [(STARTED_NS + round(a * S), STARTED_NS + round(b * S)) for a, b in were_down]
    assert {gap.reason for gap in day.gaps} == {GapReason.LOST_FRAME, GapReason.LINK_LOST}
    # before the link was lost and after it came back, the frames that never arrived whole
    assert len(ecg) - len(lost) == 2 * len(were_down)
    # samples, gaps and the lost link leave no hole and no overlap of the day
    holes = [(last + round(1e9 / FS_HZ), first) for last, first in zip(day.last_ns, day.first_ns[1:], strict=False)]
    absent_ns = sum(after - before for before, after in holes if after - before > 50 * MS)
    told_ns = sum(gap.end_ns - gap.start_ns for gap in ecg) + sum(end - start for start, end in down)
    assert absent_ns == pytest.approx(told_ns, abs=5 * MS)


def test_every_interval_that_arrived_is_there_once_in_order(day: Day) -> None:
    assert [reading.value for reading in day.rr] == [rr * 1000 / 1024 for rr in day.strap.rr_1024]
    assert len(day.rr) > day.strap.seconds
    assert all(after.t_ns > before.t_ns for before, after in pairwise(day.rr))


def test_intervals_stay_with_their_beats_for_a_day(day: Day) -> None:
    # intervals carry no time: they are laid where they arrive, which is 3 s after the beat and up to 1 s later
    off_s = np.array([reading.t_ns for reading in day.rr]) - np.array(day.strap.rr_end_ns)
    assert 2.0e9 < off_s.min() <= off_s.max() < 4.5e9
    chain_ns = sum(round(reading.value * MS) for reading in day.rr)
    breaks = [gap for gap in day.gaps if gap.channel == "rr"]
    assert chain_ns + sum(gap.end_ns - gap.start_ns for gap in breaks) == pytest.approx(
        day.rr[-1].t_ns - day.rr[0].t_ns + day.rr[0].value * MS, abs=3e9
    )


def test_a_lost_notification_breaks_the_chain_and_a_late_one_does_not(day: Day) -> None:
    breaks = [gap for gap in day.gaps if gap.channel == "rr"]
    were_down = [a for a, _ in LINK_DOWN_S if a < day.strap.seconds]
    were_lost = [at_s for at_s in LOST_NOTIFICATIONS_S if at_s < day.strap.seconds]
    assert [gap.reason for gap in breaks].count(GapReason.LINK_LOST) == len(were_down)
    lost = [gap for gap in breaks if gap.reason is GapReason.LOST_FRAME]
    assert [(gap.start_ns - STARTED_NS) / 1e9 for gap in lost] == pytest.approx(were_lost, abs=4)
    assert len(breaks) == len(lost) + len(were_down)


def test_an_excerpt_is_the_beginning_of_the_day() -> None:
    short, long = LongStrap(60).events(), LongStrap(DAY_S).events()
    events = list(short)
    assert events == list(islice(long, len(events)))
    assert len(events) > 100


@pytest.mark.slow
def test_a_week_of_intervals_loses_and_invents_no_beat_and_stays_with_the_heart() -> None:
    """On a crystal that is 50 ppm slow, with a radio that is late now and then; nothing is ever sent twice or lost."""
    chance = np.random.default_rng(7)
    days, fast = 7, 1 - 50e-6
    swings = 0.15 * np.tanh(0.02 * np.cumsum(chance.normal(0, 0.02, days * 144_000)))
    ticks = np.rint(1024 * np.clip(0.9 + swings + chance.normal(0, 0.04, len(swings)), 0.4, 1.6)).astype(int)
    ends_s = np.cumsum(ticks) / 1024 / fast
    reader, sent, at_s, n = Reader(Device("strap")), 0, 0.0, 0
    off_s: list[float] = []
    last_ns = 0

    def take(items: list[Item]) -> None:
        nonlocal n, last_ns
        for item in items:
            assert not isinstance(item, Gap)
            if isinstance(item, Reading) and item.quantity is Quantity.RR:
                assert item.value == ticks[n] * 1000 / 1024
                assert item.t_ns > last_ns
                off_s.append((item.t_ns - STARTED_NS) / 1e9 - float(ends_s[n]))
                last_ns, n = item.t_ns, n + 1

    for second in range(1, days * 86_400):
        begin = sent
        while ends_s[sent] + 3 <= second:
            sent += 1
        late_s = 0.012 + float(chance.exponential(0.02)) + (0.9 if second % 97 == 50 else 0.0)
        at_s = max(second + late_s, at_s + 0.001)
        value = HeartRateMeasurement(66, True, None, tuple(ticks[begin:sent].tolist()))
        take(reader.push(Notification(STARTED_NS + round(at_s * S), HeartRateProfile.characteristic, value.encode())))
    take(reader.flush())
    assert n == sent > 600_000
    assert 2.0 < min(off_s) <= max(off_s) < 4.5
