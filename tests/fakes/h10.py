"""A chest strap as a peripheral of the false org.bluez: heart rate, battery, and the two streams with their control."""

from __future__ import annotations

import numpy as np

from sensors.profile import full_uuid
from sensors.profiles.heart_rate import HeartRateMeasurement
from sensors.profiles.pmd_frames import AccFrame, EcgFrame, Header
from sensors.profiles.polar_pmd import DATA, SERVICE, PolarPmdProfile
from sensors.profiles.polar_pmd_control import CONTROL, Opcode
from tests.fakes.bluez import FakeBluez, Peripheral

HEART_RATE, BATTERY = full_uuid("2a37"), full_uuid("2a19")
ECG_SAMPLES, ECG_HZ = 73, 130.0
ACC_SAMPLES, ACC_HZ = 36, 200.0
ECG, ACC = 0, 2

_SETTINGS = {
    ECG: bytes.fromhex("00018200" + "01010e00"),
    ACC: bytes.fromhex("00041900320064 00c800".replace(" ", "") + "01011000" + "0203020004000800"),
}


class FakeH10:
    """`running`: the streams that are on."""

    def __init__(self, bluez: FakeBluez, address: str = "A0:9E:1A:00:00:01", name: str = "Polar H10 00000001") -> None:
        self._bluez = bluez
        self.running: set[int] = set()
        self.refuses_streams = False
        self.device = Peripheral(
            address,
            name,
            {
                full_uuid("180d"): {HEART_RATE: ("notify",)},
                full_uuid("180f"): {BATTERY: ("read", "notify")},
                SERVICE: {CONTROL: ("read", "write", "indicate"), DATA: ("notify",)},
            },
            values={BATTERY: b"\x57", CONTROL: bytes.fromhex("0f05") + bytes(15)},
            advertised=(full_uuid("180d"), full_uuid("feee")),
            on_write=self._written,
            on_link=lambda up: self.running.clear(),
        )
        bluez.add(self.device)

    @property
    def streaming(self) -> bool:
        """Somebody listens, and both streams run."""
        listened = all(self._bluez.listens(self.device, uuid) for uuid in (HEART_RATE, CONTROL, DATA))
        return listened and self.running == {ECG, ACC}

    def beat(self, *rr_1024: int, hr_bpm: int = 60) -> None:
        payload = HeartRateMeasurement(hr_bpm, True, None, rr_1024).encode()
        self._bluez.notify(self.device, HEART_RATE, payload)

    def ecg(self, device_ns: int, uv: int = 0) -> None:
        """One frame that ends at `device_ns` by the strap's clock."""
        frame = EcgFrame(Header(device_ns), np.arange(ECG_SAMPLES, dtype=np.int64) + uv)
        self._bluez.notify(self.device, DATA, PolarPmdProfile().encode(frame))

    def acc(self, device_ns: int) -> None:
        frame = AccFrame(Header(device_ns, 1), np.tile(np.array([[0, 0, 1000]], dtype=np.int64), (ACC_SAMPLES, 1)))
        self._bluez.notify(self.device, DATA, PolarPmdProfile().encode(frame))

    def stops_by_itself(self, stream: int) -> None:
        self.running.discard(stream)
        self._bluez.notify(self.device, CONTROL, bytes((0x01, stream)))

    def _written(self, uuid: str, data: bytes) -> None:
        if uuid != CONTROL:
            return
        op, stream = data[0], data[1] & 0x3F
        params, status = b"", 0
        if self.refuses_streams:
            status = 13
        elif op == Opcode.SETTINGS:
            params = _SETTINGS[stream]
        elif op == Opcode.START:
            status = 6 if stream in self.running else 0
            self.running.add(stream)
        elif op == Opcode.STOP:
            status = 0 if stream in self.running else 6
            self.running.discard(stream)
        answer = bytes((0xF0, op, stream, status)) + (b"\x00" + params if status == 0 else b"")
        self._bluez.notify(self.device, CONTROL, answer)
