"""Records with a pulse wave and, beside it, something that says how fast the heart was.

- IEEE Signal Processing Cup 2015: `DATA_*.mat` or `TEST_*.mat`, whose array `sig` ends in two PPG and three
  acceleration rows at 125 Hz, with `BPM0` of the windows [2k, 2k + 8) s in a file beside it;
- the BIDMC CSV (`bidmc_01_Signals.csv`): PLETH, and the ECG leads II and V;
- whatever else we read that has an ECG and a PPG.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from device_pipeline.evaluation.heart_rate import ecg_truth
from sensors.errors import FileFormatError
from sensors.files.bidmc import BidmcSource
from sensors.files.open import open_source
from sensors.samples import Gap, Kind, Samples

IEEE_HZ = 125.0
BLOCK_S = 60
_S = 1_000_000_000
_TRUTHS = ("_BPMtrace", "BPM_", "True_")
_BIDMC_TIME = "Time [s]"
_BIDMC_WAVE = "PLETH"
_BIDMC_LEADS = ("II", "V")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class RateRecord:
    """`items` of the channels named, in order of time from 0 on; `truth_bpm` of each window of the grid."""

    name: str
    items: list[Samples | Gap]
    ppg: str
    second_ppg: str | None
    acc: str | None
    truth_bpm: list[float | None]


def rate_records_in(folder: Path) -> list[Path]:
    """The records of a folder that have a truth, in order."""
    mats = [path for path in folder.glob("*.mat") if is_ieee(path) and ieee_truth_path(path) is not None]
    return sorted(mats) + sorted(path for path in folder.glob("*.csv") if has_ecg_and_ppg(path))


def read_rate_record(path: Path) -> RateRecord:
    """Raises FileFormatError where it is none of these records, or its truth is missing."""
    if path.suffix == ".mat":
        return _ieee(path)
    if path.suffix == ".csv" and _is_bidmc(path):
        return _bidmc(path)
    return _other(path)


def is_ieee(path: Path) -> bool:
    return path.suffix == ".mat" and path.stem.startswith(("DATA_", "TEST_")) and not path.stem.endswith(_TRUTHS[0])


def ieee_truth_path(path: Path) -> Path | None:
    number = path.stem.split("_", 1)[1]
    names = (f"{path.stem}{_TRUTHS[0]}.mat", f"{_TRUTHS[1]}{number}.mat", f"{_TRUTHS[2]}{number}.mat")
    return next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)


def has_ecg_and_ppg(path: Path) -> bool:
    if _is_bidmc(path):
        return True
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        names = {name.strip().lower() for name in file.readline(65_536).split(",")}
    return "ecg_mv" in names and any(name.startswith("ppg") for name in names)


def even(kind: Kind, channel: str, values: Floats, fs_hz: float) -> Iterator[Samples]:
    """Blocks of a minute of an evenly sampled channel that begins at 0."""
    whole = Samples(kind, channel, fs_hz, 0, _S / fs_hz, 0, np.ascontiguousarray(values, dtype=np.float64))
    n = round(BLOCK_S * fs_hz)
    return (whole.cut(at, min(at + n, len(whole))) for at in range(0, len(whole), n))


def _ieee(path: Path) -> RateRecord:
    truth_path = ieee_truth_path(path)
    if truth_path is None:
        raise FileFormatError(f"{path.name}: no BPM0 beside it, a file of heart rates is expected")
    rows = _array(path, "sig")
    if rows.ndim != 2 or len(rows) < 5 or not np.isfinite(rows).all():
        raise FileFormatError(f"{path.name}: sig is {rows.shape}, five rows or more of numbers are expected")
    truth = _array(truth_path, "BPM0").ravel()
    blocks = [
        *even(Kind.PPG, "ppg", rows[-5], IEEE_HZ),
        *even(Kind.PPG, "ppg_2", rows[-4], IEEE_HZ),
        *even(Kind.ACC, "acc", rows[-3:].T, IEEE_HZ),
    ]
    told = [float(bpm) if np.isfinite(bpm) else None for bpm in truth]
    return RateRecord(path.stem, sorted(blocks, key=lambda b: b.start_ns), "ppg", "ppg_2", "acc", told)


def _array(path: Path, name: str) -> Floats:
    try:
        return np.asarray(loadmat(path)[name], dtype=np.float64)
    except Exception as error:  # of a file that is no matrix scipy raises whatever it stumbles over
        raise FileFormatError(f"{path.name}: no array {name} in it ({type(error).__name__})") from error


def _is_bidmc(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            names = [name.strip() for name in next(csv.reader([file.readline(65_536)]), [])]
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path.name}: cannot be read ({type(error).__name__})") from error
    return _BIDMC_TIME in names and _BIDMC_WAVE in names


def _bidmc(path: Path) -> RateRecord:
    source = BidmcSource(path)
    names = [channel.name for channel in source.channels]
    leads = [lead for lead in _BIDMC_LEADS if lead in names]
    if not leads:
        raise FileFormatError(f"{path.name}: no lead II or V; it has: {', '.join(names)}")
    items = [i for i in source.items([_BIDMC_WAVE, *leads], BLOCK_S) if isinstance(i, Samples | Gap)]
    end_ns = max((item.end_ns for item in items), default=0)
    truth = ecg_truth([[i for i in items if i.channel == lead] for lead in leads], end_ns)
    wave = [i for i in items if i.channel == _BIDMC_WAVE]
    return RateRecord(path.stem.removesuffix("_Signals"), wave, _BIDMC_WAVE, None, None, truth)


def _other(path: Path) -> RateRecord:
    source = open_source(path)
    by_kind = {kind: [c.name for c in source.channels if c.kind is kind] for kind in (Kind.ECG, Kind.PPG, Kind.ACC)}
    leads, waves, moves = by_kind[Kind.ECG], by_kind[Kind.PPG], by_kind[Kind.ACC]
    if not leads or not waves:
        have = ", ".join(c.name for c in source.channels) or "no channel"
        raise FileFormatError(f"{path.name}: an ECG and a PPG are expected, it has: {have}")
    used = [*waves[:2], *moves[:1]]
    items = [i for i in source.items([*leads, *used]) if isinstance(i, Samples | Gap)]
    end_ns = max((item.end_ns for item in items), default=0)
    truth = ecg_truth([[i for i in items if i.channel in (None, lead)] for lead in leads], end_ns)
    mine = [i for i in items if i.channel is None or i.channel in used]
    second, acc = waves[1] if len(waves) > 1 else None, moves[0] if moves else None
    return RateRecord(source.name, mine, waves[0], second, acc, truth)
