"""Ways of cutting the same input, for the law of the cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sensors.samples import Item, Samples


def cut_items(items: Iterable[Item], lengths: Iterator[int]) -> Iterator[Item]:
    """Cuts every block of samples into pieces of the lengths given; readings and gaps stay where they are."""
    for item in items:
        if not isinstance(item, Samples):
            yield item
            continue
        at = 0
        while at < len(item):
            n = next(lengths)
            yield item.cut(at, min(at + n, len(item)))
            at += n


def singles() -> Iterator[int]:
    while True:
        yield 1


def random_lengths(seed: int, most: int) -> Iterator[int]:
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(1, most + 1))


def whole() -> Iterator[int]:
    while True:
        yield 1 << 62
