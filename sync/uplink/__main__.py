"""`python -m sync.uplink`: the process that has a network, and of the wearer only sealed messages of one size."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from sync.outbox import Outbox, OutboxError
from sync.uplink.clock import SystemUplinkClock
from sync.uplink.drain import Drain, Outcome, Sent
from sync.uplink.pair import ask
from sync.uplink.transport import Transport, TransportError

FAILED = 1
STORE = 3

_outbox = click.option(
    "--outbox",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The folder of the outbox.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Sends what waits in the outbox, and nothing else.

    \b
    python -m sync.uplink drain --outbox DIR
    python -m sync.uplink pair --outbox DIR --url https://clinic.example
    """


@app.command()
@_outbox
@click.option("--once", is_flag=True, help="Send what is due now, each once, and end.")
@click.option("--json", "as_json", is_flag=True, help="Each try as a line of JSON on standard output.")
def drain(folder: Path, once: bool, as_json: bool) -> None:
    """Send what is due, in its slot, again and again until the clinic's receipt has come.

    Exit code 1 with --once: something did not arrive. 3: the outbox cannot be used.
    """
    clock = SystemUplinkClock()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: clock.stop())
    try:
        with Outbox(folder) as outbox:
            draining = Drain(outbox, _transport(), clock)
            failed = _say(draining.due_once() if once else draining.run(), as_json)
    except OutboxError as problem:
        click.echo(str(problem), err=True)
        sys.exit(STORE)
    sys.exit(FAILED if once and failed else 0)


@app.command()
@_outbox
@click.option("--url", required=True, help="Where the clinic is.")
def pair(folder: Path, url: str) -> None:
    """Ask a clinic for its name and public keys: JSON on standard output. Nothing of the wearer is sent.

    The outbox is only opened, so that one that cannot be used is told before a pairing code is used up.
    """
    try:
        Outbox(folder).close()
        found = ask(url, _transport())
    except OutboxError as problem:
        click.echo(str(problem), err=True)
        sys.exit(STORE)
    except TransportError as problem:
        click.echo(f"{url}: {problem}", err=True)
        sys.exit(FAILED)
    keys = {"sealing": found.keys.sealing.hex(), "signing": found.keys.signing.hex()}
    click.echo(json.dumps({"name": found.name, "url": found.url, "id": found.keys.id.hex(), **keys}))


def _transport() -> Transport:
    try:
        from sync.uplink.https import HttpsTransport
    except ImportError as missing:
        click.echo(f"{missing.name} is not installed: pip install 'vitalkeep[sync]'", err=True)
        sys.exit(FAILED)
    return HttpsTransport()


def _say(tries: Iterable[Sent], as_json: bool) -> bool:
    """Whether one did not arrive."""
    failed = False
    for sent in tries:
        failed |= sent.outcome is not Outcome.ARRIVED
        if as_json:
            told = {"clinic": sent.clinic, "sequence": sent.sequence, "outcome": sent.outcome, "why": sent.why}
            print(json.dumps(told), flush=True)
        else:
            click.echo(f"{sent.clinic}, message {sent.sequence}: {sent.outcome} ({sent.why})", err=True)
    return failed


def main() -> None:
    app(prog_name="python -m sync.uplink")


if __name__ == "__main__":
    main()
