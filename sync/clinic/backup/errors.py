"""What can be wrong with a backup. Messages never hold a row of it."""

from __future__ import annotations

from sync.clinic.errors import ClinicError


class BackupError(ClinicError):
    """A file that is no backup, or not of this clinic, or cut or changed, or whose keys are not here."""
