"""What is told of the shapes of a minute's beats, and what was learnt of the wearer's own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Anomaly:
    """`score`: of the oddest of the `n_beats` beats of [start_ns, start_ns + length_ns) that could be trusted, in times
    of the wearer's usual distance; `odd_n` of them reach the model's threshold. Both None with a `reason`.
    """

    start_ns: int
    length_ns: int
    score: float | None
    n_beats: int
    odd_n: int | None
    model: str
    version: str
    reason: str | None

    def __repr__(self) -> str:
        return f"<Anomaly start_ns={self.start_ns}>"


@dataclass(frozen=True, slots=True, repr=False)
class LearntShapes:
    """A calibration made from `n_beats` beats of the lead `channel`, from [start_ns, start_ns + length_ns).

    `calibration`: JSON, as `Calibration.from_json` of models/morphology_calibration.py takes it.
    """

    start_ns: int
    length_ns: int
    channel: str
    n_beats: int
    model: str
    version: str
    calibration: str

    def __repr__(self) -> str:
        return f"<LearntShapes start_ns={self.start_ns}>"
