"""The option that every command with a radio has."""

from __future__ import annotations

import re

import click


def _named(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"hci[0-9]{1,3}", value):
        raise click.BadParameter(f"{value!r} is no adapter, expected hci0, hci1, ...: vitalkeep doctor shows them")
    return value


adapter_option = click.option(
    "--adapter",
    metavar="hciN",
    callback=_named,
    help="The Bluetooth adapter to use, where there are several. Default: the first that is on.",
)
