"""The conversation on Polar's measurement control point: which streams, with which settings, and stopped at the end.

A stream that is left on keeps the sensor awake until its battery is empty, so whoever starts one stops it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sensors.errors import DecodeError
from sensors.profiles.pmd_frames import Measurement
from sensors.profiles.polar_pmd_control import (
    START_H10_ACC,
    START_H10_ECG,
    Command,
    Features,
    Opcode,
    PolarPmdControlProfile,
    Response,
    Setting,
    SettingType,
    Stopped,
)

# What is asked for where it is offered, in this order. PPI excludes PPG, which says more.
_WANTED = (Measurement.ECG, Measurement.PPG, Measurement.ACC, Measurement.PPI)
_OK, _ALREADY = 0, 6
# Polar Measurement Data, response codes.
_REFUSALS = {
    1: "unknown command",
    2: "unknown stream",
    3: "not supported",
    4: "wrong length",
    5: "wrong parameter",
    7: "wrong resolution",
    8: "wrong rate",
    9: "wrong range",
    10: "the link carries too few bytes at a time (MTU)",
    11: "wrong number of channels",
    12: "not in this state",
    13: "it is charging",
    14: "its memory is full",
}
_MOST_ACC_HZ, _ACC_RANGE_G = 200, 8
# Where the device does not answer the question for its settings.
_USUAL = {Measurement.ECG: START_H10_ECG.settings, Measurement.ACC: START_H10_ACC.settings}
_ORDER = (SettingType.RANGE, SettingType.RATE_HZ, SettingType.RESOLUTION_BITS, SettingType.CHANNELS)


class PmdStreams:
    """`write` writes to the control point; `heard` takes whatever comes from it."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]], answer_s: float) -> None:
        self._write = write
        self._answer_s = answer_s
        self._answers: asyncio.Queue[Response] = asyncio.Queue()
        self._features: Features | None = None
        self.running: set[int] = set()
        self.stopped: set[int] = set()
        """What the device stopped by itself since it was last started."""
        self.refusals: list[str] = []
        """In words, of each stream that it would not start."""

    def heard(self, payload: bytes) -> None:
        try:
            said = PolarPmdControlProfile().decode(payload)
        except DecodeError:
            return
        match said:
            case Features():
                self._features = said
            case Response():
                self._answers.put_nowait(said)
            case Stopped():
                gone = self.running & set(said.types)
                self.running -= gone
                self.stopped |= gone

    async def start(self) -> None:
        """Starts what the device offers; what it refuses stays off. Its features have been read by now."""
        if self._features is None:
            return
        offered = set(self._features.streams)
        for stream in _WANTED:
            if stream in offered and not (stream is Measurement.PPI and Measurement.PPG in self.running):
                await self._start(stream)

    async def start_again(self, streams: set[int]) -> None:
        """After the device stopped them, or fell silent on them."""
        for stream in sorted(streams):
            self.stopped.discard(stream)
            await self._ask(Command(Opcode.STOP, stream))
            await self._start(Measurement(stream))

    async def stop(self) -> None:
        for stream in sorted(self.running):
            await self._ask(Command(Opcode.STOP, stream))
        self.running.clear()

    async def _start(self, stream: Measurement) -> None:
        settings = _USUAL.get(stream, ())
        if stream is not Measurement.PPI:  # it has none, and is asked for none
            answer = await self._ask(Command(Opcode.SETTINGS, stream))
            if answer is not None and answer.status == _OK:
                with suppress(DecodeError):
                    settings = chosen(stream, answer.settings)
        self.running.add(stream)  # before it is: whoever is interrupted here must stop it
        answer = await self._ask(Command(Opcode.START, stream, settings))
        if answer is not None and answer.status not in (_OK, _ALREADY):
            self.running.discard(stream)
            why = _REFUSALS.get(answer.status, f"status {answer.status}")
            self.refusals.append(f"it refuses to stream {stream.name}: {why}")

    async def _ask(self, command: Command) -> Response | None:
        """The whole answer, of as many indications as it takes; None where none comes."""
        while not self._answers.empty():
            self._answers.get_nowait()
        await self._write(command.encode())
        whole: Response | None = None
        try:
            async with asyncio.timeout(self._answer_s):
                while whole is None or whole.more:
                    part = await self._answers.get()
                    if (part.op, part.type & 0x7F) != (command.op, command.type):
                        continue
                    params = part.params if whole is None else whole.params + part.params
                    whole = Response(part.op, part.type, part.status, part.more, params)
        except TimeoutError:
            return None
        return whole


def chosen(stream: Measurement, offered: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """Of every setting that is to be chosen one value: the finest, but acceleration neither faster nor finer than
    motion of a body needs."""
    values = {setting.type: setting.values for setting in offered if setting.values}
    settings = []
    for kind in _ORDER:
        possible = values.get(kind)
        if not possible:
            continue
        best = max(possible)
        if stream is Measurement.ACC and kind is SettingType.RATE_HZ:
            best = max((rate for rate in possible if rate <= _MOST_ACC_HZ), default=min(possible))
        if stream is Measurement.ACC and kind is SettingType.RANGE and _ACC_RANGE_G in possible:
            best = _ACC_RANGE_G
        settings.append(Setting(kind, (best,)))
    return tuple(settings)
