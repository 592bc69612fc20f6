"""Beats that somebody or something else has marked in a file."""

from __future__ import annotations

from device_pipeline.beat import Beat, BeatLabel, BeatSource, Quality
from device_pipeline.beats.rr import LONGEST_RR_S
from sensors.samples import Gap, GapReason

# ANSI/AAMI EC57:2012, 4.3.1: beat codes of the MIT format by AAMI class.
AAMI_LABEL = {
    **dict.fromkeys("NLRBejn", BeatLabel.N),
    **dict.fromkeys("AaJS", BeatLabel.S),
    **dict.fromkeys("VEr", BeatLabel.V),
    "F": BeatLabel.F,
    **dict.fromkeys("/fQ?", BeatLabel.Q),
}


class AnnotatedBeats:
    """Marked moments to beats; an interval longer than `LONGEST_RR_S` is a hole in the recording."""

    def __init__(self) -> None:
        self._last_ns: int | None = None

    @property
    def final_ns(self) -> int | None:
        return self._last_ns

    def push_beat(self, t_ns: int, symbol: str) -> list[Beat | Quality | Gap]:
        """`symbol`: one MIT annotation code; codes that are not beats are passed over."""
        label = AAMI_LABEL.get(symbol)
        last_ns = self._last_ns
        if label is None or (last_ns is not None and t_ns <= last_ns):
            return []
        self._last_ns = t_ns
        if last_ns is None:
            return [Beat(t_ns, BeatSource.ANNOTATION, None, label)]
        rr_s = (t_ns - last_ns) / 1e9
        if rr_s > LONGEST_RR_S:
            return [Gap("annotation", last_ns, t_ns, GapReason.MISSING), Beat(t_ns, BeatSource.ANNOTATION, None, label)]
        return [Quality(last_ns, t_ns, 1.0, good=True), Beat(t_ns, BeatSource.ANNOTATION, rr_s, label)]

    def flush(self) -> list[Beat | Quality | Gap]:
        return []
