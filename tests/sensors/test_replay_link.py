from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensors.link import Device, Event, LinkDown, LinkUp
from sensors.reader import read, read_recording
from sensors.recording import Recording, RecordingWriter
from sensors.replay_link import ReplayLink
from sensors.samples import Item, Samples
from tests.fakes.scripted_link import S, ecg, heart_rate


class HurriedLoop(asyncio.SelectorEventLoop):
    """Its clock moves on by itself whenever everything waits, so an hour passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 1000.0

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now_s = max(self._now_s, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def hurried(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=HurriedLoop) as runner:
        return runner.run(work)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    path = tmp_path / "r.jsonl"
    uv = np.arange(73, dtype=np.int64)
    events: list[Event] = [heart_rate(k * S, 1000 + k) for k in range(1, 60)]
    events += [ecg(round(k * 73 / 130 * S), round(k * 73 / 130 * S), uv) for k in range(1, 100)]
    events += [LinkDown(61 * S, "timeout"), LinkUp(70 * S), heart_rate(3600 * S, 1000)]
    with RecordingWriter(path, Device("X"), 0) as writer:
        for event in sorted(events, key=lambda event: event.t_ns):
            writer.write(event)
    return Recording(path)


def shown(items: list[Item]) -> list[Any]:
    return [(i.anchor_ns, i.step_ns, i.offset, i.values.tolist()) if isinstance(i, Samples) else i for i in items]


async def collect(link: ReplayLink) -> list[Item]:
    return [item async for item in read(link)]


@pytest.mark.parametrize("speed", [None, 1.0, 60.0, 1e6])
def test_the_items_are_the_same_at_any_speed(recording: Recording, speed: float | None) -> None:
    assert shown(hurried(collect(ReplayLink(recording, speed)))) == shown(list(read_recording(recording.path)))


@pytest.mark.parametrize("speed, takes_s", [(1.0, 3600), (60.0, 60)])
def test_events_come_when_they_happened_times_speed(recording: Recording, speed: float, takes_s: float) -> None:
    async def timed() -> float:
        began_s = asyncio.get_running_loop().time()
        await collect(ReplayLink(recording, speed))
        return asyncio.get_running_loop().time() - began_s

    assert hurried(timed()) == pytest.approx(takes_s, rel=0.01)


def test_close_ends_a_replay_that_waits(recording: Recording) -> None:
    async def closed() -> tuple[int, float]:
        link, loop = ReplayLink(recording, 1.0), asyncio.get_running_loop()
        loop.call_later(100, lambda: asyncio.ensure_future(link.close()))
        began_s = loop.time()
        events = [event async for event in link]
        await link.close()
        return len(events), loop.time() - began_s

    count, took_s = hurried(closed())
    assert count == 59 + 99 + 2
    assert took_s == pytest.approx(100, abs=1)


def test_the_fastest_replay_lets_others_run(recording: Recording) -> None:
    async def shared() -> bool:
        turns: list[None] = []
        asyncio.get_running_loop().call_soon(turns.append, None)
        async for _ in ReplayLink(recording):
            if turns:
                return True
        return False

    assert hurried(shared())


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(recording: Recording, speed: float) -> None:
    with pytest.raises(ValueError, match="expected above 0"):
        ReplayLink(recording, speed)
