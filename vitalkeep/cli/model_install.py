"""`vitalkeep model install`: a bundle is judged, tried on its golden inputs, and put into the shadow."""

from __future__ import annotations

from pathlib import Path

import click

SCHEMA = "vitalkeep.model_installed/1"


@click.command("install", short_help="Let a model in; it runs in shadow.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--trust-local",
    is_flag=True,
    help="Let it in though nobody whom you trust has signed it; that is written down and shown ever after.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
def install(file: Path, trust_local: bool, as_json: bool) -> None:
    """Let a model in from a bundle (NAME-VERSION.vkmodel). It must be whole, signed by a key that you trust for it
    (vitalkeep model trust), newer than every version that was ever here, made for this program, and say of its golden
    inputs what it said where it was made, to within one step of its numbers.

    It then runs in shadow: it scores beside the one in service, and nothing is told or warned of by it, until
    `vitalkeep model promote`. A `run` that is under way takes it up when it is started again.

    \b
    Fields of --json: schema, name, version, slot ("shadow"), trust (signed or local), key,
    golden_rows, worst_steps, latency_us

    \b
    Exit codes: 0 it runs in shadow; 1 it is refused, and nothing has changed; 2 wrong usage.

    \b
    Examples:
      vitalkeep model install screen-1.1.0.vkmodel
      vitalkeep model install my-own.vkmodel --trust-local
    """
    from models.bundle import MOST_BYTES, read_bundle
    from models.slots.atomic_file import read_bounded
    from vitalkeep import model_choice
    from vitalkeep.cli.say import say

    data = read_bounded(file, MOST_BYTES)
    bundle = read_bundle(data, file.name)
    slots = model_choice.slots()
    trust, golden = slots.install(bundle, data, trust_local=trust_local)
    if as_json:
        import json

        row = {
            "schema": SCHEMA,
            "name": bundle.name,
            "version": bundle.version,
            "slot": "shadow",
            "trust": trust.kind,
            "key": trust.fingerprint,
            "golden_rows": golden.rows,
            "worst_steps": round(golden.worst_steps, 3),
            "latency_us": round(golden.latency_us, 1),
        }
        click.echo(json.dumps(row))
    else:
        click.echo(f"{bundle.name} {bundle.version}, {trust.told(slots.publishers)}: runs in shadow.")
        click.echo(f"When you are content with it: vitalkeep model promote {bundle.name}")
    if trust.kind == "local":
        say(f"{bundle.name} {bundle.version} stands on your word alone; a model can be wrong, or made to harm")
