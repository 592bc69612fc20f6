"""Records that pictures are drawn of: analysed once, and small ones made by hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from device_pipeline.beat import Beat, BeatLabel, BeatSource
from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from sensors.files.open import open_source
from tests.vitalkeep.command import RECORDINGS
from vitalkeep.analysis import Analysis, analyze_path
from vitalkeep.plot.picture import Picture, picture
from vitalkeep.plot.trace import Trace

STRAP = RECORDINGS / "chest_strap.jsonl.gz"
S = 10**9


@cache
def analysed(path: Path) -> tuple[Analysis, Trace]:
    trace = Trace()
    return analyze_path(path, limits=Limits(), watcher=trace), trace


@cache
def shown(path: Path) -> Picture:
    analysis, trace = analysed(path)
    return picture(analysis, trace, open_source(path))


def heart(rr_s: list[float | None], labels: str | None = None, start_ns: int = 0) -> list[Beat]:
    """Beats that end these intervals; None: the beat follows a second later, and no interval is formed."""
    t_ns = start_ns
    beats = []
    for rr, label in zip(rr_s, labels or "N" * len(rr_s), strict=True):
        t_ns += round((1.0 if rr is None else rr) * S)
        beats.append(Beat(t_ns, BeatSource.ECG, rr, BeatLabel(label)))
    return beats


def record(beats: list[Beat], hrv: list[Hrv], end_s: float) -> tuple[Analysis, Trace]:
    analysis = Analysis("made", 250.0, None, 0, end_ns=round(end_s * S), source=BeatSource.ECG, beats=beats, hrv=hrv)
    trace = Trace()
    trace.beats = list(beats)
    return analysis, trace


def window(start_s: int, length_s: int, *, told: bool) -> Hrv:
    values = {"rmssd_ms": 30.0} if told else None
    return Hrv(start_s * S, length_s * S, 1, 0.0, "m", values, None if told else "irregular")
