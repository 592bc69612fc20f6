"""What the laws need of the vendor protocols: any value they can send, and the names of their shared vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sensors.profiles.berrymed import BciPacket, BerryMedProfile
from sensors.profiles.jumper import JumperProfile, JumperReading, JumperWave
from sensors.profiles.movesense import EcgData, MovesenseProfile, Response
from sensors.profiles.nonin import NoninMeasurement, NoninProfile
from sensors.profiles.o2ring import LiveValues, LiveWave, O2RingProfile, Reply
from sensors.profiles.pc60_oxysmart import Pc60Frame, Pc60Profile

_u8, _u16 = st.integers(0, 0xFF), st.integers(0, 0xFFFF)
_u7 = st.integers(0, 0x7F)
_live_values = st.builds(LiveValues, *[_u8] * 7, st.binary(min_size=5, max_size=5), st.binary(max_size=3))
_live_wave = st.builds(
    LiveWave, _u8, _u16, *[_u8] * 4, st.binary(max_size=200), st.binary(min_size=3, max_size=3), st.binary(max_size=3)
)

VENDOR_VALUES: dict[str, st.SearchStrategy[Any]] = {
    MovesenseProfile.name: st.one_of(
        st.builds(Response, _u8, _u16, st.binary(max_size=20)),
        st.builds(
            EcgData,
            _u8,
            st.integers(0, 2**32 - 1),
            arrays(np.int64, 16, elements=st.integers(-(2**31), 2**31 - 1)),
        ),
    ),
    Pc60Profile.name: st.one_of(
        st.binary(min_size=7, max_size=7).map(lambda data: Pc60Frame(0x0F, 1, data)),
        st.binary(min_size=5, max_size=5).map(lambda data: Pc60Frame(0x0F, 2, data)),
        st.binary(min_size=1, max_size=1).map(lambda data: Pc60Frame(0xF0, 3, data)),
        st.builds(Pc60Frame, _u8, st.integers(4, 0xFF), st.binary(max_size=62)),
    ),
    O2RingProfile.name: st.builds(
        Reply,
        st.sampled_from([0, 0, 0, 1, 0xFF]),
        _u16,
        st.one_of(_live_values.map(LiveValues.encode), _live_wave.map(LiveWave.encode), st.binary(max_size=50)),
    ),
    BerryMedProfile.name: st.builds(
        BciPacket, _u7, _u7, st.sampled_from([0, 5, 15, 0x20, 0x2F]), st.booleans(), _u8, _u7
    ),
    JumperProfile.name: st.builds(JumperReading, _u8, _u8, _u8) | st.builds(JumperWave, st.binary(max_size=20)),
    NoninProfile.name: st.builds(
        NoninMeasurement, _u8, _u8, _u8, _u16, _u16, _u8, st.integers(0, 600) | _u16, st.binary(max_size=6)
    ),
}

VENDOR_VECTOR_NAMES: dict[str, tuple[str, ...]] = {
    MovesenseProfile.name: (),
    Pc60Profile.name: ("PC60_OXYSMART",),
    O2RingProfile.name: (),  # the shared vectors hold the data of a reply, not the reply
    BerryMedProfile.name: (),
    JumperProfile.name: (),
    NoninProfile.name: (),
}
