"""Steps a live run down while the machine is too hot or its battery low, and up again: one level at a time, with its
reason.

Each step needs its condition to have held; between a limit and its way back nothing happens, so that a temperature that
dithers makes no steps. What is not known is no reason to save: after a while of that, it goes up again.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_pipeline.config import GovernorLimits
from device_pipeline.effort import Level
from device_pipeline.governor.machine import Machine

_S = 1_000_000_000
_BEFORE_TRIP_C = 5.0  # below the point at which the kernel itself slows the processor


@dataclass(frozen=True, slots=True)
class Step:
    """From one level to the next; `reason` in words."""

    level: Level
    reason: str
    machine: Machine


class Governor:
    """`push` what the machine says now, at moments of a clock that only goes forward."""

    def __init__(self, limits: GovernorLimits) -> None:
        self._limits = limits
        self._heat = _Ladder(limits)
        self._battery = _Ladder(limits)
        self.level = Level.FULL

    def push(self, t_ns: int, machine: Machine) -> Step | None:
        """The step that is due, if any."""
        hot = self._heat.push(t_ns, self._heat_wants(machine))
        low = self._battery.push(t_ns, self._battery_wants(machine))
        wanted = max(hot, low)
        if wanted == self.level:
            return None
        up = wanted < self.level
        self.level = Level(self.level - 1 if up else self.level + 1)
        if up:
            reason = "the machine is cool enough" if machine.battery_pct is None else "cool and charged enough"
        elif hot >= low:
            reason = f"{machine.temperature_c:.0f} °C, {self._hot_c(machine):.0f} or more is hot"
        else:
            reason = f"battery {machine.battery_pct:.0f} %"
        return Step(self.level, reason, machine)

    def _hot_c(self, machine: Machine) -> float:
        trip_c = machine.trip_c
        return self._limits.hot_c if trip_c is None else min(self._limits.hot_c, trip_c - _BEFORE_TRIP_C)

    def _heat_wants(self, machine: Machine) -> int:
        """One level down (1), as it is (0), or up (-1)."""
        if machine.temperature_c is None:
            return -1
        hot_c = self._hot_c(machine)
        if machine.temperature_c >= hot_c:
            return 1
        return -1 if machine.temperature_c <= hot_c - (self._limits.hot_c - self._limits.cool_c) else 0

    def _battery_wants(self, machine: Machine) -> int:
        limits = self._limits
        if machine.battery_pct is None or not machine.is_discharging:
            return -1
        below = (limits.battery_cadence_pct, limits.battery_models_pct, limits.battery_waveform_pct)
        level = self._battery.level
        if sum(machine.battery_pct <= pct for pct in below) > level:
            return 1
        return -1 if sum(machine.battery_pct <= pct + limits.battery_clear_pct for pct in below) < level else 0


class _Ladder:
    """The level that one cause asks for: a step each time that its wish has held."""

    def __init__(self, limits: GovernorLimits) -> None:
        self._hold_ns = {1: round(limits.down_hold_s * _S), -1: round(limits.up_hold_s * _S)}
        self._wants = 0
        self._since_ns = 0
        self.level = 0

    def push(self, t_ns: int, wants: int) -> int:
        if wants != self._wants:
            self._wants, self._since_ns = wants, t_ns
        if wants and t_ns - self._since_ns >= self._hold_ns[wants] and 0 <= self.level + wants <= Level.WAVEFORM:
            self.level += wants
            self._since_ns = t_ns
        return self.level
