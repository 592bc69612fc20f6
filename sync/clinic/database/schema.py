"""The tables and how they came to be: migrations are only ever added, and each comes whole or not at all.

Types stand as `{int}`, `{real}` and `{bytes}`, what SQLite wants after a table as `{strict}` and `{strict_keyed}`.
"""

from __future__ import annotations

VERSION_1 = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) {strict_keyed}",
    # token: SHA-256 of it
    """CREATE TABLE pairings (
        token {bytes} PRIMARY KEY,
        pseudonym TEXT NOT NULL UNIQUE,
        label TEXT,
        last_day TEXT NOT NULL
    ) {strict_keyed}""",
    # token: SHA-256 of the one it enrolled with; statistics: JSON, what the wearer agreed to, by version of the words
    """CREATE TABLE devices (
        id {bytes} PRIMARY KEY CHECK (length(id) = 16),
        key {bytes} NOT NULL CHECK (length(key) = 32),
        pseudonym TEXT NOT NULL UNIQUE,
        label TEXT,
        token {bytes} NOT NULL,
        sequence {int} NOT NULL,
        statistics TEXT NOT NULL,
        enrolled TEXT NOT NULL
    ) {strict_keyed}""",
    """CREATE TABLE messages (
        device {bytes} NOT NULL,
        id {bytes} NOT NULL CHECK (length(id) = 16),
        digest {bytes} NOT NULL CHECK (length(digest) = 32),
        PRIMARY KEY (device, id)
    ) {strict_keyed}""",
    """CREATE TABLE answers (
        device {bytes} NOT NULL,
        length_days {int} NOT NULL,
        "window" {int} NOT NULL,
        statistic TEXT NOT NULL,
        version {int} NOT NULL,
        value {real} NOT NULL,
        epsilon_milli {int} NOT NULL,
        received TEXT NOT NULL,
        PRIMARY KEY (device, length_days, "window", statistic, version)
    ) {strict_keyed}""",
    # outlives a withdrawal
    """CREATE TABLE answered (
        device {bytes} NOT NULL,
        length_days {int} NOT NULL,
        "window" {int} NOT NULL,
        statistic TEXT NOT NULL,
        version {int} NOT NULL,
        PRIMARY KEY (device, length_days, "window", statistic, version)
    ) {strict_keyed}""",
    """CREATE TABLE withdrawn (
        device {bytes} PRIMARY KEY CHECK (length(device) = 16),
        sequence {int} NOT NULL,
        day TEXT NOT NULL
    ) {strict_keyed}""",
)

VERSION_2 = (
    # the day on which the statistics were last changed; NULL: when it enrolled
    "ALTER TABLE devices ADD COLUMN agreed TEXT",
    # password: what Argon2id made of it, as text; empty: signs in through the proxy alone
    """CREATE TABLE staff (
        name TEXT PRIMARY KEY,
        password TEXT NOT NULL,
        added TEXT NOT NULL
    ) {strict_keyed}""",
    # digest: SHA-256 of the token
    """CREATE TABLE api_tokens (
        digest {bytes} PRIMARY KEY CHECK (length(digest) = 32),
        name TEXT NOT NULL UNIQUE,
        scope TEXT NOT NULL,
        added TEXT NOT NULL
    ) {strict_keyed}""",
    # moment: of what staff did, to the second; of what a device did, the day
    """CREATE TABLE audit (
        number {int} PRIMARY KEY,
        moment TEXT NOT NULL,
        who TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT,
        detail TEXT,
        mac {bytes} NOT NULL CHECK (length(mac) = 32)
    ) {strict}""",
    # withdrawals whose backup key has not been erased yet
    """CREATE TABLE keys_due (
        id {bytes} PRIMARY KEY CHECK (length(id) = 16),
        device {bytes} NOT NULL CHECK (length(device) = 16),
        pseudonym TEXT NOT NULL
    ) {strict_keyed}""",
    # all that is counted over patients stands in it
    'CREATE INDEX answers_by_question ON answers (statistic, length_days, "window", value, version, device)',
)

MIGRATIONS = (VERSION_1, VERSION_2)

_KEYED = "STRICT, WITHOUT ROWID"
SQLITE = {"int": "INTEGER", "real": "REAL", "bytes": "BLOB", "strict": "STRICT", "strict_keyed": _KEYED}
POSTGRESQL = {"int": "BIGINT", "real": "DOUBLE PRECISION", "bytes": "BYTEA", "strict": "", "strict_keyed": ""}


def statements(version: int, types: dict[str, str]) -> list[str]:
    """What leads from `version` - 1 to `version`."""
    return [statement.format(**types) for statement in MIGRATIONS[version - 1]]
