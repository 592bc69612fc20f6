"""The reference where nobody marked breaths: the rate of a respiration channel (belt, impedance, air flow).

A window has a truth only where two ways to read the channel agree: the median interval between the rises of the
band-passed wave through its middle (with hysteresis), and the strongest rate of its spectrum. Both are read off line
and never by anything that makes an estimate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

BAND_HZ = (0.05, 1.2)
HYSTERESIS = 0.3  # of the standard deviation of the window, to either side
MOST_APART = 0.15  # of the rate
FEWEST_RISES = 3

Floats = NDArray[np.float64]


def reference_rate_bpm(x: Floats, fs_hz: float) -> float | None:
    """Breaths a minute in one window of a respiration channel, None where it cannot be told.

    `x` (n,) at `fs_hz`: the window alone, at least 16 s of it, finite.
    """
    if len(x) < 16 * fs_hz or not np.isfinite(x).all() or float(np.ptp(x)) == 0.0:
        return None
    wave = sosfiltfilt(butter(2, BAND_HZ, "bandpass", fs=fs_hz, output="sos"), x - x.mean())
    spread = float(wave.std())
    if spread == 0.0:
        return None
    rises: list[int] = []
    low = True
    for k, value in enumerate((wave / spread).tolist()):
        if low and value > HYSTERESIS:
            rises.append(k)
            low = False
        elif not low and value < -HYSTERESIS:
            low = True
    if len(rises) < FEWEST_RISES:
        return None
    by_count = 60.0 * fs_hz * (len(rises) - 1) / (rises[-1] - rises[0])
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 8 * len(wave))) ** 2
    by_power = 60.0 * fs_hz * int(np.argmax(power)) / (8 * len(wave))
    if abs(by_count - by_power) > MOST_APART * max(by_count, by_power):
        return None
    return by_count
