"""The commands that hold a device, against a true BlueZ: kernel and bluetoothd of Debian in an emulated machine.

What goes wrong in the field is done to it there: drops, a sensor out of reach, an adapter off, a daemon killed, a
reader killed, a bond lost. Each time the sensor must stream again and nothing may come twice.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device_pipeline.store import derived
from device_pipeline.store.store import open_store
from sensors.link import LinkDown, LinkUp, Notification
from sensors.profile import full_uuid
from sensors.profiles.polar_pmd import DATA
from sensors.recording import Recording
from sensors.samples import GapReason
from tests.rigs.true_bluez import TrueBluez, missing, true_bluez
from tests.rigs.virtual_sensor import ENCRYPTED, WITH_CODE, VirtualSensor
from tests.vitalkeep.command import PROGRAM, home
from vitalkeep.simulate.h10 import FRAME, FS_HZ, H10
from vitalkeep.simulate.oximeter import Oximeter
from vitalkeep.simulate.peripheral import Peripheral
from vitalkeep.simulate.thermometer import Thermometer

if (what := missing()) is not None:
    pytest.skip(what, allow_module_level=True)

pytestmark = pytest.mark.slow
# The emulated machine is slow, and so is this one with other tests beside.
LIMIT_S = 400.0
CONNECTED = "connected"


@pytest.fixture(scope="module")
def bluez() -> Iterator[TrueBluez]:
    with true_bluez() as bluez:
        yield bluez


class Stage:
    """Virtual sensors near the true BlueZ, and a command that speaks to it."""

    def __init__(self, bluez: TrueBluez, folder: Path) -> None:
        self.bluez = bluez
        self.folder = folder
        self.sensors: list[VirtualSensor] = []
        self.rows: list[dict[str, Any]] = []
        self.said: list[str] = []
        self.words: list[str] = []
        self._environment = home(folder, {"DBUS_SYSTEM_BUS_ADDRESS": bluez.bus_address})
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []

    def sensor(self, peripheral: Peripheral, number: int, **named: Any) -> VirtualSensor:
        sensor = VirtualSensor(self.bluez, peripheral, f"F0:00:00:00:00:{number:02X}", **named)
        self.sensors.append(sensor)
        return sensor

    def start(self, *arguments: object) -> None:
        self.rows, self.said, self.words = [], [], []
        command = [*PROGRAM, *map(str, arguments)]
        self._process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._read_out, args=(self._process,)),
            threading.Thread(target=self._read_err, args=(self._process,)),
        ]
        for reader in self._readers:
            reader.start()

    def end(self, number: signal.Signals | None = signal.SIGINT) -> int:
        """Its exit code."""
        assert self._process is not None
        if number is not None:
            self._process.send_signal(number)
        try:
            code = self._process.wait(LIMIT_S)
        finally:
            self._process.kill()
            for reader in self._readers:
                reader.join()
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()
        self._process = None
        return code

    def do(self, *arguments: object) -> int:
        """One command that ends by itself; what it said is in `words` and `said`."""
        self.start(*arguments)
        return self.end(None)

    def told(self, words: str, times: int = 1, of: VirtualSensor | None = None) -> None:
        """Until it has said so on standard error so many times."""
        name = "" if of is None else f"{of.name}: "
        self.until(lambda: sum(f"{name}{words}" in line for line in list(self.said)) >= times, words)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        end_s = time.monotonic() + LIMIT_S
        while not condition():
            if time.monotonic() > end_s or (self._process is not None and self._process.poll() is not None):
                raise AssertionError(f"not seen: {what}; it said: {self.said}; BlueZ: {self.bluez.log()[-2000:]}")
            time.sleep(0.1)

    def heard(self, sensor: VirtualSensor, kind: str, more: int) -> None:
        """Until so many more findings of a kind have come."""
        before = self._count(sensor, kind)
        self.until(lambda: self._count(sensor, kind) >= before + more, f"{more} more of {kind}")

    def close(self) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)
        for sensor in self.sensors:
            sensor.vanish()

    def _count(self, sensor: VirtualSensor, kind: str) -> int:
        return sum(row["type"] == kind and row["device"] == sensor.name for row in list(self.rows))

    def _read_out(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                self.rows.append(json.loads(line))
            else:
                self.words.append(line.rstrip())

    def _read_err(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line.rstrip())


@pytest.fixture
def stage(bluez: TrueBluez, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(bluez, tmp_path)
    try:
        yield stage
    finally:
        stage.close()


def test_three_sensors_are_found_held_and_stored_and_the_strap_is_left_asleep(stage: Stage) -> None:
    strap = stage.sensor(H10(), 0x10)
    stage.sensor(Oximeter(), 0x20)
    thermometer = stage.sensor(Thermometer(), 0x30)
    names = {sensor.name for sensor in stage.sensors}
    stage.until(lambda: stage.do("scan", "--seconds", 5, "--json") == 0 and names <= _names(stage), "all three")
    near = {row["name"]: row for row in stage.rows}
    assert near[strap.name]["address"] == strap.address
    assert "temperature" in near[thermometer.name]["gives"]

    devices = [word for sensor in stage.sensors for word in ("--device", sensor.name)]
    stage.start("run", *devices, "--json")
    for sensor in stage.sensors:
        stage.told(CONNECTED, of=sensor)
    stage.heard(strap, "beat", 20)
    assert isinstance(strap.peripheral, H10)
    assert len(strap.peripheral.streams) == 2
    assert stage.end() == 0
    stage.until(lambda: not any(sensor.connections for sensor in stage.sensors), "all let go")
    assert strap.stopped_streams == 2, "both were stopped, and not only cut off with the link"
    assert [line for line in stage.said if CONNECTED not in line] == []
    with open_store(stage.folder / "data" / "vitalkeep").reader() as db:
        assert {str(session.ended) for session in derived.sessions(db)} == {"clean"}
        quantities = {row[0] for row in db.conn.execute("SELECT DISTINCT quantity FROM readings")}
        assert {"rr_ms", "spo2_pct", "temperature_c"} <= quantities
        # an indication is delivered once, as the others are
        assert db.conn.execute("SELECT count(*) FROM gaps WHERE reason = 'undecodable'").fetchone() == (0,)


def test_whatever_is_lost_comes_back_and_nothing_comes_twice(stage: Stage) -> None:
    strap = stage.sensor(H10(), 0x11)
    out = stage.folder / "strap.jsonl.gz"
    stage.start("record", "--device", strap.address, out)
    stage.told(CONNECTED, 1)

    strap.drop()
    stage.told("the connection was lost", 1)
    stage.told(CONNECTED, 2)

    strap.go_away()
    stage.told("the connection was lost", 2)
    strap.come_back()
    stage.told(CONNECTED, 3)

    stage.bluez.power(False)
    stage.told("No powered Bluetooth adapters", 1)
    stage.bluez.power(True)
    stage.told(CONNECTED, 4)

    stage.bluez.kill_bluetoothd()
    stage.told("has ended", 1)
    stage.told("is not running", 1)
    stage.bluez.start_bluetoothd()
    stage.told(CONNECTED, 5)

    time.sleep(5)
    assert stage.end() == 0
    assert not any("Traceback" in line or "exception" in line for line in stage.said)

    events = list(Recording(out).events())
    turns = [type(event) for event in events if isinstance(event, LinkUp | LinkDown)]
    assert turns.count(LinkUp) == 5
    frames = [e.payload for e in events if isinstance(e, Notification) and e.characteristic == DATA]
    stamps = [(frame[0], int.from_bytes(frame[1:9], "little")) for frame in frames]
    assert stamps
    assert max(Counter(stamps).values()) == 1, "a frame came twice"
    _no_frame_is_lost_while_the_link_holds(events)
    rates = [e.t_ns for e in events if isinstance(e, Notification) and e.characteristic == full_uuid("2a37")]
    assert len(rates) <= (events[-1].t_ns - events[0].t_ns) / 1e9 + 1, "more than one a second"


def _no_frame_is_lost_while_the_link_holds(events: list[Any]) -> None:
    before: int | None = None
    for event in events:
        if isinstance(event, LinkDown):
            before = None
        elif isinstance(event, Notification) and event.characteristic == DATA and event.payload[0] == 0:
            now = int.from_bytes(event.payload[1:9], "little")
            assert before is None or abs(now - before - FRAME / FS_HZ * 1e9) < 2
            before = now


def test_a_strap_that_falls_silent_is_taken_up_again(stage: Stage) -> None:
    strap = stage.sensor(H10(), 0x15)
    stage.start("run", "--device", strap.name, "--json")
    stage.told(CONNECTED, 1)
    strap.fall_silent()
    stage.told("no data for 10 s")
    strap.speak()
    stage.told(CONNECTED, 2)
    stage.heard(strap, "beat", 3)
    assert stage.end() == 0


def test_a_ghost_of_a_reader_that_was_killed_is_closed(stage: Stage) -> None:
    strap = stage.sensor(H10(), 0x12)
    stage.start("run", "--device", strap.name, "--json")
    stage.told(CONNECTED)
    stage.heard(strap, "beat", 3)
    stage.end(signal.SIGKILL)
    assert strap.connections, "BlueZ keeps the link of a process that died"
    stage.start("run", "--device", strap.name, "--json")
    stage.told(CONNECTED)
    stage.heard(strap, "beat", 5)
    assert stage.end() == 0
    with open_store(stage.folder / "data" / "vitalkeep").reader() as db:
        lost = db.conn.execute("SELECT DISTINCT reason FROM gaps WHERE channel IS NULL").fetchall()
        assert set(lost) <= {(GapReason.LINK_LOST.value,)}


def test_a_sensor_that_wants_a_bond_gets_one_and_is_known_by_it_again(stage: Stage) -> None:
    oximeter = stage.sensor(Oximeter(), 0x23, wants=ENCRYPTED)
    stage.start("run", "--device", oximeter.name, "--json")
    stage.told(CONNECTED, 1)
    assert oximeter.bonded
    oximeter.drop()
    stage.told(CONNECTED, 2)
    assert oximeter.bonded
    assert stage.end() == 0


def test_a_sensor_that_has_lost_its_bond_gets_another(stage: Stage) -> None:
    oximeter = stage.sensor(Oximeter(), 0x24, wants=ENCRYPTED)
    stage.start("run", "--device", oximeter.name, "--json")
    stage.told(CONNECTED, 1)
    oximeter.forget_bonds()
    oximeter.drop()
    stage.told(CONNECTED, 2)
    assert oximeter.bonded
    assert stage.end() == 0


def test_a_sensor_with_a_code_is_paired_with_by_its_code_and_by_no_other(stage: Stage) -> None:
    thermometer = stage.sensor(Thermometer(), 0x34, wants=WITH_CODE, code=123456)
    stage.start("run", "--device", thermometer.name, "--json")
    stage.told("vitalkeep pair")
    assert stage.end() == 0
    assert stage.do("pair", thermometer.name) == 1
    assert stage.do("pair", thermometer.name, "--code", "654321") == 1
    assert not thermometer.bonded
    assert stage.do("pair", thermometer.name, "--code", "123456") == 0
    assert thermometer.bonded
    assert stage.do("pair", thermometer.name) == 0
    stage.start("run", "--device", thermometer.name, "--json")
    stage.told(CONNECTED)
    assert stage.end() == 0


def _names(stage: Stage) -> set[str]:
    return {row["name"] for row in stage.rows}
