"""Records of the project's own ECG model, for where the real ones are missing: easier than life, and told so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fixtures.heart import Event, Heart, Part, Rhythm

NAMES = ("model_1", "model_2", "model_3")
LENGTH_S = 1200


def model_record(name: str, fs_hz: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Twenty minutes in mV with white noise of 0.05 mV, and the R peaks in samples at `fs_hz`."""
    seed = NAMES.index(name) + 1
    heart = Heart(
        seed=seed,
        start_bpm=70,
        parts=(
            Part("rest", 600, Rhythm.SINUS, 66, 0.045),
            Part("fibrillation", 800, Rhythm.FIBRILLATION, 95),
            Part("effort", 1000, Rhythm.SINUS, 150, 0.015),
            Part("recovery", LENGTH_S, Rhythm.SINUS, 80, 0.03),
        ),
        events=tuple((at_s, Event.PVC if at_s % 2 else Event.SVEB, 0.62) for at_s in range(30 * seed, 590, 31)),
    )
    beats = heart.beats()
    count = round(LENGTH_S * fs_hz)
    ecg_mv = np.asarray(heart.ecg_mv(beats, fs_hz, count), dtype=np.float64)
    noise_mv = np.random.default_rng(seed).normal(0.0, 0.05, count)
    at = np.array([round(beat.t_ns * fs_hz / 1e9) for beat in beats], dtype=np.int64)
    return ecg_mv + noise_mv, at[at < count]
