"""What a withdrawal does, whoever asks for it: the patient's rows go, and the key of their backups is due to.

What stays refuses an old copy of the device: its id, the number of its last message, and the windows it has answered.
"""

from __future__ import annotations

from datetime import date

from sync.clinic.database.database import Transaction
from sync.clinic.tables.devices import Device, Devices
from sync.clinic.tables.keys_due import KeysDue


def withdraw(tx: Transaction, device: Device, sequence: int, today: date) -> None:
    """`sequence`: of the last message; it and all before it are refused. The keys are erased after the commit."""
    Devices(tx).erase(device.id, sequence, today)
    KeysDue(tx).add(device.id, device.pseudonym)
