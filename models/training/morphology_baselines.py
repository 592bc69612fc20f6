"""What is simpler than the net, and what it has to be compared with: each is calibrated on the same first beats.

Each way takes the wearer's own waves (n, POINTS) and later ones (m, POINTS), mV, and gives a score of each of the later
ones, (m,), higher for odder.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.morphology_input import looks, qrs_size
from models.waveform import Floats

COMPONENTS = 8


def _seen(own: Floats, later: Floats) -> tuple[Floats, Floats]:
    size_mv = float(np.median(qrs_size(own)))
    return looks(own, size_mv), looks(later, size_mv)


def correlation(own: Floats, later: Floats) -> Floats:
    """1 less the correlation with the usual beat, the median of the wearer's own."""
    own, later = _seen(own, later)
    usual = np.median(own, axis=0)
    usual = usual - usual.mean()
    rows = later - later.mean(axis=1, keepdims=True)
    return np.asarray(1 - rows @ usual / (np.sqrt((rows * rows).sum(axis=1) * (usual @ usual)) + 1e-9))


def template(own: Floats, later: Floats) -> Floats:
    """Mean squared distance from the usual beat, each point in its own robust spread."""
    own, later = _seen(own, later)
    usual = np.median(own, axis=0)
    spread = 1.4826 * np.median(np.abs(own - usual), axis=0) + 0.1
    return np.asarray((((later - usual) / spread) ** 2).mean(axis=1))


def pca(own: Floats, later: Floats) -> Floats:
    """What COMPONENTS principal components of the wearer's own beats leave over, squared; the oddest fifth of the
    wearer's own beats, by `template`, left out of them."""
    near = np.argsort(template(own, own), kind="stable")[: int(0.8 * len(own))]
    own, later = _seen(own, later)
    own = own[near]
    middle = own.mean(axis=0)
    parts = np.linalg.svd(own - middle, full_matrices=False)[2][:COMPONENTS]
    rest = later - middle
    return np.asarray(((rest - rest @ parts.T @ parts) ** 2).mean(axis=1))


WAYS: dict[str, Callable[[Floats, Floats], Floats]] = {"correlation": correlation, "template": template, "pca": pca}
