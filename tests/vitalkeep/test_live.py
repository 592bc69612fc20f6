"""The commands that hold a device, as their user has them: in processes of their own, beside a false org.bluez."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device_pipeline.store import derived
from device_pipeline.store.store import open_store
from sensors.link import LinkDown, LinkUp, Notification
from sensors.recording import Recording
from sensors.samples import GapReason
from tests.fakes.bluez import FakeBluez, Peripheral, PrivateBus, dbus_daemon, private_bus
from tests.fakes.h10 import BATTERY, ECG, HEART_RATE, FakeH10
from tests.vitalkeep.command import PROGRAM, Done, home, vitalkeep

if dbus_daemon() is None:
    pytest.skip("dbus-daemon is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def bus() -> Iterator[PrivateBus]:
    with private_bus() as bus:
        yield bus


class Stage:
    """The false BlueZ with a strap, and a command that runs beside it."""

    def __init__(self, bus: PrivateBus, folder: Path) -> None:
        self.bluez = FakeBluez(bus.address)
        self.strap = FakeH10(self.bluez)
        self.folder = folder
        self._environment = home(folder, {"DBUS_SYSTEM_BUS_ADDRESS": bus.address})
        self._process: Process | None = None

    async def start(self, *arguments: object) -> None:
        command = [*PROGRAM, *map(str, arguments)]
        self._process = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=self._environment, stdout=PIPE, stderr=PIPE
        )

    async def streaming(self, strap: FakeH10 | None = None) -> None:
        await self.bluez.until(lambda: (strap or self.strap).streaming, 90)

    async def beats(self, strap: FakeH10, *rr_1024: int) -> None:
        """One by one; on return the command has had them all."""
        for rr in rr_1024:
            strap.beat(rr)
        await self.heard(strap)

    async def heard(self, strap: FakeH10) -> None:
        """The command has had all that was sent: it answers to what came last."""
        strap.stops_by_itself(ECG)
        await self.streaming(strap)

    async def told(self, line: str) -> None:
        """Until it has said so on standard error."""
        assert self._process is not None
        assert self._process.stderr is not None
        async with asyncio.timeout(90):
            while line not in (said := (await self._process.stderr.readline()).decode()):
                assert said, f"it ended without saying {line!r}"

    async def end(self, number: signal.Signals | None = signal.SIGINT) -> Done:
        assert self._process is not None
        if number is not None:
            self._process.send_signal(number)
        out, err = await asyncio.wait_for(self._process.communicate(), 90)
        return Done(self._process.returncode or 0, out.decode(), err.decode())

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()
        await self.bluez.stop()


def played(bus: PrivateBus, folder: Path, scene: Callable[[Stage], Awaitable[Any]]) -> Any:
    async def play() -> Any:
        stage = Stage(bus, folder)
        await stage.bluez.start()
        try:
            return await scene(stage)
        finally:
            await stage.close()

    return asyncio.run(play())


def test_two_devices_are_held_at_once_each_in_a_session_of_its_own(bus: PrivateBus, tmp_path: Path) -> None:
    """With an outage of one of them, which is stored with its reason and does not touch the other."""

    async def scene(stage: Stage) -> Done:
        other = FakeH10(stage.bluez, "A0:9E:1A:00:00:02", "Polar H10 00000002")
        await stage.start("run", "--device", stage.strap.device.name, "--device", other.device.address)
        await stage.streaming()
        await stage.streaming(other)
        await stage.beats(stage.strap, 1000, 1001)
        await stage.beats(other, 900)
        stage.bluez.drop(stage.strap.device)
        await stage.told("the connection was lost")
        await stage.streaming()
        await stage.beats(stage.strap, 1002)
        await stage.beats(other, 901)
        return await stage.end()

    done = played(bus, tmp_path, scene)
    assert done.code == 0, done.err
    assert "1 outage," in done.out
    with open_store(tmp_path / "data" / "vitalkeep").reader() as db:
        second, first = derived.sessions(db)
        assert (first.source, second.source) == ("Polar H10 00000001", "A0:9E:1A:00:00:02")
        assert {session.kind.value for session in (first, second)} == {"live"}
        assert {str(session.ended) for session in (first, second)} == {"clean"}
        rr = [
            [row[0] for row in db.conn.execute(
                "SELECT value FROM readings WHERE session_id = ? AND quantity = 'rr_ms' ORDER BY seq", (session.id,)
            )]
            for session in (first, second)
        ]  # fmt: skip
        assert rr == [[n * 1000 / 1024 for n in of] for of in ((1000, 1001, 1002), (900, 901))]
        lost = db.conn.execute("SELECT session_id, reason FROM gaps WHERE channel IS NULL").fetchall()
        assert set(lost) == {(first.id, GapReason.LINK_LOST.value)}


def test_a_stopped_run_leaves_the_strap_asleep(bus: PrivateBus, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> tuple[Done, Stage]:
        await stage.start("run", "--device", stage.strap.device.address, "--json")
        await stage.streaming()
        await stage.told("connected")
        done = await stage.end(signal.SIGTERM)
        assert not stage.strap.device.connected
        return done, stage

    done, stage = played(bus, tmp_path, scene)
    assert done.code == 0, done.err
    assert [data for _, data in stage.strap.device.writes[-2:]] == [b"\x03\x00", b"\x03\x02"]
    assert all(row["device"] == stage.strap.device.address for row in done.rows())


def test_what_was_recorded_is_what_was_sent_and_can_be_replayed(bus: PrivateBus, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> Done:
        await stage.start("record", "--device", stage.strap.device.address, "strap.jsonl.gz")
        await stage.streaming()
        await stage.beats(stage.strap, 1000, 1001)
        stage.bluez.drop(stage.strap.device)
        await stage.told("the connection was lost")
        await stage.told("connected")
        await stage.streaming()
        await stage.beats(stage.strap, 1002)
        stage.strap.ecg(10**9)
        stage.bluez.notify(stage.strap.device, BATTERY, b"\x11")
        await stage.heard(stage.strap)
        return await stage.end()

    done = played(bus, tmp_path, scene)
    assert done.code == 0, done.err
    recording = Recording(tmp_path / "strap.jsonl.gz")
    assert (recording.device.name, recording.device.address) == ("Polar H10 00000001", None)
    events = list(recording.events())
    payloads = [
        event.payload for event in events if isinstance(event, Notification) and event.characteristic == HEART_RATE
    ]
    assert payloads == [bytes((0x16, 60)) + rr.to_bytes(2, "little") for rr in (1000, 1001, 1002)]
    turns = [event for event in events if isinstance(event, LinkDown | LinkUp)]
    assert [type(event) for event in turns] == [LinkUp, LinkDown, LinkUp]
    assert f"{sum(isinstance(event, Notification) for event in events)} notifications" in done.out
    assert vitalkeep(tmp_path, "run", "--replay", "strap.jsonl.gz", "--speed", "max").code == 0


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "strap.jsonl"
    out.write_text("mine")
    done = vitalkeep(tmp_path, "record", "--device", "X", out)
    assert (done.code, out.read_text()) == (1, "mine")
    assert "not overwritten" in done.problem()


def test_a_device_that_was_never_there_leaves_no_recording(bus: PrivateBus, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> Done:
        await stage.start("record", "--device", "Nobody", "--seconds", "0.5", "nobody.jsonl")
        return await stage.end(None)

    done = played(bus, tmp_path, scene)
    assert done.code == 1
    assert "Nobody: never there" in done.err
    assert not (tmp_path / "nobody.jsonl").exists()


def test_a_scan_tells_what_each_can_give_the_best_heard_first(bus: PrivateBus, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> tuple[Done, Done]:
        stage.strap.device.rssi_dbm = -71
        nearer = FakeH10(stage.bluez, "A0:9E:1A:00:00:02", "Nearer")
        nearer.device.rssi_dbm = -40
        stage.bluez.add(Peripheral("C0:00:00:00:00:01", "Lamp", {"00001815-0000-1000-8000-00805f9b34fb": {}}))
        await stage.start("scan", "--seconds", "1", "--json")
        as_json = await stage.end(None)
        await stage.start("scan", "--seconds", "1")
        return as_json, await stage.end(None)

    as_json, as_text = played(bus, tmp_path, scene)
    assert [(row["name"], row["rssi_dbm"]) for row in as_json.rows()] == [("Nearer", -40), ("Polar H10 00000001", -71)]
    assert "heart rate, RR intervals" in json.dumps(as_json.rows()[0]["gives"])
    assert as_text.out.index("Nearer") < as_text.out.index("Polar H10 00000001")
    assert "Lamp" not in as_text.out
    assert "1 other devices" in as_text.out


def test_without_a_system_bus_a_scan_says_so(tmp_path: Path) -> None:
    nowhere = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/no"}
    done = vitalkeep(tmp_path, "scan", "--seconds", "1", extra=nowhere)
    assert done.code == 1
    assert "Bluetooth cannot be used" in done.problem()


def test_a_sensor_is_paired_with_by_its_code(bus: PrivateBus, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> list[Done]:
        device = stage.strap.device
        device.wants_bond, device.code = True, "123456"
        done = []
        for more in ([], ["--code", "654321"], ["--code", "123456"], [], ["--anew", "--code", "123456"]):
            await stage.start("pair", device.name, *more)
            done.append(await stage.end(None))
        return done

    none, wrong, right, again, anew = played(bus, tmp_path, scene)
    assert [done.code for done in (none, wrong, right, again, anew)] == [1, 1, 0, 0, 0]
    assert "it wants a code: give it with --code" in none.problem()
    assert "a wrong code" in wrong.problem()
    assert "123456" not in none.err + wrong.err
    assert right.out == "Polar H10 00000001: paired\n"
    assert "was paired before" in again.out


def test_a_sensor_that_is_not_in_reach_is_not_paired_with(bus: PrivateBus, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> Done:
        await stage.start("pair", "Nobody", "--seconds", "1")
        return await stage.end(None)

    done = played(bus, tmp_path, scene)
    assert done.code == 1
    assert "Nobody: not in reach" in done.problem()


def test_a_system_bus_on_a_network_is_refused_in_words(tmp_path: Path) -> None:
    away = {"DBUS_SYSTEM_BUS_ADDRESS": "tcp:host=127.0.0.1,port=1"}
    done = vitalkeep(tmp_path, "scan", "--seconds", "1", extra=away)
    assert done.code == 1
    assert "expected unix" in done.problem()


@pytest.mark.parametrize(
    "arguments",
    [
        ["pair"],
        ["pair", "a", "--code", ""],
        ["pair", "a", "--code", "x" * 17],
        ["scan", "--adapter", "../../x"],
        ["run", "--replay", "b", "--adapter", "hci0"],
    ],
)
def test_what_cannot_be_meant_of_pairing_and_adapters_is_wrong_usage(arguments: list[str], tmp_path: Path) -> None:
    assert vitalkeep(tmp_path, *arguments).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--device", "a", "--replay", "b"],
        ["--device", "a", "--device", "A"],
        ["--device", "a", "--device", "b", "--view"],
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(arguments: list[str], tmp_path: Path) -> None:
    assert vitalkeep(tmp_path, "run", *arguments).code == 2
