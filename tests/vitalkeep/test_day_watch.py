"""Each day of a live run is judged once its night is over and once the date is, beside the run and not in it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pytest

from device_pipeline.baseline.day_verdict import DayVerdict, Said
from device_pipeline.baseline.wearer_day import WearerDay, date_of
from device_pipeline.clock import ManualClock, SystemClock
from device_pipeline.store.days import latest_verdict
from device_pipeline.store.store import open_store
from tests.device_pipeline.wearer_nights import keep_night
from tests.vitalkeep.command import vitalkeep_here
from vitalkeep.cli import day_watch
from vitalkeep.cli.day_watch import judge_days, verdict_of

HOUR_NS = 3600 * 1_000_000_000


def yesterday() -> date:
    return date_of(SystemClock().now_ns()) - timedelta(days=1)


def test_a_day_is_judged_in_a_process_of_its_own_while_the_run_writes(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    for k in range(5):
        keep_night(folder, yesterday() - timedelta(days=4 - k), hr_bpm=58 + k % 2)
    store = open_store(folder, ManualClock(SystemClock().now_ns(), 0))

    async def run() -> DayVerdict | None:
        with store.writer() as writer:
            task = asyncio.create_task(judge_days(store, writer, look_every_s=0.01))
            for _ in range(600):
                await asyncio.sleep(0.1)
                if (found := latest_verdict(writer.db)) is not None:
                    break
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            return found

    loaded_before = "sklearn" in sys.modules
    verdict = asyncio.run(run())
    assert verdict is not None
    assert (verdict.day, verdict.said) == (yesterday(), Said.USUAL)
    assert ("sklearn" in sys.modules) is loaded_before
    (row,) = vitalkeep_here(tmp_path, "baseline", "--store", folder, "--json").rows()
    assert verdict_of(row) == verdict


def test_it_is_asked_twice_a_day_and_only_by_a_clock_that_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = WearerDay.of(date(2026, 3, 10))
    clock = ManualClock(start.start_ns, 0, synchronised=False)
    store = open_store(tmp_path / "store", clock)
    asked: list[int] = []

    async def judged(_: object) -> None:
        asked.append(clock.now_ns())

    monkeypatch.setattr(day_watch, "_judged", judged)

    async def run() -> None:
        with store.writer() as writer:
            task = asyncio.create_task(judge_days(store, writer, look_every_s=0))
            for hour in range(4 * 24):
                if hour == 24:
                    clock.set_right(clock.now_ns())
                for _ in range(4):
                    await asyncio.sleep(0)
                clock.advance(HOUR_NS)
            task.cancel()

    asyncio.run(run())
    assert [(t_ns - start.start_ns) / HOUR_NS for t_ns in asked] == [24, 33, 48, 57, 72, 81]
