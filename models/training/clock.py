"""The moment that a manifest tells; nothing is decided by it."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text() -> str:
    """As 2026-01-31T12:00:00Z."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
