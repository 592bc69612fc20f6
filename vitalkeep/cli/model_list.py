"""`vitalkeep model list`: what is in service, what waits, what was before, and what happened to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.model_event import ModelEvent
    from models.publishers import Publisher
    from models.slots.slots import Slots
    from models.slots.state import Installed, State

SCHEMA = "vitalkeep.model/1"
EVENTS_SHOWN = 5


@click.command("list", short_help="What is in service, and what waits.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per model, one per line.")
def list_(as_json: bool) -> None:
    """List the models: which version of each is in service, whose word it stands on, what runs beside it.

    \b
    Fields of --json (times are ISO 8601 in the local time zone):
      schema     "vitalkeep.model/1"
      name, version, origin    what is in service: "program" or "installed"
      trust      signed, local or program; key: fingerprint of who signed it, null for nobody
      why        null, or why what is installed does not serve
      shadow, previous, pinned   version, trust, key and since of what lies there; null where nothing does
      highest    the highest version ever let in: only a higher one is
      events     the newest last: t, version, what, reason

    \b
    Exit codes: 0 done; 1 the list of keys cannot be read; 2 wrong usage.

    \b
    Examples:
      vitalkeep model list
      vitalkeep model list --json | jq -r 'select(.shadow != null) | .name'
    """
    from models.registry import MODELS
    from vitalkeep import model_choice

    slots = model_choice.slots()
    rows = [row_of(slots, model.name) for model in MODELS]
    if as_json:
        import json

        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False, allow_nan=False))
        return
    click.echo(_text(rows, slots.publishers), nl=False)


def row_of(slots: Slots, name: str) -> dict[str, Any]:
    from models.errors import SlotError
    from models.slots.state import State

    chosen = slots.chosen(name)
    try:
        state = slots.state()
    except SlotError:
        state = State()  # `why` tells of it
    of = state.of(name)
    return {
        "schema": SCHEMA,
        "name": name,
        "version": slots.shipped(name) if chosen.installed is None else chosen.installed.version,
        "origin": "program" if chosen.installed is None else "installed",
        "trust": "program" if chosen.installed is None else chosen.installed.trust.kind,
        "key": None if chosen.installed is None else chosen.installed.trust.fingerprint,
        "why": chosen.why,
        "shadow": _slot(of.shadow),
        "previous": _slot(of.previous),
        "pinned": _slot(of.pinned),
        "highest": of.highest,
        "events": [event_row(event) for event in newest(state, name)],
    }


def newest(state: State, name: str | None = None) -> list[ModelEvent]:
    return [event for event in state.events if name in (None, event.model)][-EVENTS_SHOWN:]


def event_row(event: ModelEvent) -> dict[str, Any]:
    from vitalkeep.cli.moments import local_time

    return {"t": local_time(event.t_ns), "version": event.version, "what": event.what, "reason": event.reason}


def _slot(installed: Installed | None) -> dict[str, Any] | None:
    if installed is None:
        return None
    from vitalkeep.cli.moments import local_time

    trust = installed.trust
    since = local_time(installed.since_ns)
    return {"version": installed.version, "trust": trust.kind, "key": trust.fingerprint, "since": since}


def _text(rows: list[dict[str, Any]], publishers: Sequence[Publisher]) -> str:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from models.trust import Trust
    from vitalkeep.cli.moments import short_time

    console = Console()
    table = Table("model", "in service", "from", "in shadow", "before it", "pinned", box=None, pad_edge=False)
    notes: list[str] = []
    for row in rows:
        told = Trust(row["trust"], row["key"]).told(publishers)
        waiting = [row[slot]["version"] if row[slot] else "-" for slot in ("shadow", "previous", "pinned")]
        table.add_row(row["name"], row["version"], escape(told), *waiting)
        if row["why"] is not None:
            notes.append(f"{row['name']}: not in service: {row['why']}")
        for slot in ("shadow", "previous", "pinned"):
            if row[slot] is not None and row[slot]["trust"] == "local":
                notes.append(f"{row['name']} {row[slot]['version']} ({slot}): {Trust('local').told(())}")
        for event in row["events"]:
            told = f"{row['name']} {event['version']} {event['what']}: {event['reason']}"
            notes.append(f"{short_time(event['t'])}  {told}")
    with console.capture() as captured:
        console.print(table, highlight=False)
        for note in notes:
            console.print(note, highlight=False, markup=False, soft_wrap=True)
    return captured.get()
