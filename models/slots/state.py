"""What is written down about installed models: the slots of each, what was taken back, and what happened.

Read strictly: a state that is not whole is no state, and whoever reads it falls back to what came with the program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from models.bundle import version_key
from models.errors import ModelError, SlotError
from models.model_event import ModelEvent
from models.revocation import Revocations, RevokedModel
from models.trust import LOCAL, PROGRAM, SIGNED, Trust

SCHEMA = "vitalkeep.slots/1"
MOST_BYTES = 1 << 20
MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Installed:
    """A bundle on the disk. `sha256`: of the file; `since_ns`: when it came into its slot; `latency_us`: of one call on
    its golden inputs, measured on this device when it was installed."""

    version: str
    sha256: str
    trust: Trust
    since_ns: int
    latency_us: float


@dataclass(frozen=True, slots=True)
class ModelSlots:
    """`active` None: what came with the program; `previous` what `active` came after, None for the program's.

    `pinned`: serves the cards; None for the program's. `highest`: the highest version ever let in. `starts`: of runs
    in which it was in use and of which none has lasted or ended yet.
    """

    active: Installed | None = None
    previous: Installed | None = None
    shadow: Installed | None = None
    pinned: Installed | None = None
    highest: str | None = None
    starts: int = 0

    def held(self) -> tuple[Installed, ...]:
        return tuple(one for one in (self.active, self.previous, self.shadow, self.pinned) if one is not None)


@dataclass(frozen=True, slots=True)
class State:
    models: Mapping[str, ModelSlots] = field(default_factory=dict)
    revocations: Revocations = field(default_factory=Revocations)
    events: tuple[ModelEvent, ...] = ()

    def of(self, name: str) -> ModelSlots:
        return self.models.get(name, ModelSlots())

    def with_model(self, name: str, slots: ModelSlots) -> State:
        return replace(self, models={**self.models, name: slots})

    def with_event(self, t_ns: int, model: str, version: str, what: str, reason: str) -> State:
        number = self.events[-1].number + 1 if self.events else 1
        return replace(
            self, events=(*self.events, ModelEvent(number, t_ns, model, version, what, reason))[-MOST_EVENTS:]
        )

    def encoded(self) -> bytes:
        raw = {
            "schema": SCHEMA,
            "models": {name: asdict(slots) for name, slots in sorted(self.models.items())},
            "revocations": {
                "keys": dict(self.revocations.keys),
                "models": [asdict(model) for model in self.revocations.models],
                "sequences": dict(self.revocations.sequences),
            },
            "events": [asdict(event) for event in self.events],
        }
        return (json.dumps(raw, indent=1, allow_nan=False) + "\n").encode("utf-8")


def decoded(data: bytes, where: str) -> State:
    """Raises SlotError for whatever `encoded` would not have written."""
    try:
        raw = json.loads(data.decode("utf-8"))
        if raw["schema"] != SCHEMA:
            raise SlotError(f"{where}: schema {str(raw['schema'])[:40]!r}, {SCHEMA!r} expected")
        revoked = raw["revocations"]
        state = State(
            {_text(name): _slots(one) for name, one in raw["models"].items()},
            Revocations(
                {_text(key): _text(reason) for key, reason in revoked["keys"].items()},
                tuple(RevokedModel(**one) for one in revoked["models"]),
                {_text(key): _whole(sequence) for key, sequence in revoked["sequences"].items()},
            ),
            tuple(_event(one) for one in raw["events"]),
        )
        if state.encoded() != data:
            raise SlotError(f"{where}: not as it was written")
        return state
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise SlotError(f"{where}: no state of models ({type(problem).__name__})") from None
    except SlotError:
        raise
    except ModelError as problem:
        raise SlotError(f"{where}: {problem}") from None


def _slots(raw: dict[str, Any]) -> ModelSlots:
    slots = {name: _installed(raw[name]) for name in ("active", "previous", "shadow", "pinned")}
    highest = None if raw["highest"] is None else _version(raw["highest"])
    return ModelSlots(**slots, highest=highest, starts=_whole(raw["starts"]))


def _installed(raw: dict[str, Any] | None) -> Installed | None:
    if raw is None:
        return None
    trust = raw["trust"]
    if trust["kind"] not in (SIGNED, LOCAL, PROGRAM):
        raise ValueError("an unknown kind of trust")
    key = None if trust["fingerprint"] is None else _text(trust["fingerprint"])
    sha256 = _text(raw["sha256"])
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ValueError("no hash")
    return Installed(
        _version(raw["version"]), sha256, Trust(trust["kind"], key), _whole(raw["since_ns"]), float(raw["latency_us"])
    )


def _event(raw: dict[str, Any]) -> ModelEvent:
    texts = {name: _text(raw[name]) for name in ("model", "version", "what", "reason")}
    return ModelEvent(number=_whole(raw["number"]), t_ns=_whole(raw["t_ns"]), **texts)


def _version(raw: Any) -> str:
    version_key(_text(raw))
    return _text(raw)


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError("no text")
    return raw


def _whole(raw: Any) -> int:
    if type(raw) is not int:
        raise TypeError("no whole number")
    return raw
