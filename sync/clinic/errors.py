"""What can go wrong at the clinic. Messages state both sides, and never a figure, a token or a key."""

from __future__ import annotations


class ClinicError(Exception):
    """The root."""


class ClinicStoreError(ClinicError):
    """The folder, its keys or its database cannot be used."""


class UnknownPatientError(ClinicError):
    """No device is enrolled under this pseudonym."""
