"""The binomial distribution, as far as the clinic's figures need it: how many of n turn out so, each with chance p."""

from __future__ import annotations

import math

# What lies further from the mean than so many standard deviations (and a little more, for rare events) is left out of a
# sum: its chance is below 10^-15.
_REACH = 9.0
_AND_MORE = 60


def quantile(n: int, p: float, at: float) -> int:
    """The least k such that P(k or fewer) >= at. Raises ValueError outside of 0 < at < 1, 0 <= p <= 1, 0 <= n."""
    if not (0 < at < 1 and 0 <= p <= 1 and n >= 0):
        raise ValueError(f"n = {n}, p = {p:g}, at = {at:g}; n of 0 or more, p from 0 to 1, at between 0 and 1 expected")
    if p in {0.0, 1.0}:
        return round(n * p)
    log_p, log_q, log_n = math.log(p), math.log1p(-p), math.lgamma(n + 1)
    reach = _REACH * math.sqrt(n * p * (1 - p)) + _AND_MORE
    total = 0.0
    for k in range(max(0, math.floor(n * p - reach)), n + 1):
        total += math.exp(log_n - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q)
        if total >= at:
            return k
    return n
