"""`vitalkeep status`: what the store holds and how far it reaches. Reads only; works while a run is writing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli import status_models
from vitalkeep.cli.moments import local_time

if TYPE_CHECKING:
    from sqlite_utils import Database

    from device_pipeline.baseline.day_verdict import DayVerdict
    from device_pipeline.hrv import Hrv
    from device_pipeline.motion.activity import Activity
    from device_pipeline.oximetry.spo2 import Spo2
    from device_pipeline.store.derived import Coverage, Labels, Session
    from device_pipeline.store.governor_steps import StoredStep
    from device_pipeline.store.model_seen import ModelDrift
    from device_pipeline.store.store import Store
    from device_pipeline.temperature.temperature import Temperature
    from device_pipeline.windows import HeartRate

SCHEMA = "vitalkeep.status/1"
SESSIONS_SHOWN = 5
STEPS_SHOWN = 5
_OXYGEN = ("spo2_pct", "method", "reason")
_TEMPERATURE = ("temperature_c", "trend_c_per_h", "site", "reason")
_ACTIVITY = ("steps", "level", "posture", "reason")


@click.command(short_help="What the store holds, and the newest values.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
@click.option(
    "--store",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the store; otherwise $XDG_DATA_HOME/vitalkeep (~/.local/share/vitalkeep).",
)
def status(as_json: bool, folder: Path | None) -> None:
    """Show what the store holds: last sessions and how they ended, today's signal, latest values, open alerts.

    Reads only, also while `vitalkeep run` is writing.

    \b
    Fields of --json (times are ISO 8601 in the local time zone; null where nothing is known):
      schema            "vitalkeep.status/1"
      store             the folder
      sessions          newest first: id, kind (live, replay, import), source, program, opened and
                        stored (the host's clock), started and last (the data's own time),
                        ended (clean, killed, error; null while it is being written),
                        clock (synchronised; unsynchronised: its times may be wrong, it belongs to no
                        day; late: so until synchronised_from)
      writing           whether a run is writing at present
      last_data_age_s   seconds since something was last stored
      today, last_session   good_s, poor_s, gap_s: how long the signal could be read
      heart_rate        newest window: start, length_s, bpm, quality, source, reason
      hrv               newest window with values: start, length_s, n_beats, corrected_pct,
                        method, values, reason, absent, uncertain (docs/analyze.md)
      beats_today, beats_last_session
                        kinds of the beats of an ECG (docs/analyze.md#labels): counts (N, S, V, F, Q),
                        untold, model
      oxygen            newest window: start, length_s, spo2_pct, method, reason
      temperature       newest window: start, length_s, temperature_c, trend_c_per_h, site, reason
      activity          newest window: start, length_s, steps, level, posture, reason
      steps_today       of all windows that began today
      baseline          as `vitalkeep baseline` said last: day, said (usual, unusual, learning, nothing),
                        words, nights, of (n of 4), reason
      models            of each model that a live run called within 7 days: model, version, verdict (stable,
                        watch, drifted, too_little), psi and
                        low (its lower 95 % limit) of the quantity that moved most, n of least_n calls (docs/models.md)
      governor          newest steps first: t, level (0 everything is done to 3), reason, temperature_c and
                        battery_pct of the machine (docs/governor.md)
      open_alerts       rule, start, text
      model_events      what happened to installed models, newest last: t, model, version, what, reason
      shadow            of each version that ran in shadow: model, version, calls, alike (with the label
                        of the one in service)
      database_bytes, disk_free_bytes, schema_version
    Without a store only schema, store and an empty list of sessions.

    \b
    Exit codes: 0 done, also where there is no store yet; 2 wrong usage;
    3 the store cannot be read (wrong key, damaged, made by a newer version).

    \b
    Examples:
      vitalkeep status
      vitalkeep status --json | jq .heart_rate.bpm
    """
    from device_pipeline.store.store import open_store
    from vitalkeep import paths

    store = open_store(folder or paths.data_folder())
    found = gather(store) if store.exists else {"schema": SCHEMA, "store": str(store.folder), "sessions": []}
    if as_json:
        import json

        click.echo(json.dumps(found, ensure_ascii=False, allow_nan=False))
    elif not store.exists:
        click.echo(f"There is no store in {store.folder} yet. `make demo` or `vitalkeep run` makes one.")
    else:
        from vitalkeep.cli.app import NOT_MEDICAL
        from vitalkeep.cli.status_text import status_text

        click.echo(status_text(found), nl=False)
        click.echo(NOT_MEDICAL, err=True)


def gather(store: Store) -> dict[str, Any]:
    import shutil

    from device_pipeline.motion.activity import Activity
    from device_pipeline.oximetry.spo2 import Spo2
    from device_pipeline.store import days, derived, governor_steps, model_seen, schema, side_tables
    from device_pipeline.temperature.temperature import Temperature

    now_ns = store.clock.now_ns()
    with store.reader() as db:
        writing = store.is_being_written
        sessions = derived.sessions(db, SESSIONS_SHOWN)
        last = next((session for session in sessions if session.last_ns is not None), None)
        return {
            "schema": SCHEMA,
            "store": str(store.folder),
            "sessions": [_session(session, writing and session.id == sessions[0].id) for session in sessions],
            "writing": writing,
            "last_data_age_s": None if last is None else round((now_ns - last.stored_ns) / 1e9, 1),
            "today": _coverage(derived.coverage(db, _midnight_ns(now_ns), now_ns)),
            "last_session": None if last is None else _last_coverage(db, last),
            "heart_rate": None if last is None else _heart_rate(derived.latest_heart_rate(db, last.id)),
            "hrv": None if last is None else _hrv(derived.latest_hrv(db, last.id)),
            "beats_today": _labels(derived.labels_between(db, _midnight_ns(now_ns), now_ns)),
            "beats_last_session": None if last is None else _last_labels(db, last),
            "oxygen": None if last is None else _beside(side_tables.latest(db, last.id, Spo2), _OXYGEN),
            "temperature": None
            if last is None
            else _beside(side_tables.latest(db, last.id, Temperature), _TEMPERATURE),
            "activity": None if last is None else _beside(side_tables.latest(db, last.id, Activity), _ACTIVITY),
            "steps_today": side_tables.steps_between(db, _midnight_ns(now_ns), now_ns),
            "baseline": _baseline(days.latest_verdict(db)),
            "governor": [_step(step) for step in governor_steps.last_steps(db, STEPS_SHOWN)],
            "models": [_model(model) for model in model_seen.model_drifts(db, now_ns)],
            "open_alerts": [
                {"rule": stored.alert.rule, "start": local_time(stored.alert.start_ns), "text": stored.alert.text}
                for stored in (derived.alerts(db, open_only=True) if writing else [])
            ],
            **status_models.gathered(db),
            "database_bytes": store.size_bytes,
            "disk_free_bytes": shutil.disk_usage(store.folder).free,
            "schema_version": schema.version(db),
        }


def _session(session: Session, is_open: bool) -> dict[str, Any]:
    # An open session without a writer is one whose process died; the next start will close it.
    ended = session.ended.value if session.ended is not None else None if is_open else "killed"
    return {
        "id": session.id,
        "kind": session.kind.value,
        "source": session.source,
        "program": session.program,
        "opened": local_time(session.opened_ns),
        "stored": local_time(session.stored_ns),
        "started": local_time(session.started_ns),
        "last": local_time(session.last_ns),
        "ended": ended,
        "clock": _clock(session.synchronised_from_ns),
        "synchronised_from": local_time(session.synchronised_from_ns or None),
    }


def _clock(synchronised_from_ns: int | None) -> str:
    if synchronised_from_ns is None:
        return "unsynchronised"
    return "late" if synchronised_from_ns else "synchronised"


def _midnight_ns(now_ns: int) -> int:
    from datetime import datetime

    # .timestamp() of a naive midnight minds a change of the clocks since then
    midnight = datetime.fromtimestamp(now_ns // 1_000_000_000).replace(hour=0, minute=0, second=0, microsecond=0)
    return round(midnight.timestamp()) * 1_000_000_000


def _last_coverage(db: Database, session: Session) -> dict[str, float]:
    from device_pipeline.store import derived

    return _coverage(derived.coverage(db, -(1 << 63), (1 << 63) - 1, session.id))


def _coverage(coverage: Coverage) -> dict[str, float]:
    return {
        "good_s": round(coverage.good_ns / 1e9, 1),
        "poor_s": round(coverage.poor_ns / 1e9, 1),
        "gap_s": round(coverage.absent_ns / 1e9, 1),
    }


def _heart_rate(window: HeartRate | None) -> dict[str, Any] | None:
    if window is None:
        return None
    return {
        "start": local_time(window.start_ns),
        "length_s": window.length_ns / 1e9,
        "bpm": _rounded(window.bpm, 1),
        "quality": _rounded(window.quality, 3),
        "source": window.source.value,
        "reason": window.reason,
    }


def _hrv(window: Hrv | None) -> dict[str, Any] | None:
    if window is None:
        return None
    values = None if window.values is None else {name: _rounded(value, 2) for name, value in window.values.items()}
    return {
        "start": local_time(window.start_ns),
        "length_s": window.length_ns / 1e9,
        "n_beats": window.n_beats,
        "corrected_pct": _rounded(window.corrected_pct, 2),
        "method": window.method,
        "values": values,
        "reason": window.reason,
        "absent": dict(window.absent),
        "uncertain": list(window.uncertain),
    }


def _last_labels(db: Database, session: Session) -> dict[str, Any] | None:
    from device_pipeline.store import derived

    return _labels(derived.labels_between(db, -(1 << 63), (1 << 63) - 1, session.id))


def _labels(labels: Labels | None) -> dict[str, Any] | None:
    if labels is None:
        return None
    counts = {label.value: n for label, n in labels.counts.items()}
    return {"counts": counts, "untold": labels.untold, "model": labels.model}


def _beside(window: Spo2 | Temperature | Activity | None, names: tuple[str, ...]) -> dict[str, Any] | None:
    if window is None:
        return None
    values = {name: getattr(window, name) for name in names}
    told = {name: round(value, 2) if isinstance(value, float) else value for name, value in values.items()}
    return {"start": local_time(window.start_ns), "length_s": window.length_ns / 1e9, **told}


def _baseline(verdict: DayVerdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    from models.baseline import LEAST_DAYS
    from vitalkeep.cli.baseline import said_in_words

    return {
        "day": verdict.day.isoformat(),
        "said": verdict.said.value,
        "words": said_in_words(verdict),
        "nights": verdict.nights,
        "of": LEAST_DAYS,
        "reason": verdict.reason,
    }


def _model(model: ModelDrift) -> dict[str, Any]:
    drift = model.drift
    return {
        "model": model.model,
        "version": model.version,
        "verdict": drift.verdict.value,
        "quantity": model.worst,
        "psi": _rounded(drift.psi, 3),
        "low": _rounded(drift.low, 3),
        "n": drift.n,
        "least_n": drift.least_n,
    }


def _step(step: StoredStep) -> dict[str, Any]:
    return {
        "t": local_time(step.t_ns),
        "level": int(step.level),
        "reason": step.reason,
        "temperature_c": _rounded(step.temperature_c, 1),
        "battery_pct": _rounded(step.battery_pct, 1),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
