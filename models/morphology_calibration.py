"""What the net for shapes says of the wearer's usual beats: a middle, a spread, and which numbers go together.

Odd beats among those that it is made from change little: middle and spread are medians, and the covariance is that of
the closer half (after Rousseeuw's minimum covariance determinant, 1999, doi:10.1080/00401706.1999.10485670).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.morphology_input import LOOKED_AT, QRS
from models.waveform import Floats

SCHEMA = "vitalkeep.calibration/1"
KEPT = 0.6  # share of the beats that the covariance is of
RIDGE = 0.3  # of a spread: numbers that hardly vary are no yardstick
_STEPS = 6
_LEAST_SPREAD = 0.02
_LIKE_FLOOR = 0.02  # of 1 - correlation, which noise alone reaches


@dataclass(frozen=True, slots=True, repr=False)
class Calibration:
    """`middle`, `spread`: of each feature; `mean`, `inverse` (rows one after another): of the standardised ones.

    `size_mv`: of the usual QRS; `usual_rr_s`: the median interval; `usual_look`: the median of what the net is shown;
    `usual_wave`: the usual beat as the net understands it; `usual_distance`: the median
    of the distances of the beats it was made from; `n`: how many those were.
    """

    model: str
    version: str
    n: int
    size_mv: float
    usual_rr_s: float
    usual_distance: float
    usual_look: tuple[float, ...]
    usual_wave: tuple[float, ...]
    middle: tuple[float, ...]
    spread: tuple[float, ...]
    mean: tuple[float, ...]
    inverse: tuple[float, ...]

    def __repr__(self) -> str:
        return f"<Calibration {self.model} {self.version} n={self.n}>"

    def distances(self, rows: Floats) -> Floats:
        """Mahalanobis distances of `rows` (n, features): (n,)."""
        off = (rows - np.array(self.middle)) / np.array(self.spread) - np.array(self.mean)
        size = len(self.mean)
        inverse = np.array(self.inverse).reshape(size, size)
        return np.asarray(np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", off, inverse, off, optimize=False), 0.0)))

    def to_json(self) -> str:
        return json.dumps({"schema": SCHEMA, **asdict(self)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Raises ModelError where `text` is not what `to_json` gave."""
        try:
            raw: Any = json.loads(text)
            if raw.pop("schema") != SCHEMA or set(raw) != {field.name for field in fields(cls)}:
                raise ValueError("other fields")
            lists = {key: tuple(map(float, value)) for key, value in raw.items() if isinstance(value, list)}
            made = cls(**{**raw, **lists})
            size = len(made.middle)
            long = len(made.usual_look) == len(made.usual_wave) == LOOKED_AT
            whole = len(made.spread) == len(made.mean) == size and len(made.inverse) == size * size
            numbers = [
                made.size_mv,
                made.usual_rr_s,
                made.usual_distance,
                *(x for held in lists.values() for x in held),
            ]
            if not (whole and long) or not all(math.isfinite(x) for x in numbers) or not min(made.spread) > 0:
                raise ValueError("numbers missing or not finite")
            if not (made.size_mv > 0 and made.usual_distance > 0 and isinstance(made.n, int)):
                raise ValueError("sizes above 0 expected")
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise ModelError(f"a calibration that cannot be read ({type(problem).__name__})") from None
        return made


def features(code: Floats, understood: Floats, usual: Floats) -> Floats:
    """(n, code + 2): the code, and how unlike the usual wave the beat is, as a whole and around its R peak."""
    whole = _unlike(understood, usual)
    qrs = _unlike(understood[:, QRS], usual[QRS])
    return np.concatenate((code, whole[:, None], qrs[:, None]), axis=1)


def calibration_of(
    code: Floats,
    understood: Floats,
    *,
    size_mv: float,
    usual_rr_s: float,
    usual_look: Floats,
    model: str,
    version: str,
) -> Calibration:
    """From what the net says of n beats: `code` (n, code), `understood` (n, LOOKED_AT)."""
    usual: Floats = np.asarray(np.median(understood, axis=0), dtype=np.float64)
    rows = features(code, understood, usual)
    middle = np.median(rows, axis=0)
    spread = 1.4826 * np.median(np.abs(rows - middle), axis=0) + _LEAST_SPREAD
    off = (rows - middle) / spread
    distance = (off * off).sum(axis=1)
    keep = max(2, int(KEPT * len(off)))
    size = off.shape[1]
    for _ in range(_STEPS):
        near = off[np.sort(np.argsort(distance, kind="stable")[:keep])]
        mean = near.mean(axis=0)
        inverse = np.linalg.inv(np.cov(near.T) + RIDGE * np.eye(size))
        distance = np.einsum("ij,jk,ik->i", off - mean, inverse, off - mean)
    return Calibration(
        model=model,
        version=version,
        n=len(rows),
        size_mv=size_mv,
        usual_rr_s=usual_rr_s,
        usual_look=_told(usual_look),
        usual_distance=max(float(np.sqrt(np.median(distance))), 1e-3),
        usual_wave=_told(usual),
        middle=_told(middle),
        spread=_told(spread),
        mean=_told(mean),
        inverse=_told(inverse.ravel()),
    )


def _told(values: NDArray[np.floating[Any]]) -> tuple[float, ...]:
    return tuple(np.round(values, 6).tolist())


def _unlike(rows: Floats, usual: Floats) -> Floats:
    """Logarithm of 1 - correlation with `usual`; (n, m) to (n,)."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    usual = usual - usual.mean()
    both = np.einsum("ij,j->i", rows, usual, optimize=False)
    sizes = np.sqrt((rows * rows).sum(axis=1) * (usual * usual).sum())
    return np.asarray(np.log(1.0 - both / (sizes + 1e-9) + _LIKE_FLOOR))
