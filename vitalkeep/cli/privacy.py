"""`vitalkeep privacy`: what was spent of the privacy of each day, on what, and what that can and cannot tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli.clinic import STORE_OPTION

if TYPE_CHECKING:
    from vitalkeep.private_room import Room

SCHEMA = "vitalkeep.privacy/1"
UTILITY_SCHEMA = "vitalkeep.utility/1"
_BARS = " ▁▂▃▄▅▆▇█"
_WEEKS = 52
CLAIM = (
    "All your cards together hide any single day (ε = 2): someone certain of all your other days, and 50/50 about that"
    " one, guesses right at most about 88 % of the time. Long-lasting conditions are visible to your clinic; that is"
    " the purpose."
)


@click.group(short_help="What was spent of your privacy, and on what.", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
@click.option(
    "--plot",
    metavar="OUT.png",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also draw it, day by day over the last year.",
)
@STORE_OPTION
@click.pass_context
def privacy(ctx: click.Context, as_json: bool, plot: Path | None, folder: Path | None) -> None:
    """Show what was spent of the privacy of each day, what was sent, and what it can and cannot reveal.

    ε is counted for a day (it is replaced by any other, or by none): at most 2 over all figures that contain it. The
    sum over all that was ever sealed is shown beside it.

    \b
    Fields of --json: schema, cap (ε of a day), weeks (monday, epsilon: of the dearest day of that week, newest last),
    total (the sum over all figures ever sealed), figures (clinic-independent: statistic, version, from, to, epsilon,
    lost: true where a lost part of the ledger was counted as spent), claim.

    \b
    Exit codes: 0 done, also where nothing was ever sent; 2 wrong usage; 3 the ledger cannot be read.

    \b
    Examples:
      vitalkeep privacy
      vitalkeep privacy --plot budget.png
      vitalkeep privacy utility
    """
    if ctx.invoked_subcommand is not None:
        return
    import json

    from vitalkeep.private_room import Folders, open_room

    folders = Folders.usual(folder)
    if not folders.has_account:
        found: dict[str, Any] = {"schema": SCHEMA, "cap": 2.0, "weeks": [], "total": 0.0, "figures": [], "claim": CLAIM}
    else:
        with open_room(folders) as room:
            found = _gather(room)
            if plot is not None and found["figures"]:
                _draw(room, found, plot)
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else _text(found))


@privacy.command(short_help="How exact the noisy figures are.")
@click.option("--draws", type=click.IntRange(20, 100_000), default=400, show_default=True, help="Simulated windows.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line of the table.")
def utility(draws: int, as_json: bool) -> None:
    """Show how far a noisy figure is from the true one, by simulation of made-up days; nothing of yours goes in.

    \b
    Fields of --json: schema, statistic, unit, epsilon, worn_days, of_days, mean_error, within (95 % of the draws).

    \b
    Exit codes: 0 done; 1 OpenDP is not installed; 2 wrong usage.
    """
    import json

    from sync.private.error_bars import WORN_OF_QUARTER, expected, made_up_day
    from sync.private.noise import get_ready
    from sync.private.registry import STATISTICS
    from sync.private.window import QUARTER_DAYS

    get_ready()
    if not as_json:
        click.echo(f"{'figure':20}{'days worn':>12}{'mean error':>14}{'95 % within':>14}")
    for statistic in STATISTICS:
        worn = WORN_OF_QUARTER if statistic.length_days == QUARTER_DAYS else (statistic.length_days,)
        for one in expected(statistic, made_up_day, worn, draws):
            if as_json:
                row = {
                    "schema": UTILITY_SCHEMA,
                    "statistic": statistic.name,
                    "unit": statistic.unit,
                    "epsilon": statistic.epsilon_milli / 1000,
                    "worn_days": one.worn_days,
                    "of_days": statistic.length_days,
                    "mean_error": round(one.mean_error, 2),
                    "within": round(one.within, 2),
                }
                click.echo(json.dumps(row))
            else:
                of = f"{one.worn_days} of {statistic.length_days}"
                mean, within = (f"{value:.1f} {statistic.unit}" for value in (one.mean_error, one.within))
                click.echo(f"{statistic.name:20}{of:>12}{mean:>14}{within:>14}")


def _gather(room: Room) -> dict[str, Any]:
    from datetime import timedelta

    from sync.private.ledger import CAP_MILLI

    ledger = room.publisher.ledger
    costs = ledger.costs()
    weeks = []
    if costs:
        last = max(cost.window.last_day for cost in costs)
        monday = last - timedelta(days=last.weekday())
        first = max(min(cost.window.first_day for cost in costs), monday - timedelta(weeks=_WEEKS - 1))
        while monday > first - timedelta(days=7):
            dearest = max(ledger.spent_milli(monday + timedelta(days=k)) for k in range(7))
            weeks.append({"monday": monday.isoformat(), "epsilon": dearest / 1000})
            monday -= timedelta(days=7)
    return {
        "schema": SCHEMA,
        "cap": CAP_MILLI / 1000,
        "weeks": weeks[::-1],
        "total": sum(cost.epsilon_milli for cost in costs) / 1000,
        "figures": [
            {
                "statistic": cost.statistic or None,
                "version": cost.version or None,
                "from": cost.window.first_day.isoformat(),
                "to": cost.window.last_day.isoformat(),
                "epsilon": cost.epsilon_milli / 1000,
                "lost": cost.burned,
            }
            for cost in costs
        ],
        "claim": CLAIM,
    }


def _draw(room: Room, found: dict[str, Any], out: Path) -> None:
    """The last year with a figure in it, or as long as there are any."""
    from datetime import date, timedelta

    from vitalkeep.plot.budget import Budget, Spent, save_budget

    figures = tuple(
        Spent(row["statistic"], date.fromisoformat(row["from"]), date.fromisoformat(row["to"]), row["epsilon"])
        for row in found["figures"]
    )
    last = max(figure.last for figure in figures)
    first = max(min(figure.first for figure in figures), last - timedelta(days=7 * _WEEKS))
    days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
    by_day = tuple(room.publisher.ledger.spent_milli(day) / 1000 for day in days)
    seen = tuple(figure for figure in figures if figure.last >= first)
    save_budget(Budget(first, by_day, found["cap"], found["total"], seen, found["claim"]), out)


def _text(found: dict[str, Any]) -> str:
    if not found["figures"]:
        return "Nothing was ever sealed or sent: nothing is spent of any day."
    bars = "".join(
        _BARS[min(len(_BARS) - 1, round(week["epsilon"] / found["cap"] * (len(_BARS) - 1)))] for week in found["weeks"]
    )
    lines = [
        f"spent of each day   {bars}   of at most ε = {found['cap']:g}",
        f"                    week of {found['weeks'][0]['monday']} to that of {found['weeks'][-1]['monday']}",
        f"figures ever sealed {len(found['figures'])}, ε = {found['total']:g} in all",
    ]
    for figure in found["figures"][-8:]:
        name = "lost with a part of the ledger" if figure["lost"] else figure["statistic"]
        lines.append(f"  {figure['from']} to {figure['to']}   ε = {figure['epsilon']:g}   {name}")
    return "\n".join([*lines, "", found["claim"]])
