"""Reads one local day out of the store, session by session; only what a right clock has stamped belongs to a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlite_utils import Database

from device_pipeline.day_summary import DaySummary, day_summary
from device_pipeline.rhythm_judge import MakeRhythmModel, shipped
from device_pipeline.store.derived import sessions
from device_pipeline.store.raw import read_items
from device_pipeline.store.writer import SessionKind
from sensors.samples import Item

_S = 1_000_000_000


def bounds_ns(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """[start, end) of the local day: 23 or 25 hours where the clocks change."""
    start, end = (datetime.combine(moment, datetime.min.time(), zone) for moment in (day, day + timedelta(days=1)))
    return round(start.timestamp()) * _S, round(end.timestamp()) * _S


def stored_day(db: Database, day: date, zone: ZoneInfo, rhythm: MakeRhythmModel = shipped) -> DaySummary | None:
    """The summary of `day` from what is stored of it now; None where that is nothing.

    Live sessions alone: what was replayed or imported is not known to be the wearer's. Raises StoreDamagedError.
    """
    start_ns, end_ns = bounds_ns(day, zone)

    def items() -> Iterator[Iterator[Item]]:
        for session in reversed(sessions(db)):
            right_from_ns = session.synchronised_from_ns
            if session.kind is SessionKind.LIVE and right_from_ns is not None:
                yield read_items(db, session.id, max(start_ns, right_from_ns), end_ns)

    return day_summary(day, start_ns, end_ns, items(), rhythm)
