"""HRV window by window as text; a window that abstains says why in place of its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from device_pipeline.hrv import Hrv
from vitalkeep.plot.time_axis import stamp

# What a page without room for all of them shows first.
_FIRST = (
    "mean_hr_bpm",
    "mean_nn_ms",
    "sdnn_ms",
    "rmssd_ms",
    "pnn50_pct",
    "lf_ms2",
    "hf_ms2",
    "lf_hf_ratio",
    "sd1_ms",
    "sd2_ms",
    "dfa_alpha1",
    "sampen",
)
_NAMES = {
    "mean_hr": "mean HR",
    "mean_nn": "mean NN",
    "median_nn": "median NN",
    "iqr_nn": "IQR NN",
    "pnn20": "pNN20",
    "pnn50": "pNN50",
    "cvnn": "CVNN",
    "sdnn_index": "SDNN index",
    "lf_hf": "LF/HF",
    "lf_peak": "LF peak",
    "hf_peak": "HF peak",
    "total_power": "total power",
    "lomb_vlf": "VLF (Lomb)",
    "lomb_lf": "LF (Lomb)",
    "lomb_hf": "HF (Lomb)",
    "sd1_sd2": "SD1/SD2",
    "ellipse_area": "ellipse area",
    "dfa_alpha1": "DFA α1",
    "sampen": "SampEn",
    "apen": "ApEn",
    "hrv_triangular_index": "triangular index",
}
_UNITS = {"pct": "%", "ms2": "ms²", "nu": "n.u.", "ratio": "", "bpm": "bpm", "ms": "ms", "hz": "Hz"}


@dataclass(frozen=True, slots=True, repr=False)
class HrvTable:
    """`heads`: (name, unit) of each column. `rows`: cells, or fewer of them and the reason why the rest is missing.

    A value that may be off by more than 5 % is marked with "?".
    """

    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[tuple[str, ...], str | None], ...]
    left_out: int = 0

    def __repr__(self) -> str:
        return f"<HrvTable n={len(self.rows)}>"


def hrv_table(
    windows: Sequence[Hrv],
    start_ns: int,
    end_s: float,
    *,
    most_columns: int | None = None,
    most_rows: int | None = None,
) -> HrvTable:
    """Rows beyond `most_rows` are left out in the middle."""
    known = next((list(w.values) for w in windows if w.values is not None), [])
    if most_columns is not None and len(known) > most_columns:
        ranked = [name for name in _FIRST if name in known] + [name for name in known if name not in _FIRST]
        known = [name for name in known if name in ranked[:most_columns]]
    rows = [_row(window, start_ns, end_s, known) for window in windows]
    left_out = 0
    if most_rows is not None and len(rows) > most_rows:
        left_out = len(rows) - most_rows
        rows = rows[: most_rows // 2] + rows[-(most_rows - most_rows // 2) :]
    return HrvTable((*_ALWAYS, *map(heading, known)), tuple(rows), left_out)


def _row(window: Hrv, start_ns: int, end_s: float, names: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    from_s = (window.start_ns - start_ns) / 1e9
    share = "–" if window.corrected_pct is None else f"{window.corrected_pct:.1f}"
    cells = (stamp(from_s, end_s), stamp(from_s + window.length_ns / 1e9, end_s), f"{window.n_beats:,}", share)
    if window.values is None:
        return cells, (window.reason or "unknown").replace("_", " ")
    values = [(window.values.get(name), " ?" if name in window.uncertain else "") for name in names]
    return (*cells, *("–" if value is None else number(value) + doubt for value, doubt in values)), None


TITLE = "Heart-rate variability, window by window (?: may be off by more than 5 %)"
_ALWAYS = (("from", ""), ("to", ""), ("beats", ""), ("left out", "%"))


def heading(name: str) -> tuple[str, str]:
    """rmssd_ms: RMSSD, ms. A name whose last word is no unit is the name of a number without one."""
    metric, _, unit = name.rpartition("_")
    if unit not in _UNITS:
        metric, unit = name, "ratio"
    return _NAMES.get(metric, metric.upper().replace("_", " ")), _UNITS[unit]


def number(value: float) -> str:
    """Three or four figures of it."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
