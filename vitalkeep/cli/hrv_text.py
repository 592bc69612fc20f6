"""Heart rate variability for people to read: metrics down, windows across; of many, their median and their range."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from device_pipeline.hrv import Hrv
from device_pipeline.metrics.metric import Metric
from device_pipeline.metrics.registry import FREQUENCY, LONG, NONLINEAR, TIME
from vitalkeep.cli.analysis_text import page
from vitalkeep.cli.pictures import clock
from vitalkeep.hrv_table import HrvTable

_GROUPS: tuple[tuple[str, tuple[type[Metric], ...]], ...] = (
    ("time", TIME),
    ("frequency", FREQUENCY),
    ("nonlinear", NONLINEAR),
    ("long recording", LONG),
)
NAMES = {
    "mean_nn_ms": "mean NN",
    "mean_hr_bpm": "mean HR",
    "sdnn_ms": "SDNN",
    "rmssd_ms": "RMSSD",
    "pnn50_pct": "pNN50",
    "pnn20_pct": "pNN20",
    "sdsd_ms": "SDSD",
    "cvnn_pct": "CVNN",
    "median_nn_ms": "median NN",
    "iqr_nn_ms": "IQR NN",
    "vlf_ms2": "VLF power",
    "lf_ms2": "LF power",
    "hf_ms2": "HF power",
    "total_power_ms2": "total power",
    "lf_hf_ratio": "LF / HF",
    "lf_nu": "LF",
    "hf_nu": "HF",
    "lf_peak_hz": "LF peak",
    "hf_peak_hz": "HF peak",
    "lomb_vlf_ms2": "VLF, Lomb-Scargle",
    "lomb_lf_ms2": "LF, Lomb-Scargle",
    "lomb_hf_ms2": "HF, Lomb-Scargle",
    "sd1_ms": "SD1",
    "sd2_ms": "SD2",
    "sd1_sd2_ratio": "SD1 / SD2",
    "ellipse_area_ms2": "ellipse area",
    "dfa_alpha1": "DFA alpha1",
    "sampen": "sample entropy",
    "apen": "approximate entropy",
    "sdann_ms": "SDANN",
    "sdnn_index_ms": "SDNN index",
    "hrv_triangular_index": "triangular index",
    "tinn_ms": "TINN",
}
_MOST_COLUMNS = 6


def print_table(table: HrvTable) -> None:
    with page() as console:
        _print(console, table)


def _print(console: Console, table: HrvTable) -> None:
    what = table.channel or (table.source.value if table.source is not None else "")
    console.print(Text(table.record, style="bold") + Text(f"   {what}, {clock(table.duration_s)}", style="dim"))
    told = [window for window in table.windows if window.values is not None]
    silent = [window for window in table.windows if window.values is None]
    if told:
        console.print(_many(told) if len(told) > _MOST_COLUMNS else _few(table, told))
        if any(window.uncertain for window in told):
            console.print("? may be off by more than 5 %: what was left out, or could have been, weighs too much")
    if silent:
        reasons = ", ".join(sorted({(window.reason or "").replace("_", " ") for window in silent}))
        console.print(f"{len(silent)} of {len(table.windows)} windows without a value: {reasons}")
    for note in table.notes:
        console.print(f"note: {note}")


def _few(table: HrvTable, told: Sequence[Hrv]) -> Table:
    grid = _grid([f"at {clock((window.start_ns - table.start_ns) / 1e9)}" for window in told])
    grid.add_row("length", "", *(clock(window.length_ns / 1e9) for window in told))
    grid.add_row("beats", "", *(str(window.n_beats) for window in told))
    grid.add_row("left out", "%", *(f"{window.corrected_pct or 0:.1f}" for window in told))
    for group, metrics in _GROUPS:
        shown = [metric for metric in metrics if any(metric.name in (window.values or {}) for window in told)]
        if shown:
            grid.add_section()
            grid.add_row(Text(group, style="dim"))
        for metric in shown:
            grid.add_row(NAMES[metric.name], metric.unit, *(_cell(window, metric.name) for window in told))
    return grid


def _many(told: Sequence[Hrv]) -> Table:
    grid = _grid(["median", "lowest", "highest", "windows", "?"])
    left_out = [window.corrected_pct for window in told if window.corrected_pct is not None]
    grid.add_row("beats", "", *_spread([float(window.n_beats) for window in told]), str(len(told)), "")
    grid.add_row("left out", "%", *_spread(left_out), str(len(left_out)), "")
    for group, metrics in _GROUPS:
        rows = []
        for metric in metrics:
            values = [v for window in told if (v := (window.values or {}).get(metric.name)) is not None]
            doubts = sum(metric.name in window.uncertain for window in told)
            if values:
                row = (NAMES[metric.name], metric.unit, *_spread(values), str(len(values)), str(doubts or ""))
                rows.append(row)
        if rows:
            grid.add_section()
            grid.add_row(Text(group, style="dim"))
        for row in rows:
            grid.add_row(*row)
    return grid


def _grid(headings: Sequence[str]) -> Table:
    grid = Table(box=box.SIMPLE, header_style="dim", pad_edge=False)
    grid.add_column("", no_wrap=True)
    grid.add_column("", no_wrap=True, style="dim")
    for heading in headings:
        grid.add_column(heading, justify="right", no_wrap=True)
    return grid


def _spread(values: Sequence[float]) -> tuple[str, str, str]:
    if not values:
        return "–", "–", "–"
    return _figures(statistics.median(values)), _figures(min(values)), _figures(max(values))


def _cell(window: Hrv, name: str) -> str:
    value = None if window.values is None else window.values.get(name)
    if value is None:
        return (window.absent.get(name) or "–").replace("_", " ")
    return f"{_figures(value)}{' ?' if name in window.uncertain else ''}"


def _figures(value: float) -> str:
    """Four figures, or all before the point."""
    size = abs(value)
    return f"{value:,.{0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"
