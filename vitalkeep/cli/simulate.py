"""`vitalkeep simulate`: a virtual sensor, so that anyone develops without hardware. Becomes a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

# What each can give; tests hold this against the catalogue, which cannot be loaded here: it has a radio.
KINDS = {
    "h10": "chest strap: heart rate and RR intervals, ECG (130 Hz) and movement (200 Hz) over PMD, battery",
    "oximeter": "pulse oximeter: SpO2, pulse rate and perfusion once a second, off the finger for 5 s a minute",
    "thermometer": "thermometer: body temperature, indicated every 2 s",
    "cuff": "blood pressure cuff: a measurement indicated every 10 s, one of four spoilt by movement",
    "cgm": "continuous glucose monitor: a record once a minute",
}
# Bumble knows more; those that reach beyond this machine are left out, since a recording may be somebody's heart.
TRANSPORTS = ("vhci", "hci-socket", "usb", "pyusb", "serial", "pty", "unix", "unix-client", "unix-server")


def _transport(ctx: click.Context, param: click.Parameter, spec: str) -> str:
    if spec.split(":", 1)[0] not in TRANSPORTS:
        raise click.BadParameter(f"{spec!r}, expected one of {', '.join(TRANSPORTS)}", ctx, param)
    return spec


@click.command(short_help="Be a sensor, to develop without one.")
@click.argument("kind", required=False, type=click.Choice(list(KINDS)))
@click.option("--list", "as_list", is_flag=True, help="Tell the virtual sensors there are.")
@click.option(
    "--transport",
    "spec",
    default="vhci",
    show_default=True,
    metavar="SPEC",
    callback=_transport,
    help="The radio. vhci: a virtual adapter of this machine, beside which the sensor is (needs root); hci-socket:0 or "
    "usb:0: a real adapter, heard by other machines; unix-server:PATH, pty: HCI for an emulator.",
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    metavar="RECORDING",
    help="Play the notifications of a recording, from the first subscription on, instead of made-up values.",
)
@click.option("--speed", type=click.FloatRange(0, 1000, min_open=True), default=1.0, help="How many times as fast.")
def simulate(kind: str | None, as_list: bool, spec: str, replay: Path | None, speed: float) -> None:
    """Be a sensor: advertise, take connections and send values, until stopped.

    Needs the extra [simulate]. It opens no store and no network.

    \b
    Examples:
      vitalkeep simulate --list
      sudo vitalkeep simulate h10
      vitalkeep simulate oximeter --transport usb:0
      sudo vitalkeep simulate h10 --replay fixtures/recordings/chest_strap.jsonl.gz

    \b
    Exit codes: 0 stopped, or the recording is over; 1 the transport or the recording cannot be opened; 2 wrong usage.
    """
    if as_list:
        for name, text in KINDS.items():
            click.echo(f"{name:12} {text}")
        return
    if kind is None:
        raise click.UsageError(f"which sensor? One of {', '.join(KINDS)}")
    from importlib.util import find_spec

    from sensors.errors import MissingExtraError
    from sensors.recording import Recording

    if find_spec("bumble") is None:
        raise MissingExtraError("a virtual sensor needs the extra [simulate]: pip install 'vitalkeep[simulate]'")
    recording = [] if replay is None else [str(Recording(replay).path.absolute())]
    # This process may open no radio: it is replaced by one that may, and knows no store.
    arguments = [sys.executable, "-m", "vitalkeep.simulate", kind, spec, str(speed), *recording]
    sys.stdout.flush()
    os.execv(sys.executable, arguments)
