"""A chest strap of the kind of Polar's H10: heart rate with intervals, ECG and movement on demand over PMD, battery.

As the real one, it streams what was started on the control point, stamps a frame at its last sample, needs an MTU of
232 for a whole frame, and stops when the link goes.
"""

from __future__ import annotations

import numpy as np
from bumble.att import AttributeValue
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, Service
from numpy.typing import NDArray

from sensors.errors import DecodeError
from sensors.link import Notification
from sensors.profiles.heart_rate import HeartRateMeasurement
from sensors.profiles.pmd_frames import AccFrame, EcgFrame, Header, Measurement
from sensors.profiles.polar_pmd import DATA, SERVICE, PolarPmdProfile
from sensors.profiles.polar_pmd_control import (
    CONTROL,
    Command,
    Features,
    Opcode,
    PolarPmdControlProfile,
    Response,
    Setting,
    encode_settings,
)
from vitalkeep.simulate.heart import Electrode, beats_s
from vitalkeep.simulate.peripheral import INDICATE, NOTIFY, READ, READABLE, WRITE, WRITEABLE, Pace, send

FRAME, FS_HZ = 73, 130.0
ACC_FRAME, ACC_FS_HZ = 36, 200.0
BPM = 66.0
_DEVICE_STARTED_NS = 599_616_000 * 10**9  # 2019-01-01, as every H10 that nobody has set
_OK, _UNKNOWN_OPCODE, _UNSUPPORTED, _ALREADY = 0, 1, 3, 6
_FEATURES = Features(b"\x05" + bytes(15))  # ECG and ACC
_SETTINGS = {
    int(Measurement.ECG): (Setting(0, (130,)), Setting(1, (14,))),
    int(Measurement.ACC): (Setting(0, (200,)), Setting(1, (16,)), Setting(2, (8,))),
}


class H10:
    name = "Polar H10 51M00000"

    def __init__(self) -> None:
        self._control_profile, self._data_profile = PolarPmdControlProfile(), PolarPmdProfile()
        self._streams: set[int] = set()
        self._device: Device | None = None
        self.heart_rate: Characteristic[bytes] = Characteristic("2A37", NOTIFY, READABLE)
        self.battery: Characteristic[bytes] = Characteristic("2A19", READ | NOTIFY, READABLE, b"\x57")
        self.data: Characteristic[bytes] = Characteristic(DATA, NOTIFY, READABLE)
        self.control: Characteristic[bytes] = Characteristic(
            CONTROL,
            READ | WRITE | INDICATE,
            READABLE | WRITEABLE,
            AttributeValue(read=self._features, write=self._commanded),
        )
        self.services = (
            Service("180D", [self.heart_rate]),
            Service("180F", [self.battery]),
            Service(SERVICE, [self.control, self.data]),
        )

    @property
    def streams(self) -> frozenset[int]:
        """What was started and not stopped, by its measurement type."""
        return frozenset(self._streams)

    def wants(self, event: Notification) -> bool:
        return event.characteristic != DATA or event.payload[0] & 0x3F in self._streams

    async def play(self, device: Device, pace: Pace) -> None:
        electrode, beats = Electrode(FS_HZ, BPM), beats_s(BPM)
        before_s, beat_s = next(beats), next(beats)
        frame = acc_frame = second = 1
        while True:
            ecg_s, acc_s = frame * FRAME / FS_HZ, acc_frame * ACC_FRAME / ACC_FS_HZ
            due_s = min(ecg_s, acc_s, float(second))
            await pace.until(due_s)
            if due_s == ecg_s:
                uv = electrode.next_uv(FRAME)
                stamp_ns = _DEVICE_STARTED_NS + round((frame * FRAME - 1) / FS_HZ * 1e9)
                frame += 1
                if Measurement.ECG in self._streams:
                    await send(device, self.data, self._data_profile.encode(EcgFrame(Header(stamp_ns), uv)))
            elif due_s == acc_s:
                stamp_ns = _DEVICE_STARTED_NS + round((acc_frame * ACC_FRAME - 1) / ACC_FS_HZ * 1e9)
                acc_frame += 1
                if Measurement.ACC in self._streams:
                    value = AccFrame(Header(stamp_ns, frame_type=1), movement_mg((acc_frame - 2) * ACC_FRAME))
                    await send(device, self.data, self._data_profile.encode(value))
            else:
                rr: list[int] = []
                while beat_s <= second:
                    rr.append(round(beat_s * 1024) - round(before_s * 1024))
                    before_s, beat_s = beat_s, next(beats)
                second += 1
                measured = HeartRateMeasurement(round(60 / (beat_s - before_s)), True, None, tuple(rr))
                await send(device, self.heart_rate, measured.encode())

    def attach(self, device: Device) -> None:
        """Streams end with the link that started them."""
        self._device = device
        device.on(device.EVENT_CONNECTION, self._connected)

    def _connected(self, connection: Connection) -> None:
        connection.on(connection.EVENT_DISCONNECTION, lambda _: self._streams.clear())

    def _features(self, _: object) -> bytes:
        return self._control_profile.encode(_FEATURES)

    async def _commanded(self, connection: object, payload: bytes) -> None:
        answer = self._control_profile.encode(self._answer(payload))
        if self._device is not None and isinstance(connection, Connection):
            # bumble answers the write itself when this returns; a real strap does both in either order
            await self._device.indicate_subscriber(connection, self.control, answer)

    def _answer(self, payload: bytes) -> Response:
        try:
            command = Command.decode(payload)
        except DecodeError:
            op, kind = (*payload[:2], 0, 0)[:2]
            return Response(op, kind, _UNKNOWN_OPCODE)
        op, kind = command.op, command.type
        if kind not in _SETTINGS:
            return Response(op, kind, _UNSUPPORTED)
        match op:
            case Opcode.SETTINGS:
                return Response(op, kind, _OK, params=encode_settings(_SETTINGS[kind]))
            case Opcode.START if kind in self._streams:
                return Response(op, kind, _ALREADY)
            case Opcode.START:
                self._streams.add(kind)
                return Response(op, kind, _OK)
            case Opcode.STOP:
                status = _OK if kind in self._streams else _ALREADY
                self._streams.discard(kind)
                return Response(op, kind, status)
            case _:
                return Response(op, kind, _UNKNOWN_OPCODE)


def movement_mg(first: int) -> NDArray[np.int64]:
    """(ACC_FRAME, 3) from sample `first` on: a chest upright, breathing."""
    breath = np.sin(2 * np.pi * 0.23 * (first + np.arange(ACC_FRAME)) / ACC_FS_HZ)
    axes = np.stack([20 * breath, 985 - 5 * breath, 120 + 40 * breath], axis=1)
    whole: NDArray[np.int64] = np.rint(axes).astype(np.int64)
    return whole
