"""`vitalkeep model verify`: every model held to its card, its golden scores, its signature. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from vitalkeep.cli import exit_codes
from vitalkeep.cli.model_name import ModelName

if TYPE_CHECKING:
    from models.registry import ModelRow
    from models.slots.slots import Slots
    from models.slots.state import Installed, State

SCHEMA = "vitalkeep.model_check/1"


@click.command("verify", short_help="Hashes, golden scores, signatures, runtime.")
@click.argument("names", type=ModelName(), nargs=-1, metavar="[MODEL]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per check, one per line.")
@click.pass_context
def verify(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Check models, all of them without a name: that their weights are those of their cards, that they say of golden
    inputs what they said where they were made, and, of installed ones, who signed them and whether that still holds.

    \b
    Fields of --json:
      schema     "vitalkeep.model_check/1"
      model, version, slot   slot is program, active, shadow, previous or pinned; model is null for what
                             is of all of them
      check      runtime, state, file, trust or golden
      ok, detail

    \b
    Exit codes: 0 all is well; 1 a check failed; 2 wrong usage.

    \b
    Examples:
      vitalkeep model verify
      vitalkeep model verify screen --json | jq 'select(.ok | not)'
    """
    rows = list(_checks(names))
    if as_json:
        import json

        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False, allow_nan=False))
    else:
        for row in rows:
            of = "" if row["model"] is None else f"{row['model']} {row['version']} ({row['slot']}) "
            click.echo(f"{'ok    ' if row['ok'] else 'FAILED'} {of}{row['check']}: {row['detail']}")
    ctx.exit(exit_codes.OK if all(row["ok"] for row in rows) else exit_codes.FAILED)


def _row(
    check: str, ok: bool, detail: str, model: str | None = None, version: str = "", slot: str = ""
) -> dict[str, Any]:
    of = {"model": model, "version": version or None, "slot": slot or None}
    return {"schema": SCHEMA, **of, "check": check, "ok": ok, "detail": detail}


def _checks(names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    from models.errors import ModelError
    from models.registry import MODELS
    from models.runtime import runtime
    from vitalkeep import model_choice

    try:
        yield _row("runtime", True, runtime()[0])
    except ModelError as problem:
        yield _row("runtime", False, str(problem))
    slots = model_choice.slots()
    state: State | None = None
    try:
        state = slots.state()
        yield _row("state", True, f"{sum(len(one.held()) for one in state.models.values())} slots filled")
    except ModelError as problem:
        yield _row("state", False, str(problem))
    for model in MODELS:
        if names and model.name not in names:
            continue
        yield _shipped(model)
        if state is not None:
            for slot in ("active", "shadow", "previous", "pinned"):
                installed = getattr(state.of(model.name), slot)
                if installed is not None:
                    yield from _installed(slots, state, model, slot, installed)


def _shipped(model: ModelRow) -> dict[str, Any]:
    from models.bundle import bundle_of
    from models.errors import ModelError

    try:
        bundle = bundle_of(model.card, "1980-01-01T00:00:00Z")
        ok, detail = _golden(model, bundle)
        return _row("golden", ok, detail, model.name, bundle.version, "program")
    except (ModelError, OSError) as problem:
        return _row("file", False, str(problem), model.name, "", "program")


def _golden(model: ModelRow, bundle: Any) -> tuple[bool, str]:
    from models.errors import ModelError
    from models.slots.golden import tried

    try:
        golden = tried(bundle, model.scorer(bundle.weights, bundle.card))
    except ModelError as problem:
        return False, str(problem)
    return (
        True,
        f"{golden.rows} rows, at most {golden.worst_steps:.2f} of a step off, {golden.latency_us:.0f} µs a call",
    )


def _installed(
    slots: Slots, state: State, model: ModelRow, slot: str, installed: Installed
) -> Iterator[dict[str, Any]]:
    from models.errors import ModelError

    of = (model.name, installed.version, slot)
    try:
        bundle = slots.load(installed)
    except ModelError as problem:
        yield _row("file", False, str(problem), *of)
        return
    yield _row("file", True, f"sha256 {bundle.sha256}", *of)
    reason = slots.unusable(state, model.name, installed, floor=slot != "pinned")
    if reason is None and bundle.signature is not None and not bundle.has_true_signature:
        reason = "the signature is not that of the key it names"
    yield _row("trust", reason is None, reason or installed.trust.told(slots.publishers), *of)
    yield _row("golden", *_golden(model, bundle), *of)
