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

DAYS = 90
STAMP = "DEMO: nobody lived these days"
_SEED = 7
_CLINIC = "Demo clinic"
_S = 1_000_000_000


@click.command(short_help="See it all on this machine, with made-up days.")
@click.option("--json", "as_json", is_flag=True, help="Print the card as the clinic has it, as one JSON object.")
def demo(as_json: bool) -> None:
    """Pair, seal, upload and see the card as the clinic sees it: with made-up days, a throw-away store and keys.

    A person wears a sensor on most of 90 days and is in atrial fibrillation on nine of them. The clinic runs here, on
    127.0.0.1; nothing leaves this machine, and nothing is kept.

    \b
    Exit codes: 0 done; 1 an extra is missing: pip install 'vitalkeep[sync,clinic]'; 2 wrong usage.
    """
    from sync.private.errors import PairingError

    with tempfile.TemporaryDirectory(prefix="vitalkeep-demo-") as folder, _clinic_at(Path(folder) / "clinic") as place:
        shown, sent = _live(Path(folder), place)
        if not sent:
            raise PairingError("the demo's messages did not all arrive")
        card = _clinic(place.data, "card", shown, *(["--json"] if as_json else []))
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


def _live(folder: Path, place: _Place) -> tuple[str, bool]:
    """The wearer's side over 90 days; the clinic's name for this device, and whether all has arrived."""
    from device_pipeline.clock import ManualClock
    from sync.pairing import PairingCode
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
    code = json.loads(_clinic(place.data, "pair", "new", "--for", "Demo patient", "--url", place.url, "--json"))
    with open_room(folders, clock, lambda day, zone: made_up_day(day)) as room:
        found = json.loads(uplink(["pair", "--outbox", str(folders.outbox), "--url", place.url]))
        enrol(room, PairingCode.decode(code["code"]), found, _CLINIC, list(STATISTICS))
        sent = drain(room)
        click.echo(f"paired with {_CLINIC} on {quarter.first_day.isoformat()}, by the demo's clock", err=True)
        for _ in range(0, DAYS, 7):
            clock.advance(7 * 86_400 * _S)
            done = room.publisher.publish(room.outbox)
            if done.sealed:
                click.echo(f"{room.publisher.today().isoformat()}: {done.sealed} figures sealed", err=True)
        sent = drain(room) and sent and not room.outbox.messages()
    return str(code["pseudonym"]), sent


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
