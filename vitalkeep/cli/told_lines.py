"""Where there is no terminal, what happens is told in lines on standard error."""

from __future__ import annotations

from device_pipeline.alerts.alert import Alert
from device_pipeline.run import Finding
from sensors.samples import Item
from vitalkeep.cli.say import say


class ToldLines:
    """A Watcher. `quiet`: only what went wrong, since somebody else tells the rest."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def item(self, item: Item) -> None: ...

    def tick(self) -> None: ...

    def finding(self, finding: Finding) -> None:
        if isinstance(finding, Alert) and not self._quiet:
            state = "raised" if finding.end_ns is None else "over"
            say(f"alert {state}: {finding.text}")

    def trouble(self, message: str) -> None:
        say(message)
