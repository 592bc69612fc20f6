"""What earlier sessions learnt of the wearer, for the one that begins; of replays nothing: each tells the same."""

from __future__ import annotations

from sqlite_utils import Database

from device_pipeline.store.writer import SessionKind
from models.errors import ModelError
from models.morphology_calibration import Calibration


def learnt_shapes(db: Database, session_id: int) -> dict[str, Calibration]:
    """By channel, of the device that session `session_id` listens to: the newest that can be read. Empty for any but a
    live session."""
    rows = db.conn.execute(
        "SELECT channel, calibration FROM learnt_shapes JOIN sessions ON sessions.id = session_id"
        " WHERE kind = ? AND session_id < ? AND (kind, source) = (SELECT kind, source FROM sessions WHERE id = ?)"
        " ORDER BY session_id, start_ns, length_ns",
        (SessionKind.LIVE.value, session_id, session_id),
    )
    known: dict[str, Calibration] = {}
    for channel, text in rows:
        try:
            known[channel] = Calibration.from_json(text)
        except ModelError:
            continue
    return known
