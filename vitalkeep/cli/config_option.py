"""The option that every command with thresholds has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from device_pipeline.config import Config

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Your thresholds. Default: $XDG_CONFIG_HOME/vitalkeep/config.toml",
)


def load(path: Path | None) -> Config:
    """The configuration at `path`, which must then be there, or at the default place, which need not."""
    from device_pipeline.config import load_config
    from device_pipeline.errors import ConfigError
    from vitalkeep.paths import config_file

    if path is not None and not path.exists():
        raise ConfigError(f"{path}: no such file")
    return load_config(config_file() if path is None else path)
