"""Looks at the machine now and then, and has a live run do less or more; every step is stored and told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from device_pipeline.config import GovernorLimits
from device_pipeline.effort import Effort, Level
from device_pipeline.errors import StoreError
from device_pipeline.governor.governor import Governor, Step
from device_pipeline.governor.machine import SYS, Machine, read_machine
from device_pipeline.store.governor_steps import StoredStep, keep_step, last_steps
from device_pipeline.store.store import Store
from device_pipeline.store.writer import StoreWriter
from vitalkeep.cli.level_words import IN_WORDS

LOOK_EVERY_S = 30.0


async def govern(
    effort: Effort,
    limits: GovernorLimits,
    store: Store,
    writer: StoreWriter,
    tell: Callable[[str], None],
    *,
    sys: Path = SYS,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Until it is cancelled. `tell` gets each step in words."""
    clock = store.clock
    governor = Governor(limits)
    before: list[StoredStep] = []
    with suppress(StoreError), writer.transaction():
        before = last_steps(writer.db, 1)
    if before and before[0].level is not Level.FULL:
        _keep(writer, clock.now_ns(), Step(Level.FULL, "a run began", Machine()))  # each begins with all effort
    while True:
        step = governor.push(clock.monotonic_ns(), read_machine(sys))
        if step is not None:
            effort.level = step.level
            _keep(writer, clock.now_ns(), step)
            tell(f"{step.reason}: {IN_WORDS[step.level]}")
        await asyncio.sleep(look_every_s)


def _keep(writer: StoreWriter, now_ns: int, step: Step) -> None:
    machine = step.machine
    with suppress(StoreError):  # a store that takes nothing is told of by whoever commits to it
        keep_step(writer, StoredStep(now_ns, step.level, step.reason, machine.temperature_c, machine.battery_pct))
