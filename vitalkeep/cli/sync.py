"""`vitalkeep sync`: seals what is due, lets it be sent, and shows beforehand the very bytes that leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli.clinic import STORE_OPTION, drain

if TYPE_CHECKING:
    from vitalkeep.private_room import Room

RUN_SCHEMA = "vitalkeep.sync/1"
PREVIEW_SCHEMA = "vitalkeep.preview/1"
_DRAWS = 300  # simulated windows behind the error of a median


@click.group(short_help="Seal and send what you agreed to; see it beforehand.")
def sync() -> None:
    """Seal what you agreed to, have it sent, and see the very bytes before they leave.

    Without a pairing and consent there is nothing to do, and nothing is sent.
    """


@sync.command(short_help="Seal what is due, and send what is waiting.")
@click.option("--seal-only", is_flag=True, help="Send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
@STORE_OPTION
def run(seal_only: bool, as_json: bool, folder: Path | None) -> None:
    """Work out the days that are over, seal the windows that are due, and let the sending process try once.

    Meant to run once a day, by a timer. A figure leaves a day or two after it was sealed, at a moment that chance
    picks.
    Whether you wore anything makes no difference to what is sent when.

    \b
    Fields of --json: schema, days_kept, sealed, waiting (messages), refused (clinic, statistic, from, to, reason: not
    answered here), refused_there (clinic, reason: messages that a clinic will never take), arrived (whether all that
    was due has arrived; null with --seal-only).

    \b
    Exit codes: 0 done, also where nothing was due; 1 something due did not arrive (it is tried again), or the clock
    was never set right; 2 wrong usage; 3 the store, the ledger or the outbox cannot be used.

    \b
    Examples:
      vitalkeep sync run
      vitalkeep sync run --seal-only && vitalkeep sync preview
    """
    import json

    from vitalkeep.cli import exit_codes
    from vitalkeep.cli.say import say
    from vitalkeep.private_room import Folders, open_room

    folders = Folders.usual(folder)
    if not folders.has_account:
        say("this device is paired with no clinic: nothing is sealed, nothing is sent")
        return
    with open_room(folders) as room:
        done = room.publisher.publish(room.outbox)
        arrived = None if seal_only else drain(room)
        messages = room.outbox.messages()
        names = {peer.id: peer.name for peer in room.outbox.peers()}
    there = [{"clinic": names[m.clinic], "reason": m.refused} for m in messages if m.refused is not None]
    waiting = len(messages) - len(there)
    if as_json:
        refused = [
            {
                "clinic": one.clinic,
                "statistic": one.statistic,
                "from": one.window.first_day.isoformat(),
                "to": one.window.last_day.isoformat(),
                "reason": one.reason,
            }
            for one in done.refused
        ]
        told: dict[str, Any] = {
            "schema": RUN_SCHEMA,
            "days_kept": done.days_kept,
            "sealed": done.sealed,
            "waiting": waiting,
        }
        told |= {"refused": refused, "refused_there": there, "arrived": arrived}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(f"{done.days_kept} days worked out, {done.sealed} figures sealed, {waiting} messages waiting")
        for one in done.refused:
            click.echo(f"refused: {one.reason}", err=True)
        for row in there:
            click.echo(f"refused by {row['clinic']}: {row['reason']}", err=True)
    if arrived is False:
        say("something that was due has not arrived; it is tried again")
        click.get_current_context().exit(exit_codes.FAILED)


@sync.command(short_help="The very bytes that are about to leave, and what is in them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per message, one per line.")
@STORE_OPTION
def preview(as_json: bool, folder: Path | None) -> None:
    """Show each message that waits, byte for byte, and the figure sealed in it beside the true one.

    The true values are shown to you alone: they are in no message. Seals nothing that is not sealed already.

    \b
    Fields of --json: schema, clinic, leaves (not before, ISO 8601 local), refused (why the clinic will never take it;
    null: it will be sent), bytes (hexadecimal), kind (answer or control); of an answer also statistic, from, to,
    value, low and high (95 % of the time the true value is between them; of a median by simulation of as many made-up
    days as were worn), unit, epsilon, true_value.

    \b
    Exit codes: 0 done, also where nothing waits; 2 wrong usage; 3 the ledger or the outbox cannot be read.
    """
    import json

    from vitalkeep.private_room import Folders, open_room

    folders = Folders.usual(folder)
    rows: list[dict[str, Any]] = []
    if folders.has_account:
        with open_room(folders) as room:
            rows = [_message(room, *row) for row in _waiting(room)]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    for row in rows:
        click.echo(_text(row))
    if not rows:
        click.echo("Nothing waits to be sent.", err=True)


def _waiting(room: Room) -> list[tuple[Any, ...]]:
    """What is in the outbox, and what is sealed and not there yet."""
    there = {message.id: message.refused for message in room.outbox.messages()}
    rows = room.publisher.account.rows(
        "SELECT r.id, c.name, r.envelope, r.not_before_ns, r.length_days, r.window, r.statistic, r.version, a.value,"
        " a.epsilon_milli, a.from_day, r.handed_over FROM releases r JOIN clinics c ON c.id = r.clinic"
        " LEFT JOIN answers a ON"
        " (a.length_days, a.window, a.statistic, a.version) = (r.length_days, r.window, r.statistic, r.version)"
        " ORDER BY r.not_before_ns"
    )
    return [(there.get(bytes(row[0])), *row[1:-1]) for row in rows if not row[-1] or bytes(row[0]) in there]


def _message(
    room: Room, refused: str | None, clinic: str, envelope: bytes, not_before_ns: int, *answer: Any
) -> dict[str, Any]:
    from datetime import date

    from sync.count_noise import count_within
    from sync.private.error_bars import expected, made_up_day
    from sync.private.registry import STATISTICS
    from sync.private.statistics.day_count import DayCount
    from sync.private.window import Window
    from vitalkeep.cli.moments import local_time

    length_days, index, name, version, value, epsilon_milli, from_day = answer
    row = {
        "schema": PREVIEW_SCHEMA,
        "clinic": clinic,
        "leaves": local_time(not_before_ns),
        "refused": refused,
        "bytes": bytes(envelope).hex(),
        "kind": "control" if name is None else "answer",
    }
    asked = next((s for s in STATISTICS if (s.name, s.version) == (name, version)), None)
    if asked is None:
        return row
    window = Window(length_days, index)
    days = room.publisher.summaries.days(window, date.fromisoformat(from_day))
    if isinstance(asked, DayCount):
        within = float(count_within(epsilon_milli / 1000))
    else:
        within = expected(asked, made_up_day, [sum(day is not None for day in days)], _DRAWS)[0].within
    return row | {
        "statistic": name,
        "from": window.first_day.isoformat(),
        "to": window.last_day.isoformat(),
        "value": value,
        "low": round(max(value - within, asked.bounds[0]), 2),
        "high": round(min(value + within, asked.bounds[1]), 2),
        "unit": asked.unit,
        "epsilon": epsilon_milli / 1000,
        "true_value": asked.true_value(days),
    }


def _text(row: dict[str, Any]) -> str:
    never = f"refused, never sent again: {row['refused']}"
    head = f"to {row['clinic']}, " + (never if row["refused"] else f"not before {row['leaves']}")
    size = f"  {len(row['bytes']) // 2} bytes: {row['bytes'][:48]}… (all of them: --json)"
    if row["kind"] == "control":
        return f"{head}\n  a message about the pairing itself, no figure\n{size}"
    bars = f" ({row['low']:g} to {row['high']:g}, 19 times of 20)"
    true = "no day had one" if row["true_value"] is None else f"{row['true_value']:g} {row['unit']}"
    return (
        f"{head}\n  {row['statistic']}, {row['from']} to {row['to']}: {row['value']:g} {row['unit']}{bars},"
        f" ε = {row['epsilon']:g} for each day\n  true value, which stays here: {true}\n{size}"
    )
