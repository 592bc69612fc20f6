"""Makes models/weights/baseline.npz: python -m models.training.baseline [--compare]

There are no recordings of many days of many wearers to learn from, so wearers are made: each with a spread of their own
from day to day (log-normal around the expected one), numbers that go together, days that are like the one before, and
now and then a day that is none of the usual ones. How far out ordinary days lie is read off them. What it cannot know
is how wearers truly differ; the card says so. `--compare` holds other models to the same days.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from models.baseline import (
    CARD,
    LOOK_BACK,
    NUMBERS,
    UNUSUAL_FROM,
    Weights,
    far,
    fitted,
    judged,
    level,
    scaled,
    together,
    unscaled,
)

Floats = NDArray[np.float64]

# From day to day, of one person: bpm, ln ms, 1/min, °C, %, ln steps. Assumed, by the size that wearables report.
SPREAD = {
    "resting_hr_bpm": 2.5,
    "rmssd_ms": 0.18,
    "respiration_bpm": 0.6,
    "temperature_c": 0.3,
    "spo2_pct": 0.7,
    "steps": 0.45,
}
PERSONS_DIFFER = 0.35  # standard deviation of the logarithm of a person's own spread over the expected one
LIKE_BEFORE = 0.3  # correlation of a day with the one before
ODD_DAYS, ODD_BY = 0.04, 3.0  # share of days before that are no usual ones, and how many spreads out
GO_TOGETHER = {
    ("resting_hr_bpm", "rmssd_ms"): -0.55,
    ("resting_hr_bpm", "respiration_bpm"): 0.3,
    ("resting_hr_bpm", "temperature_c"): 0.25,
    ("rmssd_ms", "respiration_bpm"): -0.25,
    ("rmssd_ms", "temperature_c"): -0.15,
    ("respiration_bpm", "spo2_pct"): -0.2,
}
DAYS = (4, 5, 6, 8, 10, 14, 20, 30, 60)
LEVELS = (0.25, 0.5, 0.75, 0.9, 0.95, UNUSUAL_FROM, 0.98, 0.99, 0.995)
WEARERS = 2000
SEED = 11


@dataclass(frozen=True, slots=True)
class Made:
    """One wearer: `before` (days, numbers) and `day` (numbers,), as scaled differences from their own centre."""

    before: Floats
    day: Floats


def wearer(rng: np.random.Generator, days: int, names: tuple[str, ...], differ: float = PERSONS_DIFFER) -> Made:
    p = len(names)
    correlation = np.eye(p)
    for (one, two), r in GO_TOGETHER.items():
        if one in names and two in names:
            i, j = names.index(one), names.index(two)
            correlation[i, j] = correlation[j, i] = r
    spread = np.array([SPREAD[name] for name in names]) * np.exp(rng.normal(0, differ, p))
    fresh = rng.normal(0, 1, (days + 1, p)) @ np.linalg.cholesky(correlation).T
    rows = np.empty_like(fresh)
    rows[0] = fresh[0]
    for k in range(1, days + 1):
        rows[k] = LIKE_BEFORE * rows[k - 1] + np.sqrt(1 - LIKE_BEFORE**2) * fresh[k]
    odd = rng.random(days) < ODD_DAYS
    rows[:-1][odd] += rng.choice([-1.0, 1.0], (int(odd.sum()), p)) * ODD_BY * (rng.random((int(odd.sum()), p)) < 0.5)
    return Made(rows[:-1] * spread, rows[-1] * spread)


def distance(made: Made, names: tuple[str, ...], shift: Floats | float = 0.0) -> float:
    """As models.baseline measures it."""
    centre, spread = fitted(made.before, np.array([SPREAD[name] for name in names]))
    return far((made.day + shift - centre) / spread, together((made.before - centre) / spread))[0]


def drawn(rng: np.random.Generator, n: int) -> tuple[str, ...]:
    picked = rng.permutation(len(NUMBERS))[:n]
    return tuple(NUMBERS[k] for k in sorted(picked))


def table() -> Weights:
    rng = np.random.default_rng(SEED)
    out = np.empty((len(DAYS), len(NUMBERS), len(LEVELS)))
    for i, days in enumerate(DAYS):
        for n in range(1, len(NUMBERS) + 1):
            found = []
            for _ in range(WEARERS):
                names = drawn(rng, n)
                found.append(distance(wearer(rng, days, names), names))
            out[i, n - 1] = np.quantile(found, LEVELS)
    # More days never make an ordinary one lie farther out; what is left of chance is smoothed away.
    out = np.minimum.accumulate(out, axis=0)
    return Weights("baseline", "1.0.0", np.array([*SPREAD.values()]), np.array(DAYS, float), np.array(LEVELS), out)


SHIFTS: dict[str, dict[str, float]] = {
    "none": {},
    "resting heart rate + 8 bpm": {"resting_hr_bpm": 8.0},
    "RMSSD - 30 %": {"rmssd_ms": float(np.log(0.7))},
    "temperature + 1 °C": {"temperature_c": 1.0},
    "a cold: + 5 bpm, RMSSD - 20 %, + 1.2 breaths/min, + 0.5 °C": {
        "resting_hr_bpm": 5.0,
        "rmssd_ms": float(np.log(0.8)),
        "respiration_bpm": 1.2,
        "temperature_c": 0.5,
    },
}
NAMES = ("resting_hr_bpm", "rmssd_ms", "respiration_bpm", "temperature_c", "steps")


def shifted(by: dict[str, float]) -> Floats:
    return np.array([by.get(name, 0.0) for name in NAMES])


def report(made: Weights, wearers: int = 1000) -> None:
    """How often a day is called unusual: ordinary ones, and shifted ones; of made wearers that were not learnt from."""
    print("share of days called unusual (5 numbers)")
    for differ, who in ((PERSONS_DIFFER, "wearers as assumed"), (0.0, "all as expected"), (0.6, "differ far more")):
        for what, by in SHIFTS.items():
            rates = []
            for days in (4, 7, 14, 30):
                rng = np.random.default_rng(SEED + 1)
                called = [
                    level(made, distance(wearer(rng, days, NAMES, differ), NAMES, shifted(by)), days, 5) >= UNUSUAL_FROM
                    for _ in range(wearers)
                ]
                rates.append(f"{days} days {100 * np.mean(called):.1f} %")
            print(f"  {who}; {what}: {', '.join(rates)}")


def _forest(made: Made, days: Floats, _: Floats) -> Floats:
    from sklearn.ensemble import IsolationForest

    net = IsolationForest(n_estimators=50, random_state=0).fit(made.before)
    return np.asarray(-net.score_samples(days))


def _determinant(made: Made, days: Floats, _: Floats) -> Floats:
    from sklearn.covariance import MinCovDet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that some of its subsets are singular
        return np.asarray(MinCovDet(random_state=0).fit(made.before).mahalanobis(days))


def _shrunk(made: Made, days: Floats, _: Floats) -> Floats:
    from sklearn.covariance import OAS

    spread = made.before.std(axis=0)
    return np.asarray(OAS().fit(made.before / spread).mahalanobis(days / spread))


def _most(made: Made, days: Floats, expected: Floats) -> Floats:
    centre, spread = fitted(made.before, expected)
    return np.asarray(np.max(np.abs((days - centre) / spread), axis=1))


def _ours(made: Made, days: Floats, expected: Floats) -> Floats:
    centre, spread = fitted(made.before, expected)
    correlation = together((made.before - centre) / spread)
    return np.array([far(z, correlation)[0] for z in (days - centre) / spread])


MODELS: dict[str, Callable[[Made, Floats, Floats], Floats]] = {
    "IsolationForest": _forest,
    "MinCovDet": _determinant,
    "OAS alone": _shrunk,
    "expected spread, farthest number": _most,
    "expected spread, OAS (ours)": _ours,
}


def compare(wearers: int = 300) -> None:
    """Each model at the limit that calls one ordinary day in thirty unusual: what share of shifted days it finds."""
    expected = np.array([SPREAD[name] for name in NAMES])
    shifts = np.array([shifted(by) for by in SHIFTS.values()])
    print(f"share of days found, at one false alarm in thirty: {'; '.join([*SHIFTS][1:])}")
    for days in (4, 7, 14, 30):
        for who, measure in MODELS.items():
            if days < 8 and who == "MinCovDet":
                continue  # needs more days than numbers, and then some
            rng = np.random.default_rng(SEED + 2)
            made = [wearer(rng, days, NAMES) for _ in range(wearers)]
            found = np.array([measure(one, one.day + shifts, expected) for one in made])
            limit = np.quantile(found[:, 0], UNUSUAL_FROM)
            shares = [f"{100 * share:.0f} %" for share in (found[:, 1:] > limit).mean(axis=0)]
            print(f"  {days} days, {who}: {', '.join(shares)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compare", action="store_true", help="hold other models to the same days instead")
    if parser.parse_args().compare:
        compare()
        return
    made = table()
    held = BytesIO()
    np.savez_compressed(held, spread=made.spread, days=made.days, levels=made.levels, distance=made.distance)
    keep(held.getvalue())
    report(made)
    golden(made)


def keep(data: bytes) -> None:
    """The weights, and their hash and size on the card."""
    CARD.with_suffix(".npz").write_bytes(data)
    card = CARD.read_text(encoding="utf-8")
    for field, now in (("sha256", f'"{hashlib.sha256(data).hexdigest()}"'), ("size_bytes", str(len(data)))):
        card = re.sub(rf'(?m)^ "{field}": .*,$', f' "{field}": {now},', card)
    CARD.write_text(card, encoding="utf-8")
    print(f"{CARD.with_suffix('.npz').name}: {len(data)} bytes")


TYPICAL = (58.0, 42.0, 14.5, 34.6, 96.0, 8000.0)


def golden(made: Weights) -> None:
    """A usual and a shifted day after 5 and after 20 days, the last without oxygen saturation."""
    rng = np.random.default_rng(SEED + 3)
    days, befores, said = [], [], []
    for n in (5, 20):
        one = wearer(rng, n, NUMBERS)
        centre = np.array([scaled(name, x) for name, x in zip(NUMBERS, TYPICAL, strict=True)])
        for shift in (0.0, np.array([8.0, np.log(0.7), 0.0, 1.0, 0.0, 0.0])):
            rows = np.vstack((one.day + shift, one.before)) + centre
            plain = np.array([[unscaled(name, x) for name, x in zip(NUMBERS, row, strict=True)] for row in rows])
            if n == 20:
                plain[:, NUMBERS.index("spo2_pct")] = -1.0
            before = np.full((LOOK_BACK, len(NUMBERS)), -1.0)
            before[:n] = plain[1:]
            days.append(np.round(plain[0], 3))
            befores.append(np.round(before, 3))
            held = [
                {name: x for name, x in zip(NUMBERS, row, strict=True) if x >= 0} for row in (days[-1], *befores[-1])
            ]
            found = judged(held[0], held[1:], made)
            assert not isinstance(found, dict)
            said.append([1.0 - found.score.probability, found.score.probability])
    path = CARD.with_name("baseline.golden.npz")
    np.savez_compressed(path, allow_pickle=False, day=np.array(days), before=np.array(befores), scores=np.array(said))


if __name__ == "__main__":
    main()
