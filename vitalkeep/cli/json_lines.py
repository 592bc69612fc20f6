"""Each finding as a line of JSON on standard output, for whoever listens to a running session (docs/run.md)."""

from __future__ import annotations

from collections.abc import Callable

import click

from device_pipeline.run import Finding
from sensors.samples import Item
from vitalkeep.cli.broken_pipe import leave_stdout
from vitalkeep.cli.finding_json import finding_line


class JsonLines:
    """A Watcher that prints. `left` is called once when nobody reads any more."""

    def __init__(self, left: Callable[[], None]) -> None:
        self._left = left
        self._is_read = True

    def item(self, item: Item) -> None: ...

    def finding(self, finding: Finding) -> None:
        line = finding_line(finding) if self._is_read else None
        if line is None:
            return
        try:
            click.echo(line)
        except BrokenPipeError:
            self._is_read = False
            leave_stdout()
            self._left()

    def tick(self) -> None: ...

    def trouble(self, message: str) -> None: ...
