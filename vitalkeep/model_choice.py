"""Where installed models lie on this device, whose keys are trusted, and who we are."""

from __future__ import annotations

from importlib.metadata import version

from device_pipeline.clock import SystemClock
from models.keyring import Keyring
from models.slots.slots import Slots
from vitalkeep import paths


def keyring() -> Keyring:
    return Keyring(paths.publishers_file())


def slots() -> Slots:
    """Raises TrustError, SlotError where the wearer's list of keys cannot be used."""
    return Slots(paths.models_folder(), keyring().publishers(), SystemClock().now_ns, version("vitalkeep"))
