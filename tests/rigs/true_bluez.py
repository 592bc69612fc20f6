"""A true BlueZ: Debian's kernel and bluetoothd in an emulated machine, whose radio hears only what is in this process.

QEMU without hardware help runs it on any machine. The radio is a virtual controller of bumble's at the other end of
a serial line; the machine's system bus comes out at a socket of this machine, the only kind that vitalkeep may open.
Everything of it lives in one event loop, in a thread of its own, so that a test is a plain sequence of steps.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from bumble.transport import open_transport
from bumble.transport.common import Transport

from tests.fakes.bluez import CONFIGURATION
from tests.rigs.initramfs import build, kernel
from vitalkeep.simulate.air import Air

T = TypeVar("T")
HERE = Path(__file__).parent
UNPACKED = Path(os.environ.get("VITALKEEP_RIG", HERE.parents[1] / ".rig"))
EMULATOR = "qemu-system-x86_64"
BOOT_S = 120.0
LIMIT_S = 60.0
MEMORY_MB = 192


def missing() -> str | None:
    """What has to be there first; None where all is."""
    if shutil.which(EMULATOR) is None:
        return f"{EMULATOR} is not installed (Debian: qemu-system-x86)"
    if not (UNPACKED / "complete").exists():
        return f"no packages in {UNPACKED.name}: bash tests/rigs/fetch.sh {UNPACKED.name}"
    return None


class TrueBluez:
    """The running machine. `air`: put devices there with `run`, in whose loop they live."""

    def __init__(self, folder: Path) -> None:
        self.bus_address = f"unix:path={folder / 'bus'}"
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="air", daemon=True)
        self._ports = _free_ports(2)
        self._machine: subprocess.Popen[bytes] | None = None
        self._radio: Transport | None = None
        self._door: asyncio.Server | None = None
        self.air = Air()

    def start(self) -> None:
        """On return the daemon has its adapter, and it is on."""
        image = self._folder / "initramfs"
        image.write_bytes(
            build(
                UNPACKED,
                {
                    "init": (HERE / "guest_init.sh").read_bytes(),
                    "start_bluetoothd": (HERE / "start_bluetoothd.sh").read_bytes(),
                    "etc/bus.conf": CONFIGURATION.format(path="/run/dbus/system_bus_socket").encode(),
                    "etc/bluetooth/main.conf": b"[General]\n[Policy]\nAutoEnable=true\n",
                },
            )
        )
        bus, shell = self._ports
        doors = f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{bus}-:1,hostfwd=tcp:127.0.0.1:{shell}-:2"
        command = [EMULATOR, "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", str(MEMORY_MB), "-smp", "1"]
        command += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        command += ["-kernel", str(kernel(UNPACKED)), "-initrd", str(image)]
        command += ["-append", f"console=ttyS0 quiet panic=-1 user={os.getuid()}"]
        command += ["-serial", f"file:{self._folder / 'console'}"]
        command += [
            "-chardev",
            f"socket,id=hci,path={self._folder / 'hci'},server=on,wait=off",
            "-serial",
            "chardev:hci",
        ]
        command += ["-netdev", doors, "-device", "virtio-net-pci,netdev=net,romfile="]
        self._machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=self._folder)
        _until((self._folder / "hci").exists, BOOT_S, "the emulator did not start")
        self._thread.start()
        self.run(self._open())
        _until(lambda: "READY" in self._console() and self._answers(), BOOT_S, "the machine did not start")
        self.until_adapter_is_on()

    def stop(self) -> None:
        with suppress(Exception):
            self.run(self._close())
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(LIMIT_S)
        self._loop.close()
        if self._machine is not None:
            self._machine.kill()
            self._machine.wait()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does it in the loop of the air, and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    def sh(self, script: str) -> str:
        """What a shell in the machine prints."""
        with socket.create_connection(("127.0.0.1", self._ports[1]), LIMIT_S) as door:
            door.sendall(f"{script}\nexit\n".encode())
            said = bytearray()
            while part := door.recv(65536):
                said += part
        return said.decode(errors="replace")

    def until_adapter_is_on(self) -> None:
        def is_on() -> bool:
            settings = [
                line for line in self.sh("btmgmt info <>/run/nobody").splitlines() if "current settings" in line
            ]
            return any(" powered" in line for line in settings)

        _until(is_on, BOOT_S, "the adapter is not on")

    def power(self, on: bool) -> None:
        self.sh(f"btmgmt power {'on' if on else 'off'} <>/run/nobody")

    def kill_bluetoothd(self) -> None:
        self.sh("rm /run/wanted; killall -9 bluetoothd; sleep 2")

    def start_bluetoothd(self) -> None:
        self.sh("/start_bluetoothd >/dev/null 2>&1 </dev/null &")

    def log(self) -> str:
        """What the daemon has said, for a test that failed."""
        return self.sh("cat /run/bluetoothd.log")

    # -- inside

    def _answers(self) -> bool:
        """Its first answers may be lost: the emulator takes a call before anybody is there to hear it."""
        with suppress(OSError):
            return "here" in self.sh("echo here")
        return False

    def _console(self) -> str:
        if self._machine is None or self._machine.poll() is not None:
            raise RuntimeError("the emulator has ended")
        return (self._folder / "console").read_text(errors="replace")

    async def _open(self) -> None:
        self._radio = await open_transport(f"unix:{self._folder / 'hci'}")
        self.air.let_in(self._radio)
        self._door = await asyncio.start_unix_server(self._let_through, self._folder / "bus")

    async def _close(self) -> None:
        if self._door is not None:
            self._door.close()
        if self._radio is not None:
            await self._radio.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _let_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # to the emulator on this machine, and nowhere else
        inner = await asyncio.open_connection("127.0.0.1", self._ports[0])  # noqa: TID251
        try:
            done, left = await asyncio.wait(
                [asyncio.create_task(_copy(reader, inner[1])), asyncio.create_task(_copy(inner[0], writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in left:
                task.cancel()
            await asyncio.gather(*done, *left, return_exceptions=True)
        finally:
            inner[1].close()
            writer.close()


@contextmanager
def true_bluez() -> Iterator[TrueBluez]:
    """A running one. Not in pytest's folders: the name of a socket may have 108 characters at most."""
    with tempfile.TemporaryDirectory(prefix="vitalkeep") as folder:
        bluez = TrueBluez(Path(folder))
        try:
            bluez.start()
            yield bluez
        finally:
            bluez.stop()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()


def _free_ports(count: int) -> list[int]:
    """Free a moment ago."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def _until(condition: Any, seconds: float, otherwise: str) -> None:
    """Polls: what is waited for happens in another machine."""
    end_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError(otherwise)
        time.sleep(0.1)
