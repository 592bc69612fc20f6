"""`vitalkeep clinic demo`: from pairing to a card on one machine, with days that nobody lived and a clock of its own.

Everything is thrown away at the end: store, ledger, keys, and the clinic, which listens on this machine alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from device_pipeline.day_summary import DaySummary
    from sync.pairing import PairingCode

STAMP = "DEMO: nobody lived these days"
_SEED = 7
_CLINIC = "Demo clinic"
_S = 1_000_000_000
_DAY_NS = 86_400 * _S


@click.command(short_help="See it all on this machine, with made-up days.")
@click.option(
    "--code", metavar="CODE", help="Pair with the clinic on this machine that gave this code, and leave the card there."
)
@click.option("--json", "as_json", is_flag=True, help="Print the card as the clinic has it, as one JSON object.")
def demo(code: str | None, as_json: bool) -> None:
    """Pair, seal, upload and see the card as the clinic sees it: with made-up days, a throw-away store and keys.

    A person wears a sensor on nine days of ten, from the last whole quarter on, and is in atrial fibrillation on one
    of ten. The clinic runs here, on 127.0.0.1; nothing leaves this machine, and nothing is kept. With --code a clinic
    that you run yourself on this machine has the card in the end, under the name that the code was made for.

    \b
    Fields of --json with --code: demo, clinic, url, figures (how many were sent).

    \b
    Exit codes: 0 done; 1 an extra is missing: pip install 'vitalkeep[sync,clinic]', the code is wrong or was used, or
    its clinic is not there; 2 wrong usage.

    \b
    Examples:
      vitalkeep clinic demo
      vitalkeep clinic demo --code 'http://127.0.0.1:8443#04A7HT-...'
    """
    from sync.pairing import PairingCode

    if code is not None:
        told = _at_yours(code)
        click.echo(
            json.dumps(told, ensure_ascii=False)
            if as_json
            else f"{STAMP}. {told['clinic']} has the card now, {told['figures']} figures: {told['url']}"
        )
        return
    with tempfile.TemporaryDirectory(prefix="vitalkeep-demo-") as folder, _clinic_at(Path(folder) / "clinic") as place:
        made = json.loads(_clinic(place.data, "pair", "new", "--for", "Demo patient", "--url", place.url, "--json"))
        _live(Path(folder), PairingCode.decode(made["code"]))
        card = _clinic(place.data, "card", made["pseudonym"], *(["--json"] if as_json else []))
    if as_json:
        click.echo(json.dumps({"demo": STAMP, **json.loads(card)}, ensure_ascii=False))
        return
    click.echo(f"{STAMP}. The card as the clinic has it:\n")
    click.echo(card, nl=False)
    click.echo(f"\n{STAMP}.")


@dataclass(frozen=True, slots=True)
class _Place:
    data: Path
    url: str


def _at_yours(text: str) -> dict[str, object]:
    from sync.pairing import PairingCode, PairingCodeError, on_this_machine
    from sync.private.errors import PairingError

    try:
        code = PairingCode.decode(text)
    except PairingCodeError as problem:
        raise PairingError(str(problem)) from None
    if not on_this_machine(code.url):
        raise PairingError("made-up days go to a clinic on this machine alone: a code of http://127.0.0.1 is expected")
    with tempfile.TemporaryDirectory(prefix="vitalkeep-demo-") as folder:
        name, figures = _live(Path(folder), code)
    return {"demo": STAMP, "clinic": name, "url": code.url, "figures": figures}


def _live(folder: Path, code: PairingCode) -> tuple[str, int]:
    """The wearer's side, a week at a time; what the clinic calls itself, and how many figures it has now."""
    from device_pipeline.clock import ManualClock
    from sync.private.errors import PairingError
    from sync.private.registry import STATISTICS
    from sync.private.window import QUARTER_DAYS, sealable
    from vitalkeep.cli.clinic import drain, enrol
    from vitalkeep.private_room import Folders, open_room, uplink

    # the newest quarter whose figures may have left by now: sealed, and each after a slot of up to two days
    today = datetime.now(UTC).date()  # noqa: TID251 - made-up days need a calendar, and no clock of ours is asked
    quarter = sealable(today - timedelta(days=3), QUARTER_DAYS)
    assert quarter is not None
    clock = ManualClock(now_ns=_noon(quarter.first_day))
    (folder / "store").mkdir(mode=0o700)
    folders = Folders(folder / "store", folder / "counter", folder / "outbox")
    figures = 0
    with open_room(folders, clock, lambda day, zone: made_up_day(day)) as room:
        found = json.loads(uplink(["pair", "--outbox", str(folders.outbox), "--url", code.url]))
        enrol(room, code, found, None, list(STATISTICS))
        sent = drain(room)
        if refused := next((message.refused for message in room.outbox.messages()), None):
            raise PairingError(f"{found['name']} refused: {refused}")
        click.echo(f"paired with {found['name']} on {quarter.first_day.isoformat()}, by the demo's clock", err=True)
        # what is sealed three days ago or before has had its slot: the sending process knows the true time alone
        while clock.now_ns() < _noon(today) - 10 * _DAY_NS:
            clock.advance(7 * _DAY_NS)
            done = room.publisher.publish(room.outbox)
            figures += done.sealed
            if done.sealed:
                click.echo(f"{room.publisher.today().isoformat()}: {done.sealed} figures sealed", err=True)
        if not (drain(room) and sent) or room.outbox.messages():
            raise PairingError("the demo's messages did not all arrive")
    return str(found["name"]), figures


def made_up_day(day: date) -> DaySummary | None:
    """The same for the same day: worn on nine days of ten, in fibrillation on one of ten of those."""
    from device_pipeline.day_summary import DaySummary

    chance = Random(_SEED * 1_000_003 + day.toordinal())
    if chance.random() < 0.1:
        return None
    af_s = chance.uniform(2_000.0, 30_000.0) if chance.random() < 0.1 else 0.0
    return DaySummary(day, af_s, chance.gauss(62.0, 2.5), max(8.0, chance.gauss(38.0, 5.0)))


def _noon(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) * _S


def _clinic(data: Path, *arguments: str) -> str:
    """Runs a command of the clinic; gives what it printed. Raises PairingError with what it said."""
    from sync.private.errors import PairingError

    done = subprocess.run(
        [sys.executable, "-m", "sync.clinic", *arguments, "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise PairingError(said[-1] if said else f"the clinic ended with {done.returncode}")
    return done.stdout


@contextmanager
def _clinic_at(data: Path) -> Iterator[_Place]:
    """A clinic of its own on a free port of this machine, stopped at the end."""
    from sync.private.errors import PairingError

    _clinic(data, "init", "--name", _CLINIC)
    serving = subprocess.Popen(
        [sys.executable, "-m", "sync.clinic", "serve", "--data", str(data), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stdout is not None
        assert serving.stderr is not None
        url = serving.stdout.readline().strip()
        if not url:
            said = serving.stderr.read().strip().splitlines()
            raise PairingError(said[-1] if said else "the demo's clinic did not start")
        yield _Place(data, url)
    finally:
        serving.terminate()
        try:
            serving.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            serving.kill()
            serving.communicate()
