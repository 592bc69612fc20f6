from __future__ import annotations

from random import Random

from sensors.backoff import Backoff
from sensors.clock import ArrivalClock


def test_waits_double_up_to_a_limit_and_start_anew_after_a_success() -> None:
    backoff = Backoff(0.5, 5.0, Random(1))
    waits = [backoff.next_s() for _ in range(50)]
    steps = [0.5, 1.0, 2.0, 4.0, *[5.0] * 46]
    assert all(step / 2 <= wait <= step for wait, step in zip(waits, steps, strict=True))
    backoff.reset()
    assert backoff.next_s() <= 0.5


def test_two_devices_do_not_wait_in_step() -> None:
    one, other = Backoff(1.0, 5.0, Random(1)), Backoff(1.0, 5.0, Random(2))
    assert all(one.next_s() != other.next_s() for _ in range(20))


def test_arrival_never_goes_back_and_goes_on_when_the_clock_is_set_back() -> None:
    wall_ns, monotonic_ns = iter([100, 110, 50, 60, 300]), iter([0, 10, 20, 30, 40])
    clock = ArrivalClock(lambda: next(wall_ns), lambda: next(monotonic_ns))
    assert [clock.now_ns() for _ in range(4)] == [110, 120, 130, 300]
