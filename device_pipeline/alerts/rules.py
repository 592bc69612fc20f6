"""The alerts as a table: what each watches, when its condition is met, how long it must hold, and what it says.

Off-body or silent is `no_data`: a heart is never called slow because nobody is wearing the sensor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from device_pipeline.alerts.hold import Verdict
from device_pipeline.alerts.ventricular import VentricularRun, VentricularShare
from device_pipeline.beat import Beat
from device_pipeline.config import Limits
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.rhythm import RhythmKind
from device_pipeline.temperature.temperature import Temperature
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate


class Watches(StrEnum):
    HEART_RATE = "heart_rate"
    SIGNAL = "signal"
    RHYTHM = "rhythm"
    BEAT = "beat"
    OXYGEN = "oxygen"
    TEMPERATURE = "temperature"
    VENTRICULAR_RUN = "ventricular_run"
    VENTRICULAR_SHARE = "ventricular_share"


Evidence = HeartRate | Window | RhythmKind | Beat | Spo2 | Temperature | VentricularRun | VentricularShare | None
SURE = 0.8  # a run of whose beats the model is less sure is none


@dataclass(frozen=True, slots=True)
class Rule:
    """`judge(evidence, limits)` gives the verdict; `hold_s`: how long it must be met; `text`: what is said.

    `patience_s`: how long the rule waits without a number before an open alert ends; `clear_s`: how long the condition
    must be clear for that.
    """

    name: str
    watches: Watches
    judge: Callable[[Evidence, Limits], Verdict]
    hold_s: Callable[[Limits], float]
    text: Callable[[Limits], str]
    patience_s: float = 60.0
    clear_s: Callable[[Limits], float] = lambda limits: limits.clear_hold_s
    dates_back: bool = False  # see Hold


def _fast(evidence: Evidence, limits: Limits) -> Verdict:
    if not isinstance(evidence, HeartRate) or evidence.bpm is None:
        return Verdict.UNKNOWN
    if evidence.bpm >= limits.tachycardia_bpm:
        return Verdict.MET
    return Verdict.BETWEEN if evidence.bpm >= limits.tachycardia_clear_bpm else Verdict.CLEAR


def _slow(evidence: Evidence, limits: Limits) -> Verdict:
    if not isinstance(evidence, HeartRate) or evidence.bpm is None:
        return Verdict.UNKNOWN
    if evidence.bpm <= limits.bradycardia_bpm:
        return Verdict.MET
    return Verdict.BETWEEN if evidence.bpm <= limits.bradycardia_clear_bpm else Verdict.CLEAR


def _pause(evidence: Evidence, limits: Limits) -> Verdict:
    if not isinstance(evidence, Beat) or evidence.rr_s is None:
        return Verdict.UNKNOWN
    return Verdict.MET if evidence.rr_s >= limits.pause_s else Verdict.CLEAR


def _irregular(evidence: Evidence, limits: Limits) -> Verdict:
    if evidence is None:
        return Verdict.UNKNOWN
    return Verdict.MET if evidence is RhythmKind.AFIB else Verdict.CLEAR


def _poor(evidence: Evidence, limits: Limits) -> Verdict:
    if not isinstance(evidence, Window) or evidence.absent_ns * 2 > evidence.length_ns:
        return Verdict.UNKNOWN
    return Verdict.MET if evidence.poor_ns > evidence.good_ns else Verdict.CLEAR


def _absent(evidence: Evidence, limits: Limits) -> Verdict:
    if not isinstance(evidence, Window):
        return Verdict.UNKNOWN
    return Verdict.MET if evidence.absent_ns * 2 > evidence.length_ns else Verdict.CLEAR


def _low_oxygen(evidence: Evidence, limits: Limits) -> Verdict:
    if not isinstance(evidence, Spo2) or evidence.spo2_pct is None:
        return Verdict.UNKNOWN
    if evidence.spo2_pct <= limits.low_oxygen_pct:
        return Verdict.MET
    return Verdict.BETWEEN if evidence.spo2_pct <= limits.low_oxygen_clear_pct else Verdict.CLEAR


def _fever(evidence: Evidence, limits: Limits) -> Verdict:
    if not isinstance(evidence, Temperature) or evidence.temperature_c is None:
        return Verdict.UNKNOWN
    if evidence.temperature_c >= limits.fever_c:
        return Verdict.MET
    return Verdict.BETWEEN if evidence.temperature_c >= limits.fever_clear_c else Verdict.CLEAR


def _run_of_v(evidence: Evidence, limits: Limits) -> Verdict:
    if not isinstance(evidence, VentricularRun):
        return Verdict.UNKNOWN
    long = evidence.n >= limits.ventricular_run_beats
    fast = evidence.bpm is not None and evidence.bpm >= limits.ventricular_run_bpm
    sure = evidence.score is not None and evidence.score >= SURE
    return Verdict.MET if long and fast and sure else Verdict.CLEAR


def _frequent_v(evidence: Evidence, limits: Limits) -> Verdict:
    if not isinstance(evidence, VentricularShare):
        return Verdict.UNKNOWN
    if evidence.percent >= limits.frequent_ventricular_pct:
        return Verdict.MET
    return Verdict.BETWEEN if evidence.percent >= limits.frequent_ventricular_clear_pct else Verdict.CLEAR


RULES = (
    Rule(
        "tachycardia",
        Watches.HEART_RATE,
        _fast,
        lambda limits: limits.tachycardia_hold_s,
        lambda limits: (
            f"Heart rate at or above your limit of {limits.tachycardia_bpm:g} bpm"
            f" for at least {limits.tachycardia_hold_s:g} s"
        ),
    ),
    Rule(
        "bradycardia",
        Watches.HEART_RATE,
        _slow,
        lambda limits: limits.bradycardia_hold_s,
        lambda limits: (
            f"Heart rate at or below your limit of {limits.bradycardia_bpm:g} bpm"
            f" for at least {limits.bradycardia_hold_s:g} s"
        ),
    ),
    Rule(
        "pause",
        Watches.BEAT,
        _pause,
        lambda limits: 0.0,
        lambda limits: f"No heartbeat for at least {limits.pause_s:g} s while the signal was good",
        patience_s=0.0,
        clear_s=lambda limits: 0.0,
    ),
    Rule(
        "irregular_rhythm",
        Watches.RHYTHM,
        _irregular,
        lambda limits: limits.irregular_hold_s,
        lambda limits: (
            "Irregular rhythm of the kind that atrial fibrillation makes; only an ECG read by a doctor can tell"
        ),
        patience_s=120.0,
        dates_back=True,
    ),
    Rule(
        "poor_signal",
        Watches.SIGNAL,
        _poor,
        lambda limits: limits.poor_signal_hold_s,
        lambda limits: f"The signal has been too poor to read for at least {limits.poor_signal_hold_s:g} s",
        patience_s=10.0,
        clear_s=lambda limits: limits.signal_clear_hold_s,
    ),
    Rule(
        "no_data",
        Watches.SIGNAL,
        _absent,
        lambda limits: limits.no_data_hold_s,
        lambda limits: f"No data for at least {limits.no_data_hold_s:g} s: sensor off the body, silent or out of reach",
        patience_s=0.0,
        clear_s=lambda limits: limits.signal_clear_hold_s,
    ),
    Rule(
        "low_oxygen",
        Watches.OXYGEN,
        _low_oxygen,
        lambda limits: limits.low_oxygen_hold_s,
        lambda limits: (
            f"Oxygen saturation at or below your limit of {limits.low_oxygen_pct:g} %"
            f" for at least {limits.low_oxygen_hold_s:g} s"
        ),
    ),
    Rule(
        "fever",
        Watches.TEMPERATURE,
        _fever,
        lambda limits: limits.fever_hold_s,
        lambda limits: (
            f"Temperature at or above your limit of {limits.fever_c:g} °C for at least {limits.fever_hold_s / 60:g} min"
        ),
        patience_s=1800.0,
        clear_s=lambda limits: limits.fever_hold_s,
    ),
    Rule(
        "ventricular_run",
        Watches.VENTRICULAR_RUN,
        _run_of_v,
        lambda limits: 0.0,
        lambda limits: (
            f"{limits.ventricular_run_beats:g} or more beats in a row that look ventricular,"
            f" at {limits.ventricular_run_bpm:g} bpm or faster; only an ECG read by a doctor can tell"
        ),
        patience_s=300.0,
        clear_s=lambda limits: limits.ventricular_clear_hold_s,
    ),
    Rule(
        "frequent_ventricular",
        Watches.VENTRICULAR_SHARE,
        _frequent_v,
        lambda limits: limits.frequent_ventricular_hold_s,
        lambda limits: (
            f"At least {limits.frequent_ventricular_pct:g} % of the beats have looked ventricular"
            f" for {limits.frequent_ventricular_hold_s / 60:g} min or longer; only an ECG read by a doctor can tell"
        ),
        patience_s=600.0,
        clear_s=lambda limits: limits.ventricular_clear_hold_s,
    ),
)
