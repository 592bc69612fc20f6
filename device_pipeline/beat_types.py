"""What kind of beat each beat of one ECG lead is, by a model that sees its shape among the wearer's other beats.

A beat whose signal is not good has no label but a reason, and is not shown to the model: no guess, and no N. Beats stay
beats whatever becomes of the model.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from device_pipeline.beat import Beat, BeatLabel, Quality
from device_pipeline.beats.ecg import KEEP_LEVELS_S
from device_pipeline.signal.filters import Floats
from models.beat_input import AFTER_S, BEFORE_S, beat_waves
from models.errors import ModelError
from sensors.samples import Gap, GapReason, Samples

_AFTER_NS = round(AFTER_S * 1e9)
_LABELS = {label.value: label for label in BeatLabel}
_KEEP_S = 10.0  # of signal: beats and verdicts come within 4 s of their moment
_TOUCHES_NS = 2_000_000  # two beats that an interval joins


class Typed(Protocol):
    """What a model says of one beat: its label and how likely it is, 0 to 1."""

    @property
    def label(self) -> str: ...

    @property
    def score(self) -> float: ...


class Typer(Protocol):
    """A model that takes beats in order and tells each by `look_ahead` beats later."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def look_ahead(self) -> int: ...

    def push(self, waves: Floats, before_s: Floats) -> Sequence[Typed]: ...

    def flush(self) -> Sequence[Typed]: ...

    def reset(self) -> None: ...


MakeTyper = Callable[[], Typer]


@dataclass(frozen=True, slots=True, repr=False)
class BeatType:
    """Of the beat at `t_ns`: its label and how sure the model is of it, 0 to 1; or None and a `reason`.

    `model` and `version` are those of the model that was asked, or would have been.
    """

    t_ns: int
    label: BeatLabel | None
    score: float | None
    model: str
    version: str
    reason: str | None = None

    def __repr__(self) -> str:
        return "<BeatType>"


@dataclass(slots=True, repr=False)
class _InLine:
    """A beat on its way out; `known_ns`: what lies later cannot change it."""

    told: BeatType
    known_ns: int | None = None
    resolved: bool = False


class _Signal:
    """The newest seconds of an unbroken signal, counted in samples from where it began."""

    def __init__(self) -> None:
        self.base = 0  # count of the first sample held
        self.count = 0
        self._blocks: deque[Floats] = deque()
        # (count of its first sample, its moment, an empty block with its clock)
        self._clocks: list[tuple[int, int, Samples]] = []

    def add(self, block: Samples) -> None:
        if self._clocks:
            start, _, last = self._clocks[-1]
            same_clock = (last.anchor_ns, last.step_ns) == (block.anchor_ns, block.step_ns)
            if not (same_clock and block.offset - last.offset == self.count - start):
                self._clocks.append((self.count, block.start_ns, block.cut(0, 0)))
        else:
            self._clocks.append((self.count, block.start_ns, block.cut(0, 0)))
        self._blocks.append(block.values)
        self.count += len(block)

    def place(self, t_ns: int) -> float:
        """The count at a moment; fractions lie between samples."""
        start, _, clock = self._clocks[-1]
        if len(self._clocks) > 1:
            start, _, clock = next((c for c in reversed(self._clocks) if c[1] <= t_ns), self._clocks[0])
        return (t_ns - clock.anchor_ns) / clock.step_ns - clock.offset + start

    def values(self) -> Floats:
        if len(self._blocks) > 1:
            self._blocks = deque([np.concatenate(self._blocks)])
        return self._blocks[0]

    def forget(self, before: int) -> None:
        while len(self._blocks) > 1 and self.base + len(self._blocks[0]) <= before:
            self.base += len(self._blocks.popleft())
        if self._blocks and self.base + len(self._blocks[0]) > before > self.base and len(self._blocks) == 1:
            self._blocks[0] = self._blocks[0][before - self.base :].copy()
            self.base = before
        while len(self._clocks) > 1 and self._clocks[1][0] <= self.base:
            self._clocks.pop(0)


class BeatTypes:
    """Of one lead: give it each block with `push`, then with `take` what the beat stage made of it.

    `release` gives what is known, in order of time. What it gives for a moment does not depend on how the input was cut
    if that moment's beats and qualities are final. After an absence of KEEP_LEVELS_S the electrodes may sit
    differently, so the model begins anew. `reason`: why nothing is told any more; None while the model works.
    """

    def __init__(self, fs_hz: float, make_typer: MakeTyper) -> None:
        self.reason: str | None = None
        self._fs_hz = fs_hz
        self._before_n, self._after_n = math.ceil(BEFORE_S * fs_hz), math.ceil(AFTER_S * fs_hz)
        self._signal = _Signal()
        self._ended_ns: int | None = None
        self._newest_ns = 0
        self._pending: deque[Beat] = deque()  # no verdict on their signal yet
        self._ready: deque[tuple[Beat, str | None]] = deque()  # with what is wrong with it
        self._last_asked_ns: int | None = None
        self._line: deque[_InLine] = deque()
        self._asked: deque[_InLine] = deque()  # not answered yet
        self._open: deque[_InLine] = deque()  # what comes may still change them
        self._off_body: list[tuple[int, int]] = []
        self._typer: Typer | None = None
        self._model, self._version = "", ""
        try:
            self._typer = make_typer()
            self._model, self._version = self._typer.name, self._typer.version
        except (ModelError, OSError):
            self._give_up()

    @property
    def held(self) -> int:
        """Samples held."""
        return self._signal.count - self._signal.base

    @property
    def waiting(self) -> int:
        """Beats not released yet."""
        return len(self._pending) + len(self._ready) + len(self._line)

    def push(self, block: Samples) -> None:
        """The next block of the lead, ECG in mV."""
        if not len(block) or self.reason is not None:
            return
        if self._ended_ns is not None:
            if block.start_ns - self._ended_ns >= KEEP_LEVELS_S * 1e9:
                self._begin_anew(block.start_ns)
            self._ended_ns = None
        self._newest_ns = block.end_ns
        self._signal.add(block)

    def take(self, outputs: Iterable[Beat | Quality | Gap]) -> None:
        """What the beat stage put out after the last block, or for a gap."""
        if self.reason is not None:
            return
        for output in outputs:
            if isinstance(output, Beat):
                self._pending.append(output)
                continue
            why = None
            if isinstance(output, Gap):
                why = output.reason.value
            elif not output.good:
                why = output.reason or "poor_signal"
            while self._pending and self._pending[0].t_ns < output.end_ns:
                self._ready.append((self._pending.popleft(), why))
        self._ask(ended=False)

    def end(self) -> None:
        """The signal ends here, for now; the beat stage has put out all of it."""
        if self.reason is not None:
            return
        self._ready += [(beat, "no_verdict") for beat in self._pending]
        self._pending.clear()
        self._ask(ended=True)
        if self._signal.count:
            self._ended_ns = self._newest_ns
        self._signal = _Signal()

    def off_body(self, start_ns: int, end_ns: int) -> None:
        """The device itself says that nothing it sends in this time comes from a body."""
        self._off_body.append((start_ns, end_ns))

    def flush(self) -> None:
        """The input ends here."""
        self.end()
        self._begin_anew(self._newest_ns)

    def release(self, before_ns: int | None = None) -> list[BeatType]:
        """What is known by the beats and qualities before `before_ns`; all that is known for None."""
        told: list[BeatType] = []
        while self._line:
            first = self._line[0]
            if not first.resolved or (before_ns is not None and (first.known_ns or before_ns) >= before_ns):
                break
            self._line.popleft()
            t_ns = first.told.t_ns
            if any(start <= t_ns < end for start, end in self._off_body):
                told.append(replace(first.told, label=None, score=None, reason=GapReason.OFF_BODY.value))
            else:
                told.append(first.told)
        if told and self._off_body:
            self._off_body = [span for span in self._off_body if span[1] > told[-1].t_ns]
        return told

    def _ask(self, ended: bool) -> None:
        """Shows the model what is ready, at once."""
        places: list[float] = []
        before_s: list[float] = []
        while self._ready:
            beat, why = self._ready[0]
            if why is None:
                at = self._signal.place(beat.t_ns)
                if at - self._before_n < self._signal.base:
                    why = "too_short"
                elif at + self._after_n > self._signal.count - 1:
                    if not ended:
                        break
                    why = "too_short"
            self._ready.popleft()
            entry = _InLine(BeatType(beat.t_ns, None, None, self._model, self._version, why), beat.t_ns + _AFTER_NS)
            self._line.append(entry)
            if why is not None:
                entry.resolved = True
                continue
            places.append(at - self._signal.base)
            before_s.append(self._interval_s(beat))
            self._last_asked_ns = beat.t_ns
            entry.known_ns = None
            self._asked.append(entry)
            self._open.append(entry)
            if self._typer is not None and len(self._open) > self._typer.look_ahead:
                self._open.popleft().known_ns = beat.t_ns + _AFTER_NS
        if places and self._typer is not None:
            waves = beat_waves(self._signal.values(), self._fs_hz, np.array(places))
            typer, before = self._typer, np.array(before_s)
            self._answer(lambda: typer.push(waves, before))
        self._forget()

    def _interval_s(self, beat: Beat) -> float:
        """To the beat that the model saw last; NaN where it is not known."""
        if beat.rr_s is None or self._last_asked_ns is None:
            return math.nan
        gap_ns = beat.t_ns - round(beat.rr_s * 1e9) - self._last_asked_ns
        return beat.rr_s if abs(gap_ns) < _TOUCHES_NS else math.nan

    def _answer(self, ask: Callable[[], Sequence[Typed]]) -> None:
        try:
            answers = ask()
        except (ModelError, OSError, RuntimeError):
            self._give_up()
            return
        if self._typer is not None:  # a model that failed may have given way to the one before it
            self._version = self._typer.version
        for answer in answers:
            entry = self._asked.popleft()
            label = _LABELS.get(answer.label) or BeatLabel(answer.label)
            entry.told = BeatType(entry.told.t_ns, label, answer.score, self._model, self._version)
            entry.resolved = True

    def _begin_anew(self, known_ns: int) -> None:
        if self._typer is not None:
            self._answer(self._typer.flush)
        while self._open:
            self._open.popleft().known_ns = known_ns
        if self._typer is not None:
            self._typer.reset()
        self._last_asked_ns = None

    def _give_up(self) -> None:
        """The model cannot be used: what is still open is told without a label, and nothing more."""
        self.reason, self._typer = "no_model", None
        for entry in self._asked:
            entry.told = replace(entry.told, reason=self.reason)
            entry.resolved = True
            entry.known_ns = entry.known_ns or entry.told.t_ns + _AFTER_NS
        self._asked.clear()
        self._open.clear()
        self._pending.clear()
        self._ready.clear()
        self._signal = _Signal()

    def _forget(self) -> None:
        keep = self._signal.count - round(_KEEP_S * self._fs_hz)
        first = self._ready[0][0] if self._ready else self._pending[0] if self._pending else None
        if first is not None and self._signal.count:
            keep = min(keep, math.floor(self._signal.place(first.t_ns)) - self._before_n - 1)
        self._signal.forget(keep)
