"""Devices that tell nothing unless they are asked: what to write to whom, how often, and what before leaving.

The link writes; this says what. Polar's streams have a conversation of their own and are not here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sensors.profiles import movesense, o2ring

_REFERENCE = 100  # any number that is ours; the device repeats it


@dataclass(frozen=True, slots=True)
class Asking:
    """`write`: the characteristic to write to, once the one that answers is subscribed to.

    `every_s`: the question is put again and again; None: once is enough. `at_end` ends what the question began.
    """

    write: str
    question: bytes
    every_s: float | None = None
    at_end: bytes | None = None


ASKING: dict[str, Asking] = {
    movesense.MovesenseProfile.characteristic: Asking(
        movesense.WRITE,
        movesense.Command(movesense.Action.SUBSCRIBE, _REFERENCE, movesense.ECG_PATH).encode(),
        at_end=movesense.Command(movesense.Action.UNSUBSCRIBE, _REFERENCE).encode(),
    ),
    o2ring.O2RingProfile.characteristic: Asking(o2ring.WRITE, o2ring.Request(o2ring.LIVE).encode(), every_s=2.0),
}
"""By the characteristic that answers."""


async def keep_asking(asking: Asking, write: Callable[[bytes], Awaitable[object]]) -> None:
    """Puts the question, for ever where it must be; ends by cancellation or by what `write` raises."""
    await write(asking.question)
    while asking.every_s is not None:
        await asyncio.sleep(asking.every_s)
        await write(asking.question)
