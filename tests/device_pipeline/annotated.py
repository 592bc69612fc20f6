"""Beats and rhythms of real records, read from their WFDB annotations."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from device_pipeline.beat import Beat, BeatLabel, BeatSource
from tests.data import shared_data

LABELS = {
    **dict.fromkeys("NLRej", BeatLabel.N),
    **dict.fromkeys("AaJS", BeatLabel.S),
    **dict.fromkeys("VE", BeatLabel.V),
    "F": BeatLabel.F,
    **dict.fromkeys("/fQ", BeatLabel.Q),
}


def read_annotation(
    folder: str, record: str, extension: str
) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.str_]]:
    """Sample, symbol and rhythm text of every annotation; skips the calling test where the data is missing."""
    path = shared_data(folder, f"{record}.{extension}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wfdb uses what newer versions of pandas deprecate
        import wfdb

        read = wfdb.rdann(str(path.with_suffix("")), extension)
    notes = np.array([note.rstrip("\x00") for note in read.aux_note])
    return np.asarray(read.sample, dtype=np.int64), np.array(read.symbol), notes


def beat_samples(folder: str, record: str, extension: str) -> tuple[NDArray[np.int64], list[BeatLabel]]:
    """Sample of every beat and what kind of beat it is."""
    samples, symbols, _ = read_annotation(folder, record, extension)
    is_beat = np.isin(symbols, list(LABELS))
    return samples[is_beat], [LABELS[str(symbol)] for symbol in symbols[is_beat]]


def beats_at(times_s: NDArray[np.float64]) -> list[Beat]:
    """Beats at these moments, each with the interval to the one before."""
    rr_s = [None, *np.diff(times_s).tolist()]
    return [Beat(round(t_s * 1e9), BeatSource.ANNOTATION, rr) for t_s, rr in zip(times_s.tolist(), rr_s, strict=True)]
