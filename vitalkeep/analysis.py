"""One file through the whole pipeline, into one Analysis; times count from the start of the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from device_pipeline.alerts.alert import Alert
from device_pipeline.anomaly.anomaly import Anomaly
from device_pipeline.beat import Beat, BeatLabel, BeatSource
from device_pipeline.beat_types import BeatType
from device_pipeline.beats.ppg import readable
from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from device_pipeline.motion.activity import Activity
from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.oxygenation import Oxygenation
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.oximetry.two_colours import COLOURS
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.rhythm import RhythmSpan
from device_pipeline.run import Finding, Pipeline
from device_pipeline.screening import ScreenedLead, Screening
from device_pipeline.temperature.temperature import Temperature
from device_pipeline.track import Window
from device_pipeline.usability.usable import Usable
from device_pipeline.windows import HeartRate
from sensors.errors import FileFormatError
from sensors.files.annotation import AnnotatedBeat
from sensors.files.open import open_source
from sensors.files.recorded import RecordedSource
from sensors.files.source import ChannelInfo, FileSource
from sensors.samples import Gap, GapReason, Item, Kind, Samples
from vitalkeep.beat_typer import beat_typer
from vitalkeep.model_trial import installed_models

BLOCK_S = 240.0  # at a time: long, so that windows come many at once, and little memory


@dataclass(slots=True, repr=False)
class Analysis:
    """What was found in one record. `end_ns` is the end of the record; `beats` are all that the leading source found.

    `beats_n` of them can be trusted, since the signal around them is good. `types`: what kind each beat of an ECG is;
    `untyped` says why nothing tells that.
    """

    record: str
    fs_hz: float | None
    channel: str | None
    start_ns: int
    end_ns: int = 0
    source: BeatSource | None = None
    beats_n: int = 0
    mean_hr_bpm: float | None = None
    good_ns: int = 0
    poor_ns: int = 0
    notes: list[str] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    heart_rate: list[HeartRate] = field(default_factory=list)
    hrv: list[Hrv] = field(default_factory=list)
    rhythm: list[RhythmSpan] = field(default_factory=list)
    rhythm_reason: str | None = None  # why none was told
    alerts: dict[tuple[int, str], Alert] = field(default_factory=dict)
    respiration: list[Respiration] = field(default_factory=list)
    spo2: list[Spo2] = field(default_factory=list)
    desaturations: list[Desaturation] = field(default_factory=list)
    oxygenation: list[Oxygenation] = field(default_factory=list)
    activity: list[Activity] = field(default_factory=list)
    temperature: list[Temperature] = field(default_factory=list)
    anomaly: list[Anomaly] = field(default_factory=list)
    usable: list[Usable] = field(default_factory=list)
    screening: Screening | None = None
    types: list[BeatType] = field(default_factory=list)
    untyped: str | None = "no_ecg"

    def __repr__(self) -> str:
        return f"<Analysis {self.record}>"

    @property
    def annotation_fs_hz(self) -> float:
        """The rate that annotations of this record count samples in; milliseconds where it has no samples."""
        return self.fs_hz or 1000.0

    @property
    def is_told_beside(self) -> bool:
        """Whether anything but beats was found."""
        return any((self.respiration, self.spo2, self.activity, self.temperature))

    def labels(self) -> list[BeatLabel | None]:
        """What kind each of `beats` is; None where that could not be told.

        Beats of an annotation file keep the kind they have there; nothing tells it of pulses and of intervals.
        """
        if self.source is BeatSource.ANNOTATION:
            return [beat.label for beat in self.beats]
        known = {one.t_ns: one.label for one in self.types}
        return [known.get(beat.t_ns) for beat in self.beats]

    def see(self, item: Item | AnnotatedBeat) -> None:
        """The record reaches as far as what came in."""
        if isinstance(item, Samples | Gap):
            self.end_ns = max(self.end_ns, item.end_ns)
        else:
            self.end_ns = max(self.end_ns, item.t_ns)

    def close(self, pipeline: Pipeline, notes: Iterable[str] = ()) -> None:
        """The record has been read: what only its end tells."""
        self.source = pipeline.leading
        self.beats_n = pipeline.beats_n
        self.mean_hr_bpm = pipeline.mean_hr_bpm
        self.rhythm_reason = pipeline.rhythm_reason
        if self.rhythm_reason is None and not self.rhythm:
            self.rhythm_reason = "too_few_beats" if self.beats_n else "no_data"
        self.notes = list(notes)
        self.beats = [beat for beat in self.beats if beat.source is self.source]
        self.gaps = join_gaps(self.gaps)
        if self.source is BeatSource.ECG:
            self.untyped = pipeline.untyped
        if self.untyped == "no_model":
            self.notes.append("what kind the beats are is not told: the model for it cannot be used")
        if self.rhythm_reason == "no_model":
            self.notes.append("the rhythm is not told: the model for it cannot be used")

    def add(self, finding: Finding) -> None:
        match finding:
            case Beat():
                self.beats.append(finding)
            case Gap():
                self.gaps.append(finding)
            case Window():
                self.good_ns += finding.good_ns
                self.poor_ns += finding.poor_ns
            case HeartRate():
                self.heart_rate.append(finding)
            case Hrv():
                self.hrv.append(finding)
            case RhythmSpan():
                self.rhythm.append(finding)
            case BeatType():
                self.types.append(finding)
            case Alert():
                self.alerts[finding.start_ns, finding.rule] = finding
            case Respiration():
                self.respiration.append(finding)
            case Spo2():
                self.spo2.append(finding)
            case Desaturation():
                self.desaturations.append(finding)
            case Oxygenation():
                self.oxygenation.append(finding)
            case Activity():
                self.activity.append(finding)
            case Temperature():
                self.temperature.append(finding)
            case Anomaly():
                self.anomaly.append(finding)
            case Usable():
                self.usable.append(finding)
            case _:
                pass


class Watcher(Protocol):
    """Sees all that goes in and comes out while a record is analysed, and keeps of it what it needs."""

    def item(self, item: Item | AnnotatedBeat) -> None: ...

    def finding(self, finding: Finding) -> None: ...


def analyze_path(
    path: Path,
    *,
    limits: Limits,
    channel: str | None = None,
    fs_hz: float | None = None,
    watcher: Watcher | None = None,
) -> Analysis:
    """Reads the record at `path` in blocks of a minute.

    Raises SensorError where the file is not what it should be, or holds nothing that beats could be found in.
    """
    return read_record(path, limits=limits, channel=channel, fs_hz=fs_hz, watcher=watcher)[0]


@installed_models()
def read_record(
    path: Path,
    *,
    limits: Limits,
    channel: str | None = None,
    fs_hz: float | None = None,
    watcher: Watcher | None = None,
    remember: bool = False,
) -> tuple[Analysis, Pipeline]:
    """As `analyze_path`, with the pipeline that the record went through; `remember`ing, it can be asked more."""
    source = open_source(path, fs_hz)
    chosen = _choose(source, channel)
    wanted = [] if chosen is None else [chosen.name]
    acc_channel = second_ppg = None
    beside = None if chosen is None else _beside(source, chosen)
    wanted += [] if beside is None else [beside]
    if beside is not None or (chosen is not None and chosen.kind is Kind.PPG):
        acc_channel = next((c.name for c in source.channels if c.kind is Kind.ACC), None)
    if chosen is not None and chosen.kind is Kind.PPG:
        second_ppg = next((c.name for c in source.channels if c.kind is Kind.PPG and c is not chosen), None)
    # what is told beside the beats is read too
    more = [c.name for c in source.channels if c.kind is Kind.ACC or c.name in COLOURS or c.name == second_ppg]
    wanted += [name for name in more if name not in wanted]
    pipeline = Pipeline(
        limits,
        origin_ns=source.started_ns,
        channel=None if chosen is None else chosen.name,
        live=isinstance(source, RecordedSource),
        acc_channel=acc_channel,
        remember=remember,
        beside=beside,
        second_ppg=second_ppg,
        typer=beat_typer,
    )
    pipeline.begin(source.started_ns)
    if chosen is not None and chosen.fs_hz is not None and not isinstance(source, RecordedSource):
        pipeline.expect(chosen.kind or Kind.ECG, chosen.name, chosen.fs_hz)
    analysis = Analysis(
        record=source.name,
        fs_hz=source.fs_hz if chosen is None else chosen.fs_hz,
        channel=None if chosen is None else chosen.name,
        start_ns=source.started_ns,
    )
    analysis.end_ns = source.started_ns

    def take(findings: Iterable[Finding]) -> None:
        for finding in findings:
            analysis.add(finding)
            if watcher is not None:
                watcher.finding(finding)

    lead = ScreenedLead(None if chosen is None else chosen.name)
    for item in source.items(wanted, BLOCK_S):
        if isinstance(item, Samples):
            lead.push(item)
        if watcher is not None:
            watcher.item(item)
        take(pipeline.push(item))
        analysis.see(item)
    if source.duration_s is not None:
        analysis.end_ns = max(analysis.end_ns, source.started_ns + round(source.duration_s * 1e9))
    take(pipeline.flush(analysis.end_ns))
    if pipeline.leading is None and not analysis.is_told_beside:
        have = ", ".join(c.name for c in source.channels) or "no channel"
        raise FileFormatError(
            f"{source.name}: an ECG, a PPG, beats, RR intervals, acceleration or readings expected, it has: {have}"
        )
    analysis.close(pipeline, source.notes)
    analysis.screening = lead.end(analysis.beats)
    return analysis, pipeline


def join_gaps(gaps: list[Gap]) -> list[Gap]:
    """In order of time, apart, none empty: what touches and has one reason becomes one, what lies over another is cut.

    The reason that began first stands for the time that two of them cover.
    """
    by_reason: dict[GapReason, list[Gap]] = {}
    for gap in sorted(gaps, key=lambda gap: gap.start_ns):
        mine = by_reason.setdefault(gap.reason, [])
        if mine and gap.start_ns <= mine[-1].end_ns:
            mine[-1] = replace(mine[-1], end_ns=max(mine[-1].end_ns, gap.end_ns))
        else:
            mine.append(gap)
    apart: list[Gap] = []
    for gap in sorted(
        (gap for mine in by_reason.values() for gap in mine), key=lambda gap: (gap.start_ns, -gap.end_ns)
    ):
        start_ns = max(gap.start_ns, apart[-1].end_ns) if apart else gap.start_ns
        if gap.end_ns > start_ns:
            apart.append(replace(gap, start_ns=start_ns))
    return apart


def _beside(source: FileSource, chosen: ChannelInfo) -> str | None:
    """The first PPG that can be read along with an ECG: breathing shows in both."""
    if chosen.kind is not Kind.ECG:
        return None
    waves = (channel for channel in source.channels if channel.kind is Kind.PPG and channel.fs_hz is not None)
    return next((wave.name for wave in waves if wave.fs_hz is not None and readable(wave.fs_hz)), None)


def _choose(source: FileSource, name: str | None) -> ChannelInfo | None:
    """The channel that leads: the one named, else the first ECG, else the first PPG; None: it may hold intervals."""
    usable = [channel for channel in source.channels if channel.kind in (Kind.ECG, Kind.PPG)]
    if name is not None:
        for channel in source.channels:
            if channel.name == name and channel in usable:
                return channel
        have = ", ".join(channel.name for channel in usable) or "none"
        raise FileFormatError(f"{source.name}: no ECG or PPG channel {name!r}; it has: {have}")
    for kind in (Kind.ECG, Kind.PPG):
        for channel in usable:
            if channel.kind is kind:
                return channel
    return None
