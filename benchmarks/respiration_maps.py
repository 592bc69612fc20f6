"""What `models.training.respiration` learns from: the spectra of every window of the BIDMC records, and the truth.

    python -m benchmarks.respiration_maps OUT.npz

Each window also comes stretched in time, so that the rates of the people at hand are not the only ones learnt. As it
is it comes twice more: with the slow waves of blood pressure (0.07 to 0.12 Hz) laid over, which the sedated hardly have
and the healthy do; and with its beats in any other order, so that nothing of breathing is left in it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.bidmc import FS_HZ, Floats, archive, records
from device_pipeline.beat import Beat, BeatSource
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.beats.ppg import PpgBeats
from device_pipeline.evaluation.respiration import true_rate_bpm
from device_pipeline.respiration.spectra import AROUND_S, GRID_S, WINDOW_S, Spectrum
from device_pipeline.respiration.traces import BEAT_TRACES, GRID_HZ, GRID_NS, Smoother, seconds, trace_beats
from device_pipeline.track import Track
from models.respiration import SOURCES
from sensors.samples import Kind, Samples

STRETCHES = (0.65, 0.8, 1.0, 1.25, 1.5)
STEP_S = 8.0
SEED = 1
SLOW_HZ = (0.07, 0.12)
CHANGES = ("", "slow", "shuffled")


def trusted_beats(kind: Kind, x: Floats) -> list[Beat]:
    """The beats of one channel as the pipeline would trust them."""
    source = BeatSource.ECG if kind is Kind.ECG else BeatSource.PPG
    stage = EcgBeats(FS_HZ, "x") if kind is Kind.ECG else PpgBeats(FS_HZ, "x")
    track = Track(source, 0)
    track.add(stage.push(Samples(kind, "x", FS_HZ, 0, 1e9 / FS_HZ, 0, x)), stage.final_ns)
    track.add(stage.flush(), stage.final_ns)
    return track.release(1 << 62)


class Channel:
    """One channel of one record, ready to be cut into windows."""

    def __init__(self, kind: Kind, x: Floats, spectrum: Spectrum) -> None:
        source = BeatSource.ECG if kind is Kind.ECG else BeatSource.PPG
        t_ns = np.round(np.arange(len(x)) * 1e9 / FS_HZ).astype(np.int64)
        self._spectrum = spectrum
        traces = trace_beats(source, trusted_beats(kind, x), None, t_ns, x, FS_HZ)
        self._t_s, self._values = seconds(traces.t_ns), traces.values
        points = int(len(x) / FS_HZ * GRID_HZ)
        self._grid_s: Floats = np.asarray((np.arange(points) + 0.5) / GRID_HZ, dtype=np.float64)
        wave = Smoother(FS_HZ).at((np.arange(points) * GRID_NS + GRID_NS // 2).astype(np.int64), t_ns, x)
        self._wave = np.where(np.isnan(wave), np.nanmedian(wave), wave)

    def window(
        self, start_s: float, stretch: float, change: str, chance: np.random.Generator
    ) -> tuple[Floats, float] | None:
        """(2, TRACES, WIDE) and the pulse rate; `change` is one of CHANGES."""
        end_s = start_s + WINDOW_S * stretch
        near = (self._t_s >= start_s - AROUND_S * stretch) & (self._t_s < end_s + AROUND_S * stretch)
        t_s: Floats = np.asarray((self._t_s[near] - start_s) / stretch, dtype=np.float64)
        values = self._values[near].copy()
        wave: Floats = np.interp(start_s + GRID_S * stretch, self._grid_s, self._wave)
        if change == "shuffled" and len(t_s):
            # one order for all traces, or one for each
            alike = chance.random() < 0.5
            order = chance.permutation(len(t_s))
            for k in range(BEAT_TRACES):
                values[:, k] = values[order if alike else chance.permutation(len(t_s)), k]
            wave = np.convolve(chance.standard_normal(len(wave) + 2), np.ones(3), "valid")
        if change == "slow" and len(t_s):
            hz, phase = chance.uniform(*SLOW_HZ), chance.uniform(0, 2 * np.pi, 2)

            def swing(at_s: Floats) -> Floats:
                drift = 0.8 * np.sin(2 * np.pi * 0.02 * at_s + phase[1])
                return np.asarray(np.sqrt(2) * np.sin(2 * np.pi * hz * at_s + drift + phase[0]))

            # much of it in the intervals (the second trace), less in all others
            size = chance.uniform(0.0, 0.3, BEAT_TRACES + 1)
            size[1] = chance.uniform(0.5, 1.5)
            values = values + size[:-1] * np.nanstd(values, axis=0) * swing(t_s)[:, None]
            wave = wave + size[-1] * wave.std() * swing(GRID_S)
        t_ns = np.round(t_s * 1e9).astype(np.int64)
        clear, found = self._spectrum.windows(t_ns[None], np.array([len(t_ns)]), values[None], wave[None])
        return (np.stack((found.power[0], found.alike[0])), float(found.pulse_bpm[0])) if clear[0] else None


def main() -> int:
    path = archive()
    if path is None or len(sys.argv) != 2:
        print(__doc__ if path is not None else "no BIDMC records here (VITALKEEP_DATA)", file=sys.stderr)
        return 2
    rng = np.random.default_rng(SEED)
    spectrum = Spectrum()
    out: dict[str, list[object]] = {}
    for record in records(path):
        channels = [("ecg", lead, Channel(Kind.ECG, x, spectrum)) for lead, x in record.leads.items()]
        channels.append(("ppg", "PLETH", Channel(Kind.PPG, record.ppg, spectrum)))
        duration_s = len(record.ppg) / FS_HZ
        for stretch in STRETCHES:
            for start_s in np.arange(0.0, duration_s - WINDOW_S * stretch + 0.1, STEP_S).tolist():
                rates = [true_rate_bpm(marks, start_s, WINDOW_S * stretch) for marks in record.breaths_s]
                for source, lead, channel in channels:
                    for change in CHANGES if stretch == 1.0 else CHANGES[:1]:
                        found = channel.window(start_s, stretch, change, rng)
                        if found is None:
                            continue
                        row = {
                            "record": record.name,
                            "person": record.person,
                            "lead": lead,
                            "stretch": stretch,
                            "change": change,
                            "start_s": start_s,
                            "rates_bpm": [np.nan if rate is None else rate * stretch for rate in rates],
                            "maps": found[0].astype(np.float16),
                            "pulse_bpm": found[1],
                        }
                        for name, value in row.items():
                            out.setdefault(f"{source}_{name}", []).append(value)
        print(record.name, flush=True)
    np.savez(Path(sys.argv[1]), allow_pickle=False, **{name: np.array(values) for name, values in out.items()})
    print({source: len(out[f"{source}_person"]) for source in SOURCES})
    return 0


if __name__ == "__main__":
    sys.exit(main())
