"""Which model of each kind serves in this process, which runs beside it, and what becomes of one that fails.

The slots on the disk say what is to be; here that meets the nets of this process. A model that goes back does so in
this process at once, and on the disk for the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from device_pipeline.alerts.alert import Alert
from device_pipeline.clock import SystemClock
from device_pipeline.run import Finding
from device_pipeline.track import Window
from models import interpreter
from models.bundle import Bundle
from models.errors import ModelError
from models.in_service import supplying
from models.interpreter import Net
from models.model_event import ModelEvent
from models.registry import MODELS, ModelRow
from models.shadow_score import ShadowScore
from models.slots.slots import Slots
from models.slots.state import Installed
from models.tried_net import Trial, TriedNet, Waiting
from models.watch import Before, Watch
from vitalkeep import model_choice
from vitalkeep.cli.say import say

if TYPE_CHECKING:
    from sqlite_utils import Database

    from device_pipeline.store.writer import StoreWriter

_NS_PER_H = 3_600_000_000_000
BEFORE_DAYS = 14
LASTED_NS = 600_000_000_000  # of data: what a model can break it has broken by then

# (model, since when it serves on the host's clock) to (alerts, hours) before that and since.
History = Callable[[str, int], tuple[tuple[int, float], tuple[int, float]]]


@contextmanager
def installed_models() -> Iterator[None]:
    """Within, every model is the one in service; nothing runs beside it, and what fails goes back this time only."""
    models = ModelsOnTrial.here(keep=False)
    with models.session().using() if models.is_any else nullcontext():
        yield


def models_on_trial(writer: StoreWriter) -> ModelsOnTrial:
    """Those of a process that writes to this store; says what does not serve, and why."""
    models = ModelsOnTrial.here(history(writer.db, SystemClock().now_ns()))
    for note in models.notes:
        say(note)
    return models


def history(db: Database, now_ns: int) -> History:
    """From what the store holds, at most BEFORE_DAYS before a model served."""
    # here, since an analysis has no store and the library behind it is slow to load
    from device_pipeline.store.derived import coverage
    from device_pipeline.store.model_rows import alerts_of_model

    def look(model: str, since_ns: int) -> tuple[tuple[int, float], tuple[int, float]]:
        spans = ((since_ns - BEFORE_DAYS * 24 * _NS_PER_H, since_ns), (since_ns, max(since_ns, now_ns)))
        (a, b) = ((alerts_of_model(db, model, *span), coverage(db, *span).good_ns / _NS_PER_H) for span in spans)
        return a, b

    return look


@dataclass(frozen=True, slots=True)
class _OnTrial:
    """Of one model: what serves, None for the program's own."""

    row: ModelRow
    bundle: Bundle | None
    trial: Trial

    def made(self, threads: int) -> Net:
        """The net that serves; what cannot even be made gives way at once."""
        if self.bundle is None or self.trial.is_back:
            return self.trial.before(threads)
        try:
            return Net(self.bundle.weights, self.bundle.card, threads)
        except ModelError as problem:
            self.trial.revert(f"it cannot be made: {type(problem).__name__}")
            return self.trial.before(threads)


class ModelsOnTrial:
    """Of one process. `notes`: what the wearer is to be told at the start."""

    def __init__(self, slots: Slots | None, history: History | None = None, *, keep: bool = True) -> None:
        self._slots = slots
        self._keep = keep
        self._told = 0  # number of the last event that was told
        self._lost: list[ModelEvent] = []  # that the disk did not take
        self._on_trial: dict[Path, _OnTrial] = {}
        self.notes: list[str] = []
        for row in MODELS if slots is not None and slots.folder.is_dir() else ():
            if row.replaceable and slots is not None:
                self._begin(slots, row, history)

    @classmethod
    def here(cls, history: History | None = None, *, keep: bool = True) -> ModelsOnTrial:
        """As the wearer has them. Where even the list of keys cannot be read, the program's own serve."""
        try:
            return cls(model_choice.slots(), history, keep=keep)
        except ModelError as problem:
            without = cls(None)
            without.notes.append(f"models that were installed are not in service: {problem}")
            return without

    @property
    def is_any(self) -> bool:
        """Whether any model but the program's own serves or runs in shadow."""
        return bool(self._on_trial)

    def session(self) -> SessionModels:
        return SessionModels(self._on_trial, self._new_events, self.lasted)

    def lasted(self) -> None:
        """This run has lasted, or ends as runs end: no model has taken it down."""
        if self._slots is not None and self._keep:
            for one in self._on_trial.values():
                self._record(partial(self._slots.lasted, one.row.name))

    def _begin(self, slots: Slots, row: ModelRow, history: History | None) -> None:
        chosen, shadow = slots.chosen(row.name), slots.shadow(row.name)
        if self._keep and (chosen.bundle is not None or shadow is not None):
            self._record(lambda: slots.starting(row.name))
            chosen, shadow = slots.chosen(row.name), slots.shadow(row.name)
        if chosen.why is not None:
            self.notes.append(f"{row.name}: not in service: {chosen.why}")
            if self._keep:
                unused, _, why = chosen.why.partition(": ")
                self._record(lambda: slots.record(row.name, unused, "unused", why))
        if chosen.bundle is None and shadow is None:
            return
        watch, before = None, lambda threads: interpreter.beside(row.card, threads)
        if chosen.bundle is not None and chosen.installed is not None:
            watch = _watch(row.name, chosen.installed, history)
            before = self._before(slots, row, chosen.installed)
        trial = Trial(
            watch=watch,
            before=before,
            reverted=lambda reason: self._reverted(row.name, chosen.installed, reason),
            shadow=None if shadow is None else lambda threads: Net(shadow[1].weights, shadow[1].card, threads),
            shadow_failed=lambda reason: self._dropped(row.name, shadow, reason),
        )
        self._on_trial[row.card] = _OnTrial(row, chosen.bundle, trial)

    def _before(self, slots: Slots, row: ModelRow, active: Installed) -> Callable[[int], Net]:
        """The one before it while that can be used, else the program's own."""
        state = slots.state()
        previous = state.of(row.name).previous

        def make(threads: int) -> Net:
            if previous is not None and previous != active and slots.unusable(state, row.name, previous) is None:
                try:
                    bundle = slots.load(previous)
                    return Net(bundle.weights, bundle.card, threads)
                except ModelError:
                    pass
            return interpreter.beside(row.card, threads)

        return make

    def _reverted(self, name: str, active: Installed | None, reason: str) -> None:
        if active is not None and self._slots is not None and self._keep:
            slots, of = self._slots, active.version
            self._record(
                lambda: slots.rollback(name, reason, "reverted", of=of), ModelEvent(0, 0, name, of, "reverted", reason)
            )

    def _dropped(self, name: str, shadow: tuple[Installed, Bundle] | None, reason: str) -> None:
        if shadow is not None and self._slots is not None and self._keep:
            slots, of = self._slots, shadow[0].version
            self._record(lambda: slots.drop(name, reason, of=of), ModelEvent(0, 0, name, of, "dropped", reason))

    def _record(self, write: Callable[[], None], lost: ModelEvent | None = None) -> None:
        """A disk that takes nothing is no reason to stop: this process has gone back anyway."""
        try:
            write()
        except (ModelError, OSError):
            if lost is not None:
                self._lost.append(lost)

    def _new_events(self) -> list[ModelEvent]:
        """Those that were not told yet, by the files of the slots or, where the disk took none, from memory."""
        lost, self._lost = self._lost, []
        now_ns = SystemClock().now_ns()
        told = [ModelEvent(0, now_ns, e.model, e.version, e.what, e.reason) for e in lost]
        try:
            events = () if self._slots is None else self._slots.events()
        except ModelError:
            events = ()
        new = [event for event in events if event.number > self._told]
        self._told = max((event.number for event in new), default=self._told)
        return [*new, *told]


class SessionModels:
    """Of one session: its nets, what they said in shadow, and what happened to them."""

    def __init__(
        self, on_trial: dict[Path, _OnTrial], events: Callable[[], list[ModelEvent]], lasted: Callable[[], None]
    ) -> None:
        self._on_trial = on_trial
        self._events = events
        self._lasted = lasted
        self._first_ns: int | None = None
        self._has_lasted = False
        self._waiting = {card: Waiting() for card, one in on_trial.items() if one.trial.shadow is not None}
        self._became: dict[Path, tuple[bool, bool]] | None = None  # of each model: is back, runs nothing in shadow

    @contextmanager
    def using(self, *, shadow: bool = False) -> Iterator[None]:
        """Within, and in the tasks begun within, models are those in service; `shadow`: and others run beside them."""

        def supply(card: Path, threads: int) -> Net | None:
            one = self._on_trial.get(card)
            if one is None:
                return None
            waiting = self._waiting.get(card) if shadow else None
            return TriedNet(one.made(threads), one.trial, waiting, threads)

        try:
            with supplying(supply):
                yield
        finally:
            self._lasted()

    def finding(self, finding: Finding) -> None:
        """What the pipeline found, for the watch."""
        match finding:
            case Window():
                for one in self._on_trial.values():
                    one.trial.passed(finding.good_ns / _NS_PER_H)
            case Alert() if finding.end_ns is None and finding.grounds is not None:
                for one in self._on_trial.values():
                    if one.row.name == finding.grounds.model:
                        one.trial.alerted()

    def take(self, t_ns: int, *, rest: bool = False) -> list[ShadowScore | ModelEvent]:
        """What is to be stored since it was last asked; the data has come as far as `t_ns`.

        `rest`: until it is asked again, nothing runs in shadow.
        """
        if t_ns and self._first_ns is None:
            self._first_ns = t_ns
        if self._first_ns is not None and t_ns - self._first_ns > LASTED_NS and not self._has_lasted:
            self._has_lasted = True
            self._lasted()
        told: list[ShadowScore | ModelEvent] = []
        for waiting in self._waiting.values():
            waiting.is_resting = rest
            for pair in waiting.take():
                theirs, ours = (
                    (pair.shadow.name, pair.shadow.version, *pair.said),
                    (pair.active.version, *pair.active_said),
                )
                told.append(ShadowScore(t_ns, *theirs, *ours))
        changed = {card: (one.trial.is_back, one.trial.shadow is None) for card, one in self._on_trial.items()}
        if changed != self._became:
            self._became = changed
            told += self._events()
        return told


def _watch(name: str, active: Installed, history: History | None) -> Watch:
    (alerts, hours), since = ((0, 0.0), (0, 0.0)) if history is None else history(name, active.since_ns)
    return Watch(Before(active.latency_us, alerts, hours), *since)
