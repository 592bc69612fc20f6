"""The time zone that days are counted in: the first one, for ever. A journey moves no day to another window."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from sync.private.account import Account
from sync.private.errors import LedgerError

_LOCALTIME = Path("/etc/localtime")


def ledger_zone(account: Account) -> ZoneInfo:
    """The one in the ledger; at the first call that of the system goes in. Raises LedgerError for one unknown here."""
    with account.transaction() as db:
        row = db.execute("SELECT value FROM meta WHERE name = 'zone'").fetchone()
        name = system_zone() if row is None else str(row[0])
        if row is None:
            db.execute("INSERT INTO meta (name, value) VALUES ('zone', ?)", (name,))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise LedgerError(f"the time zone {name} of the ledger is unknown here: install tzdata") from None


def system_zone() -> str:
    """The IANA name from TZ or /etc/localtime; UTC where neither tells one."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if not named:
        _, found, named = str(_LOCALTIME.resolve()).partition("zoneinfo/")
        if not found:
            return "UTC"
    return named if named in available_timezones() else "UTC"
