from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.link import Device, Notification
from sensors.profile import Frame
from sensors.profiles.polar_pmd import PolarPmdProfile
from sensors.reader import Reader
from sensors.recording import Recording
from sensors.samples import Gap, GapReason, Kind, Samples
from sensors.timebase import FrameClock
from tests.data import shared_data

S, MS = 10**9, 10**6
N = 73
START_NS = 1_760_000_000 * S


@dataclass
class Strap:
    """The truth: sample k is taken at `t_ns(k)` host time; the device's clock runs `ppm` fast from `device_ns`."""

    fs_hz: float = 130.4
    ppm: float = 20.0
    device_ns: int = 599_616_000 * S  # 2019-01-01

    def t_ns(self, k: float) -> int:
        return START_NS + round(k / self.fs_hz * 1e9)

    def frame(self, i: int, jump_ns: int = 0) -> Frame:
        elapsed_ns = self.t_ns((i + 1) * N - 1) - START_NS
        stamp_ns = self.device_ns + elapsed_ns + round(elapsed_ns * self.ppm * 1e-6) + jump_ns
        return Frame(Kind.ECG, "ecg", 130.0, stamp_ns, np.arange(i * N, (i + 1) * N, dtype=np.float64))

    def arrival(self, i: int, late_ms: float) -> int:
        return self.t_ns((i + 1) * N - 1) + round(late_ms * MS)


def delays(seed: int) -> Iterator[float]:
    """Radio latency: 10 ms at least, now and then half a second."""
    rng = np.random.default_rng(seed)
    while True:
        yield 10 + float(rng.exponential(20)) + (500 if rng.random() < 0.02 else 0)


def run(
    strap: Strap, frames: Iterable[int], late_ms: Iterator[float], jump_ns: dict[int, int] | None = None
) -> list[Samples | Gap]:
    """Frames `frames` arrive, each in order; from frame i on the clock is off by `jump_ns[i]`."""
    clock = FrameClock(130.0)
    out: list[Samples | Gap] = []
    arrived_ns, off_ns = 0, 0
    for i in frames:
        off_ns = max(((k, v) for k, v in (jump_ns or {}).items() if k <= i), default=(0, off_ns))[1]
        arrived_ns = max(arrived_ns, strap.arrival(i, next(late_ms)))
        out += clock.push(arrived_ns, strap.frame(i, off_ns))
    return out


def times(items: Iterable[Samples | Gap]) -> dict[int, int]:
    """The time given to each sample, by its number."""
    return {int(b.values[k]): b.t_ns(k) for b in items if isinstance(b, Samples) for k in range(len(b))}


def gaps(items: Iterable[Samples | Gap]) -> list[Gap]:
    return [item for item in items if isinstance(item, Gap)]


def check_order(items: Iterable[Samples | Gap]) -> None:
    """Strictly rising sample times; every gap lies exactly between its blocks."""
    last_ns = -(1 << 70)
    items = list(items)
    for item in items:
        if isinstance(item, Samples):
            for k in range(len(item)):
                assert item.t_ns(k) > last_ns
                last_ns = item.t_ns(k)
    for before, gap, after in zip(items, items[1:], items[2:], strict=False):
        if isinstance(gap, Gap) and isinstance(before, Samples) and isinstance(after, Samples):
            assert (gap.start_ns, gap.end_ns) == (before.end_ns, after.start_ns)
            assert gap.end_ns > gap.start_ns


@pytest.mark.parametrize("fs_hz", [128.75, 130.06, 131.25])
@pytest.mark.parametrize("ppm", [-20.0, 20.0])
def test_an_hour_of_drift_and_bursts_stays_within_40_ms_without_a_gap(fs_hz: float, ppm: float) -> None:
    strap = Strap(fs_hz, ppm)
    items = run(strap, range(6400), delays(1))
    assert gaps(items) == []
    check_order(items[:200])
    given_ns = times(items)
    late = [(given_ns[k] - strap.t_ns(k)) / MS for k in range(60 * N, 6400 * N, 97)]
    assert -1 < min(late) <= max(late) < 40
    steps = [item.step_ns for item in items if isinstance(item, Samples)][60:]
    assert max(abs(step * fs_hz / 1e9 - 1) for step in steps) < 0.0015


@pytest.mark.parametrize("lost", [1, 2, 7, 60])
def test_lost_frames_are_one_gap_of_their_length_and_nothing_is_stretched(lost: int) -> None:
    strap = Strap()
    items = run(strap, [*range(100), *range(100 + lost, 200)], delays(2))
    (gap,) = gaps(items)
    check_order(items)
    assert gap.reason is GapReason.LOST_FRAME
    truth_ns = strap.t_ns((100 + lost) * N) - strap.t_ns(100 * N)
    assert abs((gap.end_ns - gap.start_ns) - truth_ns) < 5 * MS
    blocks = [item for item in items if isinstance(item, Samples)]
    assert abs(blocks[100].step_ns * strap.fs_hz / 1e9 - 1) < 0.002
    given_ns = times(items)
    assert abs(given_ns[(100 + lost) * N] - strap.t_ns((100 + lost) * N)) < 60 * MS


def test_frames_lost_at_the_very_start_do_not_double_the_step() -> None:
    strap = Strap()
    items = run(strap, [0, 3, 4, 5], delays(3))
    assert len(gaps(items)) == 1
    steps = [item.step_ns for item in items if isinstance(item, Samples)]
    assert all(abs(step * 130.0 / 1e9 - 1) < 0.02 for step in steps)


@pytest.mark.parametrize("jump_ns", [220_000_000 * S, -220_000_000 * S, 30 * S, -30 * S, -2 * S, -100 * MS, 1 * S])
def test_a_clock_that_is_set_makes_no_gap_where_nothing_is_missing(jump_ns: int) -> None:
    strap = Strap(device_ns=700_000_000 * S)
    quiet = itertools.repeat(20.0)
    items = run(strap, range(200), quiet, {100: jump_ns})
    assert gaps(items) == []
    check_order(items)
    given_ns = times(items)
    assert max(abs(given_ns[k] - strap.t_ns(k)) for k in given_ns) < 40 * MS


@pytest.mark.parametrize("jump_ns", [220_000_000 * S, -220_000_000 * S, -30 * S])
def test_a_clock_that_is_set_while_frames_are_lost_leaves_the_gap_that_host_time_says(jump_ns: int) -> None:
    strap = Strap(device_ns=700_000_000 * S)
    items = run(strap, [*range(100), *range(105, 200)], itertools.repeat(20.0), {105: jump_ns})
    (gap,) = gaps(items)
    check_order(items)
    assert gap.reason is GapReason.CLOCK_JUMP
    assert abs((gap.end_ns - gap.start_ns) - (strap.t_ns(105 * N) - strap.t_ns(100 * N))) < 40 * MS


def test_late_delivery_is_not_a_gap_and_does_not_move_time() -> None:
    strap = Strap()
    # 4 s without anything, then all at once
    late = itertools.chain(itertools.repeat(15.0, 100), (4000 - 560.0 * k for k in range(7)), itertools.repeat(15.0))
    items = run(strap, range(300), late)
    assert gaps(items) == []
    given_ns = times(items)
    assert max(abs(given_ns[k] - strap.t_ns(k)) for k in given_ns) < 30 * MS


def test_a_first_frame_that_was_late_is_corrected_without_a_step_back() -> None:
    strap = Strap()
    items = run(strap, range(1000), itertools.chain([200.0], itertools.repeat(15.0)))
    check_order(items)
    given_ns = times(items)
    assert abs(given_ns[999 * N] - strap.t_ns(999 * N)) < 30 * MS


def test_a_frame_delivered_twice_is_taken_once() -> None:
    strap, clock = Strap(), FrameClock(130.0)
    out = [item for i in range(20) for _ in range(2) for item in clock.push(strap.arrival(i, 20), strap.frame(i))]
    assert clock.duplicates == 20
    assert len(times(out)) == 20 * N == sum(len(item) for item in out if isinstance(item, Samples))


def test_a_host_clock_that_was_set_is_followed() -> None:
    strap, clock = Strap(), FrameClock(130.0)
    out: list[Samples | Gap] = []
    for i in range(400):
        out += clock.push(strap.arrival(i, 20) + (3600 * S if i >= 100 else 0), strap.frame(i))
    check_order(out)
    assert [gap.reason for gap in gaps(out)] == [GapReason.CLOCK_JUMP]
    assert abs(times(out)[399 * N] - strap.t_ns(399 * N) - 3600 * S) < 1 * S


@pytest.mark.parametrize("frames", [range(8), [0, 2, 3, 4, 5, 6]])
def test_an_unknown_rate_is_told_by_the_stamps_even_if_one_is_missing(frames: Iterable[int]) -> None:
    clock = FrameClock(None)
    out: list[Samples | Gap] = []
    for i in frames:
        stamp_ns = round((i + 1) * 36 / 201 * 1e9)
        out += clock.push(START_NS + stamp_ns, Frame(Kind.ACC, "acc", None, stamp_ns, np.zeros((36, 3))))
    out += clock.flush()
    assert {item.fs_hz for item in out if isinstance(item, Samples)} == {200.0}
    assert len(gaps(out)) == (0 if len(list(frames)) == 8 else 1)


def test_one_frame_of_unknown_rate_is_a_gap() -> None:
    clock = FrameClock(None)
    assert clock.push(5, Frame(Kind.ACC, "acc", None, 1, np.zeros((36, 3)))) == []
    assert clock.flush() == [Gap("acc", 5, 5, GapReason.MISSING)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**64 - 1) | st.integers(5 * 10**17, 5 * 10**17 + 10 * S),
            st.integers(0, 20 * S),
            st.integers(1, 80),
        ),
        max_size=30,
    )
)
def test_whatever_the_stamps_say_time_rises(frames: list[tuple[int, int, int]]) -> None:
    clock, t_ns = FrameClock(130.0), START_NS
    out: list[Samples | Gap] = []
    for count, (stamp_ns, wait_ns, n) in enumerate(frames):
        t_ns += wait_ns
        out += clock.push(t_ns, Frame(Kind.ECG, "ecg", 130.0, stamp_ns, np.full(n, float(count))))
    check_order(out)


def test_the_real_h10_is_gapless_at_its_true_rate() -> None:
    recording = Recording(shared_data("polar_h10_pmd", "ecg_first_20_min.bin"))
    reader = Reader(recording.device)
    items = [item for event in recording.events() for item in reader.push(event)]
    blocks = [item for item in items if isinstance(item, Samples)]
    assert len(blocks) == len(items) == 2100  # no gap was invented
    assert sum(len(block) for block in blocks) == 153_300
    check_order(blocks)
    rate_hz = 153_299 / ((blocks[-1].t_ns(72) - blocks[0].t_ns(0)) / 1e9)
    assert rate_hz == pytest.approx(130.05, abs=0.01)
    # every frame ends at the time its own stamp says
    profile = PolarPmdProfile()
    for event, block in zip(recording.events(), blocks, strict=True):
        assert isinstance(event, Notification)
        assert block.t_ns(72) == profile.decode(event.payload).header.device_ns + 946_684_800 * S


def test_the_output_depends_on_the_notifications_alone() -> None:
    device = Device("X")
    recording = Recording(shared_data("polar_h10_pmd", "ecg_first_20_min.bin"))
    runs = []
    for _ in range(2):
        reader = Reader(device)
        runs.append(
            [
                repr((b.anchor_ns, b.step_ns, b.offset))
                for e in recording.events()
                for b in reader.push(e)
                if isinstance(b, Samples)
            ]
        )
    assert runs[0] == runs[1]
