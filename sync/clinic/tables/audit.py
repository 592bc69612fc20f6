"""What was done and by whom: each entry is chained to the one before it by a MAC, and none holds a health value.

The key comes from the clinic's keys, which are not in the database. Found is an entry that was changed, cut out, put in
or moved, and a log cut at its end. Not found is what somebody does who has the clinic's keys too, a whole database put
back from an older copy, and a log taken away altogether. Of what staff did there is the second; of a device, the day.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.clinic.clock import ClinicClock
from sync.clinic.database.database import Transaction
from sync.clinic.secrets_file import ClinicSecrets
from sync.clinic.tables.meta import Meta

DEVICE = "device"
UNKNOWN = "unknown"
ALL_PATIENTS = "all patients"  # as a detail, beside no subject
LAST_UNKNOWN = "the last of this day that is written down"  # as a detail
MOST_UNKNOWN = 100
PAGE = 100
_HEAD = "audit_head"
_UNKNOWN_TRIES = "unknown_sign_ins"
_LOCK = b"audit"
_MOST_CHARACTERS = 200
_AT_ONCE = 5000
_MOST_FAULTS = 20
_BEGINNING = bytes(32)
_BEFORE_ALL = -(1 << 63)
_COLUMNS = "number, moment, who, action, subject, detail, mac"


class Action(StrEnum):
    """All that is written down; the words are those that pages show."""

    SIGN_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    SIGN_OUT = "signed out"
    STAFF_ADDED = "staff added"
    STAFF_REMOVED = "staff removed"
    PASSWORD_CHANGED = "password changed"
    TOKEN_ADDED = "token added"
    TOKEN_REMOVED = "token removed"
    VIEWED = "patient viewed"
    EXPORTED = "exported"
    LABEL_CHANGED = "label changed"
    PAIRING_MADE = "pairing code made"
    PAIRING_REVOKED = "pairing code revoked"
    SETTINGS_CHANGED = "settings changed"
    ENROLLED = "enrolled"
    WITHDRAWN = "withdrawn"
    ERASED = "patient erased"
    KEYS_ERASED = "backup keys erased"
    BACKED_UP = "backed up"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Entry:
    """`moment`: 2026-05-01T09:30:00Z, or 2026-05-01 alone. `subject`: a pseudonym, or who on the staff it is about."""

    number: int
    moment: str
    who: str
    action: str
    subject: str | None
    detail: str | None

    @property
    def day(self) -> date:
        return date.fromisoformat(self.moment[:10])


@dataclass(frozen=True, slots=True)
class Verification:
    """`faults`: each a sentence; none: all `entries` are as they were written, and none is missing."""

    entries: int
    faults: list[str] = field(default_factory=list)


class Audit:
    """Within a transaction: an entry is there when what it tells of is."""

    def __init__(self, tx: Transaction, secrets: ClinicSecrets, clock: ClinicClock) -> None:
        self._tx = tx
        self._secrets = secrets
        self._clock = clock

    def add(self, who: str, action: Action, subject: str | None = None, detail: str | None = None) -> None:
        """`who`: a name of staff, `cli:USER`, `token:NAME`, DEVICE or UNKNOWN. `detail`: which, never how much.

        One writer at a time, until the transaction ends: to be called last in it. Raises ClinicStoreError.
        """
        for text in (who, subject, detail):
            if text is not None and len(text) > _MOST_CHARACTERS:
                raise ValueError(f"{len(text)} characters, expected {_MOST_CHARACTERS} at most")
        self._tx.lock(_LOCK)
        if who == DEVICE:
            moment = self._clock.today().isoformat()
        else:
            moment = self._clock.moment().strftime("%Y-%m-%dT%H:%M:%SZ")
        key = _key(self._secrets)
        number, last = self._end(key)
        entry = Entry(number + 1, moment, who, action.value, subject, detail)
        mac = _mac(key, last, entry)
        self._tx.execute(
            f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entry.number, entry.moment, entry.who, entry.action, entry.subject, entry.detail, mac),
        )
        Meta(self._tx).put(_HEAD, f"{entry.number}:{mac.hex()}:{_head_mac(key, entry.number, mac).hex()}")

    def add_unknown(self) -> None:
        """That somebody failed to sign in under a name nobody has, which is often a password: not under which.

        Anybody can do that, as often as they like: MOST_UNKNOWN of a day are written down, and the last says so. What
        is counted in its place takes a commit too, so that it is no faster than for a name that somebody has.
        """
        today, meta = self._clock.today().isoformat(), Meta(self._tx)
        day, _, count = (meta.get(_UNKNOWN_TRIES) or "").partition(" ")
        number = int(count) + 1 if day == today and count.isdecimal() else 1
        meta.put(_UNKNOWN_TRIES, f"{today} {number}")
        if number <= MOST_UNKNOWN:
            self.add(UNKNOWN, Action.SIGN_IN_FAILED, None, LAST_UNKNOWN if number == MOST_UNKNOWN else None)

    def page(self, before: int | None = None, most: int = PAGE) -> list[Entry]:
        """The newest first; `before`: those older than the entry of this number."""
        where, parameters = ("", ()) if before is None else (" WHERE number < ?", (before,))
        rows = self._tx.all(f"SELECT {_COLUMNS} FROM audit{where} ORDER BY number DESC LIMIT ?", (*parameters, most))
        return [_entry(row) for row in rows]

    def of(self, action: Action, day: date) -> list[Entry]:
        """What was done of this kind from that day on, the newest first."""
        rows = self._tx.all(
            f"SELECT {_COLUMNS} FROM audit WHERE action = ? AND moment >= ? ORDER BY number DESC",
            (action.value, day.isoformat()),
        )
        return [_entry(row) for row in rows]

    def since(self, day: date) -> list[Entry]:
        """From this day on, the oldest first."""
        rows = self._tx.all(f"SELECT {_COLUMNS} FROM audit WHERE moment >= ? ORDER BY number", (day.isoformat(),))
        return [_entry(row) for row in rows]

    def verify(self) -> Verification:
        """Reads all of it."""
        key, faults = _key(self._secrets), _Faults()
        after, last, entries = _BEFORE_ALL, _BEGINNING, 0
        number = 0
        while rows := self._tx.all(
            f"SELECT {_COLUMNS} FROM audit WHERE number > ? ORDER BY number LIMIT {_AT_ONCE}", (after,)
        ):
            for row in rows:
                entry, mac = _entry(row), bytes(row[6])
                after, entries = entry.number, entries + 1
                if entry.number <= 0:
                    faults.add(f"entry {entry.number} was put in")
                    continue
                if entry.number != number + 1:
                    faults.add(f"{_numbers(number + 1, entry.number - 1)} missing")
                elif not hmac.compare_digest(_mac(key, last, entry), mac):
                    faults.add(f"entry {entry.number} is not what was written, or does not follow the one before it")
                number, last = entry.number, mac
        end = self._marked_end(key)
        if end is None:
            faults.add("the mark of where the log ends is missing or forged")
        elif end[0] > number:
            faults.add(f"{_numbers(number + 1, end[0])} missing at the end")
        elif end != (number, last):
            faults.add(f"the log ends with entry {end[0]} by its mark, with entry {number} in the table")
        return Verification(entries, faults.told)

    def _end(self, key: bytes) -> tuple[int, bytes]:
        """What the next entry follows: by the mark, so that a cut end stays a gap.

        Where the mark is no good a number is left out: what was found once is found for ever.
        """
        if (end := self._marked_end(key)) is not None:
            return end
        row = self._tx.one("SELECT max(number) FROM audit")
        return (max(int(row[0]), 0) + 1 if row is not None and row[0] is not None else 1), _BEGINNING

    def _marked_end(self, key: bytes) -> tuple[int, bytes] | None:
        """None: the mark is missing or forged. A log that has never been written to ends before its first entry."""
        stored = Meta(self._tx).get(_HEAD)
        if stored is None:
            return None if self._tx.one("SELECT 1 FROM audit LIMIT 1") else (0, _BEGINNING)
        try:
            number, mac, mark = stored.split(":")
            end = int(number), bytes.fromhex(mac)
            genuine = hmac.compare_digest(_head_mac(key, *end), bytes.fromhex(mark))
        except (ValueError, OverflowError):
            return None
        return end if genuine else None


class _Faults:
    def __init__(self) -> None:
        self.told: list[str] = []

    def add(self, words: str) -> None:
        if len(self.told) < _MOST_FAULTS:
            self.told.append(words)
        elif len(self.told) == _MOST_FAULTS:
            self.told.append("and more")


def _numbers(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


def _key(secrets: ClinicSecrets) -> bytes:
    material = secrets.sealing.private_bytes_raw() + secrets.signing.private_bytes_raw()
    return HKDF(SHA256(), 32, salt=None, info=b"vitalkeep audit 1").derive(material)


def _mac(key: bytes, last: bytes, entry: Entry) -> bytes:
    fields = [entry.number, entry.moment, entry.who, entry.action, entry.subject, entry.detail]
    return hmac.digest(key, b"entry" + last + json.dumps(fields).encode("ascii"), "sha256")


def _head_mac(key: bytes, number: int, mac: bytes) -> bytes:
    return hmac.digest(key, b"end" + number.to_bytes(8, "big", signed=True) + mac, "sha256")


def _entry(row: tuple[Any, ...]) -> Entry:
    return Entry(int(row[0]), *row[1:6])
