"""What was found: sessions, beats, windows, rhythm, alerts. Reads only. Where nothing is known stands a reason.

Times are the data's own; a moment of the host's clock is named `opened_ns` or `stored_ns`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from device_pipeline.alerts.alert import Alert, Grounds
from device_pipeline.beat import Beat, BeatLabel, BeatSource, Quality
from device_pipeline.beat_types import BeatType
from device_pipeline.hrv import Hrv
from device_pipeline.rhythm import RhythmKind, RhythmSpan
from device_pipeline.store.writer import Ended, SessionKind
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, GapReason

_FIRST_NS, _LAST_NS = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Session:
    """`ended` None: still being written. `last_ns`: the end of what is stored; the two times are None without data.

    `synchronised_from_ns`: data older than this was stamped by a clock that was not right, and joins no calendar day.
    0: all of it is right; None: nothing is.
    """

    id: int
    kind: SessionKind
    source: str
    program: str
    opened_ns: int
    stored_ns: int
    started_ns: int | None
    last_ns: int | None
    ended: Ended | None
    synchronised_from_ns: int | None

    @property
    def ended_ns(self) -> int | None:
        return None if self.ended is None else self.last_ns


@dataclass(frozen=True, slots=True, repr=False)
class StoredAlert:
    """`session_last_ns`: where the data of its session end; what a killed writer left open is known up to there."""

    session_id: int
    session_last_ns: int | None
    alert: Alert

    def __repr__(self) -> str:
        return f"<StoredAlert {self.alert.rule}>"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the time that windows were told for: readable, present but poor, and absent."""

    good_ns: int
    poor_ns: int
    absent_ns: int


@dataclass(frozen=True, slots=True, repr=False)
class Labels:
    """How many beats are of which kind; of `untold` ones no kind could be told. `model`: its name and version."""

    counts: dict[BeatLabel, int]
    untold: int
    model: str

    def __repr__(self) -> str:
        return f"<Labels {self.model}>"


def sessions(db: Database, limit: int | None = None) -> list[Session]:
    """The newest first."""
    rows = db.conn.execute(
        "SELECT id, kind, source, program, opened_ns, stored_ns, started_ns, last_ns, ended,"
        " synchronised_from_ns FROM sessions ORDER BY id DESC LIMIT ?",
        (-1 if limit is None else limit,),
    )
    return [
        Session(
            id_,
            SessionKind(kind),
            source,
            program,
            opened,
            stored,
            started,
            last,
            Ended(ended) if ended else None,
            synchronised_from,
        )
        for id_, kind, source, program, opened, stored, started, last, ended, synchronised_from in rows
    ]


def beats(db: Database, session_id: int, start_ns: int = _FIRST_NS, end_ns: int = _LAST_NS) -> Iterator[Beat]:
    rows = db.conn.execute(
        "SELECT t_ns, source, rr_s, label FROM beats WHERE session_id = ? AND t_ns >= ? AND t_ns < ? ORDER BY t_ns",
        (session_id, start_ns, end_ns),
    )
    for t_ns, source, rr_s, label in rows:
        yield Beat(t_ns, BeatSource(source), rr_s, BeatLabel(label))


def heart_rates(
    db: Database, session_id: int, start_ns: int = _FIRST_NS, end_ns: int = _LAST_NS
) -> Iterator[HeartRate]:
    """The windows that start in [start_ns, end_ns)."""
    rows = db.conn.execute(
        "SELECT start_ns, length_ns, bpm, quality, reason, source FROM heart_rate"
        " WHERE session_id = ? AND start_ns >= ? AND start_ns < ? ORDER BY start_ns",
        (session_id, start_ns, end_ns),
    )
    for row in rows:
        yield _heart_rate(row)


def latest_heart_rate(db: Database, session_id: int) -> HeartRate | None:
    """The newest window, whether it has a number or a reason."""
    rows = db.conn.execute(
        "SELECT start_ns, length_ns, bpm, quality, reason, source FROM heart_rate"
        " WHERE session_id = ? ORDER BY start_ns DESC LIMIT 1",
        (session_id,),
    )
    row = rows.fetchone()
    return None if row is None else _heart_rate(row)


def hrv(db: Database, session_id: int, start_ns: int = _FIRST_NS, end_ns: int = _LAST_NS) -> Iterator[Hrv]:
    """The windows that start in [start_ns, end_ns)."""
    rows = db.conn.execute(
        "SELECT start_ns, length_ns, n_beats, corrected_pct, method, metric_values, reason, absent, uncertain FROM hrv"
        " WHERE session_id = ? AND start_ns >= ? AND start_ns < ? ORDER BY start_ns",
        (session_id, start_ns, end_ns),
    )
    for row in rows:
        yield _hrv(row)


def latest_hrv(db: Database, session_id: int) -> Hrv | None:
    """The newest window that has values; if none has, the newest with its reason."""
    rows = db.conn.execute(
        "SELECT start_ns, length_ns, n_beats, corrected_pct, method, metric_values, reason, absent, uncertain FROM hrv"
        " WHERE session_id = ? ORDER BY metric_values IS NULL, start_ns DESC LIMIT 1",
        (session_id,),
    )
    row = rows.fetchone()
    return None if row is None else _hrv(row)


def rhythm(db: Database, session_id: int) -> Iterator[RhythmSpan]:
    rows = db.conn.execute(
        "SELECT start_ns, end_ns, kind, probability, model, version FROM rhythm WHERE session_id = ? ORDER BY start_ns",
        (session_id,),
    )
    for start_ns, end_ns, kind, probability, model, version in rows:
        yield RhythmSpan(start_ns, end_ns, RhythmKind(kind), probability, model, version)


def absences(db: Database, session_id: int) -> Iterator[Gap]:
    rows = db.conn.execute(
        "SELECT channel, start_ns, end_ns, reason FROM absences WHERE session_id = ? ORDER BY start_ns, id",
        (session_id,),
    )
    for channel, start_ns, end_ns, reason in rows:
        yield Gap(channel, start_ns, end_ns, GapReason(reason))


def qualities(db: Database, session_id: int, channel: str) -> Iterator[Quality]:
    rows = db.conn.execute(
        "SELECT start_ns, end_ns, quality, good, reason FROM quality WHERE session_id = ? AND channel = ?"
        " ORDER BY start_ns",
        (session_id, channel),
    )
    for start_ns, end_ns, index, good, reason in rows:
        yield Quality(start_ns, end_ns, index, bool(good), reason)


def alerts(db: Database, since_ns: int | None = None, open_only: bool = False) -> list[StoredAlert]:
    """Those that were not over before `since_ns`, the newest last."""
    rows = db.conn.execute(
        "SELECT session_id, last_ns, rule, start_ns, raised_ns, end_ns, text, grounds FROM alerts"
        " JOIN sessions ON sessions.id = session_id"
        " WHERE coalesce(end_ns, ?) >= ? AND (end_ns IS NULL OR NOT ?) ORDER BY start_ns, rule, session_id",
        (_LAST_NS, _FIRST_NS if since_ns is None else since_ns, open_only),
    )
    return [
        StoredAlert(session_id, last_ns, Alert(rule, start_ns, raised_ns, end_ns, text, _grounds(grounds)))
        for session_id, last_ns, rule, start_ns, raised_ns, end_ns, text, grounds in rows
    ]


def beat_types(db: Database, session_id: int, start_ns: int = _FIRST_NS, end_ns: int = _LAST_NS) -> Iterator[BeatType]:
    """What kind the beats in [start_ns, end_ns) are, in order of time."""
    rows = db.conn.execute(
        "SELECT t_ns, label, score, model, version, reason FROM beat_types"
        " WHERE session_id = ? AND t_ns >= ? AND t_ns < ? ORDER BY t_ns",
        (session_id, start_ns, end_ns),
    )
    for t_ns, label, score, model, version, reason in rows:
        yield BeatType(t_ns, None if label is None else BeatLabel(label), score, model, version, reason)


def labels_between(db: Database, start_ns: int, end_ns: int, session_id: int | None = None) -> Labels | None:
    """How many beats in [start_ns, end_ns) are of which kind, of one session, or of all: then of times that are right.

    None where no model was asked.
    """
    rows = db.conn.execute(
        # session by session, so that only what lies in the time asked for is read
        "SELECT label, count(*), max(model || ' ' || version) FROM sessions CROSS JOIN beat_types"
        " ON session_id = sessions.id AND t_ns >= ? AND t_ns < ?"
        " WHERE last_ns >= ? AND (sessions.id = ? OR ? IS NULL AND t_ns >= coalesce(synchronised_from_ns, ?))"
        " GROUP BY label",
        (start_ns, end_ns, start_ns, session_id, session_id, _LAST_NS),
    ).fetchall()
    if not rows:
        return None
    counted = {label: n for label, n, _ in rows}
    return Labels(
        {label: counted.get(label.value, 0) for label in BeatLabel}, counted.get(None, 0), max(row[2] for row in rows)
    )


def coverage(db: Database, start_ns: int, end_ns: int, session_id: int | None = None) -> Coverage:
    """Over the windows that begin in [start_ns, end_ns), of one session, or of all: then of times that are right."""
    good_ns, poor_ns, whole_ns = db.conn.execute(
        "SELECT coalesce(sum(good_ns), 0), coalesce(sum(poor_ns), 0), coalesce(sum(end_ns - start_ns), 0) FROM coverage"
        " WHERE end_ns > ? AND start_ns >= ? AND start_ns < ? AND (session_id = ? OR ? IS NULL AND start_ns >="
        " (SELECT coalesce(synchronised_from_ns, ?) FROM sessions WHERE id = session_id))",
        (start_ns, start_ns, end_ns, session_id, session_id, _LAST_NS),
    ).fetchone()
    return Coverage(good_ns, poor_ns, whole_ns - good_ns - poor_ns)


def _grounds(text: str | None) -> Grounds | None:
    if text is None:
        return None
    fields = json.loads(text)
    return Grounds(**{**fields, "beats_ns": tuple(fields["beats_ns"])})


def _heart_rate(row: tuple[Any, ...]) -> HeartRate:
    start_ns, length_ns, bpm, quality, reason, source = row
    return HeartRate(start_ns, length_ns, bpm, quality, reason, BeatSource(source))


def _hrv(row: tuple[Any, ...]) -> Hrv:
    start_ns, length_ns, n_beats, corrected_pct, method, values, reason, absent, uncertain = row
    known = None if values is None else json.loads(values)
    doubts = json.loads(absent), tuple(json.loads(uncertain))
    return Hrv(start_ns, length_ns, n_beats, corrected_pct, method, known, reason, *doubts)
