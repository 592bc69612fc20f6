"""All noise is OpenDP's, and every mechanism is held to its claim before it is used.

OpenDP: opendp.org, Rust with published proofs. `contrib` is enabled, since all of its mechanisms stand there;
`floating-point` and `honest-but-curious` never are. Pure ε: δ = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sync.private.errors import NoiseMissingError, PrivacyError

# One day replaced by another: at most one row goes and one comes (SymmetricDistance counts both).
REPLACED = 2


@cache
def _opendp() -> Any:
    try:
        import opendp.prelude as dp
    except ImportError:
        raise NoiseMissingError("OpenDP is not installed: pip install 'vitalkeep[sync]'") from None
    dp.enable_features("contrib")
    return dp


def get_ready() -> None:
    """Loads OpenDP, which takes seconds on a small device: never while others wait. Raises NoiseMissingError."""
    _opendp()


@cache
def noisy_count(epsilon: float) -> Callable[[int], int]:
    """Adds discrete Laplace noise to a count that changes by at most 1 where one day is replaced.

    The result may lie below 0 or above the number of days: it is told as it was drawn.
    """
    dp = _opendp()
    mechanism = dp.m.make_laplace(dp.atom_domain(T="i32"), dp.absolute_distance(T="i32"), scale=1.0 / epsilon)
    _held(float(mechanism.map(1)), epsilon)
    return lambda count: int(mechanism(count))


@cache
def noisy_median(epsilon: float, grid: tuple[float, ...]) -> Callable[[Sequence[float]], float]:
    """Picks a point of the public `grid` near the median of the values it is given, by permute-and-flip.

    McKenna and Sheldon 2020 (arXiv 2010.12603), on the scores of Smith 2011 (doi 10.1145/1993636.1993743). The domain
    has no size: a size would say how many days there were. `map(1)` is what a missing day costs, `map(2)` what a
    replaced one does; the claim is about the latter.
    """
    dp = _opendp()
    values = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.symmetric_distance()
    mechanism = dp.m.make_private_quantile(
        *values, dp.max_divergence(), candidates=[float(point) for point in grid], alpha=0.5, scale=REPLACED / epsilon
    )
    _held(float(mechanism.map(REPLACED)), epsilon)
    return lambda days: float(mechanism([float(value) for value in days]))


def _held(cost: float, epsilon: float) -> None:
    if not 0.0 < cost <= epsilon * (1 + 1e-12):
        raise PrivacyError(f"the mechanism costs ε = {cost:g}, at most {epsilon:g} expected")
