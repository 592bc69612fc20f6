"""What can go wrong in this room. Messages state both sides and never a health value, nor a key."""

from __future__ import annotations


class PipelineError(Exception):
    """The root: the input, the configuration or the disk did wrong."""


class ConfigError(PipelineError):
    """The configuration file says something that cannot be."""


class SignalError(PipelineError):
    """A signal that no stage of ours is made for."""


class StoreError(PipelineError):
    """The store cannot do what was asked of it."""


class StoreMissingError(StoreError):
    """There is no store in the folder."""


class StoreKeyError(StoreError):
    """The key file is missing, unsafe, not a key, or not the key of this database."""


class StoreVersionError(StoreError):
    """The database was written by another version of the program."""


class StoreBusyError(StoreError):
    """Another process is writing to the store."""


class StoreFullError(StoreError):
    """The disk is full. What was committed stays; what is pending is kept and may be committed again."""


class StoreDamagedError(StoreError):
    """The database, or a block in it, is not what was written."""
