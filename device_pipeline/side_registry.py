"""What listens beside the beats. To add one: one new file and one line here."""

from __future__ import annotations

from device_pipeline.anomaly.shapes import Shapes
from device_pipeline.motion.movement import Movement
from device_pipeline.oximetry.saturation import Saturation
from device_pipeline.respiration.breathing import Breathing
from device_pipeline.side import MakeSide
from device_pipeline.temperature.thermometer import Thermometer
from device_pipeline.usability.pulse_usability import PulseUsability
from device_pipeline.usability.usability import Usability

SIDES: tuple[MakeSide, ...] = (Breathing, Saturation, Movement, Thermometer, Shapes, Usability, PulseUsability)

# No rule of the alerts watches them: a machine that is hot or short of battery may let them wait, or rest.
OPTIONAL: tuple[type, ...] = (Breathing, Shapes, Usability, PulseUsability)
