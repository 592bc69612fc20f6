"""PLX Continuous Measurement, 0x2A5F (Pulse Oximeter Service 1.0.1, 3.2): saturation and pulse rate, about once a
second, in up to three averages: normal, fast and slow. Only the normal one is observed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.profile import Observation, full_uuid
from sensors.profiles.plx import UNTOLD, Condition, Pair, observe
from sensors.wire import Cursor, Writer

_FAST, _SLOW, _STATUS, _DEVICE_STATUS, _PAI = 0x01, 0x02, 0x04, 0x08, 0x10


@dataclass(frozen=True, slots=True, repr=False)
class PlxContinuous:
    normal: Pair
    fast: Pair | None = None
    slow: Pair | None = None
    condition: Condition = UNTOLD

    def __repr__(self) -> str:
        return "<PlxContinuous>"


class PlxContinuousProfile:
    name = "plx_continuous"
    characteristic = full_uuid("2a5f")
    channels = ("spo2", "pulse_rate", "perfusion")
    silent_after_s: float | None = 5.0

    def decode(self, payload: bytes) -> PlxContinuous:
        cursor = Cursor(payload)
        flags = cursor.u8()
        normal = Pair.read(cursor)
        fast = Pair.read(cursor) if flags & _FAST else None
        slow = Pair.read(cursor) if flags & _SLOW else None
        condition = Condition.read(cursor, flags & _STATUS, flags & _DEVICE_STATUS, flags & _PAI)
        cursor.done()
        return PlxContinuous(normal, fast, slow, condition)

    def encode(self, value: PlxContinuous) -> bytes:
        condition = value.condition
        parts = (value.fast, value.slow, condition.status, condition.device_status, condition.pai_pct)
        out = Writer().u8(sum(1 << bit for bit, part in enumerate(parts) if part is not None))
        for pair in (value.normal, value.fast, value.slow):
            if pair is not None:
                pair.write(out)
        condition.write(out)
        return out.getvalue()

    def observe(self, value: PlxContinuous) -> tuple[Observation, ...]:
        return observe(value.normal, value.condition, self.channels)

    def fields(self, value: PlxContinuous) -> dict[str, object]:
        found = value.normal.fields()
        if value.fast is not None:
            found |= value.fast.fields("_fast")
        if value.slow is not None:
            found |= value.slow.fields("_slow")
        return found | value.condition.fields()
