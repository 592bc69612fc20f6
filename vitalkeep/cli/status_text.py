"""What `vitalkeep status` found, in words and columns."""

from __future__ import annotations

from typing import Any

from vitalkeep.cli import status_models
from vitalkeep.cli.moments import duration_text, short_time


def status_text(found: dict[str, Any]) -> str:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    sessions = Table("session", "kind", "source", box=None, pad_edge=False)
    for heading in ("data from", "to", "ended"):
        sessions.add_column(heading, no_wrap=True)
    for session in found["sessions"]:
        ended = session["ended"]
        if ended != "clean":
            ended = "[green]writing[/]" if ended is None else f"[yellow]{ended}[/]"
        sessions.add_row(
            str(session["id"]),
            session["kind"],
            escape(session["source"]),
            short_time(session["started"]),
            short_time(session["last"]),
            ended if session["clock"] == "synchronised" else f"{ended} [yellow](clock {session['clock']})[/]",
        )
    facts = Table.grid(padding=(0, 2))
    age_s = found["last_data_age_s"]
    facts.add_row("last stored", "nothing yet" if age_s is None else f"{duration_text(age_s)} ago")
    facts.add_row("signal today", _signal(found["today"]))
    if found["last_session"] is not None:
        facts.add_row("in the last session", _signal(found["last_session"]))
    facts.add_row("heart rate", escape(_heart_rate_text(found["heart_rate"])))
    facts.add_row("variability", escape(_hrv_text(found["hrv"])))
    for name in ("beats_today", "beats_last_session"):
        if (labels := found[name]) is not None:
            told = ", ".join(f"{n:,} {label}" for label, n in labels["counts"].items() if n) or "none of a known kind"
            facts.add_row(name.replace("_", " "), escape(f"{told}; {labels['untold']:,} not told ({labels['model']})"))
    for name, told in _beside_texts(found):
        facts.add_row(name, escape(told))
    if (day := found["baseline"]) is not None:
        facts.add_row("baseline", escape(f"{day['day']}: {day['words']}"))
    if found["models"]:
        facts.add_row("models", escape("\n".join(_model_text(model) for model in found["models"])))
    if found["governor"]:
        facts.add_row("governor", escape("\n".join(_step_text(step) for step in found["governor"])))
    alerts = [f"{alert['rule']} since {short_time(alert['start'])}: {alert['text']}" for alert in found["open_alerts"]]
    facts.add_row("open alerts", escape("\n".join(alerts) or "none"))
    for name, told in status_models.texts(found):
        facts.add_row(name, escape(told))
    size, free = found["database_bytes"] / 1e6, found["disk_free_bytes"] / 1e9
    facts.add_row("database", f"{size:.1f} MB, schema {found['schema_version']}; {free:.1f} GB free on its disk")
    facts.add_row("folder", escape(found["store"]))
    # captured, so that a reader who leaves early is met as the command line meets it everywhere
    with console.capture() as captured:
        console.print(sessions if found["sessions"] else "No session yet.", highlight=False)
        console.print()
        console.print(facts, highlight=False)
    return captured.get()


def _signal(coverage: dict[str, float]) -> str:
    if not any(coverage.values()):
        return "no data"
    return ", ".join(f"{duration_text(coverage[key + '_s'])} {key}" for key in ("good", "poor", "gap"))


def _heart_rate_text(window: dict[str, Any] | None) -> str:
    if window is None:
        return "no data"
    value = f"none ({window['reason']})" if window["bpm"] is None else f"{window['bpm']:.0f} bpm"
    return f"{value}, {duration_text(window['length_s'])} from {short_time(window['start'])}, {window['source']}"


def _beside_texts(found: dict[str, Any]) -> list[tuple[str, str]]:
    """(name, words) of what was read beside the beats."""
    texts = []
    if (oxygen := found["oxygen"]) is not None:
        value = f"none ({oxygen['reason']})" if oxygen["spo2_pct"] is None else f"{oxygen['spo2_pct']:.0f} %"
        texts.append(("oxygen", f"{value}, from {short_time(oxygen['start'])}, {oxygen['method']}"))
    if (temperature := found["temperature"]) is not None:
        celsius = temperature["temperature_c"]
        value = f"none ({temperature['reason']})" if celsius is None else f"{celsius:.1f} °C"
        texts.append(("temperature", f"{value}, {temperature['site']}, from {short_time(temperature['start'])}"))
    if (activity := found["activity"]) is not None:
        now = activity["reason"] or ", ".join(filter(None, (activity["level"], activity["posture"])))
        steps = "" if found["steps_today"] is None else f"{found['steps_today']:,} steps today; "
        texts.append(("activity", f"{steps}{now}, from {short_time(activity['start'])}"))
    return texts


def _model_text(model: dict[str, Any]) -> str:
    if model["psi"] is None:
        return f"{model['model']} {model['version']}: drift not known yet, {model['n']:,} of {model['least_n']:,} calls"
    most = f"{model['quantity']} moved most, PSI {model['psi']:.2f} of {model['n']:,}"
    return f"{model['model']} {model['version']}: {model['verdict']}, {most}"


def _step_text(step: dict[str, Any]) -> str:
    from device_pipeline.effort import Level
    from vitalkeep.cli.level_words import IN_WORDS

    return f"{short_time(step['t'])}: {step['reason']}: {IN_WORDS[Level(step['level'])]}"


def _hrv_text(window: dict[str, Any] | None) -> str:
    if window is None:
        return "no data"
    if window["values"] is None:
        return f"none ({window['reason']})"
    from vitalkeep.cli.analysis_text import SHOWN_METRICS, metric_heading, metric_text

    shown = (SHOWN_METRICS[0], "mean_hr_bpm", *SHOWN_METRICS[1:])
    values = ", ".join(f"{metric_heading(name)} {metric_text(window, name)}" for name in shown)
    return (
        f"{values}; {duration_text(window['length_s'])} from {short_time(window['start'])}, {window['n_beats']} beats"
    )
