"""What models saw is kept by day, bounded, and told by the quantity that moved most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from device_pipeline.clock import ManualClock
from device_pipeline.store.model_seen import KEPT_DAYS, LOOKED_AT_DAYS, keep_seen, model_drifts
from device_pipeline.store.retention import DAY_NS
from device_pipeline.store.store import Store, open_store
from models.card import ModelCard, Reference
from models.drift import Moved
from models.screen import CARD

NOW_NS = 20_500 * DAY_NS + 5
HALF = Reference((0.5,), (0.5, 0.5), person=0.0)


def card(version: str = "1.0.0", **reference: Reference) -> ModelCard:
    fields = {name: getattr(ModelCard.read(CARD), name) for name in ModelCard.__slots__}
    return ModelCard(**{**fields, "version": version, "reference": reference or {"N": HALF, "A": HALF}})


def seen(low: int, high: int) -> np.ndarray:
    return np.array([low, high], np.int64)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store", ManualClock(NOW_NS, 0))


def test_counts_of_a_day_add_up_and_the_worst_quantity_is_told(store: Store) -> None:
    with store.writer() as writer:
        for _ in range(3):
            keep_seen(writer, [(card(), {"N": seen(50, 50), "A": seen(90, 10)})], NOW_NS)
    with store.reader() as db:
        assert db.execute("SELECT count(*) FROM model_seen").fetchone()[0] == 2
        (found,) = model_drifts(db, NOW_NS)
    assert (found.model, found.version, found.worst, found.quantities) == ("screen", "1.0.0", "A", 2)
    assert (found.drift.verdict, found.drift.n) == (Moved.DRIFTED, 300)


def test_few_calls_are_told_as_that(store: Store) -> None:
    with store.writer() as writer:
        keep_seen(writer, [(card(), {"N": seen(0, 59), "A": seen(0, 0)})], NOW_NS)
    with store.reader() as db:
        (found,) = model_drifts(db, NOW_NS)
    assert (found.drift.verdict, found.drift.least_n, found.drift.psi) == (Moved.TOO_LITTLE, 60, None)


def test_only_the_last_week_is_looked_at_and_the_table_is_bounded(store: Store) -> None:
    with store.writer() as writer:
        for day in range(100):
            moved = seen(100, 0) if day < 100 - LOOKED_AT_DAYS else seen(50, 50)
            keep_seen(writer, [(card(N=HALF), {"N": moved})], NOW_NS + day * DAY_NS)
        rows = writer.db.execute("SELECT count(*) FROM model_seen").fetchone()[0]
        (found,) = model_drifts(writer.db, NOW_NS + 99 * DAY_NS)
    assert rows == KEPT_DAYS + 1
    assert (found.drift.verdict, found.drift.n) == (Moved.STABLE, 100 * LOOKED_AT_DAYS)


def test_versions_are_told_apart_and_counts_of_another_reference_do_not_mix(store: Store) -> None:
    third = Reference((0.3,), (0.3, 0.7))
    with store.writer() as writer:
        keep_seen(writer, [(card(N=HALF), {"N": seen(500, 0)})], NOW_NS)
        keep_seen(writer, [(card(N=third), {"N": seen(30, 70)})], NOW_NS)
        keep_seen(writer, [(card("1.1.0", N=HALF), {"N": seen(5, 5)})], NOW_NS)
        found = model_drifts(writer.db, NOW_NS)
    assert [(model.version, model.drift.n) for model in found] == [("1.0.0", 100), ("1.1.0", 10)]
    assert found[0].drift.verdict is Moved.STABLE
