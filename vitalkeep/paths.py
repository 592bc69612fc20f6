"""Where things lie: the XDG base directories (freedesktop.org, version 0.8). Names folders; makes none.

A relative path in an XDG variable is invalid and ignored, as the specification says.
"""

from __future__ import annotations

import os
from pathlib import Path

_APPLICATION = "vitalkeep"


def _folder(variable: str, default: str) -> Path:
    named = Path(os.environ.get(variable, ""))
    return (named if named.is_absolute() else Path.home() / default) / _APPLICATION


def data_folder() -> Path:
    """The store: the encrypted database and its key."""
    return _folder("XDG_DATA_HOME", ".local/share")


def models_folder() -> Path:
    """Models that were installed, and which of them is in service."""
    return data_folder() / "models"


def outbox_folder() -> Path:
    """What waits to be sent, sealed: apart from the store, since the process that sends may open it."""
    return data_folder().with_name(f"{_APPLICATION}-outbox")


def config_folder() -> Path:
    return _folder("XDG_CONFIG_HOME", ".config")


def config_file() -> Path:
    return config_folder() / "config.toml"


def publishers_file() -> Path:
    """The keys of publishers of models that the wearer trusts."""
    return config_folder() / "publishers.json"


def state_folder() -> Path:
    """What may be lost: logs, histories."""
    return _folder("XDG_STATE_HOME", ".local/state")


def cache_folder() -> Path:
    """What can be made again."""
    return _folder("XDG_CACHE_HOME", ".cache")
