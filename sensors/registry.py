"""Every characteristic that can be read. A new one is a file in `sensors/profiles` and a line here."""

from __future__ import annotations

from sensors.profile import AnyProfile
from sensors.profiles.battery import BatteryProfile
from sensors.profiles.berrymed import BerryMedProfile
from sensors.profiles.blood_pressure import BloodPressureProfile
from sensors.profiles.body_sensor_location import BodySensorLocationProfile
from sensors.profiles.cgm import CgmProfile
from sensors.profiles.current_time import CurrentTimeProfile
from sensors.profiles.device_information import TEXTS, PnpIdProfile, SystemIdProfile
from sensors.profiles.glucose import GlucoseProfile
from sensors.profiles.heart_rate import HeartRateProfile
from sensors.profiles.jumper import JumperProfile
from sensors.profiles.movesense import MovesenseProfile
from sensors.profiles.nonin import NoninProfile
from sensors.profiles.o2ring import O2RingProfile
from sensors.profiles.pc60_oxysmart import Pc60Profile
from sensors.profiles.plx_continuous import PlxContinuousProfile
from sensors.profiles.plx_spot_check import PlxSpotCheckProfile
from sensors.profiles.polar_pmd import PolarPmdProfile
from sensors.profiles.polar_pmd_control import PolarPmdControlProfile
from sensors.profiles.temperature import TemperatureProfile

PROFILES: tuple[AnyProfile, ...] = (
    HeartRateProfile(),
    BatteryProfile(),
    BodySensorLocationProfile(),
    PlxContinuousProfile(),
    PlxSpotCheckProfile(),
    TemperatureProfile(),
    BloodPressureProfile(),
    CgmProfile(),
    GlucoseProfile(),
    CurrentTimeProfile(),
    PnpIdProfile(),
    SystemIdProfile(),
    *TEXTS,
    PolarPmdProfile(),
    PolarPmdControlProfile(),
    MovesenseProfile(),
    Pc60Profile(),
    O2RingProfile(),
    BerryMedProfile(),
    JumperProfile(),
    NoninProfile(),
)
