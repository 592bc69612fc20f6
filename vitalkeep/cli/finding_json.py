"""A finding as one line of JSON, for whoever listens to a running session; see docs/run.md."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from device_pipeline.alerts.alert import Alert
from device_pipeline.anomaly.anomaly import Anomaly, LearntShapes
from device_pipeline.beat import Beat, Quality
from device_pipeline.beat_types import BeatType
from device_pipeline.hrv import Hrv
from device_pipeline.motion.activity import Activity
from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.oxygenation import Oxygenation
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.rhythm import RhythmSpan
from device_pipeline.run import Finding
from device_pipeline.temperature.temperature import Temperature
from device_pipeline.track import Window
from device_pipeline.usability.usable import Usable
from device_pipeline.windows import HeartRate
from sensors.samples import Gap


def finding_line(finding: Finding, device: str | None = None) -> str | None:
    """None for what is only the grain of something else. `device`: whose it is, where several may be held."""
    row = _row(finding)
    if row is not None and device is not None:
        row["device"] = device
    return None if row is None else json.dumps(row, allow_nan=False)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _row(finding: Finding) -> dict[str, Any] | None:
    match finding:
        case Beat():
            return {
                "type": "beat",
                "t_ns": finding.t_ns,
                "source": finding.source.value,
                "rr_ms": None if finding.rr_s is None else round(finding.rr_s * 1e3, 3),
                "label": finding.label.value,
            }
        case Gap():
            return {
                "type": "gap",
                "start_ns": finding.start_ns,
                "end_ns": finding.end_ns,
                "channel": finding.channel,
                "reason": finding.reason.value,
            }
        case HeartRate():
            return {
                "type": "heart_rate",
                "start_ns": finding.start_ns,
                "length_ns": finding.length_ns,
                "bpm": None if finding.bpm is None else round(finding.bpm, 2),
                "quality": None if finding.quality is None else round(finding.quality, 3),
                "reason": finding.reason,
                "source": finding.source.value,
            }
        case Hrv():
            return {
                "type": "hrv",
                "start_ns": finding.start_ns,
                "length_ns": finding.length_ns,
                "n_beats": finding.n_beats,
                "corrected_pct": _round(finding.corrected_pct),
                "method": finding.method,
                "values": None if finding.values is None else {name: _round(v) for name, v in finding.values.items()},
                "reason": finding.reason,
                "absent": dict(finding.absent),
                "uncertain": list(finding.uncertain),
            }
        case RhythmSpan():
            return {
                "type": "rhythm",
                "start_ns": finding.start_ns,
                "end_ns": finding.end_ns,
                "kind": finding.kind.value,
                "probability": _round(finding.probability),
                "model": None if finding.model is None else f"{finding.model} {finding.version}",
            }
        case Alert():
            return {
                "type": "alert",
                "rule": finding.rule,
                "state": "raised" if finding.end_ns is None else "over",
                "start_ns": finding.start_ns,
                "end_ns": finding.end_ns,
                "text": finding.text,
                "grounds": None if finding.grounds is None else asdict(finding.grounds),
            }
        case BeatType():
            return {
                "type": "beat_type",
                "t_ns": finding.t_ns,
                "label": None if finding.label is None else finding.label.value,
                "score": _round(finding.score),
                "model": finding.model,
                "version": finding.version,
                "reason": finding.reason,
            }
        case Quality():
            return {
                "type": "quality",
                "start_ns": finding.start_ns,
                "end_ns": finding.end_ns,
                "index": round(finding.index, 3),
                "good": finding.good,
                "reason": finding.reason,
            }
        case Respiration():
            return {
                "type": "respiration",
                "start_ns": finding.start_ns,
                "length_ns": finding.length_ns,
                "rate_bpm": None if finding.rate_bpm is None else round(finding.rate_bpm, 2),
                "quality": _round(finding.quality),
                "reason": finding.reason,
                "method": finding.method,
            }
        case Spo2():
            return {
                "type": "spo2",
                "start_ns": finding.start_ns,
                "length_ns": finding.length_ns,
                "spo2_pct": None if finding.spo2_pct is None else round(finding.spo2_pct, 1),
                "quality": _round(finding.quality),
                "reason": finding.reason,
                "method": finding.method,
            }
        case Desaturation():
            return {
                "type": "desaturation",
                "start_ns": finding.start_ns,
                "end_ns": finding.end_ns,
                "nadir_pct": round(finding.nadir_pct, 1),
            }
        case Oxygenation():
            return {
                "type": "oxygenation",
                "start_ns": finding.start_ns,
                "length_ns": finding.length_ns,
                "valid_s": finding.valid_s,
                "mean_pct": _round(finding.mean_pct),
                "min_pct": _round(finding.min_pct),
                "below_90_s": finding.below_90_s,
                "drops_3": finding.drops_3,
                "drops_4": finding.drops_4,
            }
        case Activity():
            return {
                "type": "activity",
                "start_ns": finding.start_ns,
                "length_ns": finding.length_ns,
                "steps": finding.steps,
                "level": finding.level,
                "posture": finding.posture,
                "quality": _round(finding.quality),
                "reason": finding.reason,
            }
        case Temperature():
            return {
                "type": "temperature",
                "start_ns": finding.start_ns,
                "length_ns": finding.length_ns,
                "temperature_c": None if finding.temperature_c is None else round(finding.temperature_c, 2),
                "trend_c_per_h": None if finding.trend_c_per_h is None else round(finding.trend_c_per_h, 2),
                "reason": finding.reason,
                "site": finding.site,
            }
        case Anomaly():
            return {
                "type": "anomaly",
                "start_ns": finding.start_ns,
                "length_ns": finding.length_ns,
                "score": None if finding.score is None else round(finding.score, 2),
                "n_beats": finding.n_beats,
                "odd_n": finding.odd_n,
                "model": f"{finding.model} {finding.version}".strip(),
                "reason": finding.reason,
            }
        case Usable():
            return {
                "type": "usable",
                "start_ns": finding.start_ns,
                "length_ns": finding.length_ns,
                "usable": finding.usable,
                "right": _round(finding.right),
                "noisy": _round(finding.noisy),
                "method": finding.method,
                "reason": finding.reason,
            }
        case Window() | LearntShapes():
            return None
