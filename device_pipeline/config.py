"""What the wearer may set. Every value has a public default; a wrong file is an error that names key and bounds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from device_pipeline.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of the alerts; personal, so ask the person who treats you which ones suit you.

    The defaults follow common adult practice: a rate above 120 or below 40 that lasts at rest, a pause of 3 s
    (2018 ACC/AHA/HRS bradycardia guideline, 2.3), a saturation of 88 % or less that lasts, a body temperature of 38 °C
    or more that lasts, three ventricular beats in a row at 100 bpm or more (2017 AHA/ACC/HRS guideline on ventricular
    arrhythmias, table 3), a tenth of all beats ventricular. Each pair of raise and clear is the hysteresis.
    """

    tachycardia_bpm: float = 120.0
    tachycardia_clear_bpm: float = 110.0
    tachycardia_hold_s: float = 30.0
    bradycardia_bpm: float = 40.0
    bradycardia_clear_bpm: float = 45.0
    bradycardia_hold_s: float = 30.0
    pause_s: float = 3.0
    irregular_hold_s: float = 30.0
    poor_signal_hold_s: float = 20.0
    no_data_hold_s: float = 30.0
    clear_hold_s: float = 20.0
    signal_clear_hold_s: float = 10.0
    low_oxygen_pct: float = 88.0
    low_oxygen_clear_pct: float = 90.0
    low_oxygen_hold_s: float = 60.0
    fever_c: float = 38.0
    fever_clear_c: float = 37.7
    fever_hold_s: float = 600.0
    ventricular_run_beats: float = 3.0
    ventricular_run_bpm: float = 100.0
    frequent_ventricular_pct: float = 10.0
    frequent_ventricular_clear_pct: float = 7.0
    frequent_ventricular_hold_s: float = 300.0
    ventricular_clear_hold_s: float = 300.0


@dataclass(frozen=True, slots=True)
class GovernorLimits:
    """When a live run does less, so that a small machine neither overheats nor runs out of battery.

    A Raspberry Pi slows its processor from 80 °C on; the battery counts only while it discharges. `battery_..._pct`: at
    or below it the windows become rare, models rest, and the raw waveform is no longer stored.
    """

    enabled: bool = True
    hot_c: float = 75.0
    cool_c: float = 68.0
    battery_cadence_pct: float = 30.0
    battery_models_pct: float = 20.0
    battery_waveform_pct: float = 10.0
    battery_clear_pct: float = 5.0
    down_hold_s: float = 60.0
    up_hold_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Config:
    limits: Limits = Limits()
    keep_raw_days: int = 30
    governor: GovernorLimits = GovernorLimits()


# key: (lowest, highest) allowed; what lies outside is a slip of the pen rather than a wish.
BOUNDS: dict[str, tuple[float, float]] = {
    "tachycardia_bpm": (60, 250),
    "tachycardia_clear_bpm": (50, 250),
    "tachycardia_hold_s": (10, 3600),
    "bradycardia_bpm": (20, 80),
    "bradycardia_clear_bpm": (20, 90),
    "bradycardia_hold_s": (10, 3600),
    "pause_s": (1.5, 10),
    "irregular_hold_s": (0, 3600),
    "poor_signal_hold_s": (10, 3600),
    "no_data_hold_s": (10, 3600),
    "clear_hold_s": (0, 3600),
    "signal_clear_hold_s": (0, 3600),
    "low_oxygen_pct": (50, 100),
    "low_oxygen_clear_pct": (50, 100),
    "low_oxygen_hold_s": (10, 3600),
    "fever_c": (36, 42),
    "fever_clear_c": (35, 42),
    "fever_hold_s": (60, 7200),
    "ventricular_run_beats": (3, 30),
    "ventricular_run_bpm": (40, 250),
    "frequent_ventricular_pct": (1, 100),
    "frequent_ventricular_clear_pct": (0, 100),
    "frequent_ventricular_hold_s": (60, 86400),
    "ventricular_clear_hold_s": (60, 86400),
    "keep_raw_days": (1, 36500),
}
GOVERNOR_BOUNDS: dict[str, tuple[float, float]] = {
    "hot_c": (45, 110),
    "cool_c": (40, 110),
    "battery_cadence_pct": (0, 100),
    "battery_models_pct": (0, 100),
    "battery_waveform_pct": (0, 100),
    "battery_clear_pct": (1, 50),
    "down_hold_s": (0, 3600),
    "up_hold_s": (0, 7200),
}


def load_config(path: Path) -> Config:
    """Reads the TOML file at `path`; a file that is not there means the defaults.

    Raises ConfigError naming file, key, value bounds and what was found.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path}: not a TOML file: {problem}") from problem
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be read: {problem.strerror}") from problem
    known = {"alerts", "governor", "keep_raw_days"}
    if unknown := sorted(table.keys() - known):
        raise ConfigError(f"{path}: unknown key {unknown[0]!r}, expected one of {', '.join(sorted(known))}")
    alerts = table.get("alerts", {})
    if not isinstance(alerts, dict):
        raise ConfigError(f"{path}: 'alerts' must be a table, [alerts]")
    names = [field.name for field in fields(Limits)]
    if unknown := sorted(alerts.keys() - set(names)):
        raise ConfigError(f"{path}: unknown key 'alerts.{unknown[0]}', expected one of {', '.join(names)}")
    limits = Limits(**{key: _number(path, f"alerts.{key}", value, BOUNDS[key]) for key, value in alerts.items()})
    if limits.tachycardia_clear_bpm > limits.tachycardia_bpm:
        raise ConfigError(f"{path}: alerts.tachycardia_clear_bpm must not lie above alerts.tachycardia_bpm")
    if limits.bradycardia_clear_bpm < limits.bradycardia_bpm:
        raise ConfigError(f"{path}: alerts.bradycardia_clear_bpm must not lie below alerts.bradycardia_bpm")
    if limits.bradycardia_clear_bpm >= limits.tachycardia_clear_bpm:
        raise ConfigError(f"{path}: the bradycardia limits must lie below the tachycardia limits")
    if limits.low_oxygen_clear_pct < limits.low_oxygen_pct:
        raise ConfigError(f"{path}: alerts.low_oxygen_clear_pct must not lie below alerts.low_oxygen_pct")
    if limits.fever_clear_c > limits.fever_c:
        raise ConfigError(f"{path}: alerts.fever_clear_c must not lie above alerts.fever_c")
    if limits.frequent_ventricular_clear_pct > limits.frequent_ventricular_pct:
        raise ConfigError(
            f"{path}: alerts.frequent_ventricular_clear_pct must not lie above alerts.frequent_ventricular_pct"
        )
    days = table.get("keep_raw_days", Config().keep_raw_days)
    keep = _number(path, "keep_raw_days", days, BOUNDS["keep_raw_days"])
    return Config(limits=limits, keep_raw_days=int(keep), governor=_governor(path, table.get("governor", {})))


def _governor(path: Path, table: object) -> GovernorLimits:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: 'governor' must be a table, [governor]")
    names = [field.name for field in fields(GovernorLimits)]
    if unknown := sorted(table.keys() - set(names)):
        raise ConfigError(f"{path}: unknown key 'governor.{unknown[0]}', expected one of {', '.join(names)}")
    enabled = table.get("enabled", True)
    if not isinstance(enabled, bool):
        raise ConfigError(f"{path}: governor.enabled must be true or false, found {str(enabled)[:40]!r}")
    numbers = {
        key: _number(path, f"governor.{key}", value, GOVERNOR_BOUNDS[key])
        for key, value in table.items()
        if key != "enabled"
    }
    limits = GovernorLimits(enabled=enabled, **numbers)
    if limits.cool_c >= limits.hot_c:
        raise ConfigError(f"{path}: governor.cool_c must lie below governor.hot_c")
    if not limits.battery_cadence_pct >= limits.battery_models_pct >= limits.battery_waveform_pct:
        raise ConfigError(
            f"{path}: governor.battery_cadence_pct, battery_models_pct and battery_waveform_pct must not rise"
        )
    return limits


def _number(path: Path, name: str, value: object, bounds: tuple[float, float]) -> float:
    low, high = bounds
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{path}: {name} must be a number from {low:g} to {high:g}, found {str(value)[:40]!r}")
    return float(value)
