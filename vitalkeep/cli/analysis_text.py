"""An analysis for people to read: the same object that `--json` prints, as a page on the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitalkeep.cli.pictures import clock, sparkline

_RHYTHM = {"AFIB": "irregular, of the kind atrial fibrillation makes", "N": "regular"}
_SHARES = (("good", "good_s"), ("poor", "poor_s"), ("none", "gap_s"))
_SHOWN_GAPS = 12
_SHOWN_HRV = 12
SHOWN_METRICS = ("mean_nn_ms", "sdnn_ms", "rmssd_ms", "pnn50_pct")  # `vitalkeep hrv` shows them all


@contextmanager
def page() -> Iterator[Console]:
    """What is printed within comes out at its end: a reader who leaves early is met as everywhere else."""
    # Told to use no colour, rich would still make text bold.
    console = Console(highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")
    with console.capture() as captured:
        yield console
    click.echo(captured.get(), nl=False)


def print_analysis(found: dict[str, Any]) -> None:
    with page() as console:
        _print(console, found)


def _print(console: Console, found: dict[str, Any]) -> None:
    width = max(20, min(console.width - 24, 100))
    beats, quality = found["beats"], found["quality"]
    rate = "–" if beats["mean_hr_bpm"] is None else f"{beats['mean_hr_bpm']:.1f} bpm"
    console.print(Text(found["record"], style="bold") + Text(f"   {_what(found)}", style="dim"))
    console.print(f"  length       {clock(found['duration_s'])}")
    console.print(f"  beats        {beats['n']:,}   mean heart rate {rate}")
    _print_labels(console, found["labels"])
    shares = "   ".join(f"{name} {clock(quality[key])}" for name, key in _SHARES)
    console.print(f"  signal       {shares}")
    told = [window["bpm"] for window in found["heart_rate"]]
    if any(bpm is not None for bpm in told):
        low, high = min(b for b in told if b is not None), max(b for b in told if b is not None)
        console.print(Text("  heart rate   ") + Text(sparkline(told, width), style="red"))
        console.print(
            f"               {low:.0f} to {high:.0f} bpm over {len(told)} windows, blank where it cannot be told",
            style="dim",
        )
    _print_respiration(console, [window["rate_bpm"] for window in found["respiration"]], width)
    _print_rhythm(console, found["rhythm"])
    _print_gaps(console, found["gaps"])
    _print_hrv(console, found["hrv"])
    _print_beside(console, found, width)
    _print_anomaly(console, found["anomaly"])
    _print_alerts(console, found["alerts"])
    for note in found["notes"]:
        console.print(Text(f"  note: {note}", style="yellow"))
    console.print()


def _print_labels(console: Console, labels: dict[str, Any]) -> None:
    counts = labels["counts"]
    if counts is None:
        return
    told = "   ".join(f"{n:,} {label}" for label, n in counts.items() if n) or "none"
    untold = f"   {labels['untold']:,} not told" if labels["untold"] else ""
    by = "" if labels["model"] is None else f"   ({labels['model']} {labels['version']})"
    console.print(f"  kinds        {told}{untold}{by}", soft_wrap=True)


def _print_respiration(console: Console, told: list[float | None], width: int) -> None:
    rates = sorted(rate for rate in told if rate is not None)
    if not rates:
        return
    console.print(Text("  respiration  ") + Text(sparkline(told, width), style="blue"))
    console.print(
        f"               {rates[0]:.0f} to {rates[-1]:.0f} breaths/min, told for {len(rates)} of {len(told)} windows",
        style="dim",
    )


def _what(found: dict[str, Any]) -> str:
    rate = "" if found["fs_hz"] is None else f" at {found['fs_hz']:g} Hz"
    return f"{found['channel'] or found['source'] or 'no beats in it'}{rate}"


def _print_rhythm(console: Console, spans: Sequence[dict[str, Any]]) -> None:
    for kind in ("AFIB",):
        mine = [span for span in spans if span["kind"] == kind]
        total_s = sum(span["end_s"] - span["start_s"] for span in mine)
        if mine:
            often = "one episode" if len(mine) == 1 else f"{len(mine)} episodes"
            console.print(f"  rhythm       {clock(total_s)} {_RHYTHM[kind]} ({often})", soft_wrap=True)


def _print_gaps(console: Console, gaps: Sequence[dict[str, Any]]) -> None:
    for gap in gaps[:_SHOWN_GAPS]:
        console.print(
            f"  no data      at {clock(gap['start_s'])} for {clock(gap['end_s'] - gap['start_s'])}:"
            f" {gap['reason'].replace('_', ' ')}"
        )
    if len(gaps) > _SHOWN_GAPS:
        console.print(f"               and {len(gaps) - _SHOWN_GAPS} more (--json has all)", style="dim")


def _print_hrv(console: Console, windows: Sequence[dict[str, Any]]) -> None:
    told = [window for window in windows if window["values"]]
    if not told:
        reasons = sorted({window["reason"] for window in windows if window["reason"]})
        console.print(
            f"  HRV          none: {', '.join(reason.replace('_', ' ') for reason in reasons) or 'no window'}"
        )
        return
    names = SHOWN_METRICS
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("  HRV", "over", "beats", "left out", *map(metric_heading, names)):
        table.add_column(heading, justify="left" if heading == "  HRV" else "right", no_wrap=True)
    shown = told if len(told) <= _SHOWN_HRV else told[: _SHOWN_HRV // 2] + told[-_SHOWN_HRV // 2 :]
    for window in shown:
        values = [metric_text(window, name) for name in names]
        table.add_row(
            f"  at {clock(window['start_s'])}",
            clock(window["length_s"]),
            str(window["n_beats"]),
            f"{window['corrected_pct'] or 0:.1f} %",
            *values,
        )
    console.print(table)
    if any(set(names) & set(window["uncertain"]) for window in shown):
        console.print(
            "  ? may be off by more than 5 %: what was left out, or could have been, weighs too much", style="dim"
        )
    if len(shown) < len(told):
        console.print(f"  {len(told) - len(shown)} windows between are not shown (--json has all)", style="dim")


def metric_text(window: dict[str, Any], name: str) -> str:
    """The value, with a mark where it is uncertain."""
    value = window["values"].get(name)
    return "–" if value is None else f"{value:.1f}{' ?' if name in window['uncertain'] else ''}"


def _print_beside(console: Console, found: dict[str, Any], width: int) -> None:
    """What was read beside the beats, where there is any."""
    oxygen = [window["spo2_pct"] for window in found["spo2"]]
    if any(value is not None for value in oxygen):
        how = ", uncalibrated" if found["oximetry"] is None else ""
        told = [value for value in oxygen if value is not None]
        console.print(Text("  oxygen       ") + Text(sparkline(oxygen, width), style="cyan"))
        console.print(f"               {min(told):.0f} to {max(told):.0f} %{how}", style="dim")
    if (oximetry := found["oximetry"]) is not None and oximetry["mean_pct"] is not None:
        index = oximetry["odi3_per_h"]
        often = "too short for an index" if index is None else f"{index:.1f} an hour"
        console.print(
            f"               mean {oximetry['mean_pct']:.1f} %, lowest {oximetry['min_pct']:.0f} %,"
            f" {len(found['desaturations'])} desaturations ({often}), {clock(oximetry['below_90_s'])} under 90 %",
            soft_wrap=True,
        )
    steps = [window["steps"] for window in found["activity"] if window["steps"] is not None]
    if steps:
        levels = [window["level"] for window in found["activity"]]
        minutes = ", ".join(f"{levels.count(level)} {level}" for level in dict.fromkeys(levels) if level)
        console.print(f"  activity     {sum(steps):,} steps; minutes: {minutes}", soft_wrap=True)
    celsius = [window["temperature_c"] for window in found["temperature"] if window["temperature_c"] is not None]
    if celsius:
        console.print(f"  temperature  {min(celsius):.1f} to {max(celsius):.1f} °C")


def _print_anomaly(console: Console, minutes: Sequence[dict[str, Any]]) -> None:
    told = [minute for minute in minutes if minute["score"] is not None]
    if told:
        odd = sum(minute["odd_n"] for minute in told)
        many = sum(minute["odd_n"] > 0 for minute in told)
        console.print(
            f"  shapes       {odd:,} of {sum(minute['n_beats'] for minute in told):,} beats look unlike the usual ones,"
            f" in {many:,} of {len(told):,} minutes",
            soft_wrap=True,
        )


def metric_heading(name: str) -> str:
    """rmssd_ms: RMSSD ms."""
    metric, _, unit = name.rpartition("_")
    words = {"mean_nn": "mean NN", "pnn50": "pNN50"}.get(metric, metric.upper())
    return f"{words} {'%' if unit == 'pct' else unit}"


def _print_alerts(console: Console, alerts: Sequence[dict[str, Any]]) -> None:
    for alert in alerts:
        console.print(
            Text(f"  alert        {clock(max(0.0, alert['start_s']))} – {clock(alert['end_s'])}   ")
            + Text(alert["rule"].replace("_", " "), style="bold yellow")
            + Text(f"   {alert['text']}"),
            soft_wrap=True,
        )
