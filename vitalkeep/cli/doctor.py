"""`vitalkeep doctor`: whether everything is there that a sensor needs, and what to do where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vitalkeep.cli import exit_codes

if TYPE_CHECKING:
    from device_pipeline.clock import Clock
    from vitalkeep.doctor.bus import BusAnswer
    from vitalkeep.doctor.check import Check

SCHEMA = "vitalkeep.doctor/1"


@click.command(short_help="What a sensor needs, and the remedy.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
@click.option(
    "--store",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the store; otherwise $XDG_DATA_HOME/vitalkeep (~/.local/share/vitalkeep).",
)
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, folder: Path | None) -> None:
    """Check adapter, Bluetooth service, permission, clock, disk and store, and say how to put right what is wrong.

    Reads only: it scans for nothing, connects to nothing and changes nothing.

    \b
    Fields of --json:
      schema    "vitalkeep.doctor/1"
      ok        whether there is no problem
      checks    name, state (ok, warning, problem), text, remedy (null where all is well)

    \b
    Exit codes: 0 no problem (there may be warnings); 1 a problem; 2 wrong usage.

    \b
    Examples:
      vitalkeep doctor
      vitalkeep doctor --json | jq '.checks[] | select(.state != "ok")'
    """
    from device_pipeline.clock import SystemClock
    from vitalkeep import paths
    from vitalkeep.doctor.bus import ask_bus
    from vitalkeep.doctor.check import State

    checks = examine(Path("/"), ask_bus(), SystemClock(), folder or paths.data_folder())
    fine = all(check.state is not State.PROBLEM for check in checks)
    if as_json:
        import json

        rows = [{"name": c.name, "state": c.state.value, "text": c.text, "remedy": c.remedy} for c in checks]
        click.echo(json.dumps({"schema": SCHEMA, "ok": fine, "checks": rows}, ensure_ascii=False))
    else:
        click.echo(_text(checks), nl=False)
    ctx.exit(exit_codes.OK if fine else exit_codes.FAILED)


def examine(root: Path, bus: BusAnswer, clock: Clock, folder: Path) -> list[Check]:
    """Everything, in the order in which it should be put right. `root`: of the file system."""
    from vitalkeep.doctor import bluetooth, machine

    checks = (
        machine.check_python(),
        machine.check_libraries(),
        machine.check_libraries(machine.RADIO_LIBRARIES, "radio libraries"),
        bluetooth.check_adapter(root, bus),
        bluetooth.check_switch(root),
        bluetooth.check_bus(bus),
        bluetooth.check_service(root, bus),
        bluetooth.check_permission(bus),
        bluetooth.check_power(bus),
        machine.check_clock(clock),
        machine.check_disk(folder),
        machine.check_store(folder),
    )
    return [check for check in checks if check is not None]


def _text(checks: list[Check]) -> str:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    colours = {"ok": "green", "warning": "yellow", "problem": "red"}
    page = Table.grid(padding=(0, 2))
    for check in checks:
        state = check.state.value
        page.add_row(f"[{colours[state]}]{state}[/]", check.name, escape(check.text))
        if check.remedy is not None:
            page.add_row("", "", f"[bold]-> {escape(check.remedy)}[/]")
    console = Console()
    with console.capture() as captured:
        console.print(page, highlight=False)
    return captured.get()
