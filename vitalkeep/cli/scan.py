"""`vitalkeep scan`: what is near, what each can give, how well it is heard. Connects to nothing."""

from __future__ import annotations

import click

from vitalkeep.cli.adapter_option import adapter_option


@click.command(short_help="What is near, and what it can give.")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 600.0), default=8.0, show_default=True, help="How long to listen."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per device, one per line.")
@click.option("--all", "everything", is_flag=True, help="Also those that advertise nothing that can be read here.")
@adapter_option
def scan(seconds: float, as_json: bool, everything: bool, adapter: str | None) -> None:
    """List the sensors that are near, the best heard first, and what each can give.

    It shows what a device advertises; some offer more once they are connected. A device that is already
    connected, to a phone for example, does not advertise and is not shown.

    \b
    Fields of --json: address, name (null where it has none), rssi_dbm (the best heard), gives
    (in words), services (UUIDs).

    \b
    Examples:
      vitalkeep scan
      vitalkeep scan --seconds 20 --all --json | jq -r .name

    \b
    Exit codes: 0 done; 1 Bluetooth cannot be used; 2 wrong usage.
    """
    import asyncio
    import json

    from rich.console import Console
    from rich.table import Table

    from sensors.bleak_link import Radio
    from sensors.errors import LinkError
    from sensors.services import gives

    async def look() -> list[dict[str, object]]:
        try:
            seen = await Radio(adapter).look_around(seconds)
        except LinkError as problem:
            raise LinkError(f"Bluetooth cannot be used: {problem}") from None
        return [
            {
                "address": one.address,
                "name": one.name,
                "rssi_dbm": one.rssi_dbm,
                "gives": list(gives(one.services)),
                "services": list(one.services),
            }
            for one in seen
        ]

    devices = asyncio.run(look())
    shown = [device for device in devices if everything or device["gives"]]
    if as_json:
        for device in shown:
            click.echo(json.dumps(device, ensure_ascii=False, allow_nan=False))
        return
    if shown:
        table = Table("name", "address", "signal", "gives", box=None, pad_edge=False)
        for device in shown:
            what = device["gives"]
            words = "; ".join(what) if isinstance(what, list) else ""
            table.add_row(str(device["name"] or "-"), str(device["address"]), f"{device['rssi_dbm']} dBm", words or "-")
        Console(highlight=False).print(table)
        click.echo('Hold one with: vitalkeep run --device "NAME"')
    hidden = len(devices) - len(shown)
    if hidden or not shown:
        click.echo(f"{'no sensor heard; ' if not shown else ''}{hidden} other devices (--all shows them)")
