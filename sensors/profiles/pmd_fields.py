"""What `vitalkeep decode` prints of a frame of Polar measurement data: the names of the shared vectors.

Samples of three axes are told as their number `n` and the first two, under the unit and `_head`; all others in full.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensors.measured import number
from sensors.profile import Fields
from sensors.profiles.pmd_frames import (
    AccFrame,
    CountsFrame,
    EcgFrame,
    FloatFrame,
    Measurement,
    PmdFrame,
    PpgFrame,
    PpiFrame,
    PpInterval,
)
from sensors.profiles.pmd_records import FORMS, RecordFrame

_HEAD = 2
_UNITS = {Measurement.SKIN_TEMP: "celsius", Measurement.TEMPERATURE: "celsius", Measurement.PRESSURE: "bar"}


def frame_fields(value: PmdFrame | RecordFrame, factor: float = 1.0) -> Fields:
    """`factor`: what the device told when the stream was started; compressed samples are worth that much each."""
    header = value.header
    worth = factor if header.compressed else 1.0
    named: Fields = {"ts": header.device_ns, "frame_type": header.frame_type, "compressed": header.compressed}
    match value:
        case EcgFrame():
            return {"type": 0} | named | {"uV": value.uv.tolist()}
        case AccFrame():
            return {"type": 2} | named | _head("mG", value.mg, worth)
        case PpgFrame():
            return {"type": 1} | named | _light(value, worth)
        case PpiFrame():
            return {"type": 3} | named | {"ppi": [_interval(ppi) for ppi in value.ppi]}
        case CountsFrame():
            return {"type": int(value.measurement)} | named | _counts(value, worth)
        case FloatFrame():
            scaled = [[None if x is None else x * worth for x in sample] for sample in value.samples]
            told: Fields = {"n": len(scaled), "dps_head": scaled[:_HEAD]}
            if value.measurement is not Measurement.GYRO:
                told = {_UNITS[value.measurement]: [only for (only,) in scaled]}
            return {"type": int(value.measurement)} | named | told
        case RecordFrame():
            form = FORMS[(value.measurement, header.frame_type)]
            return {"type": int(value.measurement)} | named | form.told(value.rows)


def _counts(value: CountsFrame, worth: float) -> Fields:
    match value.measurement:
        case Measurement.ACC:
            return _head("mG", value.counts, 1000 * worth)
        case Measurement.GYRO:
            return _head("dps", value.counts, worth)
    if value.header.frame_type == 0:
        return _head("gauss", value.counts, worth)
    # thousandths, and how well each sample is calibrated
    return _head("gauss", value.counts[:, :3], worth / 1000) | {"calibration_head": value.counts[:_HEAD, 3].tolist()}


def _light(value: PpgFrame, worth: float) -> Fields:
    if value.header.frame_type == 0:
        return {"ppg": _scaled(value.counts, worth)}
    # the status is a field of bits, however it was compressed
    return {"ppg": _scaled(value.counts[:, :-1], worth), "status": (value.counts[:, -1] & 0xFFFFFF).tolist()}


def _head(unit: str, samples: NDArray[np.int64], worth: float) -> Fields:
    return {"n": len(samples), f"{unit}_head": _scaled(samples[:_HEAD], worth)}


def _scaled(samples: NDArray[np.int64], worth: float) -> list[list[int | float | None]]:
    return [[number(float(x * worth)) for x in sample] for sample in samples.tolist()]


def _interval(ppi: PpInterval) -> Fields:
    return {
        "hr": ppi.hr_bpm,
        "ms": ppi.ms,
        "err_ms": ppi.err_ms,
        "blocker": int(ppi.blocker),
        "contact": int(ppi.contact),
        "contact_supported": int(ppi.contact_supported),
    }
