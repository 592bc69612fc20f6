"""Findings of the sides lie in the store field by field: a column has the name of its field, in the same order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, TypeVar

from sqlite_utils import Database

from device_pipeline.anomaly.anomaly import Anomaly, LearntShapes
from device_pipeline.motion.activity import Activity, Level, Posture
from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.oxygenation import Oxygenation
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.side import SideFinding
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.usability.usable import Usable

_T = TypeVar("_T", Respiration, Spo2, Desaturation, Oxygenation, Activity, Temperature, Anomaly, LearntShapes, Usable)

SIDE_TABLES: dict[type[SideFinding], str] = {
    Respiration: "respiration",
    Spo2: "spo2",
    Desaturation: "desaturations",
    Oxygenation: "oxygenation",
    Activity: "activity",
    Temperature: "temperature",
    Anomaly: "anomaly",
    LearntShapes: "learnt_shapes",
    Usable: "usable",
}
_ENUMS = {"level": Level, "posture": Posture, "site": Site, "usable": bool}


def _columns(kind: type[SideFinding]) -> list[str]:
    return [field.name for field in fields(kind)]


# The later word on the same window replaces the earlier one.
SIDE_INSERTS = {
    table: f"INSERT OR REPLACE INTO {table} (session_id, {', '.join(_columns(kind))})"
    f" VALUES ({','.join('?' * (1 + len(_columns(kind))))})"
    for kind, table in SIDE_TABLES.items()
}


def side_row(finding: SideFinding) -> tuple[object, ...]:
    """The values of its fields as the database takes them. Raises ValueError for one that is not finite."""
    values = [getattr(finding, name) for name in _columns(type(finding))]
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise ValueError("a value is not finite, expected None and a reason")
    return tuple(getattr(value, "value", value) for value in values)


def side_findings(
    db: Database, session_id: int, kind: type[_T], start_ns: int = -(1 << 63), end_ns: int = (1 << 63) - 1
) -> Iterator[_T]:
    """Those of one kind that start in [start_ns, end_ns), in order."""
    names = _columns(kind)
    rows = db.conn.execute(
        f"SELECT {', '.join(names)} FROM {SIDE_TABLES[kind]}"
        " WHERE session_id = ? AND start_ns >= ? AND start_ns < ? ORDER BY start_ns",
        (session_id, start_ns, end_ns),
    )
    for row in rows:
        yield kind(**{name: _value(name, value) for name, value in zip(names, row, strict=True)})


def latest(db: Database, session_id: int, kind: type[_T]) -> _T | None:
    """The one that starts last; None where there is none."""
    start_ns = db.conn.execute(
        f"SELECT max(start_ns) FROM {SIDE_TABLES[kind]} WHERE session_id = ?", (session_id,)
    ).fetchone()[0]
    return None if start_ns is None else next(side_findings(db, session_id, kind, start_ns))


def steps_between(db: Database, start_ns: int, end_ns: int) -> int | None:
    """Steps of the windows that start in [start_ns, end_ns), of all sessions; None where nothing could be told."""
    total: int | None = db.conn.execute(
        "SELECT sum(steps) FROM activity WHERE start_ns >= ? AND start_ns < ?", (start_ns, end_ns)
    ).fetchone()[0]
    return total


def _value(name: str, value: Any) -> Any:
    return _ENUMS[name](value) if value is not None and name in _ENUMS else value
