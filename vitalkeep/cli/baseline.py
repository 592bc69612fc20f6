"""`vitalkeep baseline`: whether a day of the wearer is unlike the days before. Learnt here, from the store alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from device_pipeline.baseline.day_verdict import DayVerdict, NumberSaid
    from device_pipeline.baseline.days import Days
    from device_pipeline.store.store import Store

SCHEMA = "vitalkeep.baseline/1"
SHOWN = {
    "resting_hr_bpm": ("resting heart rate", "bpm", 0),
    "rmssd_ms": ("RMSSD", "ms", 0),
    "respiration_bpm": ("respiration", "/min", 1),
    "temperature_c": ("temperature", "°C", 2),
    "spo2_pct": ("oxygen saturation", "%", 1),
    "steps": ("steps", "", 0),
}
_LATELY_DAYS = 14
REASONS = {
    "no_data": "nothing was recorded",
    "too_little_wear": "not worn for long enough",
    "not_over": "the day is not over",
    "too_few_days": "too few days to compare with",
}


@click.command(short_help="Whether the newest day is unlike the days before.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="This day (2026-03-01) against the days before it; otherwise the newest that has numbers.",
)
@click.option(
    "--store",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the store; otherwise $XDG_DATA_HOME/vitalkeep (~/.local/share/vitalkeep).",
)
def baseline(as_json: bool, day: datetime | None, folder: Path | None) -> None:
    """Compare a day with the wearer's own days before it: resting heart rate, RMSSD, respiration, temperature and
    oxygen saturation of the night, and steps.

    It is learnt on this device from what the store holds, from 4 nights on. About one ordinary day in thirty is called
    unusual; unusual is not ill, and usual is not well. Days are dates in the local time zone; a night, from 21:00 to
    9:00, belongs to the day on which it ends. Works while `vitalkeep run` is writing.

    \b
    Fields of --json (null where nothing is known):
      schema        "vitalkeep.baseline/1"
      day           the date
      said          usual, unusual, learning (fewer than 4 days to compare with), nothing (no numbers)
      reason        of nothing and learning: no_data, too_little_wear, not_over, too_few_days
      probability   share of ordinary days that lie less far out
      nights, of    n of 4, while learning
      whole         whether the date is over, so that its steps count
      model         name and version
      numbers       those that set the day apart most first: name, value, low and high (the usual range),
                    side (above, below, within), days (compared with), share (of what sets the day apart),
                    method (how it was made), changed (how it was made before, where in another way: then
                    it has a new baseline), reason (why there is no value)

    \b
    Exit codes: 0 done, also where there is nothing to compare yet; 1 the model cannot be used; 2 wrong usage;
    3 the store cannot be read.

    \b
    Examples:
      vitalkeep baseline
      vitalkeep baseline --day 2026-03-01
      vitalkeep baseline --json | jq -r .said
    """
    from device_pipeline.store.store import open_store
    from vitalkeep import paths
    from vitalkeep.cli.app import NOT_MEDICAL

    store = open_store(folder or paths.data_folder())
    found = judge(store, day) if store.exists else None
    verdict = None if found is None else found.verdict
    if as_json:
        import json

        click.echo(json.dumps(baseline_json(verdict), ensure_ascii=False, allow_nan=False))
    elif not store.exists:
        click.echo(f"There is no store in {store.folder} yet. `make demo` or `vitalkeep run` makes one.")
    elif verdict is None:
        click.echo("The store holds nothing yet that belongs to a day.")
    elif found is not None:
        click.echo(_text(found, verdict), nl=False)
        click.echo(NOT_MEDICAL, err=True)


def judge(store: Store, day: datetime | None = None) -> Days | None:
    """The day's verdict; that of the newest is kept in the store where no other process is writing to it.

    Raises StoreError, ModelError.
    """
    from device_pipeline.baseline.days import days_up_to
    from device_pipeline.errors import StoreError, StoreFullError
    from device_pipeline.store import days as day_store

    now_ns = store.clock.now_ns()
    chosen = None if day is None else day.date()
    try:
        with store.writer() as writer:
            found = days_up_to(writer.db, now_ns, day_store.stored_numbers(writer.db), chosen)
            if found is not None:
                try:
                    day_store.store_numbers(writer, found.fresh, now_ns)
                    if day is None:
                        day_store.store_verdict(writer, found.verdict)
                except StoreFullError:
                    pass  # it is told, and kept another time
            return found
    except StoreError:  # another process writes, or the disk takes nothing; what is wrong otherwise is met here again
        with store.reader() as db:
            return days_up_to(db, now_ns, day_store.stored_numbers(db), chosen)


def baseline_json(verdict: DayVerdict | None) -> dict[str, Any]:
    from models.baseline import LEAST_DAYS

    if verdict is None:
        return {"schema": SCHEMA, "day": None, "said": "nothing", "reason": "no_data", "numbers": []}
    return {
        "schema": SCHEMA,
        "day": verdict.day.isoformat(),
        "said": verdict.said.value,
        "reason": verdict.reason,
        "probability": None if verdict.probability is None else round(verdict.probability, 4),
        "nights": verdict.nights,
        "of": LEAST_DAYS,
        "whole": verdict.whole,
        "model": verdict.model,
        "numbers": [_number_json(number) for number in verdict.numbers],
    }


def _number_json(number: NumberSaid) -> dict[str, Any]:
    return {
        "name": number.name,
        "value": _rounded(number.value),
        "low": _rounded(number.low),
        "high": _rounded(number.high),
        "side": number.side,
        "days": number.days,
        "share": _rounded(number.share),
        "method": number.method,
        "changed": number.changed,
        "reason": number.reason,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def said_in_words(verdict: DayVerdict) -> str:
    """One line."""
    from device_pipeline.baseline.day_verdict import Said
    from models.baseline import LEAST_DAYS

    so_far = "" if verdict.whole else " so far"
    match verdict.said:
        case Said.NOTHING:
            return f"nothing can be said: {REASONS[verdict.reason or 'no_data']}"
        case Said.LEARNING:
            return f"learning: {verdict.nights} of {LEAST_DAYS} nights"
        case Said.USUAL:
            return f"as usual{so_far}"
        case Said.UNUSUAL:
            why = [f"{SHOWN[n.name][0]} {n.side}" for n in verdict.numbers if n.side in ("above", "below")]
            return f"unusual{so_far}: {', '.join(why)} your usual range" if why else f"unusual{so_far}, taken together"


def _lately(found: Days, number: NumberSaid, is_utf: bool) -> str:
    """A bar for each of the last two weeks' days, the day itself last; blank where it is absent or made otherwise."""
    from datetime import timedelta

    from vitalkeep.cli.pictures import ascii_only, sparkline

    values: list[float | None] = []
    for back in reversed(range(_LATELY_DAYS)):
        held = found.numbers.get(found.verdict.day - timedelta(days=back), [])
        same = (one.value for one in held if one.name == number.name and one.method == number.method)
        values.append(next(same, None))
    line = sparkline(values, _LATELY_DAYS)
    return line if is_utf else ascii_only(line)


def _text(found: Days, verdict: DayVerdict) -> str:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("number", "value", "your usual range", "", "days", "last 14", box=None, pad_edge=False)
    for number in verdict.numbers:
        name, unit, digits = SHOWN[number.name]
        value = REASONS[number.reason or "no_data"] if number.value is None else f"{number.value:.{digits}f} {unit}"
        usual = "" if number.low is None else f"{number.low:.{digits}f} to {number.high:.{digits}f} {unit}"
        side = number.side if number.side in ("above", "below") else ""
        lately = _lately(found, number, console.encoding.startswith("utf"))
        table.add_row(name, value.strip(), usual.strip(), f"[bold]{side}[/]", str(number.days or ""), lately)
    with console.capture() as captured:
        console.print(f"{verdict.day}: {said_in_words(verdict)}", highlight=False, markup=False)
        if verdict.probability is not None:
            share = "more than 99" if verdict.probability > 0.99 else f"{100 * verdict.probability:.0f}"
            less = f"{share} % of ordinary days lie less far out"
            console.print(f"{less}; 97 % or more is called unusual.", style="dim", highlight=False)
        console.print()
        console.print(table, highlight=False)
        for number in verdict.numbers:
            if number.changed is not None:
                name = SHOWN[number.name][0]
                was = f"{name}: made in another way than before ({number.changed}), so it has a new baseline."
                console.print(was, style="dim", highlight=False, markup=False)
    return captured.get()
