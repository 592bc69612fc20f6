"""How far a noisy count is from the true one: public, and the same for the wearer and the clinic.

The noise is discrete Laplace of scale 1/ε: P(noise = n) = (1 - a) / (1 + a) · a^|n| with a = exp(-ε), so that its mean
is 0 and its variance 2a / (1 - a)² (Inusah and Kozubowski 2006).
"""

from __future__ import annotations

import math


def count_within(epsilon: float, share: float = 0.95) -> int:
    """The least k such that the noise is within ±k for `share` of the draws: 6 for ε = 0.5.

    P(|noise| > k) = 2 a^(k + 1) / (1 + a).
    """
    a = math.exp(-epsilon)
    return max(0, math.ceil(math.log((1 - share) * (1 + a) / 2) / math.log(a)) - 1)


def noise_at_least(days: int, epsilon: float) -> float:
    """P(noise >= days), and, the noise being symmetric, P(noise <= -days). Raises ValueError for ε <= 0."""
    if not epsilon > 0:
        raise ValueError(f"ε = {epsilon:g}, more than 0 expected")
    a = math.exp(-epsilon)
    return a**days / (1 + a) if days > 0 else 1 - a ** (1 - days) / (1 + a)


def noise_variance(epsilon: float) -> float:
    """In days squared: 7.84 for ε = 0.5."""
    a = math.exp(-epsilon)
    return 2 * a / (1 - a) ** 2
