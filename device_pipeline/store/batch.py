"""What waits to be stored, in memory and bounded: it is let go of only when it is on the disk.

Blocks of samples that follow on each other grow into one row until the batch is closed.
"""

from __future__ import annotations

import numpy as np

from device_pipeline.beat import Quality
from device_pipeline.clock import Clock
from device_pipeline.errors import StoreFullError
from device_pipeline.store.blocks import Step, encode
from device_pipeline.store.finding_rows import INSERTS, FindingRow, Found, finding_row, finite, quality_row
from sensors.samples import Item, Reading, Samples

# Half the promise: the other half is for the caller's tick and the commit itself.
COMMIT_EVERY_NS = 5_000_000_000
COMMIT_BYTES = 4 << 20
# Beyond this nothing more is taken while the disk stays full; memory is bounded.
PENDING_LIMIT_BYTES = 64 << 20
_ROW_BYTES = 128

_INSERTS = {
    "samples": """INSERT INTO samples (session_id, seq, kind, channel, fs_hz, anchor_ns, step_ns, "offset", n, width,
        start_ns, end_ns, encoding, data) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)""",
    "readings": "INSERT INTO readings (session_id, seq, quantity, channel, t_ns, value) VALUES (?,?,?,?,?,?)",
    "gaps": "INSERT INTO gaps (session_id, seq, channel, start_ns, end_ns, reason) VALUES (?,?,?,?,?,?)",
    **INSERTS,
}


class Batch:
    """Of one session. `due_ns`: when it has to be stored, of the monotonic clock; None while nothing waits.

    `first_ns`, `last_ns`: how far the session reaches by all that it was ever given.
    """

    def __init__(self, session: int, clock: Clock, started_ns: int | None) -> None:
        self._session = session
        self._clock = clock
        self._seq = 0
        self._open_blocks: dict[str, tuple[int, list[Samples]]] = {}
        self._rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in _INSERTS}
        self._steps: dict[str, Step] = {}
        self._pending_bytes = 0
        self.first_ns = started_ns
        self.last_ns = started_ns
        self.due_ns: int | None = None

    def add_item(self, item: Item) -> None:
        """Raw: what the sensor sent, in the order it came. Raises StoreFullError."""
        if isinstance(item, Samples):
            self._add_samples(item)
        elif isinstance(item, Reading):
            reading = (self._next_seq(), item.quantity.value, item.channel, item.t_ns, finite(item.value))
            self._add(FindingRow("readings", reading, (item.t_ns, item.t_ns)))
        else:
            for channel in [item.channel] if item.channel is not None else list(self._open_blocks):
                self._finish_block(channel)
            gap = (self._next_seq(), item.channel, item.start_ns, item.end_ns, item.reason.value)
            self._add(FindingRow("gaps", gap, (item.start_ns, item.end_ns)))

    def add_finding(self, finding: Found) -> None:
        """Anything but a Quality. Raises StoreFullError."""
        self._add(finding_row(finding))

    def add_quality(self, quality: Quality, channel: str) -> None:
        self._add(quality_row(quality, channel))

    def try_again_later(self) -> None:
        """It is being stored; where that fails it is due again after a while."""
        self.due_ns = self._clock.monotonic_ns() + COMMIT_EVERY_NS

    def statements(self) -> list[tuple[str, list[tuple[object, ...]]]]:
        """All that waits, as statements with their rows. Nothing of it is let go of, and no block grows any more."""
        for channel in list(self._open_blocks):
            self._finish_block(channel)
        return [(_INSERTS[table], rows) for table, rows in self._rows.items() if rows]

    def stored(self) -> None:
        """What `statements` gave is on the disk."""
        for rows in self._rows.values():
            rows.clear()
        self._pending_bytes = 0
        self.due_ns = None

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def _add(self, row: FindingRow) -> None:
        self._take(_ROW_BYTES)
        if row.span_ns is not None:
            self._reach(*row.span_ns)
        self._rows[row.table].append((self._session, *row.values))

    def _reach(self, start_ns: int, end_ns: int) -> None:
        self.first_ns = start_ns if self.first_ns is None else min(self.first_ns, start_ns)
        self.last_ns = end_ns if self.last_ns is None else max(self.last_ns, end_ns)

    def _take(self, n_bytes: int) -> None:
        if self._pending_bytes + n_bytes > PENDING_LIMIT_BYTES:
            raise StoreFullError(
                f"{self._pending_bytes} bytes wait to be stored, expected at most {PENDING_LIMIT_BYTES}"
            )
        if self.due_ns is None:
            self.due_ns = self._clock.monotonic_ns() + COMMIT_EVERY_NS
        if self._pending_bytes < COMMIT_BYTES <= self._pending_bytes + n_bytes:
            self.due_ns = self._clock.monotonic_ns()
        self._pending_bytes += n_bytes

    def _add_samples(self, block: Samples) -> None:
        if len(block) == 0:
            return
        self._take(block.values.nbytes + _ROW_BYTES)
        self._reach(block.start_ns, block.end_ns)
        _, blocks = self._open_blocks.get(block.channel, (0, []))
        if blocks and not _continues(blocks[-1], block):
            self._finish_block(block.channel)
            blocks = []
        if not blocks:
            self._open_blocks[block.channel] = (self._next_seq(), blocks)
        blocks.append(block)

    def _finish_block(self, channel: str) -> None:
        """Turns the blocks of a channel that follow on each other into one row."""
        if channel not in self._open_blocks:
            return
        seq, blocks = self._open_blocks.pop(channel)
        first = blocks[0]
        values = np.concatenate([block.values for block in blocks]) if len(blocks) > 1 else first.values
        encoded = encode(values, self._steps.get(channel))
        if encoded.step is not None:
            self._steps[channel] = encoded.step
        row = (
            self._session,
            seq,
            first.kind.value,
            channel,
            float(first.fs_hz),
            first.anchor_ns,
            float(first.step_ns),
            first.offset,
            len(values),
            1 if values.ndim == 1 else values.shape[1],
            first.start_ns,
            blocks[-1].end_ns,
            encoded.encoding,
            encoded.data,
        )
        self._rows["samples"].append(row)


def _continues(before: Samples, block: Samples) -> bool:
    return (
        block.offset == before.offset + len(before)
        and (block.anchor_ns, block.step_ns) == (before.anchor_ns, before.step_ns)
        and (block.kind, block.fs_hz) == (before.kind, before.fs_hz)
        and block.values.shape[1:] == before.values.shape[1:]
    )
