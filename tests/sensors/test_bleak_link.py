"""Real bleak against a false org.bluez on a bus of its own: what goes wrong in the field, and that it is put right."""

from __future__ import annotations

import asyncio
import gc
import itertools
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest

from sensors.clock import ArrivalClock
from sensors.link import Event, LinkDown, LinkUp, Notification, Tick
from sensors.patience import Patience
from sensors.profile import full_uuid
from sensors.profiles import o2ring
from sensors.profiles.heart_rate import HeartRateProfile
from sensors.profiles.movesense import SERVICE, WRITE, MovesenseProfile
from sensors.profiles.o2ring import LIVE, LiveValues, O2RingProfile, Reply, Request
from sensors.profiles.polar_pmd import DATA
from sensors.profiles.polar_pmd_control import CONTROL, START_H10_ACC, START_H10_ECG
from sensors.reader import Reader
from sensors.samples import Gap, GapReason
from tests.fakes.bluez import FakeBluez, Peripheral, PrivateBus, dbus_daemon, private_bus
from tests.fakes.h10 import ACC, BATTERY, ECG, HEART_RATE, FakeH10

pytest.importorskip("bleak", reason="bleak is not installed")
if dbus_daemon() is None:
    pytest.skip("dbus-daemon is not installed", allow_module_level=True)

from sensors.bleak_link import BleakLink, Radio

# Retries and ticks at once, the watchdog only where a test asks for it.
QUICK = Patience(silent_s=60.0, find_s=120.0, first_retry_s=0.02, longest_retry_s=0.1, tick_s=0.02, answer_s=20.0)
WATCHFUL = Patience(silent_s=2.0, find_s=120.0, first_retry_s=0.02, longest_retry_s=0.1, tick_s=0.02, answer_s=20.0)
ABORTED = ("org.bluez.Error.Failed", "le-connection-abort-by-local")
CANCELED = ("org.bluez.Error.Failed", "br-connection-canceled")
IN_PROGRESS = ("org.bluez.Error.InProgress", "Operation already in progress")


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with private_bus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bus


class Rig:
    """The false BlueZ, a strap on it, and a link to the strap whose events are kept."""

    def __init__(self, bus: PrivateBus) -> None:
        self.bus = bus
        self.bluez = FakeBluez(bus.address)
        self.strap = FakeH10(self.bluez)
        self.radio = Radio()
        self.links: list[BleakLink] = []
        self.events: list[Event] = []
        self.note: Callable[[str], None] = lambda words: None
        self._news = asyncio.Event()
        self._readers: list[asyncio.Task[None]] = []

    def hold(
        self, target: str | None = None, patience: Patience = QUICK, clock: ArrivalClock | None = None
    ) -> BleakLink:
        target = target or self.strap.device.address
        link = BleakLink(self.radio, target, patience=patience, random=Random(7), clock=clock, note=self.note)
        self.links.append(link)
        self._readers.append(asyncio.create_task(self._keep(link)))
        return link

    async def _keep(self, link: BleakLink) -> None:
        async for event in link:
            self.events.append(event)
            self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def streaming(self) -> None:
        """Everything is subscribed to, both streams run, and the link has said so."""
        await self.bluez.until(lambda: self.strap.streaming, 60)
        await self.until(lambda: any(isinstance(event, LinkUp) for event in self.events))

    async def again(self) -> None:
        """The same after the link has been lost."""
        await self.until(self._back)
        await self.streaming()

    def _back(self) -> bool:
        turns = [event for event in self.events if isinstance(event, LinkDown | LinkUp)]
        return len(turns) > 1 and isinstance(turns[-1], LinkUp)

    async def lost(self, times: int) -> None:
        await self.until(lambda: len(self.reasons) >= times)

    async def beats(self, *rr_1024: int) -> None:
        """Sends them one by one, and sees the last one arrive."""
        for rr in rr_1024:
            self.strap.beat(rr)
        await self.until(lambda: self.heard()[-1:] == [rr_1024[-1]])

    def heard(self) -> list[int]:
        """The intervals that arrived, in order."""
        values = [HeartRateProfile().decode(event.payload) for event in self.of(HEART_RATE)]
        return [rr for value in values for rr in value.rr_1024]

    def of(self, uuid: str) -> list[Notification]:
        return [event for event in self.events if isinstance(event, Notification) and event.characteristic == uuid]

    @property
    def reasons(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, LinkDown)]

    def gaps(self) -> list[Gap]:
        """What the reader makes of the outages."""
        reader = Reader(self.links[0].device)
        items = [item for event in self.events for item in reader.push(event)] + reader.flush()
        return [item for item in items if isinstance(item, Gap) and item.channel is None]

    async def end(self) -> None:
        for link in self.links:
            await link.close()
        await asyncio.gather(*self._readers)
        await self.radio._relearn()
        await self.bluez.stop()


def played(bus: PrivateBus, scene: Callable[[Rig], Awaitable[None]]) -> Rig:
    """Plays a scene, and ends what it began."""

    async def play() -> Rig:
        rig = Rig(bus)
        await rig.bluez.start()
        try:
            await scene(rig)
        finally:
            await rig.end()
        return rig

    rig = asyncio.run(play())
    with warnings.catch_warnings():
        # a bus that died while bleak was introducing itself leaves its socket to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return rig


def in_order(events: list[Event]) -> bool:
    times = [event.t_ns for event in events]
    return times == sorted(times)


def test_all_that_is_known_is_read_and_subscribed_to_and_both_streams_run(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.hold()
        await rig.streaming()
        rig.strap.ecg(10**9)
        await rig.beats(1000, 1000, 1024)
        rig.strap.acc(10**9)
        await rig.until(lambda: len(rig.of(DATA)) == 2)

    rig = played(bus, scene)
    assert rig.heard() == [1000, 1000, 1024]
    assert [event.payload for event in rig.of(BATTERY)] == [b"\x57"]
    assert rig.of(CONTROL)[0].payload[:2] == b"\x0f\x05"
    assert rig.links[0].device.name == rig.strap.device.name
    assert rig.reasons == []
    assert in_order(rig.events)
    written = [data for _, data in rig.strap.device.writes]
    assert START_H10_ECG.encode() in written
    assert START_H10_ACC.encode() in written


def test_on_exit_the_streams_are_stopped_and_the_device_is_disconnected(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.hold()
        await rig.streaming()
        await rig.links[0].close()
        assert not rig.strap.device.connected

    rig = played(bus, scene)
    assert [data for _, data in rig.strap.device.writes[-2:]] == [bytes((3, ECG)), bytes((3, ACC))]
    assert rig.strap.device.disconnects == 1


def test_a_device_is_found_by_its_full_name_and_by_nothing_less(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        FakeH10(rig.bluez, "A0:9E:1A:00:00:02", "Polar H10 00000002")
        FakeH10(rig.bluez, "A0:9E:1A:00:00:03", "Polar H10")
        rig.hold("polar h10 00000001")
        await rig.streaming()
        assert rig.links[0].device.address == rig.strap.device.address

    played(bus, scene)


@pytest.mark.parametrize("error", [ABORTED, CANCELED])
def test_an_aborted_connection_is_tried_again(bus: PrivateBus, error: tuple[str, str]) -> None:
    async def scene(rig: Rig) -> None:
        rig.strap.device.connect_errors = [error] * 4
        rig.hold()
        await rig.streaming()
        await rig.beats(1000, 1001)

    rig = played(bus, scene)
    assert rig.heard() == [1000, 1001]
    assert rig.strap.device.connects == 1
    if error is CANCELED:  # the other one bleak deals with by itself
        assert rig.reasons == ["br-connection-canceled"]
        (gap,) = rig.gaps()[:1]
        assert gap.start_ns == rig.events[0].t_ns
        assert {gap.reason for gap in rig.gaps()} == {GapReason.LINK_LOST}


def test_a_scan_that_is_in_progress_is_tried_again(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.bluez.discovery_errors = [IN_PROGRESS] * 3
        rig.hold()
        await rig.streaming()

    rig = played(bus, scene)
    assert rig.reasons == ["Operation already in progress"]
    assert rig.bluez.power_cycles == 0


def test_a_scanner_that_is_stuck_gets_its_power_back_as_the_last_resort(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.bluez.discovery_errors = [IN_PROGRESS] * 5
        rig.hold()
        await rig.streaming()

    assert played(bus, scene).bluez.power_cycles == 1


def test_after_a_drop_nothing_comes_twice(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.hold()
        for times, first in enumerate((1000, 1100, 1200), 1):
            await rig.streaming()
            await rig.beats(*range(first, first + 12))
            rig.bluez.drop(rig.strap.device)
            await rig.lost(times)
        await rig.streaming()
        await rig.beats(1300)

    rig = played(bus, scene)
    assert rig.heard() == [*range(1000, 1012), *range(1100, 1112), *range(1200, 1212), 1300]
    assert rig.reasons == ["the connection was lost"] * 3
    assert in_order(rig.events)
    # no handle of one connection was used on the next
    assert rig.strap.device.connects == 4


def test_every_outage_is_a_gap_from_the_drop_to_the_return(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.hold()
        await rig.streaming()
        await rig.beats(1000)
        rig.strap.device.present = False
        rig.bluez.drop(rig.strap.device)
        await rig.until(lambda: sum(isinstance(event, Tick) for event in rig.events) >= 3)
        rig.strap.device.present = True
        await rig.again()
        await rig.beats(1001)

    rig = played(bus, scene)
    (down,) = (event for event in rig.events if isinstance(event, LinkDown))
    up = [event for event in rig.events if isinstance(event, LinkUp)][-1]
    gaps = rig.gaps()
    assert (gaps[0].start_ns, gaps[-1].end_ns) == (down.t_ns, up.t_ns)
    assert all(before.end_ns == after.start_ns for before, after in itertools.pairwise(gaps))


def test_a_silent_device_is_lost_and_taken_up_again(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.hold(patience=WATCHFUL)
        await rig.streaming()
        await rig.beats(1000, 1001)
        await rig.until(lambda: bool(rig.reasons))
        await rig.again()
        await rig.beats(1002)

    rig = played(bus, scene)
    assert rig.heard() == [1000, 1001, 1002]
    assert rig.reasons[0] == "no data for 2 s"
    assert rig.strap.device.disconnects >= 1


def test_a_device_that_need_not_send_is_not_called_silent(bus: PrivateBus) -> None:
    """At twice the age that would end a strap's link."""

    async def scene(rig: Rig) -> None:
        cuff = Peripheral("A0:9E:1A:00:00:09", "Cuff", {full_uuid("180f"): {BATTERY: ("read", "notify")}})
        rig.bluez.add(cuff)
        rig.hold(cuff.address, WATCHFUL)
        await rig.bluez.until(lambda: rig.bluez.listens(cuff, BATTERY))
        await asyncio.sleep(2 * WATCHFUL.silent_s)
        rig.bluez.notify(cuff, BATTERY, b"\x40")
        await rig.until(lambda: bool(rig.of(BATTERY)) and rig.of(BATTERY)[-1].payload == b"\x40")

    assert played(bus, scene).reasons == []


def test_the_adapter_may_be_switched_off_and_on(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.hold()
        await rig.streaming()
        await rig.beats(1000)
        rig.bluez.power(False)
        await rig.until(lambda: len(rig.reasons) == 2)
        rig.bluez.power(True)
        await rig.again()
        await rig.beats(1001)

    rig = played(bus, scene)
    assert rig.heard() == [1000, 1001]
    assert rig.reasons[0] == "the connection was lost"
    assert "powered" in rig.reasons[1]


@pytest.mark.parametrize("known_again", [True, False])
def test_bluetoothd_may_be_restarted(bus: PrivateBus, known_again: bool) -> None:
    """It says nothing when it dies, and for bleak the device stays connected; the bus tells us at once."""

    async def scene(rig: Rig) -> None:
        rig.hold(patience=WATCHFUL)
        await rig.streaming()
        await rig.beats(1000)
        await rig.bluez.stop()
        await rig.until(lambda: any("not running" in reason for reason in rig.reasons))
        rig.strap.device.connects += 3  # other handles than before
        await rig.bluez.start()
        if known_again:
            rig.bluez.known(rig.strap.device)
        await rig.again()
        await rig.beats(1001, 1002)

    rig = played(bus, scene)
    assert rig.heard() == [1000, 1001, 1002]
    assert rig.reasons[0] == "the Bluetooth service (bluetoothd) has ended"
    # nothing was tried on what was there before the restart
    assert rig.strap.device.connects <= 6


def test_a_daemon_that_hangs_holds_nothing_up_for_good(bus: PrivateBus) -> None:
    patience = replace(WATCHFUL, connect_s=1.0, let_go_s=0.5, answer_s=0.5, pair_s=1.0)

    async def scene(rig: Rig) -> None:
        rig.radio = Radio(call_s=0.5)
        rig.hold(patience=patience)
        await rig.streaming()
        await rig.beats(1000)
        rig.bluez.mute = True
        await rig.until(lambda: "no answer in time" in rig.reasons)
        rig.bluez.mute = False
        await rig.until(lambda: rig.events[-1:] != [] and isinstance(rig.events[-1], Notification))
        await rig.again()
        await rig.beats(1001)

    assert played(bus, scene).heard() == [1000, 1001]


def test_the_system_bus_may_be_restarted(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.hold()
        await rig.streaming()
        await rig.beats(1000)
        rig.bus.stop()
        await rig.bluez.stop()
        await rig.until(lambda: any("no system bus" in reason for reason in rig.reasons))
        rig.bus.start()
        await rig.bluez.start()
        await rig.again()
        await rig.beats(1001)

    assert played(bus, scene).heard() == [1000, 1001]


def test_a_ghost_of_ours_is_closed_and_no_other_link_is_touched(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        other = FakeH10(rig.bluez, "A0:9E:1A:00:00:02", "Polar H10 00000002").device
        rig.bluez.haunt(other)
        rig.bluez.haunt(rig.strap.device)
        rig.hold()
        await rig.streaming()
        await rig.beats(1000)
        assert (other.connected, other.disconnects) == (True, 0)

    rig = played(bus, scene)
    assert rig.heard() == [1000]
    assert rig.strap.device.connects == 2


@pytest.mark.parametrize("missing", [HEART_RATE, BATTERY, CONTROL, DATA])
def test_without_one_characteristic_the_others_still_come(bus: PrivateBus, missing: str) -> None:
    async def scene(rig: Rig) -> None:
        device = rig.strap.device
        for characteristics in device.services.values():
            characteristics.pop(missing, None)
        device.services = {service: left for service, left in device.services.items() if left}
        rig.hold()
        await rig.until(lambda: bool(rig.events))
        if missing in (CONTROL, DATA):
            await rig.bluez.until(lambda: rig.bluez.listens(device, HEART_RATE))
            await rig.beats(1000)
        else:
            await rig.bluez.until(lambda: rig.strap.running == {ECG, ACC})
            rig.strap.ecg(10**9)
            await rig.until(lambda: bool(rig.of(DATA)))

    assert played(bus, scene).reasons == []


def test_a_characteristic_that_is_refused_takes_no_other_with_it(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.strap.device.refused[BATTERY] = ("org.bluez.Error.NotPermitted", "Read not permitted")
        rig.strap.refuses_streams = True
        rig.hold()
        await rig.bluez.until(lambda: rig.bluez.listens(rig.strap.device, HEART_RATE))
        await rig.beats(1000)

    assert played(bus, scene).reasons == []


def test_an_unknown_device_with_a_standard_service_just_works(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        services: dict[str, dict[str, tuple[str, ...]]] = {
            full_uuid("180d"): {HEART_RATE: ("notify",), full_uuid("2a39"): ("write",)}
        }
        unknown = rig.bluez.add(Peripheral("C0:00:00:00:00:01", "HW-9 (no name)", services))
        rig.hold(unknown.name)
        await rig.bluez.until(lambda: rig.bluez.listens(unknown, HEART_RATE))
        rig.bluez.notify(unknown, HEART_RATE, b"\x00\x48")
        await rig.until(lambda: bool(rig.of(HEART_RATE)))

    assert played(bus, scene).reasons == []


def test_a_ring_is_asked_again_and_again_and_a_movesense_once_until_goodbye(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        asked: list[bytes] = []

        def answer(uuid: str, data: bytes) -> None:
            asked.append(data)
            if data == Request(LIVE).encode():
                live = LiveValues(97, 72, 80, 0, 0, 6, 1, rest=b"\x00").encode()
                rig.bluez.notify(ring, O2RingProfile.characteristic, O2RingProfile().encode(Reply(0, 0, live)))

        ring = Peripheral(
            "C0:00:00:00:00:07",
            "O2Ring 0001",
            {o2ring.SERVICE: {o2ring.WRITE: ("write",), O2RingProfile.characteristic: ("notify",)}},
            on_write=answer,
        )
        told: list[bytes] = []
        movesense = Peripheral(
            "C0:00:00:00:00:08",
            "Movesense 0001",
            {SERVICE: {WRITE: ("write",), MovesenseProfile.characteristic: ("notify",)}},
            on_write=lambda uuid, data: told.append(data),
        )
        rig.bluez.add(ring)
        rig.bluez.add(movesense)
        links = [rig.hold(ring.address), rig.hold(movesense.address)]
        await rig.until(lambda: len(rig.of(O2RingProfile.characteristic)) >= 3)
        await rig.bluez.until(lambda: len(told) == 1, 60)
        for link in links:
            await link.close()
        assert set(asked) == {Request(LIVE).encode()}
        assert told == [b"\x01\x64" + b"/Meas/ECG/200", b"\x02\x64"]

    played(bus, scene)


def test_a_device_that_gives_nothing_says_what_it_has(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        lamp = Peripheral("C0:00:00:00:00:02", "Lamp", {full_uuid("1815"): {full_uuid("2a56"): ("write",)}})
        rig.bluez.add(lamp)
        rig.hold(lamp.address)
        await rig.until(lambda: bool(rig.reasons))

    assert full_uuid("2a56") in played(bus, scene).reasons[0]


@pytest.mark.parametrize("bonded", [False, True])
def test_services_of_another_firmware_are_forgotten_but_no_bond_is_given_up_for_that(
    bus: PrivateBus, bonded: bool
) -> None:
    async def scene(rig: Rig) -> None:
        device = rig.strap.device
        device.paired = bonded
        device.remembered = {full_uuid("1815"): {full_uuid("2a56"): ("write",)}}
        rig.hold()
        await rig.until(lambda: bool(rig.reasons))
        if bonded:
            await rig.bluez.until(lambda: device.connects == 3)
        else:
            await rig.streaming()

    rig = played(bus, scene)
    assert rig.strap.device.paired == bonded
    assert (rig.strap.device.remembered is None) != bonded


def test_a_device_that_wants_a_bond_gets_one(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.strap.device.wants_bond = True
        rig.hold()
        await rig.streaming()
        await rig.beats(1000)

    rig = played(bus, scene)
    assert rig.strap.device.paired
    assert rig.heard() == [1000]


def test_a_device_that_was_never_there_is_missing_from_the_beginning(bus: PrivateBus) -> None:
    asked = itertools.count()
    clock = ArrivalClock(lambda: next(asked), lambda: 0)
    patience = Patience(find_s=0.1, first_retry_s=0.02, longest_retry_s=0.1, tick_s=0.02, answer_s=20.0)

    async def scene(rig: Rig) -> None:
        rig.strap.device.present = False
        rig.hold(patience=patience, clock=clock)
        await rig.until(lambda: bool(rig.reasons))
        rig.strap.device.present = True
        await rig.again()

    rig = played(bus, scene)
    assert rig.reasons == ["not in reach"]
    assert in_order(rig.events)
    # the clock counts how often it was asked: first when it was made, then when the link began
    assert rig.events[0] == LinkDown(1, "not in reach")
    assert rig.gaps()[0].start_ns == 1


def test_a_stream_that_the_device_stopped_is_started_again(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.hold(patience=Patience(silent_s=4.0, tick_s=0.02, answer_s=20.0))
        await rig.streaming()
        rig.strap.stops_by_itself(ECG)
        await rig.bluez.until(lambda: rig.strap.streaming)
        await rig.beats(1000)

    rig = played(bus, scene)
    assert rig.reasons == []
    assert sum(data[:2] == bytes((2, ECG)) for _, data in rig.strap.device.writes) == 2


def test_a_stream_that_fell_silent_while_others_go_on_is_started_again(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.hold(patience=WATCHFUL)
        await rig.streaming()

        async def beat_on() -> None:
            while True:
                rig.strap.beat(1000)
                await asyncio.sleep(0.02)

        beating = asyncio.create_task(beat_on())
        await rig.bluez.until(lambda: sum(data[:1] == b"\x02" for _, data in rig.strap.device.writes) >= 4)
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating

    played(bus, scene)


def test_several_devices_share_one_scanner_and_nothing_scans_while_one_connects(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        straps = [rig.strap] + [FakeH10(rig.bluez, f"A0:9E:1A:00:00:0{k}", f"Polar {k}") for k in (2, 3)]
        absent = FakeH10(rig.bluez, "A0:9E:1A:00:00:04", "Polar 4")
        absent.device.present = False
        for strap in [*straps, absent]:
            rig.hold(strap.device.name)
        await rig.bluez.until(lambda: all(strap.streaming for strap in straps))
        for strap in straps:
            rig.bluez.drop(strap.device)
        await rig.bluez.until(lambda: all(strap.streaming for strap in straps))
        absent.device.present = True
        await rig.bluez.until(lambda: absent.streaming)

    rig = played(bus, scene)
    assert rig.bluez.longest_scanners == 1
    assert rig.bluez.connected_while_scanning == 0


def test_of_several_adapters_the_first_that_is_on_is_used_or_the_one_that_was_named(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.bluez.add_adapter("hci1")
        rig.hold()
        await rig.streaming()
        await rig.links[0].close()
        assert set(rig.bluez.scanned_on) == {"hci0"}
        rig.bluez.scanned_on.clear()
        rig.radio = Radio("hci1")
        rig.hold()
        await rig.bluez.until(lambda: bool(rig.bluez.scanned_on))

    assert set(played(bus, scene).bluez.scanned_on) == {"hci1"}


@pytest.mark.parametrize(("mtu", "told"), [(247, False), (185, True)])
def test_a_link_that_carries_too_little_for_a_stream_is_told_once(bus: PrivateBus, mtu: int, told: bool) -> None:
    notes: list[str] = []

    async def scene(rig: Rig) -> None:
        rig.strap.device.mtu = mtu
        rig.strap.refuses_streams = told
        rig.note = notes.append
        rig.hold()
        for _ in (1, 2):
            await rig.bluez.until(lambda: sum(data[0] == 2 for _, data in rig.strap.device.writes) == 2)
            await rig.beats(1000)
            rig.strap.device.writes.clear()
            rig.bluez.drop(rig.strap.device)

    played(bus, scene)
    assert sum("185 bytes" in note for note in notes) == told
    assert sum("it refuses to stream" in note for note in notes) == (2 if told else 0), "ECG and ACC"
