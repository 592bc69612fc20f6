"""What `vitalkeep decode` reads of vendor protocols, by name: bytes to fields. Raises DecodeError and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from sensors.errors import DecodeError
from sensors.profile import AnyProfile, Fields
from sensors.profiles.berrymed import BerryMedProfile
from sensors.profiles.jumper import JumperProfile
from sensors.profiles.movesense import MovesenseProfile
from sensors.profiles.nonin import NoninProfile
from sensors.profiles.o2ring import LiveValues, LiveWave, O2RingProfile, OxyIIRequest, Request
from sensors.profiles.pc60_oxysmart import Pc60Profile
from sensors.profiles.pmd_delta import decode_deltas
from sensors.profiles.pmd_fields import frame_fields
from sensors.profiles.polar_pmd import PolarPmdProfile
from sensors.profiles.polar_pmd_control import (
    Features,
    PolarPmdControlProfile,
    Response,
    Stopped,
    decode_settings,
    settings_fields,
)
from sensors.unsaid import Unsaid

Told = Fields | list[Fields] | list[list[int]]
Decode = Callable[[bytes, Unsaid], Told]


def _whole(profile: AnyProfile) -> Decode:
    def decode(payload: bytes, unsaid: Unsaid) -> Told:
        return profile.fields(profile.decode(payload))

    return decode


def _data(payload: bytes, unsaid: Unsaid) -> Told:
    return frame_fields(PolarPmdProfile().decode(payload), unsaid.factor)


def _control(payload: bytes, unsaid: Unsaid) -> Told:
    profile = PolarPmdControlProfile()
    value = profile.decode(payload)
    if not isinstance(value, Response | Stopped):
        raise DecodeError(f"control byte {payload[0]:#04x}, expected 0xf0 or 0x01")
    return profile.fields(value)


def _features(payload: bytes, unsaid: Unsaid) -> Told:
    profile = PolarPmdControlProfile()
    value = profile.decode(payload)
    if not isinstance(value, Features):
        raise DecodeError(f"control byte {payload[0]:#04x}, expected 0x0f")
    return profile.fields(value)


def _settings(payload: bytes, unsaid: Unsaid) -> Told:
    return settings_fields(decode_settings(payload))


def _deltas(payload: bytes, unsaid: Unsaid) -> Told:
    told: list[list[int]] = decode_deltas(payload, unsaid.channels, unsaid.resolution_bits).tolist()
    return told


def _live(payload: bytes, unsaid: Unsaid) -> Told:
    return LiveValues.decode(payload).fields()


def _live_wave(payload: bytes, unsaid: Unsaid) -> Told:
    return LiveWave.decode(payload).fields()


def _request(payload: bytes, unsaid: Unsaid) -> Told:
    return Request.decode(payload).fields()


def _oxyii_request(payload: bytes, unsaid: Unsaid) -> Told:
    return OxyIIRequest.decode(payload).fields()


VENDOR_DECODERS: tuple[tuple[str, Decode], ...] = (
    ("PMD_DATA", _data),
    ("PMD_SETTINGS", _settings),
    ("PMD_CP_RESPONSE", _control),
    ("PMD_FEATURES", _features),
    ("PMD_CONTROL", _whole(PolarPmdControlProfile())),
    ("PMD_DELTA", _deltas),
    ("PC60_OXYSMART", _whole(Pc60Profile())),
    ("O2RING_RT", _live_wave),
    ("O2RING_0x17", _live),
    ("O2RING_REPLY", _whole(O2RingProfile())),
    ("O2RING_REQ", _request),
    ("OXYII_REQ", _oxyii_request),
    ("MOVESENSE", _whole(MovesenseProfile())),
    ("BERRYMED", _whole(BerryMedProfile())),
    ("JUMPER", _whole(JumperProfile())),
    ("NONIN", _whole(NoninProfile())),
)

# What a characteristic notifies, by the short name of its profile.
_CARRIED: tuple[tuple[AnyProfile, str], ...] = (
    (PolarPmdProfile(), "PMD_DATA"),
    (PolarPmdControlProfile(), "PMD_CONTROL"),
    (Pc60Profile(), "PC60_OXYSMART"),
    (O2RingProfile(), "O2RING_REPLY"),
    (MovesenseProfile(), "MOVESENSE"),
    (BerryMedProfile(), "BERRYMED"),
    (JumperProfile(), "JUMPER"),
    (NoninProfile(), "NONIN"),
)

VENDOR_ALIASES: dict[str, str] = {
    **{profile.name: name for profile, name in _CARRIED if profile.name != name.lower()},
    **{profile.characteristic: name for profile, name in _CARRIED},
}
"""Other names of the decoders: short names of profiles and full UUIDs, in lower case."""
