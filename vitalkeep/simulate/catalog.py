"""Every virtual sensor by the name it is asked for. A new one is a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from vitalkeep.simulate.cgm import Cgm
from vitalkeep.simulate.cuff import Cuff
from vitalkeep.simulate.h10 import H10
from vitalkeep.simulate.oximeter import Oximeter
from vitalkeep.simulate.peripheral import Peripheral
from vitalkeep.simulate.thermometer import Thermometer

PERIPHERALS: Mapping[str, Callable[[], Peripheral]] = MappingProxyType(
    {"h10": H10, "oximeter": Oximeter, "thermometer": Thermometer, "cuff": Cuff, "cgm": Cgm}
)
