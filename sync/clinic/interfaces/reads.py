"""Who read what, in the audit log before anything is given out."""

from __future__ import annotations

from sync.clinic.clinic import Clinic
from sync.clinic.tables.audit import ALL_PATIENTS, Action, Audit


def exported(clinic: Clinic, who: str, pseudonym: str | None, form: str) -> None:
    """Each time. `pseudonym`: None is all. Raises ClinicStoreError, and then nothing is to be given out."""
    detail = form if pseudonym else f"{form}, {ALL_PATIENTS}"
    with clinic.database.writing() as tx:
        Audit(tx, clinic.secrets, clinic.clock).add(who, Action.EXPORTED, pseudonym, detail)
