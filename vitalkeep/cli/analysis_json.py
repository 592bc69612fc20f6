"""An Analysis as the JSON object of docs/analyze.schema.json: absent values are null, with the reason beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from device_pipeline.alerts.alert import Grounds
from device_pipeline.beat import BeatLabel, BeatSource
from device_pipeline.hrv import Hrv
from device_pipeline.oximetry.oxygenation import OxygenSummary, summed
from device_pipeline.screening import Screening
from vitalkeep.analysis import Analysis

SCHEMA = "vitalkeep.analyze/1"


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def analysis_object(analysis: Analysis) -> dict[str, Any]:
    """Times in seconds from the start of the record; one entry for every window of each grid."""

    def at_s(t_ns: int) -> float:
        return round((t_ns - analysis.start_ns) / 1e9, 3)

    duration_ns = analysis.end_ns - analysis.start_ns
    beats: dict[str, Any] = {"n": analysis.beats_n, "mean_hr_bpm": _round(analysis.mean_hr_bpm, 2)}
    if analysis.mean_hr_bpm is None:
        beats["reason"] = "no_data" if analysis.good_ns + analysis.poor_ns == 0 else "too_few_beats"
    return {
        "schema": SCHEMA,
        "record": analysis.record,
        "fs_hz": analysis.fs_hz,
        "duration_s": round(duration_ns / 1e9, 3),
        "channel": analysis.channel,
        "source": None if analysis.source is None else analysis.source.value,
        "beats": beats,
        "labels": _labels(analysis),
        "quality": {
            "good_s": round(analysis.good_ns / 1e9, 3),
            "poor_s": round(analysis.poor_ns / 1e9, 3),
            "gap_s": round(max(0, duration_ns - analysis.good_ns - analysis.poor_ns) / 1e9, 3),
        },
        "gaps": [
            {"start_s": at_s(gap.start_ns), "end_s": at_s(gap.end_ns), "reason": gap.reason.value}
            for gap in analysis.gaps
        ],
        "heart_rate": [
            {
                "start_s": at_s(rate.start_ns),
                "length_s": round(rate.length_ns / 1e9, 3),
                "bpm": _round(rate.bpm, 2),
                "quality": _round(rate.quality, 3),
                "reason": rate.reason,
            }
            for rate in analysis.heart_rate
        ],
        "hrv": [{"start_s": at_s(hrv.start_ns), **_hrv_values(hrv)} for hrv in analysis.hrv],
        "rhythm": [
            {
                "start_s": at_s(span.start_ns),
                "end_s": at_s(span.end_ns),
                "kind": span.kind.value,
                "probability": _round(span.probability, 3),
                "model": None if span.model is None else f"{span.model} {span.version}",
            }
            for span in analysis.rhythm
        ],
        "rhythm_reason": analysis.rhythm_reason,
        "alerts": [
            {
                "start_s": at_s(alert.start_ns),
                "end_s": at_s(analysis.end_ns if alert.end_ns is None else alert.end_ns),
                "rule": alert.rule,
                "text": alert.text,
                "grounds": _grounds(alert.grounds, at_s),
            }
            for _, alert in sorted(analysis.alerts.items())
        ],
        "respiration": [
            {
                "start_s": at_s(window.start_ns),
                "length_s": round(window.length_ns / 1e9, 3),
                "rate_bpm": _round(window.rate_bpm, 2),
                "quality": _round(window.quality, 3),
                "reason": window.reason,
                "method": window.method,
            }
            for window in analysis.respiration
        ],
        "spo2": [
            {
                "start_s": at_s(window.start_ns),
                "length_s": round(window.length_ns / 1e9, 3),
                "spo2_pct": _round(window.spo2_pct, 1),
                "quality": _round(window.quality, 3),
                "reason": window.reason,
                "method": window.method,
            }
            for window in analysis.spo2
        ],
        "desaturations": [
            {"start_s": at_s(drop.start_ns), "end_s": at_s(drop.end_ns), "nadir_pct": round(drop.nadir_pct, 1)}
            for drop in analysis.desaturations
        ],
        "oximetry": _oximetry(summed(analysis.oxygenation)),
        "activity": [
            {
                "start_s": at_s(window.start_ns),
                "length_s": round(window.length_ns / 1e9, 3),
                "steps": window.steps,
                "level": window.level,
                "posture": window.posture,
                "quality": _round(window.quality, 3),
                "reason": window.reason,
            }
            for window in analysis.activity
        ],
        "temperature": [
            {
                "start_s": at_s(window.start_ns),
                "length_s": round(window.length_ns / 1e9, 3),
                "temperature_c": _round(window.temperature_c, 2),
                "trend_c_per_h": _round(window.trend_c_per_h, 2),
                "reason": window.reason,
                "site": window.site,
            }
            for window in analysis.temperature
        ],
        "anomaly": [
            {
                "start_s": at_s(window.start_ns),
                "length_s": round(window.length_ns / 1e9, 3),
                "score": _round(window.score, 2),
                "n_beats": window.n_beats,
                "odd_n": window.odd_n,
                "model": f"{window.model} {window.version}".strip(),
                "reason": window.reason,
            }
            for window in analysis.anomaly
        ],
        "usable": [
            {
                "start_s": at_s(window.start_ns),
                "length_s": round(window.length_ns / 1e9, 3),
                "usable": window.usable,
                "right": _round(window.right, 3),
                "noisy": _round(window.noisy, 3),
                "method": window.method,
                "reason": window.reason,
            }
            for window in analysis.usable
        ],
        "screen": _screen(analysis.screening),
        "notes": analysis.notes,
    }


def _labels(analysis: Analysis) -> dict[str, Any]:
    """How many of all beats found are of which kind."""
    told = analysis.types[0] if analysis.types and analysis.untyped is None else None
    by_file = analysis.source is BeatSource.ANNOTATION
    if told is None and not by_file:
        reason = analysis.untyped or "no_data"
        return {"counts": None, "untold": None, "model": None, "version": None, "reason": reason}
    counts = Counter(analysis.labels())
    return {
        "counts": {label.value: counts[label] for label in BeatLabel},
        "untold": counts[None],
        "model": None if told is None else told.model,
        "version": None if told is None else told.version,
        "reason": None,
    }


def _grounds(grounds: Grounds | None, at_s: Callable[[int], float]) -> dict[str, Any] | None:
    if grounds is None:
        return None
    return {
        "start_s": at_s(grounds.start_ns),
        "end_s": at_s(grounds.end_ns),
        "beats_s": [at_s(t_ns) for t_ns in grounds.beats_ns],
        "score": round(grounds.score, 3),
        "model": grounds.model,
        "version": grounds.version,
        "strip_start_s": at_s(grounds.strip_start_ns),
        "strip_end_s": at_s(grounds.strip_end_ns),
    }


def _screen(screening: Screening | None) -> dict[str, Any]:
    found = None if screening is None else screening.screened
    return {
        "label": None if found is None else found.label,
        "probabilities": None if found is None else {label: round(p, 3) for label, p in found.probabilities.items()},
        "model": None if found is None else f"{found.model} {found.version}",
        "reason": "no_ecg" if screening is None else screening.reason,
    }


def _oximetry(summary: OxygenSummary | None) -> dict[str, Any] | None:
    """None where no oximeter was read."""
    if summary is None:
        return None
    reason = None
    if summary.odi3_per_h is None:
        reason = "too_short" if summary.valid_s else "no_data"
    return {
        "valid_s": summary.valid_s,
        "mean_pct": _round(summary.mean_pct, 1),
        "min_pct": _round(summary.min_pct, 1),
        "below_90_s": summary.below_90_s,
        "below_90_pct": _round(summary.below_90_pct, 2),
        "odi3_per_h": _round(summary.odi3_per_h, 2),
        "odi4_per_h": _round(summary.odi4_per_h, 2),
        "reason": reason,
    }


def _hrv_values(hrv: Hrv) -> dict[str, Any]:
    values = None if hrv.values is None else {name: _round(value, 3) for name, value in hrv.values.items()}
    return {
        "length_s": round(hrv.length_ns / 1e9, 3),
        "n_beats": hrv.n_beats,
        "corrected_pct": _round(hrv.corrected_pct, 2),
        "method": hrv.method,
        "values": values,
        "reason": hrv.reason,
        "absent": dict(hrv.absent),
        "uncertain": list(hrv.uncertain),
    }


def error_object(record: str, message: str) -> dict[str, Any]:
    return {"schema": SCHEMA, "record": record, "error": message}
