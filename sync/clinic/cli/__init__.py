"""The commands of `vitalkeep-clinic`, one group in a file."""
