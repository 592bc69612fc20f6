"""A live run is governed: steps are stored, told and shown, and raw samples are not stored where there is no room."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from device_pipeline.clock import ManualClock, SystemClock
from device_pipeline.config import GovernorLimits, Limits
from device_pipeline.effort import Effort, Level
from device_pipeline.store.governor_steps import StoredStep, keep_step, last_steps
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import SessionKind
from sensors.recording import Recording
from sensors.replay_link import ReplayLink
from tests.device_pipeline.test_machine import put
from tests.vitalkeep.command import RECORDINGS, vitalkeep_here
from vitalkeep.cli.govern import govern
from vitalkeep.session import hold_session

S = 1_000_000_000
NOW_NS = 1_760_000_000 * S


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS, 0)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Store:
    return open_store(tmp_path / "store", clock)


async def governed(store: Store, clock: ManualClock, sys: Path, minutes: int, effort: Effort) -> list[str]:
    """So many minutes by the clock, a look at each."""
    told: list[str] = []
    with store.writer() as writer:
        task = asyncio.create_task(
            govern(effort, GovernorLimits(), store, writer, told.append, sys=sys, look_every_s=0)
        )
        for _ in range(minutes):
            await asyncio.sleep(0)
            clock.advance(60 * S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return told


def test_each_step_changes_the_effort_and_is_stored_and_told(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    put(tmp_path, "thermal/thermal_zone0", temp="81000")
    effort = Effort()
    told = asyncio.run(governed(store, clock, tmp_path, 10, effort))
    assert effort.level is Level.WAVEFORM
    assert told[0] == "81 °C, 75 or more is hot: windows come once a minute"
    assert told[2].endswith("finding beats and warning go on")
    with store.reader() as db:
        newest, *_ = steps = last_steps(db, 9)
    assert [step.level for step in steps] == [3, 2, 1]
    assert newest == StoredStep(NOW_NS + 180 * S, Level.WAVEFORM, "81 °C, 75 or more is hot", 81.0, None)


def test_a_run_begins_with_all_effort_and_says_so_where_the_last_one_did_not_end_so(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    put(tmp_path, "power_supply/BAT0", type="Battery", capacity="25", status="Discharging")
    asyncio.run(governed(store, clock, tmp_path, 5, Effort()))
    put(tmp_path, "power_supply/BAT0", capacity="90")
    effort = Effort()
    assert asyncio.run(governed(store, clock, tmp_path, 5, effort)) == []
    assert effort.level is Level.FULL
    with store.reader() as db:
        assert [(step.level, step.reason) for step in last_steps(db, 9)] == [(0, "a run began"), (1, "battery 25 %")]


@pytest.mark.parametrize("level", [Level.FULL, Level.MODELS, Level.WAVEFORM])
def test_raw_samples_go_last_and_beats_and_alerts_are_stored_all_the_same(
    level: Level, store: Store, clock: ManualClock
) -> None:
    effort = Effort()
    effort.level = level

    async def run() -> None:
        with store.writer() as writer:
            writer.begin_session(SessionKind.LIVE, "strap", "0")
            link = ReplayLink(Recording(RECORDINGS / "chest_strap_rest.jsonl.gz"), None)
            await hold_session(link, Limits(), writer, [], effort)

    asyncio.run(run())
    with store.reader() as db:
        counts = {
            table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("samples", "readings", "beats", "heart_rate", "coverage")
        }
    assert (counts["samples"] > 0) is (level < Level.WAVEFORM)
    assert min(counts["readings"], counts["beats"], counts["heart_rate"], counts["coverage"]) > 0


def test_status_shows_the_steps_newest_first(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", SystemClock())
    with store.writer() as writer:
        keep_step(writer, StoredStep(NOW_NS, Level.CADENCE, "battery 30 %", None, 30.0))
        keep_step(writer, StoredStep(NOW_NS + S, Level.FULL, "cool and charged enough", 50.25, 60.0))
    (row,) = vitalkeep_here(tmp_path, "status", "--store", store.folder, "--json").rows()
    assert [(step["level"], step["reason"]) for step in row["governor"]] == [
        (0, "cool and charged enough"),
        (1, "battery 30 %"),
    ]
    assert "battery 30 %: windows come once a minute" in vitalkeep_here(tmp_path, "status", "--store", store.folder).out
