"""The graph, wired once: whatever the input, live or from a file, goes through the same stages in the same order.

Nothing here looks at a clock: time passes only with the data, so the result does not depend on when or how fast it
came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from device_pipeline.alerts.alert import Alert
from device_pipeline.alerts.ectopy import Ectopy
from device_pipeline.alerts.engine import AlertEngine
from device_pipeline.alerts.irregular import irregular_grounds
from device_pipeline.alerts.rules import Watches
from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.beat_types import BeatType, MakeTyper
from device_pipeline.beats.annotated import AnnotatedBeats
from device_pipeline.beats.beat_stage import BeatStage
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.beats.ppg import PpgBeats
from device_pipeline.beats.rr import RrBeats
from device_pipeline.beats.typed_ecg import TypedEcgBeats
from device_pipeline.config import Limits
from device_pipeline.effort import Effort
from device_pipeline.hrv import Hrv, hrv_window
from device_pipeline.metrics.metric import Metric
from device_pipeline.metrics.registry import WINDOW
from device_pipeline.pulse_rate import ARRIVAL_NS, DELAY_S, PulseRate
from device_pipeline.rhythm import Rhythm, RhythmKind, RhythmSpan
from device_pipeline.rhythm_judge import MakeRhythmModel, RhythmJudge, shipped
from device_pipeline.side import SideFinding
from device_pipeline.sides import Sides
from device_pipeline.track import Track, Window
from device_pipeline.windows import LONGEST_HOLE_NS, MIN_GOOD_FRACTION, Grid, HeartRate, heart_rate
from models.morphology_calibration import Calibration
from sensors.files.annotation import AnnotatedBeat
from sensors.samples import Gap, GapReason, Item, Kind, Quantity, Reading, Samples

Finding = Beat | Quality | Gap | Window | HeartRate | Hrv | RhythmSpan | Alert | BeatType | SideFinding

_S = 1_000_000_000
# Which source leads where several are at hand; the others stand in for it, and are never merged with it.
LEADING = (BeatSource.ECG, BeatSource.PPG, BeatSource.ANNOTATION, BeatSource.RR)
HEART_RATE_WINDOW_S = {BeatSource.PPG: (8, 2)}  # (length, step)
HEART_RATE_WINDOW_ELSE_S = (10, 10)
HRV_WINDOW_S = 300  # Task Force 1996: short-term recordings of 5 minutes
SIGNAL_WINDOW_S = 2  # the grain of the alerts about the signal itself
# Of a live sensor: an off-body flag comes up to a notification later than the samples it is about, and a source that
# has fallen silent holds the windows up no longer than this.
FLAG_LATENESS_NS = 3 * _S
SILENCE_NS = 30 * _S


@dataclass(slots=True)
class _Source:
    stage: BeatStage | RrBeats | AnnotatedBeats
    track: Track
    rhythm: Rhythm
    last_beat_ns: int | None = None
    unbroken: bool = False  # the signal has been good without a break since the last beat
    rhythm_told: RhythmKind | None = None


class Pipeline:
    """Items of one sensor or file in order of arrival; findings out, each final.

    `origin_ns`: where the grids of the windows begin (0: the Unix epoch, so that windows of different runs fit
    together; a file: its first moment). `channel`: the sampled channel that leads; None takes the first ECG, else the
    first PPG.
    `live`: items come as a radio delivers them, late and by turns, so windows wait a little for each other.
    `acc_channel`: the accelerometer that comes along with the PPG; `second_ppg`: another PPG of the same body, which
    its heart rate is read from too.
    `remember`: nothing is forgotten, so that `hrv` can be asked for any stretch once the input has ended.
    `beside`: a PPG channel that is read along with an ECG `channel`, for the sides alone: it never leads, and nothing
    else is told of it.
    `typer`: makes the model that tells what kind of beat each beat of an ECG is; None: nothing is told of that.
    `effort`: what may be left out at present, of a live run alone; None leaves out nothing.
    `rhythm`: makes the model that judges intervals, when the first are there to be judged.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        origin_ns: int = 0,
        channel: str | None = None,
        live: bool = True,
        acc_channel: str | None = None,
        remember: bool = False,
        beside: str | None = None,
        second_ppg: str | None = None,
        typer: MakeTyper | None = None,
        effort: Effort | None = None,
        rhythm: MakeRhythmModel = shipped,
    ) -> None:
        self._origin_ns = origin_ns
        self._make_typer = typer
        self._typed: TypedEcgBeats | None = None
        self._channel = channel
        self._live = live
        self._acc_channel = acc_channel
        self._remember = remember
        self._beside = beside
        self._second_ppg = second_ppg
        self._pulse: PulseRate | None = None
        self._sources: dict[BeatSource, _Source] = {}
        self._channel_of: dict[Kind, str] = {}
        self._alerts = AlertEngine(limits)
        self._ectopy = Ectopy(self._alerts)
        self._limits = limits
        self._rhythm = RhythmJudge(rhythm)
        self._signal_grid = Grid(origin_ns, SIGNAL_WINDOW_S * _S, SIGNAL_WINDOW_S * _S)
        self._hrv_grid = Grid(origin_ns, HRV_WINDOW_S * _S, HRV_WINDOW_S * _S)
        self._rate_grid: Grid | None = None
        self._newest_ns: int | None = None
        self._early_acc: list[Samples] = []
        self._sides = Sides(self._alerts, origin_ns, live, effort)

    @property
    def leading(self) -> BeatSource | None:
        """The source that leads at present."""
        return next((source for source in LEADING if source in self._sources), None)

    @property
    def beats_n(self) -> int:
        """The trusted beats of the leading source so far."""
        leading = self.leading
        return 0 if leading is None else self._sources[leading].track.beats_n

    @property
    def mean_hr_bpm(self) -> float | None:
        """60 / mean RR over every trusted interval of the leading source so far."""
        leading = self.leading
        track = None if leading is None else self._sources[leading].track
        return 60.0 * track.intervals_n / track.intervals_s if track is not None and track.intervals_n else None

    @property
    def untyped(self) -> str | None:
        """Why nothing is told of the kinds of beats of an ECG, where a model was to tell it; None where it does."""
        return None if self._typed is None else self._typed.types.reason

    @property
    def rhythm_reason(self) -> str | None:
        """Why no rhythm can be told, whatever the beats; None where only they decide."""
        return self._rhythm.reason

    def leads(self, kind: Kind) -> str | None:
        """Name of the channel of `kind` that is read."""
        return self._channel_of.get(kind)

    def know(self, shapes: dict[str, Calibration]) -> None:
        """What was learnt of the wearer's beats before, by channel; before anything is pushed."""
        self._sides.know(shapes)

    def begin(self, start_ns: int) -> None:
        """The record begins here, whenever its first item comes: windows are told from here on."""
        self._newest_ns = start_ns
        self._skip_to(start_ns)
        self._sides.begin(start_ns)

    def expect(self, kind: Kind, channel: str, fs_hz: float) -> None:
        """This channel leads, whether or not a sample of it ever comes: its absence is a finding too."""
        self._channel_of[kind] = channel
        self._source_of(kind, channel, fs_hz)

    def push(self, item: Item | AnnotatedBeat) -> list[Finding]:
        findings: list[Finding] = []
        if self._live and not self._sources:
            # A sensor that is there and silent from the first moment on is also a finding: no data.
            self._open(BeatSource.RR, RrBeats())
        match item:
            case Samples():
                findings += self._see(item.start_ns, item.end_ns)
                findings += self._push_samples(item)
            case Reading():
                if item.quantity is Quantity.RR:
                    findings += self._see(item.t_ns, item.t_ns)
                    source = self._sources.get(BeatSource.RR) or self._open(BeatSource.RR, RrBeats())
                    if isinstance(source.stage, RrBeats):
                        findings += self._collect(source, source.stage.push(item))
            case AnnotatedBeat():
                findings += self._see(item.t_ns, item.t_ns)
                source = self._sources.get(BeatSource.ANNOTATION) or self._open(BeatSource.ANNOTATION, AnnotatedBeats())
                if isinstance(source.stage, AnnotatedBeats):
                    findings += self._collect(source, source.stage.push_beat(item.t_ns, item.symbol))
            case Gap():
                findings += self._see(item.start_ns, item.start_ns)
                findings += self._push_gap(item)
                findings += self._see(item.end_ns, item.end_ns)
        if not isinstance(item, AnnotatedBeat):
            findings += self._sides.push(item, self._beats_heard)
        if self._newest_ns is not None and self._sources:
            findings += self._advance(self._horizon_ns(self._newest_ns))
        return findings

    def flush(self, end_ns: int | None = None) -> list[Finding]:
        """The input has ended, at `end_ns` if that is known better than by its last item."""
        findings: list[Finding] = []
        for source in self._sources.values():
            findings += self._collect(source, source.stage.flush())
        if self._typed is not None:
            self._typed.types.flush()
        if self._newest_ns is None:
            return self._flush_sides(end_ns)
        last_ns = self._newest_ns
        if end_ns is not None and last_ns < end_ns <= last_ns + LONGEST_HOLE_NS:
            last_ns = end_ns
        if not self._sources:
            return self._flush_sides(end_ns)
        findings += self._advance(last_ns)
        for start_ns, stop_ns in self._signal_grid.rest(last_ns):
            findings += self._tick(start_ns, stop_ns)
        if self._rate_grid is not None:
            # Windows that overlap have told the end already; else the last one is told as far as it came.
            whole = self._rate_grid.step_ns < self._rate_grid.length_ns
            for window in self._rate_grid.closed_by(last_ns) if whole else self._rate_grid.rest(last_ns):
                findings += self._rate(*window)
            findings += self._tell_rates(all_of_them=True)
        findings += [self.hrv(*window) for window in self._hrv_grid.rest(last_ns)]
        lead = next(self._sources[kind] for kind in LEADING if kind in self._sources)
        for beat in lead.track.release(last_ns + 1):  # the beat that is itself the end of the record
            findings += self._judge_beat(lead, beat)
        findings += [*self._tell_types(), *lead.rhythm.flush()]
        return findings + self._flush_sides(end_ns)

    def _flush_sides(self, end_ns: int | None) -> list[Finding]:
        """With the sides everything has ended."""
        told = self._sides.flush(self._newest_ns, end_ns, self._beats_heard)
        return [*told, *self._alerts.flush()]

    @property
    def _beats_heard(self) -> bool:
        return any(source.track.is_heard for source in self._sources.values())

    def _open(self, kind: BeatSource, stage: BeatStage | RrBeats | AnnotatedBeats) -> _Source:
        source = _Source(stage, Track(kind, FLAG_LATENESS_NS if self._live else 0), Rhythm(self._rhythm))
        self._sources[kind] = source
        return source

    def _push_samples(self, block: Samples) -> list[Finding]:
        if block.kind is Kind.ACC:
            return self._push_acc(block) if block.channel == self._acc_channel else []
        if block.kind is Kind.PPG and block.channel == self._second_ppg:
            if self._pulse is not None:
                self._pulse.push(block)
            return []
        if block.kind not in (Kind.ECG, Kind.PPG):
            return []
        if self._channel is not None and block.channel not in (self._channel, self._beside):
            return []
        if self._channel_of.setdefault(block.kind, block.channel) != block.channel:
            return []
        findings: list[Finding] = []
        source = self._source_of(block.kind, block.channel, block.fs_hz)
        if block.kind is Kind.PPG:
            early, self._early_acc = self._early_acc, []
            for before in early:
                findings += self._push_acc(before)
            if self._pulse is not None:
                self._pulse.push(block)
        if isinstance(source.stage, EcgBeats | PpgBeats):
            findings += self._collect(source, source.stage.push(block))
        return findings

    def _source_of(self, kind: Kind, channel: str, fs_hz: float) -> _Source:
        """The source that reads `channel`, opened where it is not."""
        if kind is Kind.ECG:
            return self._sources.get(BeatSource.ECG) or self._open(BeatSource.ECG, self._ecg_beats(fs_hz, channel))
        if BeatSource.PPG in self._sources:
            return self._sources[BeatSource.PPG]
        stage = PpgBeats(fs_hz, channel, self._acc_channel is not None, self._acc_channel)
        both = (channel,) if self._second_ppg is None else (channel, self._second_ppg)
        if channel != self._beside:
            self._pulse = PulseRate(self._origin_ns, both, self._acc_channel)
        return self._open(BeatSource.PPG, stage)

    def _ecg_beats(self, fs_hz: float, channel: str) -> EcgBeats:
        if self._make_typer is None:
            return EcgBeats(fs_hz, channel)
        self._typed = TypedEcgBeats(fs_hz, channel, self._make_typer)
        return self._typed

    def _tell_types(self, before_ns: int | None = None) -> list[Finding]:
        types = [] if self._typed is None else self._typed.types.release(before_ns)
        return [*types, *(alert for beat in types for alert in self._ectopy.push(beat))]

    def _push_acc(self, block: Samples) -> list[Finding]:
        source = self._sources.get(BeatSource.PPG)
        if source is None:
            self._early_acc.append(block)
            return []
        if self._pulse is not None:
            self._pulse.push(block)
        return self._collect(source, source.stage.push(block)) if isinstance(source.stage, PpgBeats) else []

    def _push_gap(self, gap: Gap) -> list[Finding]:
        findings: list[Finding] = []
        worn = gap.reason is not GapReason.OFF_BODY or gap.channel is not None
        if not worn:
            # Samples go on coming while nobody wears the sensor: the flag lies over them, it does not stand between.
            findings.append(gap)
            for source in self._sources.values():
                source.track.off_body(gap.start_ns, gap.end_ns)
            if self._typed is not None:
                self._typed.types.off_body(gap.start_ns, gap.end_ns)
        elif self._pulse is not None:
            self._pulse.push(gap)
        for kind, source in self._sources.items():
            if isinstance(source.stage, RrBeats):
                if gap.channel in (None, "rr"):
                    findings += self._collect(source, source.stage.push(gap))
            elif isinstance(source.stage, EcgBeats | PpgBeats) and worn:
                mine = self._channel_of[Kind.ECG if kind is BeatSource.ECG else Kind.PPG]
                if gap.channel in (None, mine):
                    findings += self._collect(source, [*source.stage.push(gap), gap])
                elif kind is BeatSource.PPG and gap.channel == self._acc_channel:
                    findings += self._collect(source, source.stage.push(gap))
        return findings

    def _collect(self, source: _Source, outputs: list[Beat | Quality | Gap]) -> list[Finding]:
        source.track.add(outputs, source.stage.final_ns)
        if self._beside is not None and source.track.source is BeatSource.PPG:
            return []
        if isinstance(source.stage, EcgBeats | PpgBeats):
            return list(outputs)
        # Intervals carry no quality of their own, and their holes are told only where nothing better leads.
        lead = source.track.source is self.leading
        return [output for output in outputs if isinstance(output, Beat) or (lead and isinstance(output, Gap))]

    def _see(self, start_ns: int, end_ns: int) -> list[Finding]:
        """Time has come to `end_ns`; after a hole that no one could fill, the grids begin anew."""
        findings: list[Finding] = []
        if self._newest_ns is None:
            self._skip_to(start_ns)
        elif start_ns - self._newest_ns > LONGEST_HOLE_NS:
            findings += self._advance(self._newest_ns)
            findings += self._tell_rates(all_of_them=True)
            self._skip_to(start_ns)
        self._newest_ns = end_ns if self._newest_ns is None else max(self._newest_ns, end_ns)
        return findings

    def _skip_to(self, t_ns: int) -> None:
        for grid in (self._signal_grid, self._hrv_grid, self._rate_grid):
            if grid is not None:
                grid.skip_to(t_ns)

    def _horizon_ns(self, newest_ns: int) -> int:
        heard = [source.track.horizon_ns for source in self._sources.values() if source.track.is_heard]
        if heard and self._pulse is not None and self.leading is BeatSource.PPG:
            heard.append(self._pulse.known_ns)
        patient_ns = newest_ns - SILENCE_NS
        if self._live:
            return max(min(heard), patient_ns) if heard else patient_ns
        if self._beside is not None:
            # A file gives a block of one channel and then one of the other: nothing is told of the first alone.
            beside = self._sources.get(BeatSource.PPG)
            if beside is None or not beside.track.is_heard:
                return self._signal_grid.next_start_ns
        return min(heard) if heard else self._signal_grid.next_start_ns

    def _advance(self, horizon_ns: int) -> list[Finding]:
        findings: list[Finding] = []
        for start_ns, end_ns in self._signal_grid.closed_by(horizon_ns):
            more = self._signal_grid.next_start_ns + self._signal_grid.length_ns <= horizon_ns
            findings += self._tick(start_ns, end_ns, more)
            if self._rate_grid is not None:
                for window in self._rate_grid.closed_by(end_ns):
                    findings += self._rate(*window)
            findings += [self.hrv(*window) for window in self._hrv_grid.closed_by(end_ns)]
        return findings

    def _tick(self, start_ns: int, end_ns: int, more: bool = False) -> list[Finding]:
        """One grain of time is final. Everything is told in this order, so that no cut of the input can change it.

        `more`: the next grain is final as well, and follows at once.
        """
        leading = self.leading
        assert leading is not None, "time is only told where there is a source"
        if self._rate_grid is None:
            length_s, step_s = HEART_RATE_WINDOW_S.get(leading, HEART_RATE_WINDOW_ELSE_S)
            self._rate_grid = Grid(self._origin_ns, length_s * _S, step_s * _S)
            self._rate_grid.skip_to(start_ns)
        findings: list[Finding] = []
        for kind, source in self._sources.items():
            beats = source.track.release(end_ns)
            if kind is not leading:
                continue
            for beat in beats:
                findings += self._judge_beat(source, beat)
            if not beats:
                findings += self._alerts.push(Watches.RHYTHM, start_ns, end_ns, None)
        for source in self._sources.values():
            rates_from_ns = self._rate_grid.next_start_ns - (DELAY_S * _S if self._pulse is not None else 0)
            keep_from_ns = min(rates_from_ns, self._hrv_grid.next_start_ns, start_ns)
            if not self._remember:
                source.track.forget(keep_from_ns)
        lead = self._sources[leading]
        window = lead.track.window(start_ns, end_ns)
        lead.unbroken = lead.unbroken and window.good_ns == window.length_ns
        if leading is BeatSource.ECG and lead.unbroken and lead.last_beat_ns is not None:
            # A heart that stands still is told before it beats again.
            silent_s = (end_ns - lead.last_beat_ns) / 1e9
            if silent_s >= self._limits.pause_s:
                pause = Beat(end_ns, BeatSource.ECG, silent_s)
                findings += self._alerts.push(Watches.BEAT, lead.last_beat_ns, end_ns, pause)
        if self._beats_heard or not self._sides.has_oximeter:  # else the oximeter is the signal
            seen = self._window(start_ns, end_ns, window)
            findings += self._alerts.push(Watches.SIGNAL, start_ns, end_ns, seen)
        findings += [*self._tell_types(end_ns), window]
        others = (source.track for kind, source in self._sources.items() if kind is not leading)
        windows = [window, *(track.window(start_ns, end_ns) for track in others)]
        return findings + self._sides.see(windows, more, self._beats_heard)

    def _judge_beat(self, source: _Source, beat: Beat) -> list[Finding]:
        findings: list[Finding] = list(source.rhythm.push(beat))
        last_ns, source.last_beat_ns, source.unbroken = source.last_beat_ns, beat.t_ns, True
        if source.track.source is BeatSource.ECG and beat.rr_s is not None:
            findings += self._alerts.push(Watches.BEAT, beat.t_ns - round(beat.rr_s * 1e9), beat.t_ns, beat)
        if last_ns is not None:
            # A rhythm is known only after it has lasted: the first time it is told, it is told from where it began.
            rhythm, since_ns = source.rhythm.current, source.rhythm.since_ns
            start_ns = last_ns if rhythm is source.rhythm_told or since_ns is None else since_ns
            source.rhythm_told = rhythm
            grounds = irregular_grounds(source.rhythm, beat.t_ns)
            findings += self._alerts.push(Watches.RHYTHM, start_ns, beat.t_ns, rhythm, grounds)
        return findings

    def _window(self, start_ns: int, end_ns: int, lead: Window | None = None) -> Window:
        """What the leading source knows (`lead`, where that was asked before); live, another stands in where that one
        cannot be read."""
        if lead is not None and (lead.good_fraction >= MIN_GOOD_FRACTION or not self._live):
            return lead
        windows: Iterable[Window] = (
            self._sources[kind].track.window(start_ns, end_ns) for kind in LEADING if kind in self._sources
        )
        leading: Window | None = None
        for window in windows:
            leading = leading or window
            if window.good_fraction >= MIN_GOOD_FRACTION:
                return window
            if not self._live:
                break
        assert leading is not None
        return leading

    def _rate(self, start_ns: int, end_ns: int) -> list[Finding]:
        window = self._window(start_ns, end_ns)
        if self._pulse is None or self.leading is not BeatSource.PPG:
            findings = self._tell_rates(all_of_them=True)  # of a PPG that led until now
            if self._pulse is not None:
                self._pulse.forget(start_ns)
            rate = heart_rate(window)
            return [*findings, rate, *self._alerts.push(Watches.HEART_RATE, start_ns, end_ns, rate)]
        instead = heart_rate(window) if window.source is not BeatSource.PPG else None
        self._pulse.window(self._sources[BeatSource.PPG].track.window(start_ns, end_ns), instead)
        return self._tell_rates()

    def _tell_rates(self, all_of_them: bool = False) -> list[Finding]:
        """The rates of pulse waves that are due: a window waits for what comes after it."""
        findings: list[Finding] = []
        if self._pulse is not None:
            track = self._sources[BeatSource.PPG].track
            for start_ns, end_ns in self._pulse.due(all_of_them):
                late = track.window(start_ns + ARRIVAL_NS, end_ns + ARRIVAL_NS)
                rate = self._pulse.tell(track.window(start_ns, end_ns), late)
                findings += [rate, *self._alerts.push(Watches.HEART_RATE, start_ns, end_ns, rate)]
        return findings

    def trusted_beats(self, start_ns: int, end_ns: int) -> tuple[Beat, ...]:
        """Those of the leading source in [start_ns, end_ns), as far as they are remembered."""
        return self._window(start_ns, end_ns).beats

    def hrv(self, start_ns: int, end_ns: int, metrics: Sequence[type[Metric]] = WINDOW) -> Hrv:
        """Of [start_ns, end_ns), as far as its beats are remembered."""
        window = self._window(start_ns, end_ns)
        hrv = hrv_window(start_ns, end_ns - start_ns, window.beats, window.good_fraction, metrics)
        if hrv.reason in ("no_data", "poor_signal"):
            return replace(hrv, reason="no_data" if window.absent_ns > window.poor_ns else "poor_signal")
        return hrv
