"""Chest straps on a false org.bluez, for `benchmarks.live`: 130 Hz ECG, 200 Hz acceleration, RR once a second.

    python -m benchmarks.straps FOLDER COUNT

It prints the address of its bus, and "streaming" once all straps are listened to; it runs until it is terminated.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fixtures import long
from sensors.profiles.pmd_frames import AccFrame, EcgFrame, Header
from sensors.profiles.polar_pmd import DATA, PolarPmdProfile
from tests.fakes.bluez import FakeBluez, PrivateBus
from tests.fakes.h10 import ACC_HZ, ACC_SAMPLES, ECG_HZ, ECG_SAMPLES, FakeH10

_PIECE_HOURS = 0.2


def heart(seed: int) -> tuple[NDArray[np.int64], list[int]]:
    """ECG in µV at 130 Hz, and its RR intervals in 1/1024 s: played again and again."""
    with tempfile.TemporaryDirectory() as folder:
        header = long.write_record(Path(folder), _PIECE_HOURS, round(ECG_HZ), seed)
        uv = np.fromfile(header.with_suffix(".dat"), dtype="<i2").astype(np.int64) * 5
        beats = json.loads(Path(folder, "day.beats.json").read_text())["samples"]
    return uv, [round(int(n) * 1024 / ECG_HZ) for n in np.diff(beats)]


async def wear(strap: FakeH10, bluez: FakeBluez, seed: int) -> None:
    """Sends what is due, for as long as somebody listens."""
    uv, rr_1024 = heart(seed)
    pieces = [uv[k : k + ECG_SAMPLES] for k in range(0, len(uv) - ECG_SAMPLES, ECG_SAMPLES)]
    still = np.tile(np.array([[12, -7, 1003]], dtype=np.int64), (ACC_SAMPLES, 1))
    profile, rng = PolarPmdProfile(), np.random.default_rng(seed)
    sent = {"ecg": 0, "acc": 0, "rr": 0}
    began_s, interval, beats_s = 0.0, 0, 0.0
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(0.05)
        if not strap.streaming:
            began_s, sent, beats_s = loop.time(), dict.fromkeys(sent, 0), 0.0
            continue
        now_s = loop.time() - began_s
        while (sent["ecg"] + 1) * ECG_SAMPLES / ECG_HZ <= now_s:
            sent["ecg"] += 1
            header = Header(10**18 + round(sent["ecg"] * ECG_SAMPLES / ECG_HZ * 1e9))
            frame = EcgFrame(header, pieces[sent["ecg"] % len(pieces)])
            bluez.notify(strap.device, DATA, profile.encode(frame))
        while (sent["acc"] + 1) * ACC_SAMPLES / ACC_HZ <= now_s:
            sent["acc"] += 1
            header = Header(10**18 + round(sent["acc"] * ACC_SAMPLES / ACC_HZ * 1e9), 1)
            moved = still + rng.integers(-20, 20, still.shape)
            bluez.notify(strap.device, DATA, profile.encode(AccFrame(header, moved)))
        while sent["rr"] + 1 <= now_s:
            sent["rr"] += 1
            due: list[int] = []
            while beats_s + rr_1024[interval % len(rr_1024)] / 1024 <= sent["rr"]:
                due.append(rr_1024[interval % len(rr_1024)])
                beats_s += due[-1] / 1024
                interval += 1
            strap.beat(*due)


async def serve(folder: Path, count: int) -> None:
    bus = PrivateBus(folder)
    bus.start()
    bluez = FakeBluez(bus.address)
    await bluez.start()
    straps = [FakeH10(bluez, f"A0:9E:1A:00:00:{k + 1:02X}", f"Polar H10 {k + 1:08d}") for k in range(count)]
    print(bus.address, flush=True)
    worn = [asyncio.create_task(wear(strap, bluez, seed + 1)) for seed, strap in enumerate(straps)]
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    try:
        await bluez.until(lambda: all(strap.streaming for strap in straps), 120)
        print("streaming", flush=True)
        await stopped.wait()
    finally:
        for task in worn:
            task.cancel()
        await bluez.stop()
        bus.stop()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
