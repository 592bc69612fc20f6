"""`card`: the figures of one patient, each with its error, ε and period."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from sync.clinic.card import Card, Figure, make_card
from sync.clinic.cli.options import NOT_MEDICAL, as_json_option, data_options, opened
from sync.clinic.tables.answers import Answers
from sync.clinic.tables.devices import Devices


@click.command()
@click.argument("pseudonym")
@data_options
@as_json_option
def card(pseudonym: str, folder: Path, database_url: str | None, as_json: bool) -> None:
    """Show the figures of one patient, each with its error, ε and period.

    \b
    vitalkeep-clinic card P-7K3QF2M1
    vitalkeep-clinic card P-7K3QF2M1 --json
    """
    with opened(folder, database_url) as clinic, clinic.database.reading() as tx:
        device = Devices(tx).patient(pseudonym)
        shown = make_card(device, Answers(tx).of(device.id))
    if as_json:
        click.echo(json.dumps(card_json(shown)))
        return
    for line in card_lines(shown):
        click.echo(line)
    click.echo(NOT_MEDICAL, err=True)


def card_json(shown: Card) -> dict[str, Any]:
    figures = [
        {
            **asdict(figure),
            **{name: getattr(figure, name).isoformat() for name in ("first_day", "last_day", "received")},
        }
        for figure in shown.figures
    ]
    return {
        "pseudonym": shown.pseudonym,
        "label": shown.label,
        "enrolled": shown.enrolled.isoformat(),
        "agreed": list(shown.agreed),
        "unit_hidden": "one calendar day of this person",
        "figures": figures,
    }


def card_lines(shown: Card) -> Iterator[str]:
    named = f"{shown.pseudonym}{f' ({shown.label})' if shown.label else ''}"
    yield f"{named}, enrolled {shown.enrolled.isoformat()}"
    yield "Every figure has chance added on the device, so that no single day shows. The range holds 95 times of 100."
    period: tuple[date, date] | None = None
    for figure in shown.figures:
        if (figure.first_day, figure.last_day) != period:
            period = figure.first_day, figure.last_day
            yield ""
            yield f"{period[0].isoformat()} to {period[1].isoformat()}"
        yield f"  {figure.statistic:<18} {_said(figure)}"
        if figure.note and figure.value is not None:
            yield f"  {'':<18} {figure.note}"
    if not shown.figures:
        yield "no card yet"


def _said(figure: Figure) -> str:
    if figure.value is None or figure.interval is None:
        return f"not shown: {figure.why}"
    low, high = figure.interval
    unit = "day" if (figure.value, figure.unit) == (1.0, "days") else figure.unit
    return f"{figure.value:g} {unit}, between {low:g} and {high:g} (ε = {figure.epsilon:g} for each day)"
