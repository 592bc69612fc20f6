"""How right the heart rate of pulse waves is: window by window against what else is known of the same time.

The truth of a window is 60 / mean RR over the intervals between ECG beats that lie wholly in it, at least TRUTH_BEATS
of them filling TRUTH_S, in good signal; where there are several leads they must agree to LEADS_AGREE_BPM. A window
without a truth is left out; one that we do not tell counts against the coverage and not against the error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from device_pipeline.beat import BeatSource
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.config import Limits
from device_pipeline.run import HEART_RATE_WINDOW_S, Pipeline
from device_pipeline.track import Track
from device_pipeline.windows import MIN_GOOD_FRACTION, HeartRate
from sensors.samples import Gap, Kind, Samples

LENGTH_S, STEP_S = HEART_RATE_WINDOW_S[BeatSource.PPG]
TRUTH_BEATS = 3
TRUTH_S = 5.0
LEADS_AGREE_BPM = 2.0
FAR_BPM = 5.0
_S = 1_000_000_000


@dataclass(frozen=True, slots=True, repr=False)
class RateScore:
    """`windows` with a truth, of which a rate was told in `told`; sums over those of the errors in bpm."""

    windows: int
    told: int
    absolute: float
    signed: float
    far: int  # off by more than FAR_BPM

    @property
    def coverage(self) -> float | None:
        return self.told / self.windows if self.windows else None

    @property
    def mae_bpm(self) -> float | None:
        return self.absolute / self.told if self.told else None

    @property
    def bias_bpm(self) -> float | None:
        """Told minus truth."""
        return self.signed / self.told if self.told else None

    @property
    def far_share(self) -> float | None:
        return self.far / self.told if self.told else None

    @property
    def reason(self) -> str | None:
        if self.windows:
            return None if self.told else "no window was told"
        return "no window has a truth"


def score_rates(told: Iterable[HeartRate], truth_bpm: Sequence[float | None]) -> RateScore:
    """`truth_bpm[k]` is that of [k * STEP_S, + LENGTH_S), counted from the start of the record, as in `told`."""
    windows = n = far = 0
    absolute = signed = 0.0
    for rate in told:
        k, rest = divmod(rate.start_ns, STEP_S * _S)
        truth = truth_bpm[k] if not rest and 0 <= k < len(truth_bpm) else None
        if truth is None:
            continue
        windows += 1
        if rate.bpm is not None:
            error = rate.bpm - truth
            n, absolute, signed, far = n + 1, absolute + abs(error), signed + error, far + (abs(error) > FAR_BPM)
    return RateScore(windows, n, absolute, signed, far)


def gross(scores: Sequence[RateScore]) -> RateScore:
    """The windows of all records together."""
    return RateScore(
        sum(s.windows for s in scores),
        sum(s.told for s in scores),
        math.fsum(s.absolute for s in scores),
        math.fsum(s.signed for s in scores),
        sum(s.far for s in scores),
    )


def ppg_rates(items: Iterable[Samples | Gap], ppg: str, second_ppg: str | None, acc: str | None) -> list[HeartRate]:
    """What the pipeline tells of a record that begins at 0."""
    pipeline = Pipeline(Limits(), channel=ppg, live=False, acc_channel=acc, second_ppg=second_ppg)
    pipeline.begin(0)
    found = [finding for item in items for finding in pipeline.push(item)]
    return [f for f in [*found, *pipeline.flush()] if isinstance(f, HeartRate)]


def ecg_truth(leads: Sequence[Sequence[Samples | Gap]], end_ns: int) -> list[float | None]:
    """The truth of every window that ends by `end_ns`, from the items of each lead, in order of time."""
    tracks = [_track(lead) for lead in leads]
    truths: list[float | None] = []
    for start_ns in range(0, end_ns - LENGTH_S * _S + 1, STEP_S * _S):
        rates = [_truth(track, start_ns, start_ns + LENGTH_S * _S) for track in tracks]
        known = [rate for rate in rates if rate is not None]
        agree = known and rates[0] is not None and max(known) - min(known) < LEADS_AGREE_BPM
        truths.append(rates[0] if agree else None)
    return truths


def _track(items: Sequence[Samples | Gap]) -> Track:
    first = next((item for item in items if isinstance(item, Samples) and item.kind is Kind.ECG), None)
    track = Track(BeatSource.ECG, 0)
    if first is not None:
        stage = EcgBeats(first.fs_hz, first.channel)
        for item in items:
            track.add([*stage.push(item), *([item] if isinstance(item, Gap) else [])], stage.final_ns)
        track.add(stage.flush(), stage.final_ns)
        track.release(1 << 62)
    return track


def _truth(track: Track, start_ns: int, end_ns: int) -> float | None:
    window = track.window(start_ns, end_ns)
    inside = [
        beat.rr_s for beat in window.beats if beat.rr_s is not None and beat.t_ns - round(beat.rr_s * 1e9) >= start_ns
    ]
    if window.good_fraction < MIN_GOOD_FRACTION or len(inside) < TRUTH_BEATS or sum(inside) < TRUTH_S:
        return None
    return 60.0 * len(inside) / sum(inside)
