"""What can go wrong at the clinic. Messages state both sides, and never a figure, a token or a key."""

from __future__ import annotations


class ClinicError(Exception):
    """The root."""


class ClinicStoreError(ClinicError):
    """The folder, its keys or its database cannot be used."""


class UnknownPatientError(ClinicError):
    """No device is enrolled under this pseudonym."""


class UnknownStaffError(ClinicError):
    """Nobody on the staff has this name."""


class StaffExistsError(ClinicError):
    """Somebody on the staff has this name already."""


class StaffNameError(ClinicError):
    """This cannot be a name of staff."""


class PasswordError(ClinicError):
    """This cannot be a password. Says which rule it breaks, and nothing of the password."""
