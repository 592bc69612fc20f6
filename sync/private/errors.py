"""What can go wrong before anything leaves. Messages state both sides and never a health value, nor a key."""

from __future__ import annotations


class PrivacyError(Exception):
    """The root. What was asked for is refused, and nothing has left."""


class NoiseMissingError(PrivacyError):
    """OpenDP, the one source of noise, is not installed."""


class BudgetError(PrivacyError):
    """A day would cost more than its cap: refused for ever."""


class ConsentError(PrivacyError):
    """The wearer has not said yes to this, or has taken it back."""


class NotDueError(PrivacyError):
    """A window that is not over long enough, or lies before consent."""


class LedgerError(PrivacyError):
    """The ledger cannot be read, or is older than it was."""


class PairingError(PrivacyError):
    """No clinic is paired under this name, or its answer was not what it must be."""
