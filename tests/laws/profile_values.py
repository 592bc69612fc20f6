"""What the laws of the profiles need of each: any value it can send, and the fields that the shared vectors name."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sensors.profiles import polar_pmd as pmd
from sensors.profiles.battery import BatteryLevel, BatteryProfile
from sensors.profiles.heart_rate import HeartRateMeasurement, HeartRateProfile
from sensors.profiles.polar_pmd_control import Features, PolarPmdControlProfile, Response, Stopped
from tests.laws.gatt_values import GATT_VALUES, GATT_VECTOR_NAMES

_u8, _u16 = st.integers(0, 0xFF), st.integers(0, 0xFFFF)


def _headers(frame_type: int = 0, compressed: bool = False) -> st.SearchStrategy[pmd.Header]:
    return st.builds(pmd.Header, st.integers(0, 2**64 - 1), st.just(frame_type), st.just(compressed))


def _numbers(bits: int, axes: int | None, least: int = 0) -> st.SearchStrategy[Any]:
    limit = 1 << (bits - 1)
    lengths = st.integers(least, 40)
    shapes = lengths if axes is None else st.tuples(lengths, st.just(axes))
    return arrays(np.int64, shapes, elements=st.integers(-limit, limit - 1))


_celsius = st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    **GATT_VALUES,
    HeartRateProfile.name: st.builds(
        HeartRateMeasurement,
        _u16,
        st.sampled_from([None, True, False]),
        st.none() | _u16,
        st.lists(_u16, max_size=20).map(tuple),
    ),
    BatteryProfile.name: st.builds(BatteryLevel, st.integers(0, 100)),
    pmd.PolarPmdProfile.name: st.one_of(
        st.builds(pmd.EcgFrame, _headers(), _numbers(24, None)),
        *(st.builds(pmd.AccFrame, _headers(k), _numbers(8 * (k + 1), 3)) for k in range(3)),
        st.builds(pmd.AccFrame, _headers(1, True), _numbers(16, 3, least=1)),
        st.builds(pmd.PpgFrame, _headers(), _numbers(24, 4)),
        st.builds(
            pmd.PpiFrame,
            _headers(),
            st.lists(
                st.builds(pmd.PpInterval, _u8, _u16, _u16, st.booleans(), st.booleans(), st.booleans()), max_size=20
            ).map(tuple),
        ),
        st.builds(pmd.SkinTemperatureFrame, _headers(), st.lists(_celsius, max_size=5).map(tuple)),
    ),
    PolarPmdControlProfile.name: st.one_of(
        st.builds(Features, st.binary(min_size=1, max_size=16)),
        st.builds(Stopped, st.lists(_u8, max_size=8).map(tuple)),
        st.builds(Response, _u8, _u8, _u8, st.booleans(), st.binary(max_size=30)),
    ),
}

# The names the vectors use for a characteristic that is not a 16-bit one.
VECTOR_NAMES = {
    **GATT_VECTOR_NAMES,
    HeartRateProfile.name: ("2A37",),
    BatteryProfile.name: ("2A19",),
    pmd.PolarPmdProfile.name: ("PMD_DATA",),
    PolarPmdControlProfile.name: ("PMD_CP_RESPONSE", "PMD_FEATURES"),
}


def fields(value: Any) -> dict[str, Any]:
    """A decoded value under the names of the vectors."""
    match value:
        case Features():
            return {"streams": [stream.name for stream in value.streams]}
        case Response():
            named = {name: getattr(value, name) for name in ("op", "type", "status", "more")}
            return named | {"params": value.params.hex()}
    header = value.header
    named = {"ts": header.device_ns, "frame_type": header.frame_type, "compressed": header.compressed}
    match value:
        case pmd.EcgFrame():
            return named | {"type": 0, "uV": value.uv.tolist()}
        case pmd.AccFrame():
            return named | {"type": 2, "n": len(value.mg), "mG_head": value.mg[:2].tolist()}
        case pmd.PpgFrame():
            return named | {"type": 1, "ppg": value.counts.tolist()}
        case pmd.PpiFrame():
            keys = ("hr", "ms", "err_ms", "blocker", "contact", "contact_supported")
            of = ("hr_bpm", *keys[1:])
            pairs = [{k: int(getattr(p, name)) for k, name in zip(keys, of, strict=True)} for p in value.ppi]
            return named | {"type": 3, "ppi": pairs}
        case pmd.SkinTemperatureFrame():
            return named | {"type": 7, "celsius": list(value.celsius)}
    raise AssertionError(f"no field names for {type(value).__name__}")
