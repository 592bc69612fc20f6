"""How hot the machine is and what its battery holds, as the kernel tells it under /sys; what is not there is None.

Sensors of small machines are often missing or say what cannot be (-1, 0 K, 200 °C): such a reading is none.
Linux: Documentation/driver-api/thermal/sysfs-api.rst (millidegrees), Documentation/ABI/testing/sysfs-class-power.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SYS = Path("/sys")
_PLAUSIBLE_C = (1.0, 125.0)
_TRIPS_C = (45.0, 120.0)
_SLOWING_TRIPS = ("passive", "hot", "critical")  # where the kernel slows the processor, or worse


@dataclass(frozen=True, slots=True)
class Machine:
    """`temperature_c` of the zone that is nearest to its own limit, `trip_c` the lowest of that zone's trip points.
    `battery_pct` of all batteries that feed the machine; `is_discharging` None where nothing says so."""

    temperature_c: float | None = None
    trip_c: float | None = None
    battery_pct: float | None = None
    is_discharging: bool | None = None


def read_machine(sys: Path = SYS) -> Machine:
    """Never raises: what cannot be read is absent."""
    zones = [zone for folder in _folders(sys / "class" / "thermal", "thermal_zone*") if (zone := _zone(folder))]
    # without a trip point a zone is as near to its limit as one at 85 °C
    temperature_c, trip_c = max(zones, key=lambda zone: zone[0] - (zone[1] or 85.0)) if zones else (None, None)
    battery_pct, is_discharging = _power(_folders(sys / "class" / "power_supply", "*"))
    return Machine(temperature_c, trip_c, battery_pct, is_discharging)


def _zone(folder: Path) -> tuple[float, float | None] | None:
    temperature_c = _celsius(folder / "temp", _PLAUSIBLE_C)
    if temperature_c is None:
        return None
    trips = []
    for kind in _folders(folder, "trip_point_*_type"):
        if _text(kind) in _SLOWING_TRIPS:
            trips.append(_celsius(kind.with_name(kind.name.replace("_type", "_temp")), _TRIPS_C))
    return temperature_c, min((trip for trip in trips if trip is not None), default=None)


def _power(supplies: list[Path]) -> tuple[float | None, bool | None]:
    charges, states = [], []
    on_mains = False
    for folder in supplies:
        kind = _text(folder / "type")
        if kind in ("Mains", "USB"):
            on_mains = on_mains or _text(folder / "online") == "1"
        # a battery of scope Device is that of a mouse or a pen
        if kind != "Battery" or _text(folder / "scope") == "Device" or _text(folder / "present") == "0":
            continue
        if (charge := _charge_pct(folder)) is not None:
            charges.append(charge)
            states.append(_text(folder / "status"))
    if not charges:
        return None, None
    known = [state == "Discharging" for state in states if state in ("Discharging", "Charging", "Full", "Not charging")]
    return sum(charges) / len(charges), any(known) if known else not on_mains


def _charge_pct(folder: Path) -> float | None:
    pct = _number(folder / "capacity")
    if pct is None:
        for what in ("energy", "charge"):
            now, full = _number(folder / f"{what}_now"), _number(folder / f"{what}_full")
            if now is not None and full is not None and full > 0:
                pct = 100.0 * now / full
                break
    # a battery that is older than its label says holds a little more than its full charge
    return min(pct, 100.0) if pct is not None and 0 <= pct <= 110 else None


def _celsius(file: Path, plausible: tuple[float, float]) -> float | None:
    millidegrees = _number(file)
    if millidegrees is None or not plausible[0] <= millidegrees / 1000.0 <= plausible[1]:
        return None
    return millidegrees / 1000.0


def _number(file: Path) -> float | None:
    try:
        return float(int(_text(file) or ""))
    except ValueError:
        return None


def _text(file: Path) -> str | None:
    """A driver may refuse a read, or a device may go while it is read."""
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _folders(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
