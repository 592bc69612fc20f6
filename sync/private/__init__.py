"""Consent, ledger and noise: the last room that sees the wearer."""
