"""Heart rate variability beside NeuroKit2 and HeartPy: the same intervals in, values and speed out; and injected beats.

    python -m benchmarks.hrv [--windows 20] [--seed 1]

Values: 5 minutes of intervals of each person of NSRDB without an ectopic beat (VITALKEEP_DATA, or ../shared/data),
given to each tool as they are; the median over people of |theirs / ours - 1|. Injected: windows of the same people with
beats moved, added and taken away, our RMSSD against that of the window before. HeartPy is left out where it is missing.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.table import table
from device_pipeline.beat import Beat, BeatSource
from device_pipeline.doubt import uncertain
from device_pipeline.hrv import MOST_CORRECTED_PCT, metric_values
from device_pipeline.intervals import RULE, Rule, normal_intervals
from device_pipeline.metrics.registry import WINDOW
from device_pipeline.metrics.rmssd import Rmssd
from device_pipeline.nn_series import NnSeries
from sensors.files.annotation import read_annotations

# Our name, NeuroKit2's, HeartPy's, with the factor that brings theirs to our unit.
_SAME = (
    ("mean_nn_ms", "HRV_MeanNN", "ibi", 1.0, 1.0),
    ("sdnn_ms", "HRV_SDNN", "sdnn", 1.0, 1.0),
    ("rmssd_ms", "HRV_RMSSD", "rmssd", 1.0, 1.0),
    ("sdsd_ms", "HRV_SDSD", "", 1.0, 1.0),
    ("pnn50_pct", "HRV_pNN50", "pnn50", 1.0, 100.0),
    ("pnn20_pct", "HRV_pNN20", "pnn20", 1.0, 100.0),
    ("iqr_nn_ms", "HRV_IQRNN", "", 1.0, 1.0),
    ("median_nn_ms", "HRV_MedianNN", "", 1.0, 1.0),
    ("sd1_ms", "HRV_SD1", "sd1", 1.0, 1.0),
    ("sd2_ms", "HRV_SD2", "sd2", 1.0, 1.0),
    ("dfa_alpha1", "HRV_DFA_alpha1", "", 1.0, 1.0),
    ("sampen", "HRV_SampEn", "", 1.0, 1.0),
    ("apen", "HRV_ApEn", "", 1.0, 1.0),
    ("lf_nu", "HRV_LFn", "", 100.0, 1.0),
    ("lf_hf_ratio", "HRV_LFHF", "", 1.0, 1.0),
)
_KINDS = ("early, with its pause", "early, resetting", "missed", "extra", "all of these")


def nsrdb() -> Path:
    return Path(os.environ.get("VITALKEEP_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "nsrdb"


def windows(folder: Path, per_person: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """(person, beat times in s from 0) of 5-minute stretches in which every beat is labelled normal."""
    for path in sorted(folder.glob("*.atr")):
        read = read_annotations(path)
        beats = np.array([symbol in "NVSAJFLR/EQjeaf" for symbol in read.symbols])
        times_s, symbols = read.samples[beats] / 128.0, np.array(read.symbols)[beats]
        found = []
        for start_s in range(0, int(times_s[-1]) - 300, 600):
            first, last = np.searchsorted(times_s, [start_s, start_s + 300])
            rr_s = np.diff(times_s[first:last])
            if len(rr_s) > 150 and (symbols[first:last] == "N").all() and rr_s.min() > 0.3 and rr_s.max() < 2.0:
                found.append(times_s[first:last] - times_s[first])
        for k in np.linspace(0, len(found) - 1, min(per_person, len(found))).astype(int):
            yield path.stem, found[k]


def inject(times_s: NDArray[np.float64], kind: str, share: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """The beats with `share` of them moved early by 20 to 45 % of their interval, taken away, or doubled."""
    n = len(times_s)
    at = np.sort(rng.choice(np.arange(2, n - 2), max(1, round(share * n)), replace=False))
    out, gone, more = times_s.copy(), [], []
    for k in at:
        one = rng.choice(_KINDS[:4]) if kind == _KINDS[4] else kind
        interval_s = times_s[k] - times_s[k - 1]
        if one == _KINDS[0]:
            out[k] -= rng.uniform(0.2, 0.45) * interval_s
        elif one == _KINDS[1]:
            out[k:] -= rng.uniform(0.2, 0.45) * interval_s
        elif one == _KINDS[2]:
            gone.append(k)
        else:
            more.append(k)
    added = [out[k] + rng.uniform(0.3, 0.7) * (out[k + 1] - out[k]) for k in more]
    return np.sort(np.r_[np.delete(out, gone), added])


def rmssd(times_s: NDArray[np.float64], rule: Rule = RULE) -> tuple[float | None, bool]:
    """(RMSSD in ms, whether it is called uncertain), as a window tells it."""
    beats = [
        Beat(round(t * 1e9), BeatSource.ANNOTATION, rr)
        for t, rr in zip(times_s.tolist(), [None, *np.diff(times_s).tolist()], strict=True)
    ]
    intervals = normal_intervals(beats, rule)
    if intervals.corrected_pct is None or intervals.corrected_pct > MOST_CORRECTED_PCT:
        return None, False
    series = intervals.series()
    values = {Rmssd.name: Rmssd.batch(series)}
    return values[Rmssd.name], bool(uncertain(beats, intervals, series, values, (Rmssd,)))


def injected(folder: Path, per_person: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    people: dict[str, list[NDArray[np.float64]]] = {}
    for person, times_s in windows(folder, per_person):
        people.setdefault(person, []).append(times_s)
    clean = {person: [rmssd(times_s) for times_s in own] for person, own in people.items()}
    raw = {person: [1e3 * np.sqrt(np.mean(np.diff(t, 2) ** 2)) for t in own] for person, own in people.items()}
    flat = [(found, unsure, true) for p in people for (found, unsure), true in zip(clean[p], raw[p], strict=True)]
    bias = np.array([100 * (found / true - 1) for found, _, true in flat if found is not None])
    rows = [
        _row("none", "", bias, np.array([unsure for found, unsure, _ in flat if found is not None]), None),
    ]
    for kind in _KINDS:
        for share in (0.01, 0.05):
            biases, doubts, worst = [], [], 1.0
            for person, own in people.items():
                told = [
                    (rmssd(inject(t, kind, share, rng)), before)
                    for t, (before, _) in zip(own, clean[person], strict=True)
                ]
                pairs = [(100 * (f / b - 1), u) for (f, u), b in told if f is not None and b is not None]
                right = np.mean([abs(x) <= 5 or u for x, u in pairs])
                worst = min(worst, float(right))
                biases += [x for x, _ in pairs]
                doubts += [u for _, u in pairs]
            rows.append(_row(kind, f"{100 * share:.0f} %", np.array(biases), np.array(doubts), worst))
    head = (
        "injected",
        "share",
        "windows",
        "median bias %",
        "within 5 % %",
        "uncertain %",
        "within or uncertain %",
        "worst person %",
    )
    return table(head, rows)


def _row(
    kind: str, share: str, bias: NDArray[np.float64], doubt: NDArray[np.bool_], worst: float | None
) -> tuple[str, ...]:
    within = np.abs(bias) <= 5
    figures = np.median(bias), 100 * within.mean(), 100 * doubt.mean(), 100 * (within | doubt).mean()
    return (
        kind,
        share,
        str(len(bias)),
        f"{figures[0]:.2f}",
        *(f"{figure:.1f}" for figure in figures[1:]),
        "" if worst is None else f"{100 * worst:.1f}",
    )


def beside(folder: Path) -> str:
    """Values of each tool on the same intervals, beside ours."""
    import neurokit2

    heartpy = _heartpy()
    apart: dict[str, dict[str, list[float]]] = {}
    for _, times_s in windows(folder, 1):
        rr_ms = np.diff(times_s) * 1e3
        ours, _ = metric_values(NnSeries(rr_ms, np.zeros(len(rr_ms))), WINDOW)
        peaks = {"RRI": rr_ms, "RRI_Time": np.cumsum(rr_ms) / 1e3}
        theirs = {"NeuroKit2": {k: float(v.iloc[0]) for k, v in neurokit2.hrv(peaks).items()}}
        if heartpy is not None:
            theirs["HeartPy"] = heartpy(rr_ms)
        for name, neurokit_name, heartpy_name, *factors in _SAME:
            for tool, theirs_name, factor in zip(
                ("NeuroKit2", "HeartPy"), (neurokit_name, heartpy_name), factors, strict=True
            ):
                their, our = theirs.get(tool, {}).get(theirs_name), ours[name]
                if their is not None and our:
                    apart.setdefault(name, {}).setdefault(tool, []).append(100 * abs(factor * their / our - 1))
    rows = [
        (name, *(f"{np.median(found[tool]):.3f}" if tool in found else "" for tool in ("NeuroKit2", "HeartPy")))
        for name, found in apart.items()
    ]
    return table(("metric", "NeuroKit2 off by %", "HeartPy off by %"), rows)


def speed(folder: Path) -> str:
    """Processor time of all metrics of one window of 5 minutes, median of the people."""
    import neurokit2

    heartpy = _heartpy()
    tools: dict[str, Callable[[NDArray[np.float64]], object]] = {
        f"vitalkeep, {len(WINDOW)} metrics": lambda rr_ms: metric_values(NnSeries(rr_ms, np.zeros(len(rr_ms))), WINDOW),
        "NeuroKit2 hrv_time + hrv_frequency": lambda rr_ms: (
            neurokit2.hrv_time({"RRI": rr_ms, "RRI_Time": np.cumsum(rr_ms) / 1e3}),
            neurokit2.hrv_frequency({"RRI": rr_ms, "RRI_Time": np.cumsum(rr_ms) / 1e3}),
        ),
        "NeuroKit2 hrv": lambda rr_ms: neurokit2.hrv({"RRI": rr_ms, "RRI_Time": np.cumsum(rr_ms) / 1e3}),
    }
    if heartpy is not None:
        tools["HeartPy process_rr"] = heartpy
    rows = []
    for name, tool in tools.items():
        taken_ms = []
        for _, times_s in windows(folder, 1):
            rr_ms = np.diff(times_s) * 1e3
            tool(rr_ms)
            began_s = time.process_time()
            tool(rr_ms)
            taken_ms.append(1e3 * (time.process_time() - began_s))
        rows.append((name, f"{np.median(taken_ms):.1f}"))
    return table(("5 minutes of intervals", "processor ms"), rows)


def _heartpy() -> Callable[[NDArray[np.float64]], dict[str, float]] | None:
    try:
        import heartpy
    except ImportError:
        return None

    def values(rr_ms: NDArray[np.float64]) -> dict[str, float]:
        # its frequency measures call what NumPy has no more
        _, found = heartpy.process_rr(rr_ms, threshold_rr=False, clean_rr=False, calc_freq=False)
        return {name: float(value) for name, value in found.items() if isinstance(value, float)}

    return values


def left_out(folder: Path, per_person: int, seed: int) -> str:
    """The rule chosen on eight people, on the ninth: of some candidates the one with the most windows right or doubted,
    and with the fewest clean ones doubted; what it gives on the person left out."""
    candidates = [Rule(alpha, least, 0.22) for alpha in (4.0, 4.5, 5.2) for least in (0.10, 0.13)]
    scores: dict[Rule, dict[str, tuple[float, float]]] = {}
    own: dict[str, list[NDArray[np.float64]]] = {}
    for person, times_s in windows(folder, per_person):
        own.setdefault(person, []).append(times_s)
    for rule in candidates:
        rng = np.random.default_rng(seed)
        scores[rule] = {}
        for person, parts in own.items():
            right, doubted = [], []
            for times_s in parts:
                before, doubt = rmssd(times_s, rule)
                doubted.append(doubt)
                for share in (0.01, 0.05):
                    found, unsure = rmssd(inject(times_s, _KINDS[4], share, rng), rule)
                    if found is not None and before is not None:
                        right.append(unsure or abs(found / before - 1) <= 0.05)
            scores[rule][person] = float(np.mean(right)), float(np.mean(doubted))
    rows = []
    for person in own:
        others = [name for name in own if name != person]

        def merit(rule: Rule, others: list[str] = others) -> float:
            return float(np.mean([scores[rule][name][0] - 0.1 * scores[rule][name][1] for name in others]))

        best = max(candidates, key=merit)
        right_share, doubt_share = scores[best][person]
        rows.append(
            (
                person,
                f"{best.alpha:g}",
                f"{100 * best.least:.0f}",
                f"{100 * right_share:.1f}",
                f"{100 * doubt_share:.1f}",
            )
        )
    head = ("left out", "alpha", "least %", "within or uncertain %", "clean, uncertain %")
    return table(head, rows) + f"\n\nThe rule in use: alpha {RULE.alpha:g}, least {100 * RULE.least:.0f} %."


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.hrv")
    parser.add_argument("--windows", type=int, default=20, help="of each person, for the injected beats")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="without the peers")
    asked = parser.parse_args(arguments)
    folder = nsrdb()
    if not folder.is_dir():
        print(f"left out: no NSRDB in {folder} (VITALKEEP_DATA)", file=sys.stderr)
        return 0
    warnings.simplefilter("ignore")  # the peers' own
    if not asked.alone:
        print(beside(folder), "", speed(folder), "", sep="\n")
    print(
        injected(folder, asked.windows, asked.seed),
        "",
        left_out(folder, max(3, asked.windows // 2), asked.seed),
        sep="\n",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
