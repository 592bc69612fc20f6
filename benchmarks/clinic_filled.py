"""A clinic with as many patients as it may ever have, made at once: cards drawn as devices draw them, for two years.

Of the patients 1 in 20 has AF on 7 to 28 days, 1 in 33 has gone silent, 1 in 100 sends a part of what was agreed to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sync.clinic.catalogue import MONTH_DAYS, QUARTER_DAYS, QUESTIONS, Question, question
from sync.clinic.clock import SystemClinicClock
from sync.clinic.database.database import Database, Transaction
from sync.clinic.database.opened import open_database
from sync.clinic.desk.passwords import Passwords
from sync.clinic.secrets_file import make_secrets
from sync.clinic.silence import expected_by, newest_due
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.devices import Devices
from sync.clinic.tables.meta import Meta
from sync.clinic.tables.pairings import Pairing
from sync.clinic.tables.staff import Staff

MONTHS, QUARTERS = 26, 8
STAFF, PASSWORD = "reception", "umbrella over tram 17"
_VIEWS = 2000
_AT_ONCE = 20_000
_COLUMNS = ("device", "length_days", '"window"', "statistic", "version", "value", "epsilon_milli", "received")
Row = tuple[bytes, int, int, str, int, float, int, str]


@dataclass(frozen=True, slots=True)
class Filled:
    """`pseudonym`: of a patient who stands on none of the lists."""

    devices: int
    answers: int
    pseudonym: str


def fill(folder: Path, devices: int, database_url: str | None = None, seed: int = 1) -> Filled:
    """Makes the clinic: `folder`, and the database at `database_url`, have to be empty."""
    secrets = make_secrets(folder)
    database = open_database(folder, database_url, create=True)
    try:
        clock = SystemClinicClock()
        with database.writing() as tx:
            Meta(tx).put("name", "Heart clinic")
            Meta(tx).put("url", "https://clinic.example")
            Staff(tx).add(STAFF, Passwords().hash(PASSWORD), clock.today())
            audit = Audit(tx, secrets, clock)
            for view in range(min(_VIEWS, devices)):
                audit.add(STAFF, Action.VIEWED, _pseudonym(view))
        answers = fill_database(database, devices, clock.today(), seed)
    finally:
        database.close()
    return Filled(devices, answers, _pseudonym(1))


def fill_database(database: Database, devices: int, today: date, seed: int = 1) -> int:
    """Gives how many answers there are."""
    chance = np.random.default_rng(seed)
    # in the order of their keys, as fast as a table can grow
    ids = sorted(chance.bytes(16) for _ in range(devices))
    statistics = {asked.name: 1 for asked in QUESTIONS}
    newest = newest_due(MONTH_DAYS, today)
    assert newest is not None
    enrolled = expected_by(MONTH_DAYS, newest - MONTHS - 1)
    with database.writing() as tx:
        table = Devices(tx)
        for at, id_ in enumerate(ids):
            # one patient a day is new
            day = today if at % 1000 == 999 else enrolled
            pairing = Pairing(chance.bytes(32), _pseudonym(at), f"Patient {at + 1}", day)
            table.enrol(id_, chance.bytes(32), pairing, statistics, day)
    count = 0
    batch: list[Row] = []
    for row in _rows(ids, today, chance):
        batch.append(row)
        if len(batch) == _AT_ONCE:
            count += _add(database, batch)
            batch = []
    return count + _add(database, batch)


def _add(database: Database, rows: list[Row]) -> int:
    with database.writing() as tx:
        _insert(tx, "answered", rows, 5)
        _insert(tx, "answers", rows, 8)
    return len(rows)


def _insert(tx: Transaction, table: str, rows: list[Row], width: int) -> None:
    sql = f"INSERT INTO {table} ({', '.join(_COLUMNS[:width])}) VALUES ({', '.join('?' * width)})"
    tx.many(sql, [row[:width] for row in rows])


def _rows(ids: list[bytes], today: date, chance: np.random.Generator) -> Iterator[Row]:
    """Device by device."""
    n = len(ids)
    months, quarters = _windows(MONTH_DAYS, MONTHS, today), _windows(QUARTER_DAYS, QUARTERS, today)
    af = np.where(chance.random(n) < 0.05, chance.integers(7, 29, n), 0)
    worn = np.maximum(chance.integers(14, 31, n), af).clip(0, 28)
    heart_rate, rmssd = chance.normal(66, 8, n), chance.normal(20, 5, n)
    values = {
        "af_days": af + _noise(chance, (MONTHS, n)),
        "worn_days": worn + _noise(chance, (MONTHS, n)),
        "resting_hr_median": _on_grid("resting_hr_median", heart_rate - 40 + chance.normal(0, 1.5, (QUARTERS, n))),
        "rmssd_median": _on_grid("rmssd_median", rmssd + chance.normal(0, 1, (QUARTERS, n))),
    }
    asked = [(each, months if each.length_days == MONTH_DAYS else quarters) for each in QUESTIONS]
    for at, id_ in enumerate(ids):
        silent = 1 + at % 7 if at % 33 == 32 else 0
        for each, windows in asked:
            if at % 100 == 50 and each.name == "worn_days":
                continue
            kept = windows[: len(windows) - silent] if each.length_days == MONTH_DAYS else windows
            for k, window in enumerate(kept):
                received = expected_by(each.length_days, window)
                yield _row(id_, each, window, float(values[each.name][k, at]), received)


def _row(id_: bytes, asked: Question, window: int, value: float, received: date) -> Row:
    return id_, asked.length_days, window, asked.name, asked.version, value, asked.epsilon_milli, received.isoformat()


def _windows(length_days: int, most: int, today: date) -> range:
    newest = newest_due(length_days, today)
    assert newest is not None
    return range(newest - most + 1, newest + 1)


def _noise(chance: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Discrete Laplace, as the difference of two geometric draws."""
    p = -math.expm1(-0.5)
    return chance.geometric(p, shape) - chance.geometric(p, shape)


def _on_grid(name: str, at: NDArray[np.float64]) -> NDArray[np.float64]:
    asked = question(name, 1)
    assert asked is not None
    grid = np.array(asked.grid)
    told: NDArray[np.float64] = grid[np.clip(np.rint(at), 0, len(grid) - 1).astype(int)]
    return told


def _pseudonym(at: int) -> str:
    return f"P-{at:08d}"
