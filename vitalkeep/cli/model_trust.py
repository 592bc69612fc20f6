"""`vitalkeep model trust | untrust | keys | revoke`: whose models are let in, and what they have taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from vitalkeep.cli.model_name import ModelName

KEY_SCHEMA = "vitalkeep.model_key/1"


@click.command("trust", short_help="Let in what this key signs.")
@click.argument("file", type=click.Path(path_type=Path), metavar="KEYFILE")
@click.option("--model", "names", type=ModelName(), multiple=True, help="For this model only; again for another one.")
@click.option("--yes", is_flag=True, help="Do not ask: the fingerprint was compared already.")
def trust(file: Path, names: tuple[str, ...], yes: bool) -> None:
    """Trust a publisher's public key, after you have compared its fingerprint with what the publisher told you some
    other way: on paper, by telephone. Whoever holds a trusted key decides what your alerts rest on.

    \b
    Exit codes: 0 done; 1 the file is no key, or it was taken back; 2 wrong usage; 130 you said no.

    \b
    Examples:
      vitalkeep model trust lab.vkkey.pub
      vitalkeep model trust lab.vkkey.pub --model screen
    """
    from models.errors import TrustError
    from models.publishers import read_key
    from models.signature import spaced
    from models.slots.atomic_file import read_bounded
    from vitalkeep import model_choice

    text = read_bounded(file, 1024).decode("utf-8", "replace")
    publisher = replace(read_key(text, file.name), models=names or None)
    if (reason := model_choice.slots().state().revocations.keys.get(publisher.fingerprint)) is not None:
        raise TrustError(f"{file.name}: this key was taken back: {reason}")
    click.echo(f"{publisher.label}, for {', '.join(names) or 'all models'}:\n{spaced(publisher.fingerprint)}")
    if not yes:
        click.confirm("Is this the fingerprint that the publisher told you?", abort=True, err=True)
    model_choice.keyring().pin(publisher)
    click.echo("Trusted. Take it back with: vitalkeep model untrust " + publisher.fingerprint[:12])


@click.command("untrust", short_help="No longer let in what a key signs.")
@click.argument("fingerprint", metavar="FINGERPRINT")
def untrust(fingerprint: str) -> None:
    """Forget a key that you trusted; FINGERPRINT is its beginning, eight digits or more. What it signed is out of
    service from the next start on.

    \b
    Exit codes: 0 done; 1 no such key; 2 wrong usage.

    \b
    Examples:
      vitalkeep model untrust 3f2a91bc0d77
    """
    from vitalkeep import model_choice

    gone = model_choice.keyring().forget(fingerprint)
    click.echo(f"{gone.label} is no longer trusted.")


@click.command("keys", short_help="Whose models are let in.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per key, one per line.")
def keys(as_json: bool) -> None:
    """List the keys that are trusted. None comes with this version of the program.

    \b
    Fields of --json: schema, fingerprint, label, models (null for all), from (program or wearer)

    \b
    Exit codes: 0 done; 1 the list cannot be read; 2 wrong usage.

    \b
    Examples:
      vitalkeep model keys
    """
    from models.publishers import PUBLISHERS
    from models.signature import spaced
    from vitalkeep import model_choice

    publishers = model_choice.keyring().publishers()
    if as_json:
        import json

        for one in publishers:
            row = {
                "schema": KEY_SCHEMA,
                "fingerprint": one.fingerprint,
                "label": one.label,
                "models": None if one.models is None else list(one.models),
                "from": "program" if one in PUBLISHERS else "wearer",
            }
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    for one in publishers:
        whence = "came with the program" if one in PUBLISHERS else "trusted by you"
        click.echo(f"{one.label}, for {', '.join(one.models or ()) or 'all models'}, {whence}:")
        click.echo(f"  {spaced(one.fingerprint)}")
    if not publishers:
        click.echo("No key is trusted.")


@click.command("revoke", short_help="Take in a publisher's list of what it takes back.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
def revoke(file: Path) -> None:
    """Take in a list, signed by a key that you trust, of versions that it takes back, or of the key itself. What is
    taken back leaves service for the version before it, or the one that came with the program; what is pinned serves
    no more, and nothing takes its place. Nothing that was taken back ever comes again.

    \b
    Exit codes: 0 done; 1 the list is refused (not signed by a trusted key, not newer than one before);
    2 wrong usage.

    \b
    Examples:
      vitalkeep model revoke revocations-1.vkrevoked
    """
    from models.revocation import MOST_BYTES, read_revocations
    from models.slots.atomic_file import read_bounded
    from vitalkeep import model_choice

    slots = model_choice.slots()
    new = read_revocations(read_bounded(file, MOST_BYTES), file.name, slots.publishers)
    told = slots.revoke(new)
    for line in told:
        click.echo(line)
    if not told:
        click.echo("Noted. Nothing that it takes back is here.")
