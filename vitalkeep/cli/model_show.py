"""`vitalkeep model show`: the card of a model in plain words, its failures as large as its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli.model_name import ModelName

if TYPE_CHECKING:
    from models.card import ModelCard
    from models.trust import Trust

SCHEMA = "vitalkeep.model_card/1"


@click.command("show", short_help="The card of a model, in plain words.")
@click.argument("name", type=ModelName(), metavar="MODEL")
@click.option(
    "--slot",
    type=click.Choice(["active", "shadow", "previous", "pinned"]),
    default="active",
    show_default=True,
    help="Which version of it.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on one line: schema, slot, trust, key, card."
)
def show(name: str, slot: str, as_json: bool) -> None:
    """Show what a model is for and what it is not for, how well it does on people it has not seen, what it was made
    from, and what it is known to get wrong.

    \b
    Exit codes: 0 done; 1 nothing lies in that slot, or it cannot be read; 2 wrong usage.

    \b
    Examples:
      vitalkeep model show screen
      vitalkeep model show screen --slot shadow
      vitalkeep model show screen --json | jq .card.figures
    """
    from vitalkeep import model_choice

    slots = model_choice.slots()
    card, trust = _card(name, slot)
    if as_json:
        import json
        from dataclasses import asdict

        row = {"schema": SCHEMA, "slot": slot, "trust": trust.kind, "key": trust.fingerprint, "card": asdict(card)}
        click.echo(json.dumps(row, ensure_ascii=False, allow_nan=False))
        return
    click.echo(_text(card, trust.told(slots.publishers)), nl=False)


def _card(name: str, slot: str) -> tuple[ModelCard, Trust]:
    from models.card import ModelCard
    from models.errors import SlotError
    from models.registry import row_of
    from models.trust import PROGRAM, Trust
    from vitalkeep import model_choice

    slots = model_choice.slots()
    if slot == "active":
        chosen = slots.chosen(name)
        if chosen.bundle is not None and chosen.installed is not None:
            return chosen.bundle.card, chosen.installed.trust
        row = row_of(name)
        assert row is not None, "a name among the cards stands in the registry"
        return ModelCard.read(row.card), Trust(PROGRAM)
    installed = getattr(slots.state().of(name), slot)
    if installed is None:
        raise SlotError(f"{name}: nothing lies in the slot {slot}")
    return slots.load(installed).card, installed.trust


def _text(card: ModelCard, told: str) -> str:
    import textwrap

    from rich.console import Console

    lines: list[tuple[str, list[str]]] = [
        ("For", [card.purpose]),
        ("Not for", list(card.not_for)),
        ("How well it does", [_figure(figure) for figure in card.figures]),
        ("How that was tested", [card.split]),
        ("Known to get wrong", list(card.known_failures)),
        ("Made from", [f"{data.name}. Licence: {data.licence}. For {data.use}." for data in card.data]),
        ("Made by", [card.made_by]),
        ("Says", [", ".join(card.labels)]),
        ("Time of a call", [f"{us:g} µs ({where})" for where, us in card.latency_us.items()]),
        ("Weights", [f"{card.weights}, {card.precision}, {card.size_bytes} bytes, sha256 {card.sha256}"]),
        *(
            [("Thresholds", [f"{name}: {value:g}" for name, value in card.thresholds.items()])]
            if card.thresholds
            else []
        ),
    ]
    console = Console()
    with console.capture() as captured:
        console.print(f"{card.name} {card.version}, {told}", markup=False, highlight=False)
        for heading, told_lines in lines:
            console.print(f"\n{heading}:", markup=False, highlight=False)
            for line in told_lines:
                wrapped = textwrap.fill(line, console.width, initial_indent="  ", subsequent_indent="    ")
                console.print(wrapped, markup=False, highlight=False, soft_wrap=True)
    return captured.get()


def _figure(figure: Any) -> str:
    return f"{figure.name}: {figure.value:g} ({figure.low:g} to {figure.high:g}), {figure.n}; {figure.on}"
