"""Models are watched for drift in a live run, and what was seen is in the store at its end, and in `status`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from device_pipeline.clock import Clock, ManualClock, SystemClock
from device_pipeline.store.model_seen import keep_seen, model_drifts
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import SessionKind, StoreWriter
from models.card import Reference
from models.observer import observed
from tests.device_pipeline.test_model_seen import HALF, NOW_NS, card, seen
from tests.vitalkeep.command import vitalkeep_here
from vitalkeep.cli.model_watch import ModelWatch
from vitalkeep.cli.session_holder import SessionHolder

CALLS = 7


class _Calls:
    """A watch in which a model is called, in a task of its own as the links are."""

    def __init__(self) -> None:
        self.card = card(N=HALF)

    async def hold(self, writers: list[StoreWriter]) -> None:
        await asyncio.create_task(self._one())

    async def _one(self) -> None:
        for _ in range(CALLS):
            observed(self.card, {}, np.array([0.7, 0, 0, 0]))

    async def leave(self) -> None: ...


@pytest.mark.parametrize(("kind", "counted"), [(SessionKind.LIVE, CALLS), (SessionKind.REPLAY, 0)])
def test_the_calls_of_a_live_run_are_counted_and_those_of_a_replay_are_not(
    kind: SessionKind, counted: int, tmp_path: Path
) -> None:
    store = open_store(tmp_path / "store", ManualClock(NOW_NS, 0))
    SessionHolder(store, 30).hold(kind, ["strap"], _Calls())
    with store.reader() as db:
        assert sum(model.drift.n for model in model_drifts(db, NOW_NS)) == counted


def test_counts_wait_for_a_clock_that_is_right(tmp_path: Path) -> None:
    clock = ManualClock(5, 0, synchronised=False)
    store = open_store(tmp_path / "store", clock)
    watch = ModelWatch(store)
    with watch.observing():
        observed(card(N=HALF), {}, np.array([0.7, 0, 0, 0]))
    with store.writer() as writer:
        watch.keep(writer)
        assert writer.db.execute("SELECT count(*) FROM model_seen").fetchone()[0] == 0
        clock.set_right(NOW_NS)
        watch.keep(writer)
        (found,) = model_drifts(writer.db, NOW_NS)
    assert found.drift.n == 1


def test_counts_are_kept_while_the_run_goes_on(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", ManualClock(NOW_NS, 0))
    watch = ModelWatch(store, keep_every_s=0)

    async def on(writer: StoreWriter) -> int:
        task = asyncio.create_task(watch.keep_on(writer))
        observed(card(N=HALF), {}, np.array([0.7, 0, 0, 0]))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        return sum(model.drift.n for model in model_drifts(writer.db, NOW_NS))

    with watch.observing(), store.writer() as writer:
        assert asyncio.run(on(writer)) == 1


def test_status_tells_of_each_model_how_far_it_moved_or_how_much_is_missing(tmp_path: Path) -> None:
    clock: Clock = SystemClock()
    store = open_store(tmp_path / "store", clock)
    with store.writer() as writer:
        keep_seen(writer, [(card(N=HALF, A=HALF), {"N": seen(900, 100), "A": seen(500, 500)})], clock.now_ns())
        keep_seen(writer, [(card("2.0.0", N=Reference((0.5,), (0.5, 0.5))), {"N": seen(3, 4)})], clock.now_ns())
    (row,) = vitalkeep_here(tmp_path, "status", "--store", store.folder, "--json").rows()
    one, two = row["models"]
    assert (one["model"], one["version"], one["verdict"], one["quantity"]) == ("screen", "1.0.0", "drifted", "N")
    assert (two["verdict"], two["n"], two["least_n"], two["psi"]) == ("too_little", 7, 60, None)
    text = vitalkeep_here(tmp_path, "status", "--store", store.folder).out
    assert "screen 1.0.0: drifted, N moved most, PSI 0.8" in text
    assert "screen 2.0.0: drift not known yet, 7 of 60 calls" in text
