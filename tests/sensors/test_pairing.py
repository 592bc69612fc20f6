"""Bonds on a false org.bluez: made where the device asks, with its code where it has one, given up only where lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sensors.errors import LinkError
from sensors.held_link import is_wanted
from sensors.pairing import GivenCode
from sensors.patience import Patience
from tests.fakes.bluez import Peripheral, PrivateBus, dbus_daemon, private_bus
from tests.fakes.h10 import FakeH10
from tests.sensors.test_bleak_link import QUICK, Rig, played

if dbus_daemon() is None:
    pytest.skip("dbus-daemon is not installed", allow_module_level=True)

IMPATIENT = replace(QUICK, needs_you_s=0.1)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with private_bus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bus


def locked(rig: Rig, code: str | None = None, pins: bool = False) -> Peripheral:
    device = rig.strap.device
    device.wants_bond, device.code, device.pins = True, code, pins
    return device


async def pair(rig: Rig, device: Peripheral, wearer: GivenCode | None, anew: bool = False) -> bool:
    patience = Patience(find_s=10.0, pair_s=10.0)
    return await rig.radio.pair(lambda address, name: is_wanted(device.name, address, name), wearer, patience, anew)


def knowing(code: str | None) -> GivenCode:
    return GivenCode(code, None, lambda words: None)


def test_what_needs_no_code_is_paired_by_the_link_itself_and_no_bond_is_given_up(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        locked(rig)
        rig.hold()
        await rig.streaming()
        await rig.beats(1000)
        rig.bluez.drop(rig.strap.device)
        await rig.again()

    rig = played(bus, scene)
    assert (rig.strap.device.pairings, rig.bluez.removed) == (1, [])
    assert rig.bluez.agents == 0


def test_where_a_code_is_wanted_the_link_says_what_to_do_and_goes_on_once_it_was_done(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        device = locked(rig, "123456")
        rig.hold(device.name, IMPATIENT)
        told = f'it has to be paired with a code first: vitalkeep pair "{device.name}"'
        await rig.until(lambda: told in rig.reasons)
        # what just worked was worth nothing to it, and nothing is tried on and on
        await asyncio.sleep(10 * IMPATIENT.needs_you_s)
        assert (device.pairings, device.connects, rig.bluez.removed) == (1, 1, [device.address])
        assert await pair(rig, device, knowing("123456"))
        await rig.streaming()
        await rig.beats(1000)

    assert played(bus, scene).bluez.removed == ["A0:9E:1A:00:00:01"]


@pytest.mark.parametrize("code", [None, "123456"])
def test_a_bond_that_the_device_has_lost_is_given_up_once_and_made_anew(bus: PrivateBus, code: str | None) -> None:
    async def scene(rig: Rig) -> None:
        device = locked(rig, code)
        device.paired = True
        rig.hold(device.name, IMPATIENT)
        if code is None:
            await rig.streaming()
            await rig.beats(1000)
        else:
            await rig.until(lambda: any("vitalkeep pair" in reason for reason in rig.reasons))

    rig = played(bus, scene)
    assert "lost the bond" in rig.reasons[0]
    # once what was lost, and once what just worked and was worth nothing
    assert rig.bluez.removed == [rig.strap.device.address] * (1 if code is None else 2)


@pytest.mark.parametrize(("code", "pins"), [("000042", False), ("0000", True)])
def test_a_code_is_given_to_the_device_that_was_named(bus: PrivateBus, code: str, pins: bool) -> None:
    async def scene(rig: Rig) -> None:
        device = locked(rig, code, pins)
        assert await pair(rig, device, knowing(code))
        assert (device.paired, device.knows_us, device.connected) == (True, True, False)
        assert not await pair(rig, device, None)
        assert await pair(rig, device, knowing(code), anew=True)

    rig = played(bus, scene)
    assert rig.bluez.removed == [rig.strap.device.address]
    assert rig.bluez.agents == 0


def test_a_wrong_code_or_none_pairs_with_nobody(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        device = locked(rig, "123456")
        for wearer in (knowing("654321"), knowing(None), knowing("no number")):
            with pytest.raises(LinkError, match="a wrong code, or none"):
                await pair(rig, device, wearer)
            assert wearer.was_asked
        assert not device.paired

    played(bus, scene)


def test_nobody_else_is_paired_with_meanwhile(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        device = locked(rig, "123456")
        other = FakeH10(rig.bluez, "A0:9E:1A:00:00:02", "Polar H10 00000002").device
        asked, answer = asyncio.Event(), asyncio.Event()

        async def ask(_: str) -> str | None:
            asked.set()
            await answer.wait()
            return "123456"

        pairing = asyncio.create_task(pair(rig, device, GivenCode(None, ask, lambda words: None)))
        await asked.wait()
        assert not await rig.bluez.ask("RequestAuthorization", other)
        assert await rig.bluez.ask("RequestAuthorization", device)
        answer.set()
        assert await pairing

    played(bus, scene)


def test_a_device_that_is_not_there_is_not_paired_with(bus: PrivateBus) -> None:
    async def scene(rig: Rig) -> None:
        rig.strap.device.present = False
        with pytest.raises(LinkError, match="not in reach"):
            await rig.radio.pair(lambda address, name: False, None, Patience(find_s=0.2))

    played(bus, scene)


@pytest.mark.parametrize("bonded", [True, False])
def test_a_bond_that_keeps_a_device_from_being_connected_is_given_up(bus: PrivateBus, bonded: bool) -> None:
    """And only after it was heard and not connected three times; where there is no bond nothing is removed."""

    async def scene(rig: Rig) -> None:
        device = locked(rig)
        device.paired = bonded
        device.connect_errors = [("org.bluez.Error.Failed", "Permission denied")] * 3
        rig.hold()
        await rig.streaming()
        await rig.beats(1000)

    rig = played(bus, scene)
    assert rig.bluez.removed == [rig.strap.device.address] * bonded
    assert ("it has lost the bond" in " ".join(rig.reasons)) == bonded


@pytest.mark.parametrize("unanswered", [5, 4])
def test_a_bond_that_leaves_every_connection_unanswered_is_given_up(bus: PrivateBus, unanswered: int) -> None:
    """Five times in a row, heard each time: fewer may be the edge of reach."""

    async def scene(rig: Rig) -> None:
        device = locked(rig)
        rig.hold(patience=replace(QUICK, connect_s=1.5))
        await rig.streaming()
        await rig.beats(1000)
        device.unanswered_connects = unanswered
        rig.bluez.drop(device)
        await rig.again()

    rig = played(bus, scene)
    assert rig.bluez.removed == [rig.strap.device.address] * (unanswered == 5)
    assert ("it has lost the bond" in " ".join(rig.reasons)) == (unanswered == 5)


@pytest.mark.parametrize("sends", [True, False])
def test_a_device_that_lets_go_before_it_sends_anything_may_want_a_code(bus: PrivateBus, sends: bool) -> None:
    notes: list[str] = []

    async def scene(rig: Rig) -> None:
        rig.note = notes.append
        rig.hold()
        for times in (1, 2, 3):
            await rig.streaming()
            if sends:
                await rig.beats(1000 + times)
            rig.bluez.drop(rig.strap.device)
            await rig.lost(times)
        await rig.again()

    played(bus, scene)
    assert any("vitalkeep pair" in note for note in notes) != sends
