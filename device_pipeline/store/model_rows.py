"""What the store knows of models on trial. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlite_utils import Database

from models.model_event import ModelEvent
from models.shadow_score import ShadowScore


@dataclass(frozen=True, slots=True)
class ShadowTally:
    """Of one version in shadow: `calls`, and `alike` of them with the label that the one in service gave."""

    model: str
    version: str
    calls: int
    alike: int


def model_events(db: Database, limit: int) -> list[ModelEvent]:
    """The newest, in order of time."""
    rows = db.conn.execute(
        "SELECT number, t_ns, model, version, what, reason FROM model_events ORDER BY t_ns DESC, number DESC LIMIT ?",
        (limit,),
    )
    return [ModelEvent(*row) for row in reversed(rows.fetchall())]


def shadow_scores(db: Database, session_id: int) -> Iterator[ShadowScore]:
    rows = db.conn.execute(
        "SELECT t_ns, model, version, label, score, active_version, active_label, active_score FROM shadow_scores"
        " WHERE session_id = ? ORDER BY id",
        (session_id,),
    )
    for row in rows:
        yield ShadowScore(*row)


def shadow_tallies(db: Database) -> list[ShadowTally]:
    """Of every version that has scores in the store."""
    rows = db.conn.execute(
        "SELECT model, version, count(*), sum(label = active_label) FROM shadow_scores GROUP BY model, version"
        " ORDER BY model, max(id)"
    )
    return [ShadowTally(*row) for row in rows]


def alerts_of_model(db: Database, model: str, start_ns: int, end_ns: int) -> int:
    """Alerts that the model has part in, raised in [start_ns, end_ns)."""
    count: int = db.conn.execute(
        "SELECT count(*) FROM alerts WHERE raised_ns >= ? AND raised_ns < ? AND json_extract(grounds, '$.model') = ?",
        (start_ns, end_ns, model),
    ).fetchone()[0]
    return count
