"""Everything that is told beside the beats, and the alerts that watch it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from device_pipeline.alerts.alert import Alert
from device_pipeline.alerts.engine import AlertEngine
from device_pipeline.alerts.rules import Watches
from device_pipeline.anomaly.shapes import Shapes
from device_pipeline.effort import Effort
from device_pipeline.oximetry.evidence import is_measured, signal_window
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.side import Side, SideFinding
from device_pipeline.side_registry import OPTIONAL, SIDES
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.track import Window
from device_pipeline.windows import LONGEST_HOLE_NS
from models.morphology_calibration import Calibration
from sensors.samples import Item, Reading

Told = SideFinding | Alert

_RARE = 30  # grains of 2 s: where windows may wait, they are told once a minute


class Sides:
    """The sides of one device. `beats_heard` is whether a source of beats has given anything: where none has, an
    oximeter is the signal that can be poor or absent. What `effort` leaves out of the optional ones is not told: they
    come back as after a hole.
    """

    def __init__(self, alerts: AlertEngine, origin_ns: int, live: bool, effort: Effort | None = None) -> None:
        self._alerts = alerts
        self._sides = [make(origin_ns=origin_ns, live=live) for make in SIDES]
        self._effort = effort or Effort()
        self._grains = 0
        self._newest_ns: int | None = None
        self.has_oximeter = False

    def know(self, shapes: dict[str, Calibration]) -> None:
        """What was learnt of the wearer's beats before, by channel; before anything is pushed."""
        for side in self._sides:
            if isinstance(side, Shapes):
                side.know(shapes)

    def begin(self, start_ns: int) -> None:
        for side in self._sides:
            side.begin(start_ns)

    def push(self, item: Item, beats_heard: bool) -> list[Told]:
        newest_ns = item.t_ns if isinstance(item, Reading) else item.end_ns
        self._newest_ns = newest_ns if self._newest_ns is None else max(self._newest_ns, newest_ns)
        return self._watched((finding for side in self._working() for finding in side.push(item)), beats_heard)

    def see(self, windows: Sequence[Window], more: bool, beats_heard: bool) -> list[Told]:
        """As `Side.see`."""
        self._grains += 1
        wait = self._effort.is_rare and self._grains % _RARE != 0
        found = (
            finding
            for side in self._working()
            for finding in side.see(windows, more or (wait and isinstance(side, OPTIONAL)))
        )
        return self._watched(found, beats_heard)

    def flush(self, beats_ns: int | None, end_ns: int | None, beats_heard: bool) -> list[Told]:
        """They end where their own input does, or the beats at `beats_ns`, or the record at `end_ns`."""
        known = [t_ns for t_ns in (beats_ns, self._newest_ns) if t_ns is not None]
        if not known:
            return []
        last_ns = max(known)
        if end_ns is not None and last_ns < end_ns <= last_ns + LONGEST_HOLE_NS:
            last_ns = end_ns
        return self._watched((finding for side in self._sides for finding in side.flush(last_ns)), beats_heard)

    def _working(self) -> list[Side]:
        if not self._effort.is_optional_off:
            return self._sides
        return [side for side in self._sides if not isinstance(side, OPTIONAL)]

    def _watched(self, found: Iterable[SideFinding], beats_heard: bool) -> list[Told]:
        told: list[Told] = []
        for finding in found:
            told.append(finding)
            match finding:
                case Spo2() if is_measured(finding):
                    self.has_oximeter = True
                    end_ns = finding.start_ns + finding.length_ns
                    told += self._alerts.push(Watches.OXYGEN, finding.start_ns, end_ns, finding)
                    if not beats_heard:
                        window = signal_window(finding)
                        told += self._alerts.push(Watches.SIGNAL, finding.start_ns, end_ns, window)
                case Temperature(site=Site.BODY):
                    end_ns = finding.start_ns + finding.length_ns
                    told += self._alerts.push(Watches.TEMPERATURE, finding.start_ns, end_ns, finding)
        return told
