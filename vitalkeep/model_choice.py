"""Where installed models lie on this device, whose keys are trusted, and who we are."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from device_pipeline.clock import SystemClock
from models.keyring import Keyring
from models.slots.slots import Slots
from vitalkeep import paths

if TYPE_CHECKING:
    from device_pipeline.rhythm_judge import RhythmModel


def keyring() -> Keyring:
    return Keyring(paths.publishers_file())


def slots() -> Slots:
    """Raises TrustError, SlotError where the wearer's list of keys cannot be used."""
    return Slots(paths.models_folder(), keyring().publishers(), SystemClock().now_ns, version("vitalkeep"))


def pinned_rhythm() -> RhythmModel:
    """What judges the rhythm of days that a clinic is told about: what is pinned, else what came with the program.

    Raises ModelError where what is pinned cannot be used: nothing takes its place.
    """
    from models.interpreter import Net
    from models.rhythm import RhythmNet

    bundle = slots().pinned("rhythm")
    return RhythmNet(None if bundle is None else Net(bundle.weights, bundle.card))


def pin_rhythm() -> None:
    """From the first pairing on: a model that comes later changes no window that is under way."""
    held = slots()
    if held.pinned("rhythm") is None:
        held.pin("rhythm")
