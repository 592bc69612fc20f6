"""What the sensor sent, as it came. Only listed readers may import this module (the import contract "raw readers").

Blocks come back whole or cut to the moments asked for, every value and every time as they were stored.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator

from sqlite_utils import Database

from device_pipeline.store.blocks import decode
from sensors.samples import Gap, GapReason, Item, Kind, Quantity, Reading, Samples

_FIRST_NS, _LAST_NS = -(1 << 63), (1 << 63) - 1


def read_items(
    db: Database, session_id: int, start_ns: int | None = None, end_ns: int | None = None, channel: str | None = None
) -> Iterator[Item]:
    """Everything of [start_ns, end_ns), in the order of arrival within each channel; one block in memory at a time.

    `channel`: only that one, and the gaps that concern it. Gaps are clipped to the time asked for. Raises
    StoreDamagedError for a block that is not what was written.
    """
    low, high = _FIRST_NS if start_ns is None else start_ns, _LAST_NS if end_ns is None else end_ns
    streams: tuple[Iterator[tuple[int, Item]], ...] = (
        _samples(db, session_id, low, high, channel),
        _readings(db, session_id, low, high, channel),
        _gaps(db, session_id, low, high, channel),
    )
    for _, item in heapq.merge(*streams, key=lambda pair: pair[0]):
        yield item


def read_samples(
    db: Database, session_id: int, channel: str, start_ns: int | None = None, end_ns: int | None = None
) -> Iterator[Samples]:
    """The blocks of one channel, cut to [start_ns, end_ns)."""
    low, high = _FIRST_NS if start_ns is None else start_ns, _LAST_NS if end_ns is None else end_ns
    for _, block in _samples(db, session_id, low, high, channel):
        yield block


def channels(db: Database, session_id: int) -> list[tuple[str, Kind]]:
    """The sampled channels of a session that still have raw data."""
    rows = db.conn.execute(
        "SELECT DISTINCT channel, kind FROM samples WHERE session_id = ? ORDER BY channel", (session_id,)
    )
    return [(channel, Kind(kind)) for channel, kind in rows]


def _samples(db: Database, session_id: int, low: int, high: int, channel: str | None) -> Iterator[tuple[int, Samples]]:
    rows = db.conn.execute(
        'SELECT seq, kind, channel, fs_hz, anchor_ns, step_ns, "offset", n, width, encoding, data FROM samples'
        " WHERE session_id = ? AND end_ns > ? AND start_ns < ? AND (? IS NULL OR channel = ?) ORDER BY seq",
        (session_id, low, high, channel, channel),
    )
    for seq, kind, name, fs_hz, anchor_ns, step_ns, offset, n, width, encoding, data in rows:
        values = decode(encoding, data, n, width)
        block = _cut(Samples(Kind(kind), name, fs_hz, anchor_ns, step_ns, offset, values), low, high)
        if len(block):
            yield seq, block


def _cut(block: Samples, low: int, high: int) -> Samples:
    first, last = _index(block, low), _index(block, high)
    return block if (first, last) == (0, len(block)) else block.cut(first, last)


def _index(block: Samples, t_ns: int) -> int:
    """The first sample at or after `t_ns`, or the length of the block."""
    if t_ns <= block.start_ns:
        return 0
    if t_ns >= block.end_ns:
        return len(block)
    k = min(max(math.floor((t_ns - block.start_ns) / block.step_ns), 0), len(block))
    while k > 0 and block.t_ns(k - 1) >= t_ns:
        k -= 1
    while k < len(block) and block.t_ns(k) < t_ns:
        k += 1
    return k


def _readings(db: Database, session_id: int, low: int, high: int, channel: str | None) -> Iterator[tuple[int, Reading]]:
    rows = db.conn.execute(
        "SELECT seq, quantity, channel, t_ns, value FROM readings"
        " WHERE session_id = ? AND t_ns >= ? AND t_ns < ? AND (? IS NULL OR channel = ?) ORDER BY seq",
        (session_id, low, high, channel, channel),
    )
    for seq, quantity, name, t_ns, value in rows:
        yield seq, Reading(Quantity(quantity), name, t_ns, value)


def _gaps(db: Database, session_id: int, low: int, high: int, channel: str | None) -> Iterator[tuple[int, Gap]]:
    # a gap without length is a single measurement that came to nothing, or bytes that nobody could read
    rows = db.conn.execute(
        "SELECT seq, channel, start_ns, end_ns, reason FROM gaps WHERE session_id = ? AND start_ns < ?"
        " AND (end_ns > ? OR (end_ns = start_ns AND end_ns = ?)) AND (? IS NULL OR channel IS NULL OR channel = ?)"
        " ORDER BY seq",
        (session_id, high, low, low, channel, channel),
    )
    for seq, name, start_ns, end_ns, reason in rows:
        if start_ns == end_ns or low < high:
            yield seq, Gap(name, max(start_ns, low), min(end_ns, high), GapReason(reason))
