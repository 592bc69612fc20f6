"""Plays one virtual sensor until it is stopped: `python -m vitalkeep.simulate KIND SPEC [SPEED [RECORDING]]`.

`vitalkeep simulate` becomes this process, after it has looked at what was asked for. It opens no store; its radio is
the adapter or the door that was named, and no network.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from pathlib import Path

from bumble.device import Device
from bumble.hci import Address
from bumble.transport import open_transport
from bumble.transport.common import Transport

from sensors.errors import SensorError
from sensors.recording import Recording
from vitalkeep.simulate.air import Air
from vitalkeep.simulate.catalog import PERIPHERALS
from vitalkeep.simulate.peripheral import Pace, Peripheral, appear, replay

# Somebody comes to these doors and finds a radio behind them; any other transport is a radio that we take.
DOORS = ("vhci", "pty", "unix-server")
ADDRESSES = {
    kind: f"F0:00:00:00:00:{10 * k}" for k, kind in enumerate(("h10", "oximeter", "thermometer", "cuff", "cgm"), 1)
}


async def _take(kind: str, spec: str, transport: Transport, peripheral: Peripheral) -> Device:
    if spec.split(":", 1)[0] in DOORS:
        air = Air()
        air.let_in(transport)
        return air.device(peripheral.name, ADDRESSES[kind])
    return Device.with_hci(peripheral.name, Address(ADDRESSES[kind]), transport.source, transport.sink)


async def _run(kind: str, spec: str, speed: float, recording: Recording | None) -> None:
    peripheral = PERIPHERALS[kind]()
    transport = await open_transport(spec)
    try:
        device = await _take(kind, spec, transport, peripheral)
        await appear(device, peripheral)
        print(f"{peripheral.name} at {ADDRESSES[kind]}, by {spec}; Ctrl-C ends it", flush=True)
        if recording is None:
            await peripheral.play(device, Pace(speed))
        else:
            sent = await replay(device, peripheral, recording.events(), Pace(speed))
            print(f"{recording.path.name} is over: {sent} notifications played", flush=True)
    finally:
        await transport.close()
        if isinstance(server := getattr(transport, "server", None), asyncio.AbstractServer):
            server.close()  # which the transport of a listening socket leaves open


async def _until_stopped(kind: str, spec: str, speed: float, recording: Recording | None) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await _run(kind, spec, speed, recording)


def main(arguments: list[str]) -> int:
    kind, spec, speed, *path = [*arguments, "1"] if len(arguments) == 2 else arguments
    logging.getLogger("bumble").addHandler(logging.NullHandler())
    try:
        recording = Recording(Path(path[0])) if path else None
        asyncio.run(_until_stopped(kind, spec, float(speed), recording))
    except SensorError as problem:
        print(f"vitalkeep: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"vitalkeep: {spec}: {problem.strerror or problem}", file=sys.stderr)
        return 1
    except Exception as problem:
        # the library raises types of its own where a transport cannot be opened or an adapter does not answer
        print(f"vitalkeep: {spec}: {problem or type(problem).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
