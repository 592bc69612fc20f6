"""An ECG and a PPG of one heart that breathes at a given rate."""

from __future__ import annotations

import numpy as np

from fixtures.chance import Array
from fixtures.heart import Heart, Part, Rhythm
from fixtures.ppg_model import FS_HZ as PPG_HZ
from fixtures.ppg_model import PpgStory, play
from sensors.samples import Kind, Samples

SECONDS = 150
S = 10**9


def heart(breath_bpm: float, bpm: float = 72) -> Heart:
    return Heart(5, bpm, (Part("rest", SECONDS + 5, Rhythm.SINUS, bpm, 0.03),), breath_hz=breath_bpm / 60)


def samples(kind: Kind, fs_hz: float, values: Array, at_s: float = 0.0) -> Samples:
    return Samples(kind, kind.value, fs_hz, round(at_s * S), 1e9 / fs_hz, 0, np.asarray(values, dtype=np.float64))


def ecg(breath_bpm: float, fs_hz: float = 130.0) -> Samples:
    beating = heart(breath_bpm)
    noise = 0.01 * np.random.default_rng(1).standard_normal(round(SECONDS * fs_hz))
    return samples(Kind.ECG, fs_hz, beating.ecg_mv(beating.beats(), fs_hz, round(SECONDS * fs_hz)) + noise)


def ppg(breath_bpm: float) -> Samples:
    csv, _ = play(PpgStory("still", heart(breath_bpm), SECONDS, (SECONDS + 10.0, SECONDS + 20.0)))
    return samples(Kind.PPG, PPG_HZ, np.array([float(row.split(",")[1]) for row in csv.splitlines()[1:]]))
