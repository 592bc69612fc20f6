"""What models saw and said on each of the last days, as counts in the bins of their cards: bounded, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from device_pipeline.store.retention import DAY_NS
from device_pipeline.store.writer import StoreWriter
from models.card import ModelCard, Reference
from models.drift import Drift, Moved, drift

KEPT_DAYS = 28
LOOKED_AT_DAYS = 7  # a week: days of work and of rest

_ORDER = (Moved.TOO_LITTLE, Moved.STABLE, Moved.WATCH, Moved.DRIFTED)
Seen = Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True, slots=True, repr=False)
class ModelDrift:
    """Of one version of a model over LOOKED_AT_DAYS: its `worst` quantity and how far that moved, of `quantities`."""

    model: str
    version: str
    worst: str
    drift: Drift
    quantities: int

    def __repr__(self) -> str:
        return f"<ModelDrift {self.model} {self.version}>"


def keep_seen(writer: StoreWriter, taken: Iterable[tuple[ModelCard, Seen]], now_ns: int) -> None:
    """Adds to the counts of the day of `now_ns`, and removes days that are no longer looked at. Raises StoreError."""
    day_ns = now_ns // DAY_NS * DAY_NS
    with writer.transaction():
        for card, seen in taken:
            for quantity, counts in seen.items():
                _add(writer.db, card, quantity, counts, day_ns)
        writer.db.execute("DELETE FROM model_seen WHERE day_ns < ?", (day_ns - KEPT_DAYS * DAY_NS,))


def _add(db: Database, card: ModelCard, quantity: str, counts: NDArray[np.int64], day_ns: int) -> None:
    reference = card.reference[quantity]
    edges, shares = json.dumps(reference.edges), json.dumps(reference.shares)
    key = (card.name, card.version, quantity, day_ns)
    row = db.conn.execute(
        "SELECT counts FROM model_seen WHERE model = ? AND version = ? AND quantity = ? AND day_ns = ?"
        " AND edges = ? AND shares = ?",
        (*key, edges, shares),
    ).fetchone()
    total = counts if row is None else counts + np.array(json.loads(row[0]))
    db.execute(
        "INSERT OR REPLACE INTO model_seen (model, version, quantity, day_ns, edges, shares, counts, person)"
        " VALUES (?,?,?,?,?,?,?,?)",
        (*key, edges, shares, json.dumps(total.tolist()), reference.person),
    )


def model_drifts(db: Database, now_ns: int) -> list[ModelDrift]:
    """By name and version, of what was called in the last LOOKED_AT_DAYS."""
    since_ns = (now_ns // DAY_NS - LOOKED_AT_DAYS + 1) * DAY_NS
    seen: dict[tuple[str, str], dict[str, tuple[Reference, NDArray[np.int64]]]] = {}
    for model, version, quantity, edges, shares, counts, person in db.conn.execute(
        "SELECT model, version, quantity, edges, shares, counts, person FROM model_seen WHERE day_ns >= ?"
        " ORDER BY model, version, quantity, day_ns",
        (since_ns,),
    ):
        held = seen.setdefault((model, version), {})
        reference = Reference(tuple(json.loads(edges)), tuple(json.loads(shares)), person)
        count = np.array(json.loads(counts), np.int64)
        if quantity in held and held[quantity][0] == reference:
            count = count + held[quantity][1]
        held[quantity] = (reference, count)  # counts of another reference do not mix: the newest stands
    return [_worst(model, version, held) for (model, version), held in seen.items()]


def _worst(model: str, version: str, held: Mapping[str, tuple[Reference, NDArray[np.int64]]]) -> ModelDrift:
    found = {quantity: drift(reference, count) for quantity, (reference, count) in held.items()}
    worst = max(found, key=lambda quantity: (_ORDER.index(found[quantity].verdict), found[quantity].low or 0.0))
    return ModelDrift(model, version, worst, found[worst], len(found))
