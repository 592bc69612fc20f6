"""`pair`: codes that pair one device each, once: given out, listed, revoked."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from sync.clinic.backup.erasure import finish_erasing
from sync.clinic.cli.options import as_json_option, data_options, opened, who_runs_this
from sync.clinic.errors import ClinicError
from sync.clinic.label import label_fault, read_label
from sync.clinic.new_file import new_file
from sync.clinic.tables.audit import Action, Audit
from sync.clinic.tables.pairings import Pairings
from sync.pairing import PairingCode, require_url

_PICTURES = (".svg", ".png")


@click.group()
def pair() -> None:
    """Pairing codes.

    \b
    vitalkeep-clinic pair new --for 'Patient 17'
    vitalkeep-clinic pair list
    vitalkeep-clinic pair revoke P-7K3QF2M1
    """


@pair.command()
@data_options
@click.option("--for", "label", help="What the clinic calls the patient; it stays at the clinic.")
@click.option("--url", help="The address at which this device reaches the clinic.  [default: that of init]")
@click.option(
    "--days", type=click.IntRange(1, 365), default=14, show_default=True, help="How long the code can be used."
)
@click.option("--qr/--no-qr", default=None, help="Also as a picture for a camera.  [default: on a terminal]")
@click.option(
    "--qr-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the picture into a new file, .svg or .png. It is as secret as the code.",
)
@as_json_option
def new(
    folder: Path,
    database_url: str | None,
    label: str | None,
    url: str | None,
    days: int,
    qr: bool | None,
    qr_file: Path | None,
    as_json: bool,
) -> None:
    """Give out a code that pairs one device, once. It is shown here and kept nowhere.

    \b
    vitalkeep-clinic pair new --for 'Patient 17'
    vitalkeep-clinic pair new --for 'Patient 17' --qr-file patient-17.png
    """
    if as_json and qr:
        raise click.UsageError("--json and --qr do not go together")
    if qr_file is not None and qr_file.suffix not in _PICTURES:
        raise click.UsageError(f"--qr-file ends with {' or '.join(_PICTURES)}, not with {qr_file.suffix or 'nothing'}")
    with opened(folder, database_url) as clinic:
        url = url or clinic.url
        if url is None:
            raise ClinicError("where do devices reach this clinic? --url, here or with init")
        url = url.rstrip("/")
        require_url(url)
        if label is not None:
            if fault := label_fault(label):
                raise ClinicError(f"--for: {fault}")
            label = read_label(label)
        with ExitStack() as stack:
            with clinic.database.writing() as tx:
                token, pairing = Pairings(tx).new(label, clinic.clock.today(), days)
                Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.PAIRING_MADE, pairing.pseudonym)
                code = PairingCode(url, token, clinic.secrets.public.id).encode()
                # within the transaction: a code whose picture could not be written is not given out
                if qr_file is not None:
                    with new_file(qr_file) as picture:
                        picture.write(_drawn(code, qr_file.suffix, f"Pairing code of {pairing.pseudonym}"))
                    stack.callback(_taken_away, qr_file)
            stack.pop_all()
    last_day = pairing.last_day.isoformat()
    if as_json:
        click.echo(json.dumps({"code": code, "pseudonym": pairing.pseudonym, "label": label, "last_day": last_day}))
        return
    click.echo(code)
    if qr or (qr is None and sys.stdout.isatty()):
        _show(code)
    click.echo(f"for {pairing.pseudonym}{f' ({label})' if label else ''}, once, until {last_day}", err=True)


@pair.command(name="list")
@data_options
@as_json_option
def list_(folder: Path, database_url: str | None, as_json: bool) -> None:
    """List the codes that are out and not used yet; the codes themselves are kept nowhere.

    \b
    vitalkeep-clinic pair list --json
    """
    with opened(folder, database_url) as clinic, clinic.database.reading() as tx:
        rows = [
            {"pseudonym": each.pseudonym, "label": each.label, "last_day": each.last_day.isoformat()}
            for each in Pairings(tx).all(clinic.clock.today())
        ]
    if as_json:
        click.echo(json.dumps({"pairings": rows}))
        return
    if not rows:
        click.echo("no code is out; vitalkeep-clinic pair new gives one out", err=True)
    for row in rows:
        click.echo(f"{row['pseudonym']}  {row['label'] or '-'}  until {row['last_day']}")


@pair.command()
@click.argument("pseudonym")
@data_options
@as_json_option
def revoke(pseudonym: str, folder: Path, database_url: str | None, as_json: bool) -> None:
    """Take a code back that was not used yet: it pairs nobody any more.

    \b
    vitalkeep-clinic pair revoke P-7K3QF2M1
    """
    pseudonym = pseudonym.strip().upper()
    with opened(folder, database_url) as clinic:
        with clinic.database.writing() as tx:
            if not Pairings(tx).revoke(pseudonym):
                raise ClinicError("no code is out for this pseudonym; vitalkeep-clinic pair list lists all that are")
            Audit(tx, clinic.secrets, clinic.clock).add(who_runs_this(), Action.PAIRING_REVOKED, pseudonym)
        finish_erasing(clinic)
    if as_json:
        click.echo(json.dumps({"pseudonym": pseudonym, "revoked": True}))
        return
    click.echo(f"{pseudonym}: the code pairs nobody any more", err=True)


def _show(code: str) -> None:
    """Where segno is not there the code has been told all the same."""
    try:
        from sync.clinic.qr import qr_text
    except ImportError as missing:
        click.echo(f"{missing.name} is not installed: pip install 'vitalkeep[clinic]'", err=True)
        return
    # past click, which takes colours away where nobody looks: whoever asked for it there wants all of it
    print(qr_text(code), flush=True)


def _taken_away(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _drawn(code: str, suffix: str, title: str) -> bytes:
    from sync.clinic.qr import qr_png, qr_svg

    return qr_png(code) if suffix == ".png" else qr_svg(code, title).encode("utf-8")
