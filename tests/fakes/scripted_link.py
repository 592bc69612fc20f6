"""A Link that delivers what it was given, and an H10 whose notifications are written by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import numpy as np
from numpy.typing import NDArray

from sensors.link import Device, Event, Notification
from sensors.profiles.heart_rate import HeartRateMeasurement, HeartRateProfile
from sensors.profiles.pmd_frames import EcgFrame, Header
from sensors.profiles.polar_pmd import PolarPmdProfile

S = 10**9


class ScriptedLink:
    def __init__(self, events: Iterable[Event], device: Device | None = None) -> None:
        self._events = list(events)
        self.device = device or Device("Scripted")
        self.closed = False

    async def close(self) -> None:
        self.closed = True

    async def __aiter__(self) -> AsyncIterator[Event]:
        for event in self._events:
            if self.closed:
                return
            yield event


def ecg(t_ns: int, device_ns: int, uv: NDArray[np.int64]) -> Notification:
    payload = PolarPmdProfile().encode(EcgFrame(Header(device_ns), uv))
    return Notification(t_ns, PolarPmdProfile.characteristic, payload)


def heart_rate(t_ns: int, *rr_1024: int, hr_bpm: int = 60, contact: bool | None = True) -> Notification:
    payload = HeartRateMeasurement(hr_bpm, contact, None, rr_1024).encode()
    return Notification(t_ns, HeartRateProfile.characteristic, payload)
