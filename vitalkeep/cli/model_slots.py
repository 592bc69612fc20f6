"""`vitalkeep model promote | rollback | drop | pin`: which version of a model serves."""

from __future__ import annotations

import click

from vitalkeep.cli.model_name import ModelName

_AFTER = "A `run` that is under way takes it up when it is started again."


@click.command("promote", short_help="The one in shadow serves from now on.")
@click.argument("name", type=ModelName(), metavar="MODEL")
def promote(name: str) -> None:
    """Put the version that runs in shadow into service; the one before it stays to go back to.

    From then on it is watched: where it fails, is much slower than when it was installed, or raises many more alerts
    than before, it goes back by itself, and `vitalkeep status` and `vitalkeep model list` say so.

    \b
    Exit codes: 0 done; 1 nothing runs in shadow, or it may not serve (taken back, older than the program's);
    2 wrong usage.

    \b
    Examples:
      vitalkeep model promote screen
    """
    from vitalkeep import model_choice

    active = model_choice.slots().promote(name)
    click.echo(f"{name} {active.version} is in service, and watched. {_AFTER}")


@click.command("rollback", short_help="Back to the version before.")
@click.argument("name", type=ModelName(), metavar="MODEL")
def rollback(name: str) -> None:
    """Take the version in service back, for the one before it, or else for the one that came with the program. What is
    pinned stays. The version taken back cannot be installed again.

    \b
    Exit codes: 0 done; 1 what came with the program is in service already; 2 wrong usage.

    \b
    Examples:
      vitalkeep model rollback screen
    """
    from vitalkeep import model_choice

    slots = model_choice.slots()
    slots.rollback(name)
    chosen = slots.chosen(name).installed
    now = f"{slots.shipped(name)}, which came with the program," if chosen is None else chosen.version
    click.echo(f"{name} {now} is in service. {_AFTER}")


@click.command("drop", short_help="Take the one in shadow away.")
@click.argument("name", type=ModelName(), metavar="MODEL")
def drop(name: str) -> None:
    """Take the version that runs in shadow away; it cannot be installed again.

    \b
    Exit codes: 0 done; 1 nothing runs in shadow; 2 wrong usage.

    \b
    Examples:
      vitalkeep model drop screen
    """
    from vitalkeep import model_choice

    model_choice.slots().drop(name)
    click.echo(f"{name}: nothing runs in shadow any more.")


@click.command("pin", short_help="Keep this version for a clinic's cards.")
@click.argument("name", type=ModelName(), metavar="MODEL")
@click.option("--release", is_flag=True, help="No longer: the one that came with the program serves cards.")
def pin(name: str, release: bool) -> None:
    """Keep the version that is in service now for what a clinic is told, whatever is in service later, so that the days
    of one period are all read alike. Going back, by hand or by itself, leaves it alone.

    \b
    Exit codes: 0 done; 1 nothing to release; 2 wrong usage.

    \b
    Examples:
      vitalkeep model pin screen
      vitalkeep model pin screen --release
    """
    from vitalkeep import model_choice

    slots = model_choice.slots()
    if release:
        slots.release(name)
        click.echo(f"{name}: nothing is pinned any more.")
    else:
        click.echo(f"{name} {slots.pin(name).version} is pinned.")
