"""`vitalkeep import`: a log of Bluetooth traffic becomes recordings, one for each device. Stores nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vitalkeep.cli import exit_codes

if TYPE_CHECKING:
    from sensors.link import Device, Event
    from sensors.recording import RecordingWriter

_MOST_UNKNOWN_SHOWN = 8


class _HandleMap(click.ParamType[tuple[int, str]]):
    name = "handle=uuid"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        from sensors.errors import DecodeError
        from sensors.profile import full_uuid
        from sensors.registry import PROFILES

        if isinstance(value, tuple):
            return value
        handle, _, name = str(value).partition("=")
        try:
            number = int(handle, 0)
        except ValueError:
            number = 0
        if not 1 <= number <= 0xFFFF:
            self.fail(f"{handle[:40]!r} is no handle: expected 0x0001 to 0xffff", param, ctx)
        try:
            uuid = full_uuid(name.strip())
        except DecodeError as problem:
            self.fail(str(problem), param, ctx)
        if uuid not in {profile.characteristic for profile in PROFILES}:
            self.fail(f"{name[:40]!r} is no characteristic that can be read (docs/sensors.md lists them)", param, ctx)
        return number, uuid


@click.command("import", short_help="A Bluetooth log into recordings.")
@click.argument("log", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="RECORDING",
    help="The recording to write; of several devices the second gets -2 before the first dot. "
    "Default: FILE's name with .jsonl.gz, in the current folder.",
)
@click.option(
    "--map",
    "handles",
    type=_HandleMap(),
    multiple=True,
    metavar="HANDLE=UUID",
    help="The characteristic of a handle that the log does not explain. May be given again.",
)
@click.pass_context
def import_(ctx: click.Context, log: Path, out: Path | None, handles: tuple[tuple[int, str], ...]) -> None:
    """Turn a Bluetooth log into recordings that `vitalkeep run --replay` plays.

    FILE is a btsnoop HCI log: Android writes one (developer options, "Bluetooth HCI snoop log"), and so does
    `btmon --write`. Notifications, indications and read values of the characteristics that vitalkeep reads are taken,
    with the log's times of arrival; nothing else that the log holds leaves it. What a handle means is learnt from the
    discovery in the log. Where a phone remembered it from before, say it with --map. An existing file is never
    overwritten.

    \b
    Examples:
      vitalkeep import btsnoop_hci.log
      vitalkeep import btsnoop_hci.log --out ride.jsonl.gz
      vitalkeep import night.btsnoop --map 0x0010=2a37

    \b
    Exit codes: 0 done; 1 the log is wrong or cut short (what could be read is written), holds nothing
    that can be read, or a recording is already there; 2 wrong usage.
    """
    from sensors.errors import FileFormatError
    from sensors.files.hci_log import HciLog

    hci = HciLog(log, dict(handles))
    shelf = _Shelf(Path(log.name.split(".")[0] + ".jsonl.gz") if out is None else out)
    try:
        for device, event in hci.events():
            shelf.put(device, event)
    finally:
        shelf.close()
        for line in shelf.told():
            click.echo(line)
        for line in _unexplained(hci.unknown):
            click.echo(f"vitalkeep: {line}", err=True)
    if hci.cut_short is not None:
        raise FileFormatError(f"{hci.cut_short}; all before it is read")
    if not shelf.written:
        raise FileFormatError(f"{log.name}: no value of a characteristic that can be read")
    ctx.exit(exit_codes.OK)


class _Shelf:
    """One recording for each device, and a further one where its clock leaps beyond what a recording may hold."""

    def __init__(self, first: Path) -> None:
        self._first = first
        self._open: dict[Device, _Book] = {}
        self.written: list[_Book] = []

    def put(self, device: Device, event: Event) -> None:
        from sensors.recording import LONGEST_PAUSE_NS

        book = self._open.get(device)
        if book is not None and event.t_ns - book.last_ns > LONGEST_PAUSE_NS:
            book.writer.close()
            book = None
        if book is None:
            book = self._open[device] = self._begin(device, event.t_ns)
        book.put(event)

    def _begin(self, device: Device, t_ns: int) -> _Book:
        from sensors.recording import RecordingWriter

        stem, dot, suffix = self._first.name.partition(".")
        number = len(self.written) + 1
        path = self._first if number == 1 else self._first.with_name(f"{stem}-{number}{dot}{suffix}")
        book = _Book(path, device, RecordingWriter(path, device, t_ns), t_ns)
        self.written.append(book)
        return book

    def close(self) -> None:
        for book in self.written:
            book.writer.close()

    def told(self) -> list[str]:
        return [book.told() for book in self.written]


class _Book:
    def __init__(self, path: Path, device: Device, writer: RecordingWriter, t_ns: int) -> None:
        self.writer = writer
        self.last_ns = t_ns
        self._path, self._device, self._first_ns = path, device, t_ns
        self._counts: Counter[str] = Counter()

    def put(self, event: Event) -> None:
        from sensors.link import Notification

        self.writer.write(event)
        self.last_ns = event.t_ns
        if isinstance(event, Notification):
            self._counts[event.characteristic] += 1

    def told(self) -> str:
        from sensors.registry import PROFILES

        named = [f"{p.name} {self._counts[p.characteristic]}" for p in PROFILES if p.characteristic in self._counts]
        seconds = (self.last_ns - self._first_ns) // 10**9
        length = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{self._path}: {self._device.name}, {length}, {', '.join(named)}"


def _unexplained(unknown: Counter[tuple[str, int]]) -> list[str]:
    if not unknown:
        return []
    shown = [
        f"{handle:#06x} of {name} ({count} values)"
        for (name, handle), count in unknown.most_common(_MOST_UNKNOWN_SHOWN)
    ]
    more = len(unknown) - len(shown)
    also = f" and {more} more" if more > 0 else ""
    return [f"the log does not say what these handles are (name one with --map): {', '.join(shown)}{also}"]
