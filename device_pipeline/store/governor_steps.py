"""Every step of the governor with its reason: when a run left something out, and when it did all again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

from device_pipeline.effort import Level
from device_pipeline.store.writer import StoreWriter


@dataclass(frozen=True, slots=True)
class StoredStep:
    """`t_ns`: the host's clock. The temperature is the machine's, not the wearer's."""

    t_ns: int
    level: Level
    reason: str
    temperature_c: float | None
    battery_pct: float | None


def keep_step(writer: StoreWriter, step: StoredStep) -> None:
    """Raises StoreError."""
    with writer.transaction():
        writer.db.execute(
            "INSERT INTO governor_steps (t_ns, level, reason, temperature_c, battery_pct) VALUES (?,?,?,?,?)",
            (step.t_ns, int(step.level), step.reason, step.temperature_c, step.battery_pct),
        )


def last_steps(db: Database, limit: int) -> list[StoredStep]:
    """The newest first."""
    rows = db.conn.execute(
        "SELECT t_ns, level, reason, temperature_c, battery_pct FROM governor_steps ORDER BY id DESC LIMIT ?", (limit,)
    )
    return [StoredStep(t_ns, Level(level), *rest) for t_ns, level, *rest in rows]
