"""Pairing with one device that the wearer named, and with no other: an agent (org.bluez.Agent1) for just as long.

Whatever is asked about another device is refused. bluetoothd asks the agent of whoever calls Pair; but where a device
wants a bond for a subscription the kernel pairs by itself, and then the system's default agent is asked. Without one
bluetoothd 5.66 refuses, and never answers who subscribed: so while a device is being opened ours is the default one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from dbus_fast import Message, MessageType

from sensors.bluez_bus import ADAPTER, DEVICE, BluezBus, BluezError
from sensors.errors import LinkError

_AGENT, _MANAGER = "org.bluez.Agent1", "org.bluez.AgentManager1"
_AGENT_PATH = "/org/vitalkeep/agent"
_REJECTED = "org.bluez.Error.Rejected"
_ALREADY = "org.bluez.Error.AlreadyExists"
# What bluetoothd says to Pair, in words for the wearer.
_WORDS = {
    "org.bluez.Error.AuthenticationFailed": "it did not accept the pairing: a wrong code, or none where it wants one",
    "org.bluez.Error.AuthenticationRejected": "it rejected the pairing",
    "org.bluez.Error.AuthenticationCanceled": "the pairing was called off",
    "org.bluez.Error.AuthenticationTimeout": "the pairing took too long",
    "org.bluez.Error.ConnectionAttemptFailed": "it could not be connected to",
}


class Wearer(Protocol):
    """Who is asked. None or False: the pairing is called off."""

    async def code(self) -> str | None:
        """What the device shows: six digits, or a PIN of up to 16 characters."""

    async def show(self, code: str) -> None:
        """To be typed in on the device."""

    async def same(self, code: str) -> bool:
        """Whether the device shows this number."""


async def pair(path: str, wearer: Wearer | None, timeout_s: float) -> None:
    """Pairs with the device at `path`; without a `wearer` only if it needs no code. A bond that is there is kept.

    Raises LinkError where it does not come to be.
    """
    try:
        async with asyncio.timeout(timeout_s), _agent(path, wearer) as bus:
            try:
                await bus.call(path, DEVICE, "Pair")
            except BluezError as problem:
                if problem.name != _ALREADY:
                    raise LinkError(_WORDS.get(problem.name, str(problem))) from None
    except TimeoutError:
        raise LinkError("the pairing took too long") from None


@asynccontextmanager
async def attended(path: str) -> AsyncIterator[None]:
    """While it lasts the device at `path` may pair if it needs no code. Raises LinkError where no agent can be."""
    async with _agent(path, None) as bus:
        # the one that was the default before is it again once ours is gone
        await bus.call("/org/bluez", _MANAGER, "RequestDefaultAgent", "o", [_AGENT_PATH])
        yield


@asynccontextmanager
async def _agent(path: str, wearer: Wearer | None) -> AsyncIterator[BluezBus]:
    """A connection to the bus whose agent answers for the device at `path`. Raises LinkError where none can be."""
    async with BluezBus() as bus:
        agent = _Agent(bus, path, wearer)
        bus.bus.add_message_handler(agent.handle)
        try:
            capability = "NoInputNoOutput" if wearer is None else "KeyboardDisplay"
            await bus.call("/org/bluez", _MANAGER, "RegisterAgent", "os", [_AGENT_PATH, capability])
            yield bus
        finally:
            agent.close()
            with suppress(LinkError):  # it goes with this bus connection anyway
                await bus.call("/org/bluez", _MANAGER, "UnregisterAgent", "o", [_AGENT_PATH])


async def is_bonded(path: str) -> bool:
    """Whether the system keeps a bond with it; False where it does not know the device."""
    async with BluezBus() as bus:
        return bool((await bus.objects()).get(path, {}).get(DEVICE, {}).get("Paired"))


async def forget(path: str) -> None:
    """Gives up everything that the system knows of the device, a bond included; a link to it ends."""
    async with BluezBus() as bus:
        with suppress(BluezError):  # it may not be known any more
            await bus.call(path.rpartition("/")[0], ADAPTER, "RemoveDevice", "o", [path])


class _Agent:
    """Answers bluetoothd's questions; BlueZ, doc/agent-api.txt (5.66)."""

    def __init__(self, bus: BluezBus, path: str, wearer: Wearer | None) -> None:
        self._bus = bus
        self._path = path
        self._wearer = wearer
        self._answering: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        for task in self._answering:
            task.cancel()

    def handle(self, message: Message) -> bool | None:
        """True where the message was for the agent."""
        if message.message_type is not MessageType.METHOD_CALL or message.path != _AGENT_PATH:
            return None
        if message.interface == _AGENT and message.member in ("Release", "Cancel"):
            self._bus.bus.send(Message.new_method_return(message))
            if message.member == "Cancel":
                self.close()
            return True
        task = asyncio.ensure_future(self._answer(message))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        return True

    async def _answer(self, message: Message) -> None:
        mine = message.interface == _AGENT and message.body[:1] == [self._path]
        answer = await self._say(str(message.member), message.body) if mine else None
        if answer is None:
            reply = Message.new_error(message, _REJECTED, "not wanted")
        else:
            signature, body = answer
            reply = Message.new_method_return(message, signature, body)
        self._bus.bus.send(reply)

    async def _say(self, member: str, body: list[Any]) -> tuple[str, list[Any]] | None:
        """Signature and values of the answer; None refuses."""
        wearer = self._wearer
        if member == "RequestAuthorization":  # just works: the wearer named this device
            return "", []
        if wearer is None:
            return None
        match member:
            case "RequestPasskey":
                code = await wearer.code()
                return ("u", [int(code)]) if code is not None and code.isdecimal() and len(code) <= 6 else None
            case "RequestPinCode":
                pin = await wearer.code()
                return ("s", [pin]) if pin else None
            case "RequestConfirmation":
                return ("", []) if await wearer.same(f"{body[1]:06d}") else None
            case "DisplayPasskey" | "DisplayPinCode":
                if member == "DisplayPinCode" or body[2] == 0:  # it comes again for each digit that was typed
                    await wearer.show(f"{body[1]:06d}" if member == "DisplayPasskey" else str(body[1]))
                return "", []
        return None


class GivenCode:
    """A Wearer who gave the code beforehand, or asks for it with `ask`; `tell` shows what is to be typed in there."""

    def __init__(
        self,
        code: str | None,
        ask: Callable[[str], Awaitable[str | None]] | None,
        tell: Callable[[str], None],
    ) -> None:
        self._code = code
        self._ask = ask
        self._tell = tell
        self.was_asked = False

    async def code(self) -> str | None:
        self.was_asked = True
        if self._code is not None or self._ask is None:
            return self._code
        return await self._ask("The code that the sensor shows, or that stands in its manual")

    async def show(self, code: str) -> None:
        self._tell(f"type {code} on the sensor")

    async def same(self, code: str) -> bool:
        self.was_asked = True
        if self._code is not None:
            return self._code == code
        if self._ask is None:
            return False
        answer = await self._ask(f"Does the sensor show {code}? yes or no")
        return answer is not None and answer.strip().lower() in ("y", "yes")
