"""What the pipeline found, as rows of the store: the statement of each table, and what goes into it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, Quality
from device_pipeline.beat_types import BeatType
from device_pipeline.hrv import Hrv
from device_pipeline.rhythm import RhythmSpan
from device_pipeline.side import SideFinding
from device_pipeline.store.side_tables import SIDE_INSERTS, SIDE_TABLES, side_row
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from models.model_event import ModelEvent
from models.shadow_score import ShadowScore
from sensors.samples import Gap

Found = (
    Beat
    | Quality
    | Gap
    | Window
    | HeartRate
    | Hrv
    | Alert
    | RhythmSpan
    | BeatType
    | ShadowScore
    | ModelEvent
    | SideFinding
)

INSERTS = {
    "absences": "INSERT INTO absences (session_id, channel, start_ns, end_ns, reason) VALUES (?,?,?,?,?)",
    # the later word on the same beat, window or alert replaces the earlier one
    "beats": "INSERT OR REPLACE INTO beats (session_id, t_ns, source, rr_s, label) VALUES (?,?,?,?,?)",
    "quality": """INSERT OR REPLACE INTO quality (session_id, channel, start_ns, end_ns, quality, good, reason)
        VALUES (?,?,?,?,?,?,?)""",
    "coverage": """INSERT OR REPLACE INTO coverage (session_id, start_ns, end_ns, source, good_ns, poor_ns, quality,
        reason) VALUES (?,?,?,?,?,?,?,?)""",
    "heart_rate": """INSERT OR REPLACE INTO heart_rate (session_id, start_ns, length_ns, source, bpm, quality, reason)
        VALUES (?,?,?,?,?,?,?)""",
    "hrv": """INSERT OR REPLACE INTO hrv (session_id, start_ns, length_ns, n_beats, corrected_pct, method, reason,
        metric_values, absent, uncertain) VALUES (?,?,?,?,?,?,?,?,?,?)""",
    "rhythm": """INSERT OR REPLACE INTO rhythm (session_id, start_ns, end_ns, kind, probability, model, version)
        VALUES (?,?,?,?,?,?,?)""",
    "alerts": """INSERT OR REPLACE INTO alerts (session_id, rule, start_ns, raised_ns, end_ns, text, grounds)
        VALUES (?,?,?,?,?,?,?)""",
    "beat_types": """INSERT OR REPLACE INTO beat_types (session_id, t_ns, label, score, model, version, reason)
        VALUES (?,?,?,?,?,?,?)""",
    "shadow_scores": """INSERT INTO shadow_scores (session_id, t_ns, model, version, label, score, active_version,
        active_label, active_score) VALUES (?,?,?,?,?,?,?,?,?)""",
    "model_events": """INSERT OR IGNORE INTO model_events (session_id, number, t_ns, model, version, what, reason)
        VALUES (?,?,?,?,?,?,?)""",
    **SIDE_INSERTS,
}


@dataclass(frozen=True, slots=True, repr=False)
class FindingRow:
    """`values`: after the session. `span_ns`: how far it shows that the session reaches, None where it does not."""

    table: str
    values: tuple[object, ...]
    span_ns: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"<FindingRow {self.table}>"


def finding_row(finding: Found) -> FindingRow:
    """Of anything the pipeline puts out but a Quality, which does not know its channel: see `quality_row`.

    Raises ValueError for a number that is not finite.
    """
    match finding:
        case Beat() as b:
            values: tuple[object, ...] = (b.t_ns, b.source.value, finite(b.rr_s), b.label.value)
            return FindingRow("beats", values, (b.t_ns, b.t_ns))
        case Window() as w:
            # what could be read of a window of the source that leads; of the window itself only that is kept
            values = (w.start_ns, w.end_ns, w.source.value, w.good_ns, w.poor_ns, finite(w.index), w.reason)
            return FindingRow("coverage", values)
        case Gap() as g:
            # also those that the pipeline itself saw in the signal
            values = (g.channel, g.start_ns, g.end_ns, g.reason.value)
            return FindingRow("absences", values, (g.start_ns, g.end_ns))
        case HeartRate() as h:
            values = (h.start_ns, h.length_ns, h.source.value, finite(h.bpm), finite(h.quality), h.reason)
            return FindingRow("heart_rate", values)
        case Hrv() as v:
            metrics = None
            if v.values is not None:
                metrics = json.dumps({name: finite(value) for name, value in v.values.items()}, allow_nan=False)
            method = str(v.method)
            doubts = json.dumps(dict(v.absent)), json.dumps(list(v.uncertain))
            values = (v.start_ns, v.length_ns, v.n_beats, finite(v.corrected_pct), method, v.reason, metrics, *doubts)
            return FindingRow("hrv", values)
        case Alert() as a:
            # once when it is raised and once when it is over: rule and start name it
            grounds = None if a.grounds is None else json.dumps(asdict(a.grounds), allow_nan=False)
            return FindingRow("alerts", (a.rule, a.start_ns, a.raised_ns, a.end_ns, a.text, grounds))
        case BeatType() as t:
            label = None if t.label is None else t.label.value
            return FindingRow("beat_types", (t.t_ns, label, finite(t.score), t.model, t.version, t.reason))
        case RhythmSpan() as r:
            told = (finite(r.probability), r.model, r.version)
            return FindingRow("rhythm", (r.start_ns, r.end_ns, r.kind.value, *told))
        case ShadowScore() as s:
            said = (s.label, finite(s.score), s.active_version, s.active_label, finite(s.active_score))
            return FindingRow("shadow_scores", (s.t_ns, s.model, s.version, *said))
        case ModelEvent() as e:
            return FindingRow("model_events", (e.number, e.t_ns, e.model, e.version, e.what, e.reason))
        case Quality():
            raise TypeError("a Quality does not know its channel, expected add_quality(quality, channel)")
        case _:
            return FindingRow(SIDE_TABLES[type(finding)], side_row(finding))


def quality_row(quality: Quality, channel: str) -> FindingRow:
    q = quality
    values = (channel, q.start_ns, q.end_ns, finite(q.index), int(q.good), q.reason)
    return FindingRow("quality", values, (q.start_ns, q.end_ns))


def finite(value: float | None) -> float | None:
    """As the database takes it; a NaN would become NULL there and its whole batch could never be stored."""
    if value is None:
        return None
    if not math.isfinite(value):
        raise ValueError("a value is not finite, expected None and a reason")
    return float(value)
