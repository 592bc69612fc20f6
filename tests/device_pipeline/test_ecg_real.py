"""The floor under QRS detection on real records: it may rise, never fall. The full figures come from `evaluate`."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from device_pipeline.beat import Beat, Quality
from device_pipeline.beats.ecg import EcgBeats
from tests.data import shared_data
from tests.device_pipeline.ecg_signal import Floats, block

_BEAT_CODES = set("NLRBAaJSVrFejnE/fQ?")
_LEARNING_S = 300.0


def _found(x: Floats, fs_hz: float) -> list[Beat | Quality]:
    stage = EcgBeats(fs_hz, "ecg")
    whole = block(x, fs_hz)
    minute = round(60 * fs_hz)
    out = [item for at in range(0, len(x), minute) for item in stage.push(whole.cut(at, min(at + minute, len(x))))]
    return [item for item in out + stage.flush() if isinstance(item, Beat | Quality)]


def _matches(reference: Floats, found: Floats, within: float) -> tuple[int, int, int]:
    """True positives, false negatives, false positives; each beat has at most one partner, the nearest first."""
    pairs = [
        (abs(found[j] - r), i, j)
        for i, r in enumerate(reference.tolist())
        for j in np.flatnonzero(np.abs(found - r) <= within).tolist()
    ]
    left, right = set(range(len(reference))), set(range(len(found)))
    for _, i, j in sorted(pairs):
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
    return len(reference) - len(left), len(left), len(right)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # inside wfdb, with a new pandas
@pytest.mark.parametrize(
    ("within_s", "floor"), [(0.15, 0.9985), (0.05, 0.9965)], ids=["150 ms as in EC57", "50 ms, the R peak itself"]
)
def test_gross_f1_on_hard_and_paced_records(within_s: float, floor: float) -> None:
    wfdb = pytest.importorskip("wfdb")
    total = np.zeros(3, dtype=np.int64)
    for record in ("104", "106", "108", "114", "119", "208", "215", "217"):
        path = str(shared_data("mitdb", f"{record}.hea").with_suffix(""))
        names = wfdb.rdheader(path).sig_name
        lead = names.index("MLII") if "MLII" in names else 0
        x = np.asarray(wfdb.rdrecord(path, channels=[lead]).p_signal[:, 0], dtype=np.float64)
        annotation = wfdb.rdann(path, "atr")
        is_beat = np.array([code in _BEAT_CODES for code in annotation.symbol])
        reference = np.asarray(annotation.sample[is_beat] / 360.0, dtype=np.float64)
        found = np.array([item.t_ns / 1e9 for item in _found(x, 360.0) if isinstance(item, Beat)])
        total += _matches(reference[reference >= _LEARNING_S], found[found >= _LEARNING_S], within_s)
    hit, missed, false = total.tolist()
    assert 2 * hit / (2 * hit + missed + false) >= floor


def test_a_chest_strap_on_a_ride_gives_a_steady_rhythm() -> None:
    raw = shared_data("polar_h10_pmd", "ecg_first_20_min.bin").read_bytes()
    at, values = 24, []
    while at + 4 <= len(raw):
        (n,) = struct.unpack_from("<I", raw, at)
        frame = raw[at + 14 : at + 4 + n]
        values += [int.from_bytes(frame[k : k + 3], "little", signed=True) for k in range(0, len(frame), 3)]
        at += 4 + n
    out = _found(np.array(values) / 1000.0, 130.0)
    worn = [item for item in out if (item.t_ns if isinstance(item, Beat) else item.start_ns) > 60e9]
    assert np.mean([q.good for q in worn if isinstance(q, Quality)]) > 0.9
    rr_s = np.array([b.rr_s for b in worn if isinstance(b, Beat) and b.rr_s is not None])
    assert 0.4 < np.median(rr_s) < 0.6
    assert np.mean(np.abs(np.diff(rr_s)) > 0.2 * rr_s[1:]) < 0.04
