"""What Polar measurement data can hold: one value type for each kind of frame, none of which shows what it measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

# Ours, no source tells one: an interval known no better than this would drown the differences of 20 to 50 ms that
# RMSSD and pNN50 are made of.
LARGEST_ERR_MS = 30


class Measurement(IntEnum):
    """What a device may offer, under the names of the SDK."""

    ECG = 0
    PPG = 1
    ACC = 2
    PPI = 3
    GYRO = 5
    MAGNETOMETER = 6
    SKIN_TEMP = 7
    SDK_MODE = 9
    LOCATION = 10
    PRESSURE = 11
    TEMPERATURE = 12
    OFFLINE_RECORDING = 13
    OFFLINE_HR = 14


@dataclass(frozen=True, slots=True)
class Header:
    """`device_ns`: nanoseconds since 2000-01-01 at the last sample, by the device's clock."""

    device_ns: int
    frame_type: int = 0
    compressed: bool = False


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class EcgFrame:
    """`uv`: (n,) microvolts, 24 bits signed."""

    header: Header
    uv: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<EcgFrame n={len(self.uv)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EcgFrame) and self.header == other.header and np.array_equal(self.uv, other.uv)

    def __hash__(self) -> int:
        return hash((self.header, self.uv.tobytes()))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class AccFrame:
    """`mg`: (n, 3) thousandths of g. Raw frame types 0, 1 and 2 carry 8, 16 and 24 bits, compressed type 1 16 bits."""

    header: Header
    mg: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<AccFrame n={len(self.mg)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccFrame) and self.header == other.header and np.array_equal(self.mg, other.mg)

    def __hash__(self) -> int:
        return hash((self.header, self.mg.tobytes()))


PPG_COLUMNS = {0: 4, 7: 17, 8: 25, 10: 21, 13: 3}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PpgFrame:
    """`counts`: (n, columns), 24 bits signed; how many columns the frame type tells, see `PPG_COLUMNS`.

    Type 0: three photodiodes and the ambient light. The others, always compressed, end with a column of status bits:
    7 has sixteen channels before it, 8 twenty-four, 10 eight green, six red and six infrared, 13 two.
    """

    header: Header
    counts: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<PpgFrame n={len(self.counts)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PpgFrame) and self.header == other.header and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.header, self.counts.tobytes()))


@dataclass(frozen=True, slots=True, repr=False)
class PpInterval:
    """One pulse-to-pulse interval and the device's own estimate of its error.

    `blocker`: the wearer moved. `contact` means something only where supported.
    """

    hr_bpm: int
    ms: int
    err_ms: int
    blocker: bool
    contact: bool
    contact_supported: bool

    def __repr__(self) -> str:
        return "<PpInterval>"

    @property
    def usable(self) -> bool:
        """Still, worn, and known well enough to count as a beat-to-beat interval."""
        seen = not self.blocker and (self.contact or not self.contact_supported)
        return seen and self.ms > 0 and self.err_ms <= LARGEST_ERR_MS


@dataclass(frozen=True, slots=True, repr=False)
class PpiFrame:
    header: Header
    ppi: tuple[PpInterval, ...]

    def __repr__(self) -> str:
        return f"<PpiFrame n={len(self.ppi)}>"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class CountsFrame:
    """Samples that are worth their FACTOR each: `counts` is (n, axes), 16 bits signed, always compressed.

    ACC type 0 (g), GYRO type 0 (deg/s), MAGNETOMETER type 0 (gauss) and 1 (milligauss, the fourth its calibration).
    """

    measurement: Measurement
    header: Header
    counts: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<CountsFrame {self.measurement.name} n={len(self.counts)}>"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CountsFrame)
            and (self.measurement, self.header) == (other.measurement, other.header)
            and np.array_equal(self.counts, other.counts)
        )

    def __hash__(self) -> int:
        return hash((self.measurement, self.header, self.counts.tobytes()))


@dataclass(frozen=True, slots=True, repr=False)
class FloatFrame:
    """Samples of binary32, one tuple each; None where the device sent no number.

    SKIN_TEMP and TEMPERATURE (degrees Celsius) and PRESSURE (bar) have one value a sample, GYRO (deg/s) three.
    """

    measurement: Measurement
    header: Header
    samples: tuple[tuple[float | None, ...], ...]

    def __repr__(self) -> str:
        return f"<FloatFrame {self.measurement.name} n={len(self.samples)}>"


PmdFrame = EcgFrame | AccFrame | PpgFrame | PpiFrame | CountsFrame | FloatFrame
