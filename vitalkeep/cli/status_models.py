"""What `vitalkeep status` tells of models on trial: what happened to them, and how they agree while in shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database

EVENTS_SHOWN = 5


def gathered(db: Database) -> dict[str, Any]:
    """`model_events`, the newest last, and `shadow`."""
    from device_pipeline.store.model_rows import model_events, shadow_tallies
    from vitalkeep.cli.moments import local_time

    return {
        "model_events": [
            {
                "t": local_time(event.t_ns),
                "model": event.model,
                "version": event.version,
                "what": event.what,
                "reason": event.reason,
            }
            for event in model_events(db, EVENTS_SHOWN)
        ],
        "shadow": [
            {"model": one.model, "version": one.version, "calls": one.calls, "alike": one.alike}
            for one in shadow_tallies(db)
        ],
    }


def texts(found: dict[str, Any]) -> list[tuple[str, str]]:
    """(name, words), none where no model was ever on trial."""
    from vitalkeep.cli.moments import short_time

    lines = [
        (
            "in shadow",
            f"{one['model']} {one['version']}: {one['calls']:,} calls, {one['alike']:,} as the one in service",
        )
        for one in found["shadow"]
    ]
    if found["model_events"]:
        told = [
            f"{short_time(e['t'])} {e['model']} {e['version']} {e['what']}: {e['reason']}"
            for e in found["model_events"]
        ]
        lines.append(("model events", "\n".join(told)))
    return lines
