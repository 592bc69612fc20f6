"""`vitalkeep decode`: one payload of one characteristic, read as the live link reads it. Stores nothing."""

from __future__ import annotations

import math
import re

import click

from vitalkeep.cli import exit_codes

_BETWEEN = re.compile(r"[\s:,_-]+")


class _Digits(click.ParamType[tuple[str, ...]]):
    """Pieces of hexadecimal digits. Half a byte may be left over: a payload that was cut is no wrong usage."""

    name = "hex"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        pieces = tuple(piece.removeprefix("0x") for piece in _BETWEEN.split(str(value).strip().lower()))
        for piece in pieces:
            if re.search("[^0-9a-f]", piece):
                self.fail(f"{piece[:40]!r} is not hexadecimal: expected pairs of 0-9 and a-f", param, ctx)
        return pieces


@click.command("decode", short_help="What the bytes of one notification say.")
@click.argument("characteristic", metavar="CHARACTERISTIC")
@click.argument("digits", nargs=-1, type=_Digits(), metavar="[HEX]...")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option(
    "--channels",
    type=click.IntRange(1, 255),
    default=3,
    show_default=True,
    metavar="N",
    help="Channels of a delta frame.",
)
@click.option(
    "--resolution",
    type=click.IntRange(1, 32),
    default=16,
    show_default=True,
    metavar="BITS",
    help="Bits of a sample of a delta frame.",
)
@click.option(
    "--factor",
    type=click.FloatRange(0, 3.4e38, min_open=True),
    default=1.0,
    show_default=True,
    metavar="F",
    help="What the device told that a count of a compressed frame of PMD_DATA is worth.",
)
@click.pass_context
def decode(
    ctx: click.Context,
    characteristic: str,
    digits: tuple[tuple[str, ...], ...],
    as_json: bool,
    channels: int,
    resolution: int,
    factor: float,
) -> None:
    """Read the bytes of one notification, and print what they say.

    CHARACTERISTIC is a UUID (2A37, or all 128 bits), a short name (heart_rate) or the name of a number or vendor frame
    (SFLOAT, PMD_DATA); docs/sensors.md lists them. HEX may have spaces, colons and 0x in it; none is a payload of no
    bytes. A value that the sensor marks as absent is null. What does not decode prints {"error": true, "message": ...}
    with --json.

    \b
    Examples:
      vitalkeep decode 2A37 10 3c 00 04
      vitalkeep decode --json heart_rate 0x103c0004
      vitalkeep decode 2A1C 00:a0:0a:00:fe
      vitalkeep decode PMD_DELTA --channels 3 --resolution 14 ffffffffffff0303aaaacccf

    \b
    Exit codes: 0 done; 1 the bytes are not what the characteristic says; 2 wrong usage.
    """
    import json

    from sensors.decoders import ALIASES, DECODERS, find
    from sensors.errors import DecodeError
    from sensors.unsaid import Unsaid

    if math.isnan(factor):
        raise click.BadParameter("nan is no factor: expected a number above 0", param_hint="'--factor'")
    try:
        decoder = find(characteristic)
    except KeyError:
        names = ", ".join([*DECODERS, *(name for name in ALIASES if "-" not in name)])
        raise click.BadParameter(
            f"{characteristic[:40]!r} is not known: expected a UUID or one of {names}", param_hint="'CHARACTERISTIC'"
        ) from None
    try:
        found = decoder(
            _payload([piece for pieces in digits for piece in pieces]), Unsaid(channels, resolution, factor)
        )
    except DecodeError as problem:
        if not as_json:
            raise
        click.echo(json.dumps({"error": True, "message": str(problem)}))
        ctx.exit(exit_codes.FAILED)
    click.echo(json.dumps(found, allow_nan=False) if as_json else as_text(found))


def _payload(pieces: list[str]) -> bytes:
    from sensors.errors import DecodeError

    for piece in pieces:
        if len(piece) % 2:
            raise DecodeError(f"{len(piece)} hexadecimal digits, expected an even number")
    return bytes.fromhex("".join(pieces))


def as_text(found: object) -> str:
    """Names and values side by side; records of a list one after the other."""
    if isinstance(found, list):
        records = [as_text(record) + "\n" if isinstance(record, dict) else _cell(record) for record in found]
        return "\n".join(records).removesuffix("\n") or "none"
    if not isinstance(found, dict):
        return _cell(found)
    width = max((len(name) for name in found), default=0)
    return "\n".join(f"{name:<{width}}  {_cell(value)}" for name, value in found.items()) or "none"


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            between = "; " if any(isinstance(part, list | dict) for part in value) else " "
            return between.join(_cell(part) for part in value) or "none"
        case dict():
            return ", ".join(f"{name} {_cell(part)}" for name, part in value.items())
        case str():
            # whatever a device calls itself, it does not write to the terminal
            return "".join(ch if ch.isprintable() else "\N{REPLACEMENT CHARACTER}" for ch in value)
    return str(value)
