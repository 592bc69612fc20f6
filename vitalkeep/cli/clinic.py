"""`vitalkeep clinic`: which clinics this device may answer to. Pairing asks for consent, figure by figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli.clinic_demo import demo

if TYPE_CHECKING:
    from sync.pairing import PairingCode
    from sync.private.ledger import Clinic
    from sync.private.statistic import Statistic
    from sync.release import Release
    from vitalkeep.private_room import Room

SCHEMA = "vitalkeep.clinic/1"

STORE_OPTION = click.option(
    "--store",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the store; otherwise $XDG_DATA_HOME/vitalkeep (~/.local/share/vitalkeep).",
)


@click.group(short_help="Pair with a clinic, if you want to.")
def clinic() -> None:
    """Pair with a clinic, and list those that this device is paired with.

    Nothing is ever sent without a pairing and your consent to each figure; see `vitalkeep privacy`.
    """


@clinic.command(short_help="Pair with the clinic that gave you a code.")
@click.argument("code")
@click.option("--as", "name", metavar="NAME", help="What to call the clinic here; otherwise what it calls itself.")
@click.option(
    "--yes",
    "yes",
    metavar="STATISTIC",
    multiple=True,
    help="Consent to this figure without being asked (as often as needed). With none given you are asked for each.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
@STORE_OPTION
def pair(code: str, name: str | None, yes: tuple[str, ...], as_json: bool, folder: Path | None) -> None:
    """Pair with the clinic that gave you CODE, and say which figures it may have.

    The clinic's keys are fetched and compared with the code before anything is sealed; from then on they are pinned.
    What you say yes to can be taken back at any time: `vitalkeep consent withdraw`.

    \b
    Fields of --json: schema, clinic, url, statistics (those consented to), sent (whether the clinic has it already;
    if not, `vitalkeep sync run` sends it later).

    \b
    Exit codes: 0 paired; 1 the code is wrong or was used, the clinic cannot be reached or is not the one in the code;
    2 wrong usage; 3 the store or the ledger cannot be used; 130 you said yes to nothing, and nothing was done.

    \b
    Examples:
      vitalkeep clinic pair 'https://clinic.example#04A7HT-...'
      vitalkeep clinic pair CODE --as "Heart clinic" --yes af_days --yes worn_days
    """
    import json

    from sync.pairing import PairingCode, PairingCodeError
    from sync.private.errors import PairingError
    from vitalkeep.model_choice import pin_rhythm
    from vitalkeep.private_room import Folders, open_room, uplink

    try:
        asked = PairingCode.decode(code)
    except PairingCodeError as problem:
        raise PairingError(str(problem)) from None
    with open_room(Folders.usual(folder)) as room:
        found = json.loads(uplink(["pair", "--outbox", str(room.folders.outbox), "--url", asked.url]))
        agreed = _agreed(yes, name or found["name"])
        pin_rhythm()
        known, introduction = enrol(room, asked, found, name, agreed)
        sent = drain(room)
        why = next((m.refused for m in room.outbox.messages() if m.id == introduction.id), None)
        if why is not None:
            # nothing would ever be taken from this device, and each figure would still cost
            publisher = room.publisher
            publisher.ledger.withdraw(list(publisher.consents.standing(known.id)), known, room.outbox)
            raise PairingError(f"{known.name} refused: {why}; you have agreed to nothing")
        if sent:
            room.outbox.forget_refused(known.id)  # it knows this device again
    names = [statistic.name for statistic in agreed]
    told = {"schema": SCHEMA, "clinic": known.name, "url": asked.url, "statistics": names, "sent": sent}
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"Paired with {known.name}. It may have: {', '.join(names)}.")
    if not sent:
        click.echo("It has not been told yet; `vitalkeep sync run` tells it when it can be reached.", err=True)


clinic.add_command(demo)


@clinic.command("list", short_help="The clinics that this device is paired with.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per clinic, one per line.")
@STORE_OPTION
def list_(as_json: bool, folder: Path | None) -> None:
    """List the clinics, with what each may have and since when.

    \b
    Exit codes: 0 done, also where there are none; 2 wrong usage; 3 the ledger cannot be read.
    """
    import json

    from sync.private.clinics import clinics
    from vitalkeep.private_room import Folders, open_room

    folders = Folders.usual(folder)
    rows: list[dict[str, Any]] = []
    if folders.has_account:
        with open_room(folders) as room:
            for known in clinics(room.publisher.account):
                held = room.publisher.consents.standing(known.id)
                rows.append(
                    {
                        "schema": SCHEMA,
                        "clinic": known.name,
                        "url": known.url,
                        "statistics": {name: day.isoformat() for name, day in held.items()},
                    }
                )
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    for row in rows:
        held_text = ", ".join(f"{name} since {day}" for name, day in row["statistics"].items()) or "nothing any more"
        click.echo(f"{row['clinic']}  {row['url']}\n  may have: {held_text}")
    if not rows:
        click.echo("This device is paired with no clinic. Nothing leaves it.", err=True)


def drain(room: Room) -> bool:
    """Lets the sending process try once what is due; whether all of that has arrived."""
    from sync.private.errors import PairingError
    from vitalkeep.private_room import uplink

    try:
        uplink(["drain", "--once", "--outbox", str(room.folders.outbox)])
    except PairingError:
        return False
    return not room.outbox.due(room.clock.now_ns())


def _agreed(yes: tuple[str, ...], name: str) -> list[Statistic]:
    """What the wearer says yes to; asked one by one where the command line says nothing."""
    from sync.private.consent import consent_text

    agreed = chosen(yes)
    if yes:
        return agreed
    answers = []
    for statistic in agreed:
        click.echo(f"\n{statistic.name}: {consent_text(statistic, name)}", err=True)
        if click.confirm("Yes?", default=False, err=True):
            answers.append(statistic)
    if not answers:
        raise click.Abort
    return answers


def chosen(names: tuple[str, ...]) -> list[Statistic]:
    """The statistics of these names; all of them for none. Raises click.UsageError."""
    from sync.private.registry import STATISTICS

    known = {statistic.name: statistic for statistic in STATISTICS}
    if wrong := [name for name in names if name not in known]:
        raise click.UsageError(f"no figure {wrong[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] if names else list(known.values())


def enrol(
    room: Room, asked: PairingCode, found: dict[str, Any], name: str | None, agreed: list[Statistic]
) -> tuple[Clinic, Release]:
    """Pins the clinic's keys, writes the consent down, and seals the message that introduces this device."""
    from sync.private.clinics import pair as pin
    from sync.private.consent import TEXT_VERSION
    from sync.private.errors import PairingError
    from sync.release import Enrol
    from sync.sealing import ClinicKeys

    keys = ClinicKeys(bytes.fromhex(found["sealing"]), bytes.fromhex(found["signing"]))
    if keys.id != asked.fingerprint:
        raise PairingError(f"what answers at {asked.url} is not the clinic that made this code: nothing was sent")
    publisher = room.publisher
    known = pin(publisher.account, name or found["name"], asked.url, keys, room.clock.now_ns())
    for statistic in agreed:
        publisher.consents.grant(known.id, statistic, publisher.today(), room.clock.now_ns())
    standing = publisher.consents.standing(known.id)  # with what an earlier pairing left
    introduction = Enrol(asked.token_text, publisher.device_key.hex(), dict.fromkeys(standing, TEXT_VERSION))
    release = publisher.ledger.control(introduction, known)
    publisher.hand_over(room.outbox)
    return known, release
