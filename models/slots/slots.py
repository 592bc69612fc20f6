"""The slots of every model in one folder: bundles, each under its hash, and one state file that alone says what counts.

A bundle is written before the state that names it and removed after the state that no longer does, so a process killed
anywhere leaves a state that is whole and all that it names. What is loaded is held to its hash each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from models.bundle import MOST_BYTES, Bundle, bundle_of, read_bundle, version_key
from models.card import ModelCard
from models.errors import BundleError, ModelError, SlotError
from models.model_event import ModelEvent
from models.publishers import Publisher, publisher_of
from models.registry import MODELS, ModelRow
from models.revocation import RevocationList
from models.slots.atomic_file import read_bounded, require_ours, write_atomically
from models.slots.golden import Golden, fitting_row, tried
from models.slots.lock import changing
from models.slots.state import MOST_BYTES as MOST_STATE_BYTES
from models.slots.state import Installed, ModelSlots, State, decoded
from models.trust import PROGRAM, SIGNED, Trust, judged

_STATE, _BUNDLES = "state.json", "bundles"
MOST_STARTS = 3


@dataclass(frozen=True, slots=True)
class Chosen:
    """What serves: a bundle, or None for what came with the program. `why`: why that and not what is installed."""

    bundle: Bundle | None
    installed: Installed | None
    why: str | None = None


class Slots:
    """`folder` need not exist. `now_ns`: of the host's clock; `program`: our own version."""

    def __init__(
        self,
        folder: Path,
        publishers: Sequence[Publisher],
        now_ns: Callable[[], int],
        program: str,
        rows: Sequence[ModelRow] = MODELS,
    ) -> None:
        self.folder = folder
        self.publishers = publishers
        self._now_ns = now_ns
        self._program = program
        self._rows = {row.name: row for row in rows}

    # -- reading

    def state(self) -> State:
        """Raises SlotError where it is damaged, or not ours alone to write."""
        path = self.folder / _STATE
        try:
            data = read_bounded(path, MOST_STATE_BYTES)
        except FileNotFoundError:
            return State()
        except OSError as problem:
            raise SlotError(f"{path}: {problem.strerror}") from None
        require_ours(self.folder)
        require_ours(path)
        if len(data) > MOST_STATE_BYTES:
            raise SlotError(f"{path}: more than {MOST_STATE_BYTES} bytes")
        return decoded(data, str(path))

    def load(self, installed: Installed) -> Bundle:
        """The bundle of a slot, held to its hash. Raises SlotError, BundleError."""
        path = self._path(installed)
        try:
            data = read_bounded(path, MOST_BYTES)
        except OSError as problem:
            raise SlotError(f"{path.name[:12]}…: {problem.strerror}") from None
        if (found := hashlib.sha256(data).hexdigest()) != installed.sha256:
            raise SlotError(f"sha256 {found[:12]}…, expected {installed.sha256[:12]}… as when it was installed")
        return read_bundle(data, installed.version)

    def chosen(self, name: str) -> Chosen:
        """What is to serve now, whatever the state of the disk: at the worst what came with the program."""
        try:
            state = self.state()
        except SlotError as problem:
            return Chosen(None, None, str(problem))
        slots, why = state.of(name), None
        for installed in (slots.active, slots.previous):
            if installed is None:
                break
            reason = self.unusable(state, name, installed)
            if reason is None:
                try:
                    return Chosen(self.load(installed), installed, why)
                except ModelError as problem:
                    # damaged on the disk: what lies beside it is trusted no more than that
                    return Chosen(None, None, why or f"{installed.version}: {problem}")
            why = why or f"{installed.version}: {reason}"
        return Chosen(None, None, why)

    def shadow(self, name: str) -> tuple[Installed, Bundle] | None:
        """What is to run beside, where there is something that can."""
        try:
            state = self.state()
            installed = state.of(name).shadow
            if installed is None or self.unusable(state, name, installed) is not None:
                return None
            return installed, self.load(installed)
        except ModelError:
            return None

    def pinned(self, name: str) -> Bundle | None:
        """What serves cards; None for what came with the program. Raises ModelError where it cannot be used: nothing
        takes its place, since the days of one window are to be read by one model."""
        state = self.state()
        installed = state.of(name).pinned
        if installed is None:
            return None
        reason = self.unusable(state, name, installed, floor=False)
        if reason is not None:
            raise SlotError(f"{name} {installed.version}: {reason}")
        return self.load(installed)

    def unusable(self, state: State, name: str, installed: Installed, *, floor: bool = True) -> str | None:
        """Why what lies in a slot may not serve, before it is even looked at; None where it may."""
        key = installed.trust.fingerprint
        if key is not None and key in state.revocations.keys:
            return f"its key was taken back: {state.revocations.keys[key]}"
        if (reason := state.revocations.of_model(name, installed.version, installed.sha256, key)) is not None:
            return f"it was taken back: {reason}"
        if installed.trust.kind == SIGNED:
            publisher = None if key is None else publisher_of(self.publishers, key)
            if publisher is None or not publisher.may_sign(name):
                return "its key is no longer trusted"
        ours = self.shipped(name)
        if floor and version_key(ours) >= version_key(installed.version):
            return f"the program brings {ours}"
        return None

    def shipped(self, name: str) -> str:
        """The version that came with the program. Raises SlotError for a model that there is not."""
        if name not in self._rows:
            raise SlotError(f"{name[:40]!r} is no model: expected one of {', '.join(self._rows)}")
        return ModelCard.read(self._rows[name].card).version

    # -- changing

    def install(self, bundle: Bundle, data: bytes, *, trust_local: bool = False) -> tuple[Trust, Golden]:
        """Into the shadow, after its golden inputs. Raises TrustError, BundleError, GoldenError, SlotError."""
        with self._changing() as change:
            state = change.state
            trust = judged(bundle, self.publishers, state.revocations, local_is_enough=trust_local)
            row = fitting_row(bundle, self._program)
            slots = state.of(bundle.name)
            self._require_newer(bundle, slots)
            golden = tried(bundle, row.scorer(bundle.weights, bundle.card))
            installed = Installed(bundle.version, bundle.sha256, trust, self._now_ns(), golden.latency_us)
            self._keep(installed, data)
            change.put(bundle.name, replace(slots, shadow=installed, highest=bundle.version, starts=0))
            reason = f"{trust.kind}; {golden.rows} golden rows, at most {golden.worst_steps:.2f} steps off"
            change.tell(bundle.name, bundle.version, "installed", reason)
        return trust, golden

    def promote(self, name: str) -> Installed:
        with self._changing() as change:
            slots = change.of(name)
            if slots.shadow is None:
                raise SlotError(f"{name}: nothing runs in shadow, a model installed before expected")
            reason = self.unusable(change.state, name, slots.shadow)
            if reason is not None:
                raise SlotError(f"{name} {slots.shadow.version}: {reason}")
            self.load(slots.shadow)
            active = replace(slots.shadow, since_ns=self._now_ns())
            # what the program superseded is nothing to come back to
            before = slots.active
            if before is not None and self.unusable(change.state, name, before) is not None:
                before = None
            change.put(name, replace(slots, active=active, previous=before, shadow=None, starts=0))
            change.tell(name, active.version, "promoted", "by the wearer")
        return active

    def rollback(
        self, name: str, reason: str = "by the wearer", what: str = "rolled_back", of: str | None = None
    ) -> None:
        """Back to what was before. `of`: only where this version is active still. Raises SlotError."""
        with self._changing() as change:
            slots = change.of(name)
            if slots.active is None:
                raise SlotError(f"{name}: what came with the program is active, nothing to go back from")
            if of is not None and slots.active.version != of:
                return
            change.put(name, replace(slots, active=slots.previous, previous=None, starts=0))
            change.tell(name, slots.active.version, what, reason)

    def drop(self, name: str, reason: str = "by the wearer", of: str | None = None) -> None:
        """Takes the shadow away. `of`: only this version. Raises SlotError where there is none."""
        with self._changing() as change:
            slots = change.of(name)
            if slots.shadow is None or (of is not None and slots.shadow.version != of):
                if of is not None:
                    return
                raise SlotError(f"{name}: nothing runs in shadow")
            change.put(name, replace(slots, shadow=None, starts=0))
            change.tell(name, slots.shadow.version, "dropped", reason)

    def pin(self, name: str) -> Installed:
        """What is active now serves cards from now on, whatever becomes active later."""
        with self._changing() as change:
            slots, chosen = change.of(name), self.chosen(name)
            if chosen.installed is not None:
                pinned = replace(chosen.installed, since_ns=self._now_ns())
            else:
                # a copy, since the program's own changes with the program
                data, version = self._program_bundle(name)
                pinned = Installed(version, hashlib.sha256(data).hexdigest(), Trust(PROGRAM), self._now_ns(), 0.0)
                self._keep(pinned, data)
            change.put(name, replace(slots, pinned=pinned))
            change.tell(name, pinned.version, "pinned", "serves cards")
        return pinned

    def release(self, name: str) -> None:
        with self._changing() as change:
            slots = change.of(name)
            if slots.pinned is None:
                raise SlotError(f"{name}: nothing is pinned")
            change.put(name, replace(slots, pinned=None))
            change.tell(name, slots.pinned.version, "released", "by the wearer")

    def revoke(self, new: RevocationList) -> list[str]:
        """Takes a list in; whatever it takes back leaves its slot, but for the pinned one, which serves no more.

        Returns a line for each. Raises TrustError where the list is not new.
        """
        told: list[str] = []
        with self._changing() as change:
            known = change.state.revocations.with_list(new)
            change.state = replace(change.state, revocations=known)
            for name, slots in sorted(change.state.models.items()):
                after = slots
                for slot in ("shadow", "previous", "active", "pinned"):
                    one: Installed | None = getattr(slots, slot)
                    if one is None or (reason := _revoked(change.state, name, one)) is None:
                        continue
                    told.append(f"{name} {one.version} ({slot}): {reason}")
                    change.tell(name, one.version, "revoked", f"{slot}: {reason}")
                    if slot == "active":
                        after = replace(after, active=after.previous, previous=None)
                    elif slot == "previous":
                        after = replace(after, previous=None)
                    elif slot == "shadow":
                        after = replace(after, shadow=None)
                change.put(name, after)
        return told

    def starting(self, name: str) -> None:
        """A run begins that will use what is installed. What took MOST_STARTS runs with it, so that none of them could
        even say why, is out of use from now on: what runs in shadow first, else what is in service."""
        slots = self.state().of(name)
        if slots.active is None and slots.shadow is None:
            return
        if slots.starts >= MOST_STARTS:
            reason = f"{slots.starts} runs in a row died with it"
            if slots.shadow is not None:
                self.drop(name, reason, of=slots.shadow.version)
            elif slots.active is not None:
                self.rollback(name, reason, "reverted", of=slots.active.version)
        with self._changing() as change:
            slots = change.of(name)
            change.put(name, replace(slots, starts=slots.starts + 1))

    def lasted(self, name: str) -> None:
        """A run has lasted, or ended as runs end."""
        if self.state().of(name).starts:
            with self._changing() as change:
                change.put(name, replace(change.of(name), starts=0))

    def record(self, name: str, version: str, what: str, reason: str) -> None:
        """Writes an event down, once: not where it is the last that was told of this model."""
        last = next((event for event in reversed(self.state().events) if event.model == name), None)
        if last is not None and (last.version, last.what, last.reason) == (version, what, reason):
            return
        with self._changing() as change:
            change.tell(name, version, what, reason)

    def events(self) -> tuple[ModelEvent, ...]:
        return self.state().events

    # -- inside

    def _require_newer(self, bundle: Bundle, slots: ModelSlots) -> None:
        highest = max((v for v in (self.shipped(bundle.name), slots.highest) if v is not None), key=version_key)
        if version_key(bundle.version) <= version_key(highest):
            raise BundleError(
                f"{bundle.name} {bundle.version}: {highest} was here already, a newer version expected "
                "(what is installed is taken back with vitalkeep model rollback)"
            )

    def _program_bundle(self, name: str) -> tuple[bytes, str]:
        made = bundle_of(self._rows[name].card, "1980-01-01T00:00:00Z")
        return made.packed(), made.version

    def _path(self, installed: Installed) -> Path:
        return self.folder / _BUNDLES / f"{installed.sha256}.vkmodel"

    def _keep(self, installed: Installed, data: bytes) -> None:
        path = self._path(installed)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(path, data)

    @contextmanager
    def _changing(self) -> Iterator[_Change]:
        with changing(self.folder):
            change = _Change(self)
            yield change
            encoded = change.state.encoded()
            decoded(encoded, "what would be written")
            write_atomically(self.folder / _STATE, encoded)
            self._sweep(change.state)

    def _sweep(self, state: State) -> None:
        """Bundles that no slot names go; one that stays for want of permission costs only its place."""
        named = {self._path(one).name for slots in state.models.values() for one in slots.held()}
        folder = self.folder / _BUNDLES
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name not in named:
                with suppress(OSError):
                    path.unlink()


class _Change:
    """A state being changed."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.state = slots.state()

    def of(self, name: str) -> ModelSlots:
        self._slots.shipped(name)  # that there is such a model
        return self.state.of(name)

    def put(self, name: str, slots: ModelSlots) -> None:
        self.state = self.state.with_model(name, slots)

    def tell(self, name: str, version: str, what: str, reason: str) -> None:
        self.state = self.state.with_event(self._slots._now_ns(), name, version, what, reason)


def _revoked(state: State, name: str, one: Installed) -> str | None:
    key = one.trust.fingerprint
    if key is not None and key in state.revocations.keys:
        return f"its key was taken back: {state.revocations.keys[key]}"
    return state.revocations.of_model(name, one.version, one.sha256, key)
