"""`vitalkeep record`: what a sensor notifies, into a recording, in the very format that replay reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vitalkeep.cli.adapter_option import adapter_option

if TYPE_CHECKING:
    from sensors.link import Event, Link
    from sensors.recording import RecordingWriter

_FLUSH_NS = 5 * 10**9


@click.command(short_help="Write down what a sensor sends, to replay it.")
@click.option("--device", required=True, metavar="ADDRESS|NAME", help="The sensor, by its address or its full name.")
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Stop after this long. Default: until Ctrl-C.")
@click.option("--address/--no-address", default=False, help="Write the sensor's address into the recording.")
@adapter_option
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def record(
    ctx: click.Context, device: str, seconds: float | None, address: bool, adapter: str | None, out: Path
) -> None:
    """Write what a sensor sends into OUT, unchanged, with its times of arrival; compressed if OUT ends in .gz.

    OUT must not exist yet. It holds what the sensor measured in the clear: keep it where you keep your health records.

    \b
    Examples:
      vitalkeep record --device "Polar H10 A1B2C3D4" night.jsonl.gz
      vitalkeep record --device A0:9E:1A:B2:C3:D4 --seconds 60 strap.jsonl

    \b
    Exit codes: 0 done or stopped; 1 OUT exists or cannot be written, or the sensor was never there; 2 wrong usage.
    """
    import asyncio

    from sensors.bleak_link import BleakLink, Radio
    from sensors.errors import LinkError
    from vitalkeep.cli.on_signal import on_signal
    from vitalkeep.cli.say import say
    from vitalkeep.cli.told_link import ToldLink

    if out.exists():
        raise FileExistsError(17, "is there already, and is not overwritten", str(out))

    async def hold() -> int:
        loop = asyncio.get_running_loop()
        held = BleakLink(Radio(adapter), device, note=lambda words: say(f"{device}: {words}"))
        link = ToldLink(held, lambda message, _: say(f"{device}: {message}"))
        closing: list[asyncio.Task[None]] = []

        def close() -> None:
            closing.append(loop.create_task(link.close()))

        on_signal(close)
        if seconds is not None:
            loop.call_later(seconds, close)
        written = await write_events(link, out, address)
        await asyncio.gather(*closing)
        if not link.held:
            raise LinkError(f"{device}: never there; nothing was written")
        return written

    click.echo(f"{out}: {asyncio.run(hold())} notifications")


async def write_events(link: Link, out: Path, address: bool) -> int:
    """Until the link ends; returns the number of notifications. Nothing is written before the device has been there.

    Raises OSError where `out` cannot be written.
    """
    from dataclasses import replace

    from sensors.link import LinkDown, LinkUp, Notification
    from sensors.recording import RecordingWriter

    early: list[Event] = []
    writer: RecordingWriter | None = None
    count, flushed_ns = 0, 0
    try:
        async for event in link:
            if writer is None and isinstance(event, LinkUp | Notification):
                # only now its name is known
                told = link.device if address else replace(link.device, address=None)
                writer = RecordingWriter(out, told, (early or [event])[0].t_ns)
                for before in early:
                    writer.write(before)
            if writer is None:
                if isinstance(event, LinkDown):
                    early = early[:1] or [event]
                continue
            writer.write(event)
            count += isinstance(event, Notification)
            if event.t_ns - flushed_ns >= _FLUSH_NS:
                writer.flush()
                flushed_ns = event.t_ns
    finally:
        if writer is not None:
            writer.close()
    return count
