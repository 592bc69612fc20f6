"""The BIDMC records (Pimentel et al. 2017, doi:10.1109/TBME.2016.2613124) as this project's types: one ICU stay each,
480 s of ECG, PPG and impedance at 125 Hz, and the breaths that two people marked.

They are looked for in VITALKEEP_DATA, or in ../shared/data.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.child import ROOT

FS_HZ = 125.0
LEADS = ("II", "V", "AVR", "I", "MCL")
# Records of one person: never on both sides of a split.
SAME_PERSON = {"08": "07", "21": "20", "23": "20"}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    name: str  # two digits
    person: str
    leads: dict[str, Floats]
    ppg: Floats
    breaths_s: tuple[Floats, Floats]


def archive() -> Path | None:
    """Where the archive of CSV files is, if it is here."""
    folder = Path(os.environ.get("VITALKEEP_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "bidmc" / "bidmc_csv.tar.xz"
    return path if path.exists() else None


def records(path: Path) -> Iterator[Record]:
    """All that are in the archive, in order."""
    with tarfile.open(path) as tar:
        texts = {
            Path(member.name).name: content.read().decode("ascii")
            for member in tar
            if member.name.endswith(("_Signals.csv", "_Breaths.csv")) and (content := tar.extractfile(member))
        }
    for file in sorted(name for name in texts if name.endswith("_Signals.csv")):
        stem = file.removesuffix("_Signals.csv")
        name = stem[-2:]
        head, _, rows = texts[file].partition("\n")
        columns = [column.strip() for column in head.split(",")]
        values = np.loadtxt(io.StringIO(rows), delimiter=",")
        yield Record(
            name,
            SAME_PERSON.get(name, name),
            {lead: values[:, columns.index(lead)] for lead in LEADS if lead in columns},
            values[:, columns.index("PLETH")],
            _breaths_s(texts[f"{stem}_Breaths.csv"]),
        )


def _breaths_s(text: str) -> tuple[Floats, Floats]:
    rows = [line.split(",") for line in text.splitlines()[1:] if line.strip()]
    marks = [np.array([float(row[k] or "nan") for row in rows]) for k in (0, 1)]
    first, second = (np.sort(mark[np.isfinite(mark)]) / FS_HZ for mark in marks)
    return first, second
