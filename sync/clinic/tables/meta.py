"""What the clinic says of itself, by name: what wearers see it called, the address at which devices reach it."""

from __future__ import annotations

from sync.clinic.database.database import Transaction

RESTORING = "restoring"  # there as long as a backup is being put back


class Meta:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, name: str) -> str | None:
        row = self._tx.one("SELECT value FROM meta WHERE name = ?", (name,))
        return None if row is None else str(row[0])

    def put(self, name: str, value: str) -> None:
        self._tx.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def take(self, name: str) -> None:
        self._tx.execute("DELETE FROM meta WHERE name = ?", (name,))
