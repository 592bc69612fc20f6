"""Backups in which a withdrawal reaches old copies: what is about a patient is under that patient's own key."""
