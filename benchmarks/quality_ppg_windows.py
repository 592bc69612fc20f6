"""Writes the windows that `models.training.quality_ppg` learns from: python -m benchmarks.quality_ppg_windows OUT.npz

Ten seconds each, of BIDMC and Welltory at rest as recorded and with noise and motion made on them, and of IEEE SPC 2015
in motion. A window is right where, at the delay that suits it best, each beat of the reference has one pulse of the
detector within 100 ms and no pulse is left over; pulses count whether or not the index trusts them. The reference is
the ECG where it can be read (of BIDMC: where the leads II and V agree), or the strap's intervals.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.signal import butter, sosfiltfilt

from benchmarks.bidmc import FS_HZ, records
from benchmarks.child import ROOT
from benchmarks.ppg_records import block
from device_pipeline.beat import Beat, Quality
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.beats.ppg import PpgBeats
from device_pipeline.evaluation.ec57 import pair_beats
from device_pipeline.signal.pulse_wave import PulseWave
from models.quality_ppg_input import FEATURES, LENGTH_S, features
from sensors.samples import Kind

Floats = NDArray[np.float64]
WITHIN_S = 0.1
LEADS_WITHIN_S = 0.05
EDGE_S = 0.15  # what lies so near to an end of the window may have its partner beyond it
ARRIVE_S = np.arange(0.0, 0.9, 0.02)  # from the R peak to the steepest point of the pulse, of a record
BEGIN_S = np.arange(-4.0, 5.0, 0.02)  # the same, where two devices did not begin together
AROUND_S = np.arange(-0.2, 0.21, 0.02)  # of a window, around its record's
MADE_S = 240
SKIP_S = 10
UNKNOWN = -1


class Noise:
    """Made noise, its size in standard deviations of the pulse wave; half of it comes and goes."""

    def __init__(self, rng: np.random.Generator, n: int, fs_hz: float) -> None:
        self._rng, self._n, self._fs_hz = rng, n, fs_hz
        self._t_s = np.arange(n) / fs_hz

    def _band(self, low_hz: float, high_hz: float) -> Floats:
        sos = butter(2, [low_hz, min(high_hz, 0.45 * self._fs_hz)], "bandpass", fs=self._fs_hz, output="sos")
        x = sosfiltfilt(sos, self._rng.normal(size=self._n))
        return np.asarray(x / x.std())

    def comes_and_goes(self) -> Floats:
        if self._rng.random() < 0.5:
            return np.ones(self._n)
        turns = np.cumsum(self._rng.exponential(6.0, self._n // round(self._fs_hz) + 10))
        return ((np.searchsorted(turns, self._t_s) + self._rng.integers(2)) % 2).astype(np.float64)

    def wander(self) -> Floats:
        return self._band(0.05, 0.6)

    def white(self) -> Floats:
        return self._rng.normal(size=self._n)

    def motion(self) -> Floats:
        """Of no rhythm, in the band of the pulse."""
        return self._band(0.5, 5.0)

    def steps(self) -> Floats:
        """Rhythmic, as a swinging arm: a wandering rate and its harmonics."""
        rate_hz = self._rng.uniform(0.8, 2.8) * (1 + 0.04 * self._band(0.02, 0.3))
        phase = 2 * np.pi * np.cumsum(rate_hz) / self._fs_hz
        x = np.zeros(self._n)
        for k, size in ((1, 1.0), (2, self._rng.uniform(0.1, 0.9)), (3, self._rng.uniform(0.0, 0.5))):
            x += size * np.sin(k * phase + self._rng.uniform(0, 2 * np.pi))
        return np.asarray(x / x.std() * (1 + 0.3 * self._band(0.05, 0.5)))

    def knocks(self) -> Floats:
        x = np.zeros(self._n)
        for at_s in np.cumsum(self._rng.exponential(4.0, self._n // round(self._fs_hz))):
            since = self._t_s - at_s
            x += self._rng.normal() * np.where(since >= 0, np.exp(-np.maximum(since, 0) / 0.3), 0.0)
        return x


MADE: dict[str, tuple[Callable[[Noise], Floats], tuple[float, ...]]] = {
    "wander": (Noise.wander, (3.0, 12.0)),
    "white": (Noise.white, (0.3, 1.0, 3.0)),
    "motion": (Noise.motion, (0.3, 0.7, 1.5)),
    "steps": (Noise.steps, (0.4, 1.0, 2.5)),
    "knocks": (Noise.knocks, (3.0, 10.0)),
}
GAINS = (0.3, 0.1, 0.03)  # what is left of the pulse where a sensor sits badly, beside noise that stays


def spoiled(wave: Floats, fs_hz: float, kind: str, size: float, rng: np.random.Generator) -> Floats:
    """`wave` (n,) with noise of `kind` made on it."""
    sos = butter(2, [0.5, min(8.0, 0.4 * fs_hz)], "bandpass", fs=fs_hz, output="sos")
    own = float(sosfiltfilt(sos, wave).std())
    noise = Noise(rng, len(wave), fs_hz)
    gate = noise.comes_and_goes()
    if kind == "gain":
        level = float(np.median(wave))
        return level + (wave - level) * (1 - gate * (1 - size)) + 0.08 * own * noise.white()
    return wave + gate * size * own * MADE[kind][0](noise)


def reference(ecg_mv: Floats, fs_hz: float) -> tuple[Floats, Floats]:
    """Moments of all its beats, and the (k, 2) spans that cannot be read."""
    stage = EcgBeats(fs_hz, "ecg")
    out = [*stage.push(block(Kind.ECG, ecg_mv, fs_hz)), *stage.flush()]
    beats = np.array([b.t_ns for b in out if isinstance(b, Beat)]) / 1e9
    poor = [(q.start_ns, q.end_ns) for q in out if not isinstance(q, Beat) and not (isinstance(q, Quality) and q.good)]
    return beats, np.array(poor, dtype=np.float64).reshape(-1, 2) / 1e9


def errors(wanted_s: Floats, found_s: Floats, low_s: float, high_s: float, within_s: float) -> int:
    """How many beats or pulses of a window have no partner."""
    near = [np.round(x[(x > low_s - 1) & (x < high_s + 1)] * 1000).astype(np.int64) for x in (wanted_s, found_s)]
    of_wanted, of_found = pair_beats(near[0], near[1], round(within_s * 1000))
    alone = np.concatenate((np.delete(near[0], of_wanted), np.delete(near[1], of_found))) / 1000
    return int(((alone >= low_s + EDGE_S) & (alone < high_s - EDGE_S)).sum())


def delay_s(wanted_s: Floats, found_s: Floats, delays_s: Floats) -> float:
    """At which most beats have a pulse near to them."""

    def matched(late_s: float) -> int:
        moved = wanted_s + late_s
        i = np.clip(np.searchsorted(found_s, moved), 1, len(found_s) - 1)
        off = np.minimum(np.abs(found_s[i] - moved), np.abs(found_s[i - 1] - moved))
        return int((off < 0.06).sum())

    return float(max(delays_s.tolist(), key=matched))


def pulses(wave: Floats, fs_hz: float) -> Floats:
    """All that the detector finds, trusted or not."""
    finder = PulseWave(fs_hz)
    finder.add(wave)
    found = [b for s in (*finder.stretches(), *finder.last_stretches()) for b, _ in s.beats]
    return np.array(found) / fs_hz


class Gathered:
    """Row by row: `wrong` 0, 1 or UNKNOWN; `mean_index`, `least_index`: of the stretches of 2 s."""

    def __init__(self) -> None:
        self.rows: list[tuple[Floats, int, float, float, str, str]] = []

    def add(
        self,
        wave: Floats,
        fs_hz: float,
        person: str,
        condition: str,
        wanted_s: Floats,
        unknown: Callable[[float, float], bool],
        late_s: float,
        acc_g: Floats | None = None,
    ) -> None:
        """`wanted_s`: beats of the reference; `late_s`: the record's own delay."""
        stage = PpgBeats(fs_hz, "ppg", with_acc=acc_g is not None)
        out = stage.push(block(Kind.PPG, wave, fs_hz))
        if acc_g is not None:
            out += stage.push(block(Kind.ACC, acc_g.T, fs_hz))
        out += stage.flush()
        trusted_s = np.array([b.t_ns for b in out if isinstance(b, Beat)]) / 1e9
        quality = {round(q.start_ns / 2e9): q.index for q in out if isinstance(q, Quality)}
        found_s = pulses(wave, fs_hz)
        n = int(LENGTH_S * fs_hz)
        for k in range(round(SKIP_S / LENGTH_S), len(wave) // n):
            low_s, high_s = k * LENGTH_S, (k + 1) * LENGTH_S
            if unknown(low_s - late_s - 0.5, high_s - late_s + 0.5):
                continue
            indices = np.array([quality.get(5 * k + i, 0.0) for i in range(5)])
            mine = trusted_s[(trusted_s >= low_s) & (trusted_s < high_s)] - low_s
            told = features(wave[k * n : (k + 1) * n], fs_hz, mine, indices)
            wrong = all(errors(wanted_s + late_s + d, found_s, low_s, high_s, WITHIN_S) for d in AROUND_S)
            self.rows.append((told, int(wrong), float(indices.mean()), float(indices.min()), person, condition))

    def made(
        self,
        wave: Floats,
        fs_hz: float,
        person: str,
        name: str,
        wanted_s: Floats,
        unknown: Callable[[float, float], bool],
        late_s: float,
        rng: np.random.Generator,
    ) -> None:
        """The same with each kind and size of noise made on a part of it."""
        kinds = [(kind, size) for kind, (_, sizes) in MADE.items() for size in sizes] + [("gain", g) for g in GAINS]
        for kind, size in kinds:
            n = min(len(wave), round(MADE_S * fs_hz))
            at = int(rng.integers(0, len(wave) - n + 1))
            begin_s = at / fs_hz

            def moved(low_s: float, high_s: float, by_s: float = begin_s) -> bool:
                return unknown(low_s + by_s, high_s + by_s)

            part = spoiled(wave[at : at + n], fs_hz, kind, size, rng)
            self.add(part, fs_hz, person, f"{name} {kind} {size:g}", wanted_s - begin_s, moved, late_s)


def bidmc(gathered: Gathered, archive: Path, rng: np.random.Generator) -> None:
    for record in records(archive):
        leads = [reference(record.leads[lead], FS_HZ) for lead in ("II", "V") if lead in record.leads]
        beats_s, poor = leads[0]

        def unknown(
            low_s: float,
            high_s: float,
            leads: list[tuple[Floats, Floats]] = leads,
        ) -> bool:
            (beats_s, poor), (others_s, _) = leads[0], leads[-1]
            if ((poor[:, 0] < high_s) & (poor[:, 1] > low_s)).any():
                return True
            return errors(beats_s, others_s, low_s, high_s, LEADS_WITHIN_S) > 0

        late_s = delay_s(beats_s, pulses(record.ppg, FS_HZ), ARRIVE_S)
        print(
            f"bidmc {record.name}: {len(beats_s)} beats, {late_s:.2f} s, {len(poor)} poor", file=sys.stderr, flush=True
        )
        gathered.add(record.ppg, FS_HZ, f"bidmc {record.person}", "bidmc", beats_s, unknown, late_s)
        gathered.made(record.ppg, FS_HZ, f"bidmc {record.person}", "made bidmc", beats_s, unknown, late_s, rng)


def welltory(gathered: Gathered, folder: Path, rng: np.random.Generator) -> None:
    fs_hz = 30.0
    for path in sorted(folder.glob("subject_*")):
        values = np.genfromtxt(path / "PPG.csv", delimiter=",", skip_header=1)
        t_s, colours = values[:, 0] / 1e3, values[:, 1:4]
        colour = 0 if colours[:, 0].std() > 0.2 else 1
        wave = -np.interp(np.arange(0, t_s[-1], 1 / fs_hz), t_s, colours[:, colour])
        rr_s = np.array([float(v) for v in (path / "RR.txt").read_text().split()]) / 1e3
        rr_s = rr_s[:-1] if rr_s[-1] > 3 else rr_s  # the duration of it all
        beats_s = np.concatenate((np.zeros(1), np.cumsum(rr_s)))
        late_s = delay_s(beats_s, pulses(wave, fs_hz), BEGIN_S)
        person = f"welltory {path.name[-2:]}"

        def unknown(low_s: float, high_s: float, beats_s: Floats = beats_s) -> bool:
            return low_s < float(beats_s[0]) or high_s > float(beats_s[-1])

        print(f"{person}: {len(beats_s)} beats, {late_s:.2f} s, {len(wave) / fs_hz:.0f} s", file=sys.stderr, flush=True)
        gathered.add(wave, fs_hz, person, "welltory", beats_s, unknown, late_s)
        gathered.made(wave, fs_hz, person, "made welltory", beats_s, unknown, late_s, rng)


def ieee(gathered: Gathered, folder: Path) -> None:
    for path in sorted(folder.glob("DATA_*.mat")):
        if path.stem.endswith("BPMtrace") or not (folder / f"{path.stem}_BPMtrace.mat").is_file():
            continue
        rows = loadmat(path)["sig"].astype(np.float64)
        if len(rows) < 6:
            continue
        bpm = loadmat(folder / f"{path.stem}_BPMtrace.mat")["BPM0"].ravel()
        beats_s, poor = reference(rows[0] / 1000.0, FS_HZ)

        def unknown(
            low_s: float, high_s: float, beats_s: Floats = beats_s, poor: Floats = poor, bpm: Floats = bpm
        ) -> bool:
            if ((poor[:, 0] < high_s) & (poor[:, 1] > low_s)).any():
                return True
            mine = beats_s[(beats_s >= low_s) & (beats_s < high_s)]
            around = bpm[max(0, int(low_s / 2) - 1) : max(1, int((high_s - 8) / 2) + 1)]
            if len(mine) < 3 or not len(around):
                return True
            rate = 60 * (len(mine) - 1) / float(mine[-1] - mine[0])
            return not float(around.min()) - 5 <= rate <= float(around.max()) + 5

        for k, wave in enumerate(rows[-5:-3]):
            # In motion no delay fits a whole record better than another: blood takes about so long to a wrist.
            late_s = 0.25
            gathered.add(wave, FS_HZ, f"ieee {path.stem[5:7]}", f"ieee {k}", beats_s, unknown, late_s, rows[-3:])
        print(f"{path.stem}: {len(beats_s)} beats, {len(gathered.rows)} windows", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    data = Path(os.environ.get("VITALKEEP_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data)
    asked = parser.parse_args()
    rng = np.random.default_rng(4)
    gathered = Gathered()
    ieee(gathered, asked.data / "ieee_spc_2015")
    welltory(gathered, asked.data / "welltory_ppg", rng)
    bidmc(gathered, asked.data / "bidmc" / "bidmc_csv.tar.xz", rng)
    names = ("features", "wrong", "mean_index", "least_index", "person", "condition")
    columns: dict[str, Any] = {n: np.array(v) for n, v in zip(names, zip(*gathered.rows, strict=True), strict=True)}
    np.savez_compressed(asked.out, allow_pickle=False, **columns)
    low, middle, high = np.quantile(columns["features"], (0.1, 0.5, 0.9), axis=0)
    print("FEATURES =", FEATURES)
    print("MIDDLE =", tuple(np.round(middle, 2).tolist()))
    print("SPREAD =", tuple(np.round(np.maximum((high - low) / 2.56, 0.05), 2).tolist()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
