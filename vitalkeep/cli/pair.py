"""`vitalkeep pair`: a bond with a sensor that asks for one, with the code that it shows where it has one."""

from __future__ import annotations

import sys

import click

from vitalkeep.cli.adapter_option import adapter_option


def _a_code(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (1 <= len(value) <= 16 and value.isascii() and value.isprintable()):
        raise click.BadParameter("expected six digits, or a PIN of 1 to 16 characters")
    return value


@click.command(short_help="Pair with a sensor that asks for it.")
@click.argument("device", metavar="ADDRESS|NAME")
@click.option(
    "--code", metavar="CODE", callback=_a_code, help="What the sensor shows, or its manual says. Default: ask for it."
)
@click.option("--anew", is_flag=True, help="Give up the bond that is there, and make another.")
@click.option(
    "--seconds", type=click.FloatRange(1.0, 600.0), default=30.0, show_default=True, help="How long to look for it."
)
@adapter_option
@click.pass_context
def pair(ctx: click.Context, device: str, code: str | None, anew: bool, seconds: float, adapter: str | None) -> None:
    """Pair with one sensor, so that it gives what it gives only to whom it knows. Most sensors need none of this.

    Put the sensor into its pairing mode if it has one. On a terminal its code is asked for; without one it comes by
    --code. No other device is paired with meanwhile: whatever else asks is refused. A sensor that needs no code
    is also paired with by `vitalkeep run` itself.

    \b
    Examples:
      vitalkeep pair "Nonin3230_502644309"
      vitalkeep pair --code 123456 A0:9E:1A:B2:C3:D4
      vitalkeep pair --anew "Polar OH1 A1B2C3D4"

    \b
    Exit codes: 0 paired, now or before; 1 not in reach, refused, a wrong code, or none where it wants one;
    2 wrong usage.
    """
    import asyncio

    from sensors.bleak_link import Radio
    from sensors.errors import LinkError
    from sensors.held_link import is_wanted
    from sensors.pairing import GivenCode
    from sensors.patience import Patience
    from vitalkeep.cli import exit_codes
    from vitalkeep.cli.say import say

    on_terminal = sys.stdin.isatty()
    wearer = GivenCode(code, _ask if on_terminal else None, say)

    async def make() -> bool:
        radio = Radio(adapter)
        patience = Patience(find_s=seconds, pair_s=90.0 if on_terminal else 40.0)
        return await radio.pair(lambda address, name: is_wanted(device, address, name), wearer, patience, anew)

    try:
        is_new = asyncio.run(make())
    except LinkError as problem:
        unsaid = wearer.was_asked and code is None and not on_terminal
        hint = "; it wants a code: give it with --code" if unsaid else ""
        raise LinkError(f"{device}: {problem}{hint}") from None
    if is_new:
        click.echo(f"{device}: paired")
    else:
        click.echo(f"{device}: was paired before (--anew gives that bond up and makes another)")
    ctx.exit(exit_codes.OK)


async def _ask(question: str) -> str | None:
    """A line from the terminal, without keeping the bus waiting meanwhile; None where there is none."""
    import asyncio

    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()
    click.echo(f"{question}: ", nl=False, err=True)

    def typed() -> None:
        if not answer.done():
            answer.set_result(sys.stdin.readline())  # a terminal gives whole lines

    loop.add_reader(sys.stdin, typed)
    try:
        return (await answer).strip() or None
    finally:
        loop.remove_reader(sys.stdin)
