"""`vitalkeep-clinic`: what a clinic does at its own desk. Data to standard output, all else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from sync.clinic.card import Card, Figure, make_card
from sync.clinic.catalogue import last_day
from sync.clinic.clock import SystemClinicClock
from sync.clinic.errors import ClinicError, ClinicStoreError
from sync.clinic.secrets_file import load_secrets, make_secrets
from sync.clinic.store import ClinicStore, Device
from sync.pairing import PairingCode, PairingCodeError, require_url

FAILED = 1
STORE = 3
NOT_MEDICAL = (
    "Not a medical device: figures with noise in them, of what a wearable sensor saw. They decide nothing alone."
)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

_data = click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("vitalkeep-clinic"),
    show_default=True,
    help="Where the clinic keeps its keys and its database.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="As JSON, on standard output.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """The clinic's side: receives noisy cards of people who opted in, and shows them with their error.

    \b
    vitalkeep-clinic init --name 'Heart clinic' --url https://clinic.example
    vitalkeep-clinic serve --host 127.0.0.1 --port 8443
    vitalkeep-clinic pair new --for 'Patient 17'
    vitalkeep-clinic patients
    vitalkeep-clinic card P-7K3QF2M1
    """


@app.command()
@_data
@click.option("--name", default="clinic", show_default=True, help="What wearers see.")
@click.option("--url", help="The address at which devices reach it; it goes into pairing codes.")
@_as_json
def init(folder: Path, name: str, url: str | None, as_json: bool) -> None:
    """Make a clinic: its keys and an empty database.

    \b
    vitalkeep-clinic init --data /srv/clinic --name 'Heart clinic' --url https://clinic.example
    """
    with _told():
        if url is not None:
            url = url.rstrip("/")
            require_url(url)
        keys = make_secrets(folder).public
        with ClinicStore(folder, create=True) as store:
            store.set_meta("name", name)
            if url is not None:
                store.set_meta("url", url)
    if as_json:
        click.echo(json.dumps({"name": name, "url": url, "id": keys.id.hex(), "data": str(folder)}))
    else:
        click.echo(f"{name}: made in {folder}; its keys are named {keys.id.hex()}")


@app.command()
@_data
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True, help="0: one that is free.")
@click.option(
    "--rate",
    type=click.IntRange(0),
    default=300,
    show_default=True,
    help="Most requests of one address in ten minutes; 0: no limit.",
)
@click.option("--certificate", type=click.Path(dir_okay=False, path_type=Path), help="TLS: the chain, as PEM.")
@click.option("--private-key", type=click.Path(dir_okay=False, path_type=Path), help="TLS: its key, as PEM.")
def serve(folder: Path, host: str, port: int, rate: int, certificate: Path | None, private_key: Path | None) -> None:
    """Receive messages until stopped. The address is the first line on standard output.

    Behind a proxy that speaks TLS, listen on 127.0.0.1: the address that X-Forwarded-For names is believed from there.

    \b
    vitalkeep-clinic serve --data /srv/clinic
    vitalkeep-clinic serve --host 0.0.0.0 --port 443 --certificate chain.pem --private-key key.pem
    """
    if (certificate is None) != (private_key is None):
        raise click.UsageError("--certificate and --private-key go together")
    if certificate is None and host not in _LOOPBACK:
        click.echo("without --certificate nobody outside is served with TLS: devices will refuse it", err=True)
    try:
        from sync.clinic.serve import serve as run
    except ImportError as missing:
        click.echo(f"{missing.name} is not installed: pip install 'vitalkeep[clinic]'", err=True)
        sys.exit(FAILED)
    with _told():
        run(
            folder,
            SystemClinicClock(),
            host=host,
            port=port,
            most_per_address=rate,
            certificate=certificate,
            private_key=private_key,
            ready=lambda url: print(url, flush=True),
        )


@app.group()
def pair() -> None:
    """Pairing codes."""


@pair.command()
@_data
@click.option("--for", "label", help="What the clinic calls the patient; it stays at the clinic.")
@click.option("--url", help="The address at which this device reaches the clinic.  [default: that of init]")
@click.option(
    "--days", type=click.IntRange(1, 365), default=14, show_default=True, help="How long the code can be used."
)
@_as_json
def new(folder: Path, label: str | None, url: str | None, days: int, as_json: bool) -> None:
    """Give out a code that pairs one device, once. It is shown here and kept nowhere.

    \b
    vitalkeep-clinic pair new --for 'Patient 17'
    """
    with _told():
        keys = load_secrets(folder).public
        with ClinicStore(folder) as store:
            url = url or store.meta("url")
            if url is None:
                raise ClinicError("where do devices reach this clinic? --url, here or with init")
            url = url.rstrip("/")
            require_url(url)
            token, pseudonym, last = store.new_pairing(label, SystemClinicClock().today(), days)
        code = PairingCode(url, token, keys.id).encode()
    if as_json:
        click.echo(json.dumps({"code": code, "pseudonym": pseudonym, "label": label, "last_day": last.isoformat()}))
        return
    click.echo(code)
    click.echo(f"for {pseudonym}{f' ({label})' if label else ''}, once, until {last.isoformat()}", err=True)


@app.command()
@_data
@_as_json
def patients(folder: Path, as_json: bool) -> None:
    """List who is enrolled, by pseudonym."""
    with _told(), ClinicStore(folder) as store:
        rows = [_patient(store, device) for device in store.devices()]
    if as_json:
        click.echo(json.dumps({"patients": rows}))
        return
    if not rows:
        click.echo("nobody is enrolled", err=True)
    for row in rows:
        newest = f"newest period until {row['newest_day']}" if row["newest_day"] else "no card yet"
        click.echo(f"{row['pseudonym']}  {row['label'] or '-'}  enrolled {row['enrolled']}, {newest}")


@app.command()
@click.argument("pseudonym")
@_data
@_as_json
def card(pseudonym: str, folder: Path, as_json: bool) -> None:
    """Show the figures of one patient, each with its error, ε and period.

    \b
    vitalkeep-clinic card P-7K3QF2M1
    vitalkeep-clinic card P-7K3QF2M1 --json
    """
    with _told(), ClinicStore(folder) as store:
        device = store.patient(pseudonym)
        shown = make_card(device, store.answers(device.id))
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
    return f"{figure.value:g} {figure.unit}, between {low:g} and {high:g} (ε = {figure.epsilon:g} for each day)"


def _patient(store: ClinicStore, device: Device) -> dict[str, Any]:
    answers = store.answers(device.id)
    newest = max((last_day(each.answer.length_days, each.answer.window) for each in answers), default=None)
    return {
        "pseudonym": device.pseudonym,
        "label": device.label,
        "enrolled": device.enrolled.isoformat(),
        "answers": len(answers),
        "newest_day": None if newest is None else newest.isoformat(),
    }


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (ClinicError, PairingCodeError) as problem:
        click.echo(str(problem), err=True)
        sys.exit(STORE if isinstance(problem, ClinicStoreError) else FAILED)


def main() -> None:
    app(prog_name="vitalkeep-clinic")


if __name__ == "__main__":
    main()
