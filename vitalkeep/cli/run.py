"""`vitalkeep run`: the main job. A sensor in; everything found stored, shown and told."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from vitalkeep.cli.adapter_option import adapter_option
from vitalkeep.cli.config_option import config_option


class _Speed(click.ParamType[float | None]):
    name = "speed"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value is None or isinstance(value, float):
            return value
        if value == "max":
            return float("inf")
        try:
            speed = float(str(value).removesuffix("x"))
        except ValueError:
            speed = 0.0
        if not 0 < speed < 1e6:
            self.fail(f"{value!r} is not a speed: expected a number above 0, or max", param, ctx)
        return speed


class _Words(click.ParamType[tuple[str, ...]]):
    name = "command"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        from vitalkeep.alert_command import command_words

        if isinstance(value, tuple):
            return value
        try:
            return tuple(command_words(str(value)))
        except ValueError as problem:
            self.fail(f"{value!r} is not a command: {problem}", param, ctx)


@click.command("run", short_help="Read a sensor; find, warn, keep.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="ADDRESS|NAME",
    help="Hold this sensor, by its address or its full name; again for another one at the same time.",
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    metavar="RECORDING",
    help="Play a recording through the same path that a live sensor takes.",
)
@click.option(
    "--speed",
    type=_Speed(),
    default="1",
    show_default=True,
    metavar="N|max",
    help="How many times as fast as it happened.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to keep everything, encrypted. Default: $XDG_DATA_HOME/vitalkeep",
)
@click.option("--view/--no-view", default=None, help="The live view. Default: on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print each finding as a line of JSON instead (docs/run.md).")
@click.option(
    "--on-alert",
    type=_Words(),
    default=(),
    metavar="COMMAND",
    help="Run this when an alert is raised and when it is over; the alert is JSON on its standard input.",
)
@click.option(
    "--governor/--no-governor",
    default=True,
    help="Do less while the machine is hot or its battery low (docs/governor.md). Default: as configured.",
)
@adapter_option
@config_option
@click.pass_context
def run(
    ctx: click.Context,
    devices: tuple[str, ...],
    replay: Path | None,
    speed: float | None,
    store: Path | None,
    view: bool | None,
    as_json: bool,
    on_alert: tuple[str, ...],
    governor: bool,
    adapter: str | None,
    config: Path | None,
) -> None:
    """Read a sensor, find beats, rates and rhythm, warn, and keep it all encrypted on this device.

    Ctrl-C, SIGTERM or SIGHUP ends it cleanly with everything stored (exit code 0). Nothing is ever sent anywhere.
    A sensor that wants a code is paired with first: vitalkeep pair.

    \b
    Examples:
      vitalkeep run --device "Polar H10 A1B2C3D4"
      vitalkeep run --device A0:9E:1A:B2:C3:D4 --device "Nonin3230_502644309"
      vitalkeep run --device "Polar H10 A1B2C3D4" --adapter hci1
      vitalkeep run --replay fixtures/recordings/chest_strap.jsonl.gz
      vitalkeep run --replay night.jsonl.gz --speed max --no-view
      vitalkeep run --replay strap.jsonl --speed 60 --json | jq 'select(.type == "alert")'
      vitalkeep run --replay strap.jsonl --on-alert "notify-send vitalkeep"

    \b
    Exit codes: 0 done or stopped; 1 the recording is wrong or cut short (what could be read is stored);
    2 wrong usage; 3 the store cannot be used; 4 the configuration is wrong.
    """
    if view and as_json:
        raise click.UsageError("--view and --json both want the terminal: choose one")
    if (replay is None) == (not devices):
        raise click.UsageError(
            "expected either --device ADDRESS|NAME (vitalkeep scan shows them) or --replay RECORDING"
        )
    if replay is None:
        ctx.exit(_live(devices, store, view, as_json, on_alert, governor, adapter, config))
    if adapter is not None:
        raise click.UsageError("--adapter goes with --device: a recording needs no radio")
    from vitalkeep.cli.config_option import load
    from vitalkeep.cli.plan import Plan, carry_out
    from vitalkeep.paths import data_folder

    plan = Plan(
        replay=replay,
        speed=None if speed == float("inf") else speed,
        store=data_folder() if store is None else store,
        view=(sys.stdout.isatty() and not as_json) if view is None else view,
        as_json=as_json,
        on_alert=on_alert,
        config=load(config),
    )
    ctx.exit(carry_out(plan))


def _live(
    devices: tuple[str, ...],
    store: Path | None,
    view: bool | None,
    as_json: bool,
    on_alert: tuple[str, ...],
    governor: bool,
    adapter: str | None,
    config: Path | None,
) -> int:
    if len({device.casefold() for device in devices}) < len(devices):
        raise click.UsageError("the same --device twice, expected each of them once")
    if view and len(devices) > 1:
        raise click.UsageError("--view shows one device, expected --no-view with several")
    from dataclasses import replace

    from vitalkeep.cli.config_option import load
    from vitalkeep.cli.live import LivePlan, carry_out
    from vitalkeep.paths import data_folder

    settings = load(config)
    if not governor:
        settings = replace(settings, governor=replace(settings.governor, enabled=False))
    on_terminal = sys.stdout.isatty() and not as_json and len(devices) == 1
    return carry_out(
        LivePlan(
            devices=devices,
            store=data_folder() if store is None else store,
            view=on_terminal if view is None else view,
            as_json=as_json,
            on_alert=on_alert,
            adapter=adapter,
            config=settings,
        )
    )
