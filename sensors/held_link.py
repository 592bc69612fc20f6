"""A device held through all that happens to a radio link: its notifications, and every outage with its reason.

- Before a device is connected anew its last connection has been let go, always: else BlueZ delivers everything twice.
- Nothing found on one connection is used on the next: services and handles are discovered each time.
- A link that is up but silent is no link: the age of the data decides, whatever the system says.
- What only the wearer can mend (a code for pairing) is told, and waited for without trying on and on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from random import Random
from typing import TypeVar

from sensors.asking import ASKING, Asking, keep_asking
from sensors.backoff import Backoff
from sensors.clock import ArrivalClock
from sensors.connection import (
    NO_ANSWER,
    Characteristic,
    ConnectError,
    Connection,
    Radio,
    RefusedError,
    UnansweredError,
    WantsBondError,
)
from sensors.errors import LinkError
from sensors.link import Device, Event, LinkDown, LinkUp, Notification, Tick
from sensors.patience import Patience
from sensors.pmd_streams import PmdStreams
from sensors.profile import AnyProfile
from sensors.profiles.polar_pmd import DATA
from sensors.profiles.polar_pmd_control import CONTROL
from sensors.registry import PROFILES

T = TypeVar("T")

LOST = "the connection was lost"
_AWAY = "not in reach"
_ADDRESS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
# Polar's frames of ECG and acceleration, header included; a strap refuses to stream where they do not fit.
_FRAME_MTU = 232
_LOST_BOND = "it has lost the bond with this machine, which is given up and made anew"
# A device that has lost its side of a bond refuses to encrypt, and so to connect; bluetoothd 5.66 dies of that (seen).
_SIGN_OF_LOST_BOND = 3
# Or it tries again by itself and never answers (seen, with another kernel). A device at the edge of reach looks the
# same for a while, so this has to happen more often.
_SIGN_OF_LOST_BOND_IN_SILENCE = 5
_SIGN_OF_CODE = 3
_ENCRYPTING_S = 1.0  # a bonded link that was made a moment ago may not be encrypted yet


def is_wanted(target: str, address: str, name: str | None) -> bool:
    """Whether a device is the one that was named: by its address, or by its full name."""
    if _ADDRESS.fullmatch(target):
        return address.upper() == target.upper()
    return name is not None and name.casefold() == target.casefold()


class _NeedsWearerError(LinkError):
    """Only the wearer can mend it."""


class HeldLink:
    """A device by its address or its full name. It is held until `close`: no failure of the radio ends it.

    `note`: told in words what is no outage and yet worth knowing.
    """

    def __init__(
        self,
        radio: Radio,
        target: str,
        *,
        patience: Patience | None = None,
        clock: ArrivalClock | None = None,
        random: Random | None = None,
        profiles: Iterable[AnyProfile] = PROFILES,
        note: Callable[[str], None] = lambda words: None,
    ) -> None:
        self._radio = radio
        self._target = target
        self._patience = patience or Patience()
        self._clock = clock or ArrivalClock()
        self._backoff = Backoff(self._patience.first_retry_s, self._patience.longest_retry_s, random or Random())
        self._profiles = {profile.characteristic: profile for profile in profiles}
        self._note = note
        self._noted: set[str] = set()
        self._device = Device(target, target.upper() if _ADDRESS.fullmatch(target) else None)
        self._events: asyncio.Queue[Event | BaseException | None] = asyncio.Queue()
        self._work: asyncio.Task[None] | None = None
        self._closed = False
        self._connection: Connection | None = None
        self._leaving = False
        self._haunted = True  # it may still be connected, for a process that died or by a disconnect that failed
        self._lost: str | None = None  # why this connection ended by itself
        self._wake = asyncio.Event()  # something is to be done about the connection
        self._streams: PmdStreams | None = None
        self._askers: list[asyncio.Task[None]] = []
        self._farewells: list[Callable[[], Awaitable[object]]] = []
        self._down: str | None = None  # why, as last told
        self._began_ns: int | None = None  # until the link is up for the first time
        self._heard_s = 0.0
        self._frame_s: dict[int, float] = {}
        self._stalls: dict[int, int] = {}
        self._wants_code = False
        self._unconnected = 0  # connections in a row that did not come to be, though it was heard
        self._unanswered = 0  # and those that nobody said anything of in time
        self._fruitless = 0  # links in a row that were lost before anything was sent over them
        self._was_bonded = False  # when this connection was made

    @property
    def device(self) -> Device:
        """By the name it advertises, once it has been found."""
        return self._device

    async def close(self) -> None:
        self._closed = True
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})
        self._events.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._work is not None:
            raise RuntimeError("a live link can be read once")
        if self._closed:
            return
        self._work = asyncio.create_task(self._hold())
        self._work.add_done_callback(self._ended)
        try:
            while (event := await self._events.get()) is not None:
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            self._work.cancel()
            await asyncio.wait({self._work})

    # -- holding it

    def _ended(self, work: asyncio.Task[None]) -> None:
        self._events.put_nowait(None if work.cancelled() else work.exception())

    async def _hold(self) -> None:
        self._began_ns = self._clock.now_ns()
        ticker = asyncio.create_task(self._tick_on())
        try:
            async with self._radio.watched():
                while True:
                    wait_s = 0.0
                    try:
                        reason = await self._once()
                    except (LinkError, TimeoutError) as problem:
                        reason = NO_ANSWER if isinstance(problem, TimeoutError) else str(problem)
                        if isinstance(problem, _NeedsWearerError):
                            wait_s = self._patience.needs_you_s
                    self._tell_down(reason)
                    await asyncio.sleep(max(wait_s, self._backoff.next_s()))
        finally:
            ticker.cancel()

    async def _once(self) -> str:
        """Finds it, connects, and stays until it is lost; returns why. Raises LinkError or TimeoutError."""
        patience = self._patience
        if self._wants_code:
            if not await self._radio.is_bonded(self._is_mine):
                raise self._needs_code()
            self._wants_code = False
        refused = self._unconnected >= _SIGN_OF_LOST_BOND or self._unanswered >= _SIGN_OF_LOST_BOND_IN_SILENCE
        if refused and await self._radio.is_bonded(self._is_mine):
            self._unconnected = self._unanswered = 0
            await self._radio.forget(self._is_mine)
            raise LinkError(_LOST_BOND)
        if self._haunted:
            await self._radio.close_ghosts(self._is_mine, patience)
            self._haunted = False
        wake = self._wake = asyncio.Event()
        self._lost = None

        def lost(reason: str) -> None:
            wake.set()
            if self._wake is wake and not self._leaving:
                self._lost = self._lost or reason
                if self._connection is not None and self._down is None:
                    self._tell_down(self._lost)

        try:
            connection = await self._radio.connect(self._is_mine, patience, lost)
        except ConnectError:
            self._unconnected += 1
            raise
        except UnansweredError:
            self._unanswered += 1
            raise
        if connection is None:
            await self._radio.close_ghosts(self._is_mine, patience)
            return _AWAY
        self._device = Device(connection.name or self._target, connection.address)
        try:
            self._connection = connection
            async with asyncio.timeout(patience.connect_s + patience.pair_s):
                await self._open(connection)
            reason = await self._stay(connection, wake)
            await self._wonder(connection)
            return reason
        except LinkError:
            if self._lost is not None:  # what failed after that failed because of it
                await self._wonder(connection)
                raise LinkError(self._lost) from None
            raise
        finally:
            self._leaving = True  # whatever it still delivers is nobody's, but for the answers to the last commands
            await self._leave(connection)
            self._connection, self._leaving = None, False

    async def _open(self, connection: Connection) -> None:
        """Reads what can be read, subscribes to all that is known, starts the streams."""
        known = [c for c in connection.characteristics if c.uuid in self._profiles]
        if not known:
            has = ", ".join(sorted(c.uuid for c in connection.characteristics)) or "nothing"
            self._leaving = True
            if not await connection.is_bonded():  # what is remembered may be of another firmware; a bond is kept
                await connection.forget()
            raise LinkError(f"it offers nothing that can be read here, only: {has}")
        at = {c.uuid: c for c in known}
        streams = None
        if CONTROL in at and DATA in at:
            streams = PmdStreams(partial(connection.write, at[CONTROL]), self._patience.answer_s)
            if connection.mtu is not None and connection.mtu < _FRAME_MTU:
                self._note_once(
                    f"the link carries {connection.mtu} bytes at a time, expected {_FRAME_MTU} or more: it may refuse"
                    " to stream. An adapter or a BlueZ of another version may carry more"
                )
        self._streams = streams
        self._heard_s = asyncio.get_running_loop().time()
        self._was_bonded = await connection.is_bonded()
        if not await self._listen(connection, known):
            raise LinkError("it refused every subscription")
        await connection.opened()
        self._unconnected = self._unanswered = 0
        every = {c.uuid: c for c in connection.characteristics}
        for uuid, asking in ASKING.items():
            if uuid in at and asking.write in every:
                self._ask(asking, partial(connection.write, every[asking.write]))
        if streams is not None:
            await streams.start()
            for words in streams.refusals:
                self._note_once(words)
            self._frame_s = dict.fromkeys(streams.running, asyncio.get_running_loop().time())
        self._tell_up(self._clock.now_ns())

    async def _listen(self, connection: Connection, known: list[Characteristic]) -> int:
        """Reads and subscribes; how many subscriptions it took."""
        for characteristic in known:
            if "read" in characteristic.properties:
                # before it is subscribed to: BlueZ gives what is read to whoever listens as well
                value = await self._spared(connection, partial(connection.read, characteristic))
                if value is not None:
                    self._arrived(connection, characteristic, value)
        listening = 0
        for characteristic in known:
            if {"notify", "indicate"} & characteristic.properties:
                subscribe = partial(self._subscribe, connection, characteristic)
                listening += await self._spared(connection, subscribe) is not None
        return listening

    async def _subscribe(self, connection: Connection, characteristic: Characteristic) -> bool:
        def heard(value: bytes) -> None:
            if characteristic.uuid != CONTROL:  # which only answers
                self._fruitless = 0
            self._arrived(connection, characteristic, value)

        await connection.subscribe(characteristic, heard)
        return True

    async def _spared(self, connection: Connection, doing: Callable[[], Awaitable[T]]) -> T | None:
        """Does it; None where the device refuses just this. Raises LinkError where more than this one thing failed."""
        try:
            async with asyncio.timeout(self._patience.connect_s):
                return await doing()
        except (WantsBondError, TimeoutError):
            # where a pairing that the kernel began has failed, bluetoothd 5.66 never answers (seen)
            await (asyncio.sleep(_ENCRYPTING_S) if await connection.is_bonded() else self._bond(connection))
        except RefusedError:
            return None
        try:
            return await doing()
        except WantsBondError:
            # it has lost its side of the bond, or wants a better one: ours is of no use to anybody
            await self._give_up_bond(connection)
            if self._was_bonded:
                raise LinkError(_LOST_BOND) from None
            raise self._needs_code() from None
        except RefusedError:
            return None

    # -- bonds

    async def _bond(self, connection: Connection) -> None:
        """Gives it the bond that it asks for, if that needs no code."""
        try:
            async with asyncio.timeout(self._patience.pair_s):
                await connection.pair()
        except (LinkError, TimeoutError):
            if not connection.is_up:
                raise
            raise self._needs_code() from None

    async def _give_up_bond(self, connection: Connection) -> None:
        self._leaving = True
        if await connection.is_bonded():
            await connection.forget()

    async def _wonder(self, connection: Connection) -> None:
        """Why it lets go again and again before it has sent anything. bluetoothd does not tell of a pairing that failed
        without its asking: the sensor that wanted one is simply gone (seen with 5.66)."""
        self._fruitless += 1
        if self._fruitless == _SIGN_OF_CODE and not await connection.is_bonded():
            self._note(f"it lets go each time before it sends anything; if it has a code: {self._pair_command()}")

    def _pair_command(self) -> str:
        return "vitalkeep pair " + (self._target if _ADDRESS.fullmatch(self._target) else f'"{self._target}"')

    def _needs_code(self) -> LinkError:
        self._wants_code = True
        return _NeedsWearerError(f"it has to be paired with a code first: {self._pair_command()}")

    # -- while it is held

    def _ask(self, asking: Asking, write: Callable[[bytes], Awaitable[object]]) -> None:
        async def ask() -> None:
            with suppress(LinkError):  # a device that never answers is a silent one
                await keep_asking(asking, write)

        self._askers.append(asyncio.create_task(ask()))
        if asking.at_end is not None:
            self._farewells.append(partial(write, asking.at_end))

    async def _stay(self, connection: Connection, wake: asyncio.Event) -> str:
        """Until it is lost, or has been silent for too long."""
        loop = asyncio.get_running_loop()
        silent_s = self._patience.silent_s
        while connection.is_up:
            wake.clear()
            await self._restart_stalled()
            with suppress(TimeoutError):
                async with asyncio.timeout(silent_s / 4):
                    await wake.wait()
            if connection.is_up and self._expects_data(connection) and loop.time() - self._heard_s >= silent_s:
                reason = f"no data for {silent_s:g} s"
                self._tell_down(reason)
                return reason
        return self._lost or LOST

    def _expects_data(self, connection: Connection) -> bool:
        """Whether it sends by itself and without a pause: a blood pressure cuff need not."""
        if self._streams is not None and self._streams.running:
            return True
        uuids = {c.uuid for c in connection.characteristics}
        return any(uuid in uuids and p.silent_after_s is not None for uuid, p in self._profiles.items())

    async def _restart_stalled(self) -> None:
        """Streams that the device stopped, or that fell silent while others go on; each time with more patience."""
        streams = self._streams
        if streams is None:
            return
        now_s = asyncio.get_running_loop().time()
        stalled = set(streams.stopped)
        for stream, heard_s in self._frame_s.items():
            longest_s = self._patience.silent_s * 2.0 ** self._stalls.get(stream, 0)
            if stream in streams.running and now_s - heard_s >= longest_s:
                stalled.add(stream)
                self._stalls[stream] = min(self._stalls.get(stream, 0) + 1, 8)
        if stalled:
            await streams.start_again(stalled)
            self._frame_s.update(dict.fromkeys(stalled, asyncio.get_running_loop().time()))

    async def _leave(self, connection: Connection) -> None:
        """No more questions, streams off, then the link; never raises but a cancellation."""
        askers, self._askers = self._askers, []
        farewells, self._farewells = self._farewells, []
        for asker in askers:
            asker.cancel()
        for farewell in farewells if connection.is_up else ():
            with suppress(LinkError, TimeoutError):
                async with asyncio.timeout(self._patience.answer_s):
                    await farewell()
        if self._streams is not None and connection.is_up:
            with suppress(LinkError, TimeoutError):
                async with asyncio.timeout(self._patience.answer_s):
                    await self._streams.stop()
        self._streams = None
        self._haunted = not await connection.let_go()

    # -- telling it

    def _is_mine(self, address: str, name: str | None) -> bool:
        return is_wanted(self._target, address, name)

    def _arrived(self, connection: Connection, characteristic: Characteristic, value: bytes) -> None:
        if connection is not self._connection:
            return
        t_ns, now_s = self._clock.now_ns(), asyncio.get_running_loop().time()
        uuid = characteristic.uuid
        if uuid == CONTROL and self._streams is not None:
            self._streams.heard(value)
            if self._streams.stopped:
                self._wake.set()
        if self._leaving:
            return
        self._heard_s = now_s
        self._backoff.reset()
        if uuid == DATA and value:
            self._frame_s[value[0] & 0x3F] = now_s
            self._stalls.pop(value[0] & 0x3F, None)
        self._tell_up(t_ns)
        self._events.put_nowait(Notification(t_ns, uuid, value))

    def _note_once(self, words: str) -> None:
        if words not in self._noted:
            self._noted.add(words)
            self._note(words)

    def _tell_up(self, t_ns: int) -> None:
        if self._down is not None or self._began_ns is not None:
            self._down = self._began_ns = None
            self._events.put_nowait(LinkUp(t_ns))

    def _tell_down(self, reason: str) -> None:
        """Once for each reason: why it is down may change while it is."""
        if reason == self._down:
            return
        # a device that was not there from the beginning has been missing from the beginning
        first = self._down is None and self._began_ns is not None
        t_ns = self._began_ns if first and self._began_ns is not None else self._clock.now_ns()
        self._down = reason
        self._events.put_nowait(LinkDown(t_ns, reason))

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(self._patience.tick_s)
            if self._down is not None:
                self._events.put_nowait(Tick(self._clock.now_ns()))
