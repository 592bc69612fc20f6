"""A virtual sensor is found, connected to and read as a real one: through a real BleakClient, into the store."""

from __future__ import annotations

import asyncio
import math
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from bleak import BleakClient
from bumble.device import Advertisement, Device
from bumble.hci import Address
from bumble.transport import open_transport

from device_pipeline.config import Config, Limits
from device_pipeline.store import derived, raw
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import Ended, SessionKind
from sensors.link import Device as Sensor
from sensors.link import Event, LinkDown, Notification
from sensors.profiles.heart_rate import HeartRateMeasurement
from sensors.profiles.polar_pmd_control import CONTROL, START_H10_ACC, START_H10_ECG, Command, Opcode
from sensors.recording import Recording
from sensors.samples import Gap, GapReason, Item, Kind, Quantity, Reading, Samples
from sensors.wire import Cursor
from tests.architecture.process import NETWORKED, modules_after
from tests.fakes.bumble_backend import backend_on
from tests.fakes.bumble_link import LIMIT_S, BumbleLink
from tests.vitalkeep.command import RECORDINGS, end, start, vitalkeep
from vitalkeep.cli import live
from vitalkeep.cli.live import LivePlan
from vitalkeep.cli.simulate import KINDS
from vitalkeep.session import hold_session
from vitalkeep.simulate.__main__ import ADDRESSES
from vitalkeep.simulate.air import Air
from vitalkeep.simulate.catalog import PERIPHERALS
from vitalkeep.simulate.h10 import ACC_FRAME, ACC_FS_HZ, BPM, FRAME, FS_HZ, H10, movement_mg
from vitalkeep.simulate.heart import Electrode, beats_s
from vitalkeep.simulate.oximeter import OFF_FINGER_S, Oximeter, continuous
from vitalkeep.simulate.peripheral import Pace, Peripheral, appear, replay
from vitalkeep.simulate.thermometer import measurement

T = TypeVar("T")
S = 1_000_000_000
STARTED_NS = 1_767_596_400 * S
ADDRESS = "F0:00:00:00:00:10"
STOP_ECG = Command(Opcode.STOP, 0).encode()


def in_the_air(peripheral: Peripheral, do: Callable[[Device, Device, Pace], Awaitable[T]], play: bool = True) -> T:
    """Runs `do(central, sensor, pace)` beside a sensor that plays 10 times as fast."""

    async def both() -> T:
        air = Air()
        sensor = air.device(peripheral.name, ADDRESS)
        central = air.device("central", "C0:00:00:00:00:01")
        await central.power_on()
        await appear(sensor, peripheral)
        pace = Pace(10.0)
        playing = asyncio.create_task(peripheral.play(sensor, pace)) if play else None
        try:
            async with asyncio.timeout(3 * LIMIT_S):
                return await do(central, sensor, pace)
        finally:
            if playing is not None:
                playing.cancel()
                with suppress(asyncio.CancelledError):
                    await playing

    return asyncio.run(both())


async def notified(central: Device, uuid: str, count: int) -> list[bytes]:
    """The first values of a characteristic."""
    values: asyncio.Queue[bytes] = asyncio.Queue()
    async with BleakClient(ADDRESS, backend=backend_on(central)) as client:
        await client.start_notify(uuid, lambda _, value: values.put_nowait(bytes(value)))
        return [await asyncio.wait_for(values.get(), LIMIT_S) for _ in range(count)]


def test_the_command_knows_every_sensor_of_the_catalogue() -> None:
    assert list(KINDS) == list(PERIPHERALS) == list(ADDRESSES)
    assert len(set(ADDRESSES.values())) == len(ADDRESSES)


@pytest.mark.parametrize("kind", list(PERIPHERALS))
def test_a_sensor_is_found_by_its_name_and_services(kind: str) -> None:
    peripheral = PERIPHERALS[kind]()

    async def find(central: Device, _: Device, __: Pace) -> bytes:
        found: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def seen(advertisement: Advertisement) -> None:
            data = bytes(advertisement.data)
            if peripheral.name.encode() in data and not found.done():
                found.set_result(data)

        central.on(central.EVENT_ADVERTISEMENT, seen)
        await central.start_scanning()
        return await asyncio.wait_for(found, LIMIT_S)

    data = in_the_air(peripheral, find, play=False)
    first = peripheral.services[0].uuid.to_bytes()
    assert first in data


def test_a_chest_strap_goes_through_bleak_and_the_pipeline_into_the_store(tmp_path: Path) -> None:
    commands = (START_H10_ECG.encode(), START_H10_ACC.encode())
    store = open_store(tmp_path / "store")

    async def hold(central: Device, _: Device, pace: Pace) -> None:
        link = BumbleLink(central, Sensor("H10", ADDRESS), commands, 160, STARTED_NS, lambda: pace.due_s)
        with store.writer() as writer:
            writer.begin_session(SessionKind.LIVE, "H10", "0")
            await hold_session(link, Limits(), writer, ())

    in_the_air(H10(), hold)
    with store.reader() as db:
        items = list(raw.read_items(db, 1))
        beats = [beat for beat in derived.beats(db, 1) if beat.source.value == "ecg"]
        (session,) = derived.sessions(db)
    assert session.source == "H10"
    assert [item for item in items if isinstance(item, Gap)] == []
    blocks = [item for item in items if isinstance(item, Samples) and item.kind is Kind.ECG]
    # every sample that was sent, in order, from the frame on that followed the start
    got = np.concatenate([block.values for block in blocks]) * 1000
    sent = Electrode(FS_HZ, BPM).next_uv(60 * 100)
    first = next(k for k in range(0, len(sent), FRAME) if np.array_equal(sent[k : k + FRAME], np.rint(got[:FRAME])))
    assert np.array_equal(np.rint(got), sent[first : first + len(got)])
    assert len(got) >= 30 * FRAME
    assert {item.fs_hz for item in items if isinstance(item, Samples) and item.kind is Kind.ACC} == {ACC_FS_HZ}
    acc = np.concatenate([item.values for item in items if isinstance(item, Samples) and item.kind is Kind.ACC])
    frames = [movement_mg(k * ACC_FRAME) for k in range(600)]
    at = next(k for k, frame in enumerate(frames) if np.array_equal(frame, np.rint(acc[:ACC_FRAME] * 1000)))
    assert np.array_equal(np.rint(acc * 1000), np.concatenate(frames[at : at + len(acc) // ACC_FRAME]))
    assert len(acc) >= 70 * ACC_FRAME
    # and its beats
    assert abs(len(beats) - _beats_between(first, len(got))) <= 2
    rr = [item.value for item in items if isinstance(item, Reading) and item.quantity is Quantity.RR]
    assert rr and all(60_000 / BPM * 0.95 < value < 60_000 / BPM * 1.05 for value in rr)


def _beats_between(first: int, n: int) -> int:
    count = 0
    for beat_s in beats_s(BPM):
        if beat_s >= (first + n) / FS_HZ:
            return count
        count += beat_s >= first / FS_HZ
    raise AssertionError


def test_the_control_point_answers_as_a_strap_does() -> None:
    strap = H10()
    asked = [
        (Command(Opcode.START, 1).encode(), "f0020103"),
        (Command(Opcode.SETTINGS, 2).encode(), "f00102000000" + "01c800" + "01011000" + "02010800"),
        (Command(Opcode.SETTINGS, 0).encode(), "f00100000000018200" + "01010e00"),
        (START_H10_ECG.encode(), "f002000000"),
        (START_H10_ECG.encode(), "f0020006"),
        (STOP_ECG, "f003000000"),
        (STOP_ECG, "f0030006"),
        (b"\x09\x00", "f0090001"),
    ]

    async def ask(central: Device, _: Device, __: Pace) -> tuple[bytes, list[str], set[int]]:
        answers: asyncio.Queue[bytes] = asyncio.Queue()
        async with BleakClient(ADDRESS, backend=backend_on(central)) as client:
            features = bytes(await client.read_gatt_char(CONTROL))
            await client.start_notify(CONTROL, lambda _, value: answers.put_nowait(bytes(value)))
            got = []
            for command, _answer in asked:
                await client.write_gatt_char(CONTROL, command, response=True)
                got.append((await asyncio.wait_for(answers.get(), LIMIT_S)).hex())
            await client.write_gatt_char(CONTROL, START_H10_ECG.encode(), response=True)
            running = set(strap.streams)
        return features, got, running

    features, got, running = in_the_air(strap, ask, play=False)
    assert features[:2] == b"\x0f\x05"
    assert got == [answer for _, answer in asked]
    assert running == {0}
    assert strap.streams == frozenset()  # the link has gone


def test_an_oximeter_notifies_saturation_and_pulse() -> None:
    values = in_the_air(PERIPHERALS["oximeter"](), lambda central, *_: notified(central, "2a5f", 4))
    all_of_them = [continuous(second) for second in range(1, 600)]
    at = all_of_them.index(values[0])
    assert [value in all_of_them[at : at + 80] for value in values] == [True] * 4
    cursor = Cursor(continuous(7))
    assert cursor.u8() == 0x18
    assert cursor.sfloat() == pytest.approx(97, abs=1)
    assert cursor.left == 2 + 3 + 2


def test_a_thermometer_indicates_a_temperature() -> None:
    values = in_the_air(PERIPHERALS["thermometer"](), lambda central, *_: notified(central, "2a1c", 3))
    assert set(values) <= {measurement(count) for count in range(5)}
    cursor = Cursor(values[0])
    assert cursor.u8() == 4
    assert cursor.float32() == pytest.approx(36.8, abs=0.2)
    assert cursor.u8() == 2


def run_on(peripheral: Peripheral, count: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Item]:
    """`vitalkeep run --device` on a virtual sensor, for that many notifications; what is in the store then."""

    class Held:
        """In place of the link to a true radio."""

        def __init__(self, _: object, target: str, **named: object) -> None:
            self.device = Sensor(target, ADDRESS)

        async def __aiter__(self) -> AsyncIterator[Event]:
            air = Air()
            sensor, central = air.device(peripheral.name, ADDRESS), air.device("central", "C0:00:00:00:00:01")
            await central.power_on()
            await appear(sensor, peripheral)
            pace = Pace(40.0)
            playing = asyncio.create_task(peripheral.play(sensor, pace))
            try:
                async for event in BumbleLink(central, self.device, (), count, STARTED_NS, lambda: pace.due_s):
                    yield event
            finally:
                playing.cancel()
                with suppress(asyncio.CancelledError):
                    await playing

        async def close(self) -> None: ...

    monkeypatch.setattr(live, "BleakLink", Held)
    monkeypatch.setattr(live, "Radio", lambda _: None)
    plan = LivePlan((peripheral.name,), folder / "store", view=False, as_json=False, on_alert=(), config=Config())
    assert live.carry_out(plan) == 0
    with open_store(folder / "store").reader() as db:
        (session,) = derived.sessions(db)
        assert (session.source, session.ended) == (peripheral.name, Ended.CLEAN)
        return list(raw.read_items(db, session.id))


def test_an_oximeter_is_run_into_the_store_and_a_finger_that_is_out_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = run_on(Oximeter(), 70, tmp_path, monkeypatch)
    spo2, pulse, perfusion = (
        [i for i in items if isinstance(i, Reading) and i.channel == channel]
        for channel in ("spo2", "pulse_rate", "perfusion")
    )
    gaps = [item for item in items if isinstance(item, Gap)]
    assert {(reading.quantity, 96 <= reading.value <= 98) for reading in spo2} == {(Quantity.SPO2, True)}
    assert {(reading.quantity, 63 <= reading.value <= 69) for reading in pulse} == {(Quantity.PULSE_RATE, True)}
    assert {reading.value for reading in perfusion} == {4.2}
    assert len(spo2) == len(pulse) == len(perfusion)
    # each second is either a reading or a gap that says why, and in which minute the finger was out was no choice
    off = [gap for gap in gaps if gap.channel == "spo2"]
    assert {gap.reason for gap in gaps} == {GapReason.OFF_BODY}
    assert {gap.channel for gap in gaps} == {"spo2", "pulse_rate", "perfusion"}
    assert len(spo2) + len(off) == 70
    assert [(gap.end_ns - STARTED_NS) // S % 60 for gap in off[:5]] == list(OFF_FINGER_S)
    assert all(gap.end_ns - gap.start_ns == S for gap in off)
    for reading in spo2:
        second = (reading.t_ns - STARTED_NS) // S
        assert reading.value == 97 + round(math.sin(2 * math.pi * second / 60))


def test_a_thermometer_is_run_into_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = run_on(PERIPHERALS["thermometer"](), 12, tmp_path, monkeypatch)
    readings = [item for item in items if isinstance(item, Reading)]
    assert len(readings) == len(items) == 12
    assert {(reading.channel, reading.quantity) for reading in readings} == {("temperature", Quantity.TEMPERATURE)}
    assert {reading.value for reading in readings} == {36.6, 36.7, 36.8, 36.9, 37.0}
    assert {after.t_ns - before.t_ns for before, after in pairwise(readings)} == {2 * S}


def test_a_cuff_is_run_into_the_store_and_what_movement_spoilt_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = run_on(PERIPHERALS["cuff"](), 8, tmp_path, monkeypatch)
    gaps = [item for item in items if isinstance(item, Gap)]
    channels = ("systolic", "diastolic", "mean_pressure", "pulse_rate_cuff")
    assert [(gap.channel, gap.reason) for gap in gaps] == [(name, GapReason.POOR_SIGNAL) for name in channels] * 2
    for channel, least in zip(channels, (118, 76, 90, 66), strict=True):
        values = [item.value for item in items if isinstance(item, Reading) and item.channel == channel]
        assert len(values) == 6
        assert all(least <= value <= least + 4 for value in values)


def test_a_glucose_monitor_is_run_into_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = run_on(PERIPHERALS["cgm"](), 3, tmp_path, monkeypatch)
    readings = [item for item in items if isinstance(item, Reading)]
    assert [reading.quantity for reading in readings] == [Quantity.GLUCOSE] * 3 and len(items) == 3
    assert all(80 <= reading.value <= 140 for reading in readings)
    assert {after.t_ns - before.t_ns for before, after in pairwise(readings)} == {60 * S}


def test_a_lost_link_is_seen_and_the_sensor_is_there_again() -> None:
    async def lose(central: Device, sensor: Device, pace: Pace) -> int:
        link = BumbleLink(central, Sensor("H10", ADDRESS), (), 1000, STARTED_NS, lambda: pace.due_s)
        seen = 0
        async for event in link:
            seen += 1
            if seen == 3:
                (connection,) = sensor.connections.values()
                await connection.disconnect()
            if isinstance(event, LinkDown):
                break
        assert len(await notified(central, "2a37", 2)) == 2
        return seen

    assert in_the_air(H10(), lose) >= 3


def test_a_recording_is_played_as_it_was(tmp_path: Path) -> None:
    strap = H10()
    recording = Recording(RECORDINGS / "rr_strap.jsonl.gz")

    async def play(central: Device, sensor: Device, _: Pace) -> list[bytes]:
        playing = asyncio.create_task(replay(sensor, strap, recording.events(), Pace(200.0)))
        values = await notified(central, "2a37", 40)
        playing.cancel()
        return values

    values = in_the_air(strap, play, play=False)
    sent = [event.payload for event in recording.events() if isinstance(event, Notification)]
    sent = [payload for payload in sent if len(payload) > 1]  # battery is another characteristic
    assert values == sent[:40]
    assert all(HeartRateMeasurement.decode(value).hr_bpm for value in values[5:])


# -- the command


def test_the_list_names_every_sensor(tmp_path: Path) -> None:
    done = vitalkeep(tmp_path, "simulate", "--list")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == list(PERIPHERALS)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "which sensor?"),
        (("toaster",), 2, "toaster"),
        (("h10", "--transport", "tcp-client:example.org:1"), 2, "expected one of vhci"),
        (("h10", "--speed", "0"), 2, "speed"),
        (("h10", "--replay", "none.jsonl"), 1, "none.jsonl"),
        (("h10", "--transport", "unix:none/there"), 1, "vitalkeep: unix:none/there: No such file"),
        (("h10", "--transport", "serial:none/there"), 1, "vitalkeep: serial:none/there"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(arguments: tuple[str, ...], code: int, told: str, tmp_path: Path) -> None:
    done = vitalkeep(tmp_path, "simulate", *arguments)
    assert done.code == code
    assert told in done.err
    assert "Traceback" not in done.err


def test_the_command_is_a_sensor_until_it_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "hci"
    process = start(tmp_path, "simulate", "oximeter", "--transport", f"unix-server:{path}", "--speed", "10")
    assert process.stdout is not None
    assert "Virtual Oximeter at F0:00:00:00:00:20" in process.stdout.readline()

    async def listen() -> list[bytes]:
        transport = await open_transport(f"unix-client:{path}")
        try:
            central = Device.with_hci("central", Address("C0:00:00:00:00:01"), transport.source, transport.sink)
            await central.power_on()
            values: asyncio.Queue[bytes] = asyncio.Queue()
            async with BleakClient(ADDRESSES["oximeter"], backend=backend_on(central)) as client:
                await client.start_notify("2a5f", lambda _, value: values.put_nowait(bytes(value)))
                return [await asyncio.wait_for(values.get(), LIMIT_S) for _ in range(3)]
        finally:
            await transport.close()

    try:
        values = asyncio.run(listen())
    finally:
        done = end(process, signal.SIGTERM)
    assert len(values) == 3 and all(value[0] == 0x18 for value in values)
    assert (done.code, done.err) == (0, "")


def test_the_sensor_knows_no_store_and_opens_no_network(tmp_path: Path) -> None:
    loaded = modules_after("__import__('vitalkeep.simulate.__main__') and 0", tmp_path)
    assert "bumble.device" in loaded
    assert not loaded & (NETWORKED - {"bumble"})
    assert not any(name.startswith("device_pipeline") for name in loaded)
