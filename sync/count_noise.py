"""How far a noisy count is from the true one: public, and the same for the wearer and the clinic."""

from __future__ import annotations

import math


def count_within(epsilon: float, share: float = 0.95) -> int:
    """The least k such that discrete Laplace noise of scale 1/ε is within ±k for `share` of the draws: 6 for ε = 0.5.

    P(|noise| > k) = 2 a^(k + 1) / (1 + a) with a = exp(-ε) (Inusah and Kozubowski 2006).
    """
    a = math.exp(-epsilon)
    return max(0, math.ceil(math.log((1 - share) * (1 + a) / 2) / math.log(a)) - 1)
