"""What an alert of an irregular rhythm rests on: the stretch so far, its newest beats, and how sure the model was."""

from __future__ import annotations

from device_pipeline.alerts.alert import Grounds
from device_pipeline.rhythm import Rhythm, RhythmKind

STRIP_S = 10
MOST_BEATS = 32  # that an alert names
_S = 1_000_000_000


def irregular_grounds(rhythm: Rhythm, t_ns: int) -> Grounds | None:
    """At the beat at `t_ns`; None where the rhythm is not irregular, or no model said so."""
    if rhythm.current is not RhythmKind.AFIB:
        return None
    span = rhythm.open_span
    if span is None or span.probability is None or span.model is None or span.version is None:
        return None
    return Grounds(
        start_ns=span.start_ns,
        end_ns=t_ns,
        beats_ns=rhythm.window_ns[-MOST_BEATS:],
        score=span.probability,
        model=span.model,
        version=span.version,
        strip_start_ns=t_ns - STRIP_S * _S,
        strip_end_ns=t_ns,
    )
