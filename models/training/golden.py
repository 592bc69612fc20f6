"""Makes models/weights/screen.golden.npz: python -m models.training.golden. Inputs by formulae, and what it says.

The waves are sums of bells at made beats: regular, irregular without P waves, with early wide beats, and noise alone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.interpreter import load
from models.screen import CARD
from models.screen_input import features, wave

_FS_HZ = 200.0
_BELLS = ((-0.17, 0.12, 0.025), (-0.02, -0.1, 0.008), (0.0, 1.0, 0.011), (0.025, -0.2, 0.009), (0.28, 0.3, 0.05))


def made(kind: str, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(30 s in mV at 200 Hz, moments of the beats in seconds)."""
    rng = np.random.default_rng(seed)
    t = np.arange(6000) / _FS_HZ
    ecg = rng.normal(0, 0.8 if kind == "noise" else 0.01, len(t))
    beats: list[float] = []
    at = 0.6
    while at < 29.4:
        early = kind == "early" and len(beats) % 4 == 3
        beats.append(at - 0.25 if early else at)
        for place, height, width in _BELLS:
            if kind == "noise" or (kind == "irregular" and place < -0.1):
                continue
            wide = 3.0 if early else 1.0
            ecg += height * np.exp(-0.5 * ((t - beats[-1] - place * wide) / (width * wide)) ** 2)
        at += rng.uniform(0.4, 1.1) if kind == "irregular" else 0.85 + rng.normal(0, 0.02)
    return ecg, np.array(beats)


def main() -> None:
    net = load(CARD)
    waves, rows, said = [], [], []
    for seed, kind in enumerate(("regular", "irregular", "early", "noise")):
        ecg, beats = made(kind, seed)
        seen = wave(ecg, _FS_HZ).astype(np.float32)
        told = features(seen.astype(np.float64), beats, 30.0).astype(np.float32)
        waves.append(seen[:, None])
        rows.append(told)
        said.append(net(wave=seen[:, None], features=told))
        print(kind, dict(zip(net.card.labels, np.round(said[-1], 3).tolist(), strict=True)))
    path = CARD.with_name("screen.golden.npz")
    np.savez_compressed(Path(path), wave=np.array(waves), features=np.array(rows), scores=np.array(said))


if __name__ == "__main__":
    main()
