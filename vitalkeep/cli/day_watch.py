"""Has each day of a live run judged once its night is over, and again once the date is, in a process of its own.

Loading scikit-learn takes seconds of a small machine, in which no link would be read, and 23 MB for weeks; so
`vitalkeep baseline` works it out, twice a day, and only what it said is kept.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from datetime import date
from typing import Any

from device_pipeline.baseline.day_verdict import DayVerdict, NumberSaid, Said
from device_pipeline.baseline.wearer_day import WearerDay, date_of
from device_pipeline.errors import StoreError
from device_pipeline.store.days import store_verdict
from device_pipeline.store.store import Store
from device_pipeline.store.writer import StoreWriter

_LOOK_EVERY_S = 600.0
_LONGEST_S = 300.0


async def judge_days(store: Store, writer: StoreWriter, look_every_s: float = _LOOK_EVERY_S) -> None:
    """Until it is cancelled. A clock that is not right knows of no day."""
    judged: tuple[date, bool] | None = None
    while True:
        await asyncio.sleep(look_every_s)
        if not store.clock.is_synchronised():
            continue
        now_ns = store.clock.now_ns()
        today = date_of(now_ns)
        half = (today, now_ns >= WearerDay.of(today).morning_ns)
        if half == judged:
            continue
        judged = half
        verdict = await _judged(store)
        if verdict is not None:
            with suppress(StoreError):  # whoever commits to the store tells of it
                store_verdict(writer, verdict)


async def _judged(store: Store) -> DayVerdict | None:
    """None where there is no day yet, or nothing came of it: it is tried again half a day later."""
    command = (sys.executable, "-m", "vitalkeep", "baseline", "--json", "--store", str(store.folder))
    try:
        # a Ctrl-C is meant for us
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
    except OSError:
        return None
    try:
        told, _ = await asyncio.wait_for(process.communicate(), _LONGEST_S)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        return None
    with suppress(ValueError, KeyError, TypeError):  # of another version, where the program was replaced meanwhile
        return verdict_of(json.loads(told))
    return None


def verdict_of(row: dict[str, Any]) -> DayVerdict | None:
    """As `vitalkeep baseline --json` told it."""
    if row["day"] is None:
        return None
    return DayVerdict(
        date.fromisoformat(row["day"]),
        Said(row["said"]),
        row["probability"],
        row["nights"],
        row["reason"],
        row["whole"],
        row["model"],
        tuple(NumberSaid(**number) for number in row["numbers"]),
    )
