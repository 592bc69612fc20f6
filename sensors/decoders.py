"""Everything that `vitalkeep decode` can read, by name: bytes in, fields out that JSON can say.

A decoder is found by its name, by the short name of its profile or by its UUID. The names of numbers and of vendor
frames that no characteristic carries alone stand here only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from sensors.errors import DecodeError
from sensors.profile import full_uuid, short_uuid
from sensors.profiles.battery import BatteryProfile
from sensors.profiles.blood_pressure import BloodPressureProfile
from sensors.profiles.body_sensor_location import BodySensorLocationProfile
from sensors.profiles.cgm import CgmProfile
from sensors.profiles.current_time import CurrentTimeProfile
from sensors.profiles.device_information import TEXTS, PnpIdProfile, SystemIdProfile
from sensors.profiles.glucose import GlucoseProfile
from sensors.profiles.heart_rate import HeartRateProfile
from sensors.profiles.plx_continuous import PlxContinuousProfile
from sensors.profiles.plx_spot_check import PlxSpotCheckProfile
from sensors.profiles.temperature import TemperatureProfile
from sensors.unsaid import Unsaid
from sensors.vendor_decoders import VENDOR_ALIASES, VENDOR_DECODERS
from sensors.wire import Cursor, NoNumber

Decoder = Callable[[bytes, Unsaid], object]
"""Of a payload. Raises DecodeError and nothing else, whatever the bytes."""


class Presenting(Protocol):
    """A profile that can say what it read."""

    @property
    def name(self) -> str: ...

    @property
    def characteristic(self) -> str: ...

    def decode(self, payload: bytes) -> Any: ...

    def fields(self, value: Any) -> dict[str, object] | list[dict[str, object]]: ...


def reading(profile: Presenting) -> Decoder:
    """The decoder of a profile."""
    return lambda payload, unsaid: profile.fields(profile.decode(payload))


def _sfloat(payload: bytes, unsaid: Unsaid) -> object:
    cursor = Cursor(payload)
    value = cursor.sfloat()
    cursor.done()
    return {"value": None if isinstance(value, NoNumber) else value}


def _float(payload: bytes, unsaid: Unsaid) -> object:
    cursor = Cursor(payload)
    value = cursor.float32()
    cursor.done()
    return {"value": None if isinstance(value, NoNumber) else value}


# Standard characteristics are called by their number, in capitals.
_STANDARD: tuple[Presenting, ...] = (
    HeartRateProfile(),
    BodySensorLocationProfile(),
    BatteryProfile(),
    PlxContinuousProfile(),
    PlxSpotCheckProfile(),
    TemperatureProfile(),
    BloodPressureProfile(),
    CgmProfile(),
    GlucoseProfile(),
    CurrentTimeProfile(),
    SystemIdProfile(),
    *TEXTS,
    PnpIdProfile(),
)

DECODERS: dict[str, Decoder] = {
    **{short_uuid(profile.characteristic).upper(): reading(profile) for profile in _STANDARD},
    "SFLOAT": _sfloat,
    "FLOAT": _float,
    **dict(VENDOR_DECODERS),
}

# What the Bluetooth SIG calls them, where our name is shorter.
_ASSIGNED = {
    "heart_rate_measurement": "2A37",
    "battery_level": "2A19",
    "plx_continuous_measurement": "2A5F",
    "plx_spot_check_measurement": "2A5E",
    "temperature_measurement": "2A1C",
    "blood_pressure_measurement": "2A35",
    "cgm_measurement": "2AA7",
    "glucose_measurement": "2A18",
    "model_number_string": "2A24",
    "serial_number_string": "2A25",
    "firmware_revision_string": "2A26",
    "hardware_revision_string": "2A27",
    "software_revision_string": "2A28",
    "manufacturer_name_string": "2A29",
}

# Other names of what stands above: short names of profiles, UUIDs of vendors' characteristics, in lower case.
ALIASES: dict[str, str] = {
    **{profile.name: short_uuid(profile.characteristic).upper() for profile in _STANDARD},
    **_ASSIGNED,
    **VENDOR_ALIASES,
}


def find(name: str) -> Decoder:
    """By a name of DECODERS or ALIASES in any case, or a UUID of 16, 32 or 128 bits. Raises KeyError."""
    wanted = name.strip().casefold()
    with contextlib.suppress(ValueError):
        wanted = str(UUID(wanted))  # however it is written
    with contextlib.suppress(DecodeError):
        wanted = short_uuid(full_uuid(wanted))
    named = wanted.replace(" ", "_").replace("-", "_")
    wanted = ALIASES.get(wanted, ALIASES.get(named, wanted)).casefold()
    return {known.casefold(): decoder for known, decoder in DECODERS.items()}[wanted]
