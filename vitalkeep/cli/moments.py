"""Moments and lengths of time, as all commands write them."""

from __future__ import annotations


def local_time(t_ns: int | None) -> str | None:
    """ISO 8601 in the local time zone, to the millisecond."""
    if t_ns is None:
        return None
    from datetime import UTC, datetime, timedelta

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t_ns // 1000)
    return moment.astimezone().isoformat(timespec="milliseconds")


def short_time(moment: str | None) -> str:
    return "-" if moment is None else moment[:19].replace("T", " ")


def duration_text(seconds: float) -> str:
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
