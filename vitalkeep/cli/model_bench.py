"""`vitalkeep model bench`: latency and memory of every model here, int8 beside float32, and which to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli.model_name import ModelName

if TYPE_CHECKING:
    from vitalkeep.model_bench import Timed

SCHEMA = "vitalkeep.model_bench/1"


@click.command("bench", short_help="Latency and memory here; which variant is best.")
@click.argument("names", nargs=-1, type=ModelName(), metavar="[MODEL]...")
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Try up to N threads.  [default: every core]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.01, 60),
    default=0.5,
    show_default=True,
    help="How long each file is called with each number of threads.",
)
@click.option("--keep", is_flag=True, help="Run the best variant of each from now on.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per file and number of threads.")
@click.pass_context
def bench(
    ctx: click.Context, names: tuple[str, ...], threads: int | None, seconds: float, keep: bool, as_json: bool
) -> None:
    """Time the models that came with the program on this machine: every file on their cards, with 1 to N threads.

    Best is the fastest file with one thread whose scores on golden inputs lie within 16 steps of the shipped one's, if
    it is faster by a tenth; else the one that ships. With --keep the device runs it from now on; models that were
    installed run as they are.

    \b
    Fields of --json:
      schema      "vitalkeep.model_bench/1"
      model, weights, precision, size_bytes, threads
      calls, p50_us, p99_us   single calls, by the clock
      memory_kib  what loading and a first call took; null where the system does not tell
      apart       largest difference of a score from the shipped file's; same: within 16 steps
      best        whether this is the one to run
      kept        whether it is the one that runs
      runtime     ai-edge-litert or tflite-runtime

    \b
    Exit codes: 0 done; 1 a model cannot be run, or the choice not kept; 2 wrong usage.

    \b
    Examples:
      vitalkeep model bench
      vitalkeep model bench screen --threads 1 --json | jq '{weights, p50_us}'
      vitalkeep model bench --keep
    """
    from models.registry import MODELS
    from models.runtime import runtime
    from models.variant_choice import chosen_file, keeping
    from vitalkeep import model_bench
    from vitalkeep.variant_file import keep_variants, kept_variant

    counts = range(1, (model_bench.cores() if threads is None else threads) + 1)
    of_model: list[list[Timed]] = []
    for row in MODELS:
        if not names or row.name in names:
            of_model.append(list(model_bench.timed(row, counts, seconds)))
    chosen = {rows[0].model: model_bench.best(rows) for rows in of_model}
    if keep:
        first = {rows[0].model: rows[0].sha256 for rows in of_model}
        keep_variants({name: one.sha256 if one.sha256 != first[name] else None for name, one in chosen.items()})
    with keeping(kept_variant):
        from models.card import ModelCard

        runs = {row.name: chosen_file(ModelCard.read(row.card)).sha256 for row in MODELS if row.name in chosen}
    told = [_row(one, chosen[one.model], runs[one.model], runtime()[0]) for rows in of_model for one in rows]
    if as_json:
        import json

        for line in told:
            click.echo(json.dumps(line, ensure_ascii=False, allow_nan=False))
        return
    click.echo(_text(told), nl=False)


def _row(one: Timed, best: Timed, runs: str, runtime: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "model": one.model,
        "weights": one.weights,
        "precision": one.precision,
        "size_bytes": one.size_bytes,
        "threads": one.threads,
        "calls": one.calls,
        "p50_us": round(one.p50_us, 2),
        "p99_us": round(one.p99_us, 2),
        "memory_kib": one.memory_kib,
        "apart": float(f"{one.apart:.3g}"),
        "same": one.same,
        "best": one.threads == 1 and one.sha256 == best.sha256,
        "kept": one.threads == 1 and one.sha256 == runs,
        "runtime": runtime,
    }


def _text(told: list[dict[str, Any]]) -> str:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("file", "threads", "p50 µs", "p99 µs", "KiB", "apart", "", box=None, pad_edge=False)
    for column in table.columns[1:6]:
        column.justify = "right"
    for row in told:
        marks = [word for word, is_so in (("best", row["best"]), ("runs", row["kept"])) if is_so]
        if not row["same"]:
            marks.append("says otherwise")
        memory = "-" if row["memory_kib"] is None else str(row["memory_kib"])
        times = (f"{row['p50_us']:.1f}", f"{row['p99_us']:.1f}")
        table.add_row(row["weights"], str(row["threads"]), *times, memory, f"{row['apart']:g}", ", ".join(marks))
    with console.capture() as captured:
        console.print(table, highlight=False)
        console.print(f"{told[0]['runtime']}; single calls, by the clock", highlight=False)
    return captured.get()
