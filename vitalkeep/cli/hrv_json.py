"""The object that `vitalkeep hrv --json` prints for one record; docs/hrv.md says what is in it."""

from __future__ import annotations

from typing import Any

from device_pipeline.hrv import Hrv
from device_pipeline.intervals import METHOD
from vitalkeep.hrv_table import HrvTable

SCHEMA = "vitalkeep.hrv/1"


def table_object(table: HrvTable) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "record": table.record,
        "channel": table.channel,
        "source": None if table.source is None else table.source.value,
        "duration_s": round(table.duration_s, 3),
        "method": METHOD,
        "windows": [_window(table, window) for window in table.windows],
        "notes": list(table.notes),
    }


def _window(table: HrvTable, window: Hrv) -> dict[str, Any]:
    values = window.values
    return {
        "start_s": round((window.start_ns - table.start_ns) / 1e9, 3),
        "length_s": round(window.length_ns / 1e9, 3),
        "n_beats": window.n_beats,
        "corrected_pct": None if window.corrected_pct is None else round(window.corrected_pct, 2),
        "values": None if values is None else {name: _rounded(value) for name, value in values.items()},
        "reason": window.reason,
        "absent": dict(window.absent),
        "uncertain": list(window.uncertain),
    }


def error_object(record: str, message: str) -> dict[str, Any]:
    return {"schema": SCHEMA, "record": record, "error": message}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
