"""`vitalkeep consent`: absent means no. What was said, to whom, by which words and when, stays on record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli.clinic import STORE_OPTION, chosen, drain

if TYPE_CHECKING:
    from vitalkeep.private_room import Room

SCHEMA = "vitalkeep.consent/1"


@click.group(short_help="What you agreed to send; absent means no.")
def consent() -> None:
    """See, give and take back your consent, clinic by clinic and figure by figure."""


@consent.command(short_help="Every yes and no, the oldest first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line of the record.")
@STORE_OPTION
def show(as_json: bool, folder: Path | None) -> None:
    """Show every yes and no, and which of them hold. Lines are only ever added.

    \b
    Fields of --json: schema, number, clinic, statistic, granted, text_version, day, at (ISO 8601, local), holds.

    \b
    Exit codes: 0 done, also where nothing was ever agreed to; 2 wrong usage; 3 the ledger cannot be read.
    """
    import json

    from vitalkeep.private_room import Folders, open_room

    folders = Folders.usual(folder)
    rows: list[dict[str, Any]] = []
    if folders.has_account:
        with open_room(folders) as room:
            rows = _lines(room)
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    for row in rows:
        said = "yes" if row["granted"] else "no"
        holds = "holds" if row["holds"] else ""
        words = f"(text {row['text_version']})"
        click.echo(f"{row['day']}  {said:3}  {row['statistic']:18} {row['clinic']}  {words}  {holds}".rstrip())
    if not rows:
        click.echo("You have agreed to nothing. Nothing leaves this device.", err=True)


@consent.command(short_help="Say yes to a figure for a clinic.")
@click.argument("name", metavar="CLINIC")
@click.argument("statistics", metavar="[STATISTIC]...", nargs=-1)
@click.option("--yes", is_flag=True, help="Without being asked again.")
@STORE_OPTION
def grant(name: str, statistics: tuple[str, ...], yes: bool, folder: Path | None) -> None:
    """Say yes: from today on CLINIC may have these figures (all of them where none is named), and is told so.

    Days before today are no data to it.

    \b
    Exit codes: 0 done; 1 no such clinic, or it does not know this device any more; 2 wrong usage; 3 the ledger cannot
    be used; 130 you said no, and nothing was done.

    \b
    Example:
      vitalkeep consent grant "Heart clinic" resting_hr_median
    """
    from sync.private.clinics import clinic_named
    from sync.private.consent import consent_text
    from sync.private.errors import PairingError
    from vitalkeep.private_room import Folders, open_room

    with open_room(Folders.usual(folder)) as room:
        publisher = room.publisher
        known = clinic_named(publisher.account, name)
        agreed = []
        for statistic in chosen(statistics):
            if publisher.consents.since(known.id, statistic.name) is not None:
                click.echo(f"{known.name} may have {statistic.name} already.", err=True)
                continue
            if not yes:
                click.echo(f"\n{statistic.name}: {consent_text(statistic, known.name)}", err=True)
                click.confirm("Yes?", default=False, abort=True, err=True)
            agreed.append(statistic)
        if not agreed:
            return
        refused_before = {m.id for m in room.outbox.messages() if m.refused is not None}
        publisher.ledger.grant(agreed, known, room.outbox)
        drain(room)
        fresh = (m for m in room.outbox.messages() if m.clinic == known.id and m.id not in refused_before)
        why = next((m.refused for m in fresh if m.refused is not None), None)
        if why is not None:
            # nothing would ever be taken from this device, and each figure would still cost
            publisher.ledger.withdraw(list(publisher.consents.standing(known.id)), known, room.outbox)
            raise PairingError(f"{known.name} refused: {why}; you have agreed to nothing")
        for statistic in agreed:
            click.echo(f"{known.name} may have {statistic.name} from today on.")


@consent.command(short_help="Take consent back; it stops at once.")
@click.argument("name", metavar="CLINIC")
@click.argument("statistics", metavar="[STATISTIC]...", nargs=-1)
@STORE_OPTION
def withdraw(name: str, statistics: tuple[str, ...], folder: Path | None) -> None:
    """Take consent back, of these figures or of all. It stops at once; what waits to be sent is erased.

    The clinic is told what it may still have; once that is nothing, it is asked to delete what it has. What is spent
    of the budget stays spent.

    \b
    Exit codes: 0 done; 1 no such clinic, or nothing to take back; 2 wrong usage; 3 the ledger cannot be used.

    \b
    Example:
      vitalkeep consent withdraw "Heart clinic"
    """
    from sync.private.clinics import clinic_named
    from vitalkeep.private_room import Folders, open_room

    with open_room(Folders.usual(folder)) as room:
        publisher = room.publisher
        known = clinic_named(publisher.account, name)
        standing = publisher.consents.standing(known.id)
        names = [s.name for s in chosen(statistics)] if statistics else list(standing)
        publisher.ledger.withdraw(names or ["any figure"], known, room.outbox)
        click.echo(f"{known.name} may have {', '.join(names)} no more.")
        told = drain(room)
        if not publisher.consents.standing(known.id):
            said = "has been asked" if told else "will be asked, as soon as it can be reached (`vitalkeep sync run`),"
            click.echo(f"{known.name} {said} to delete what it has.", err=not told)


def _lines(room: Room) -> list[dict[str, Any]]:
    from sync.private.clinics import clinics
    from vitalkeep.cli.moments import local_time

    names = {known.id: known.name for known in clinics(room.publisher.account)}
    lines = room.publisher.consents.log()
    newest = {(line.clinic, line.statistic): line.number for line in lines}
    return [
        {
            "schema": SCHEMA,
            "number": line.number,
            "clinic": names[line.clinic],
            "statistic": line.statistic,
            "granted": line.granted,
            "text_version": line.text_version,
            "day": line.day.isoformat(),
            "at": local_time(line.at_ns),
            "holds": line.granted
            and newest[line.clinic, line.statistic] == line.number
            and room.publisher.consents.since(line.clinic, line.statistic) is not None,
        }
        for line in lines
    ]
