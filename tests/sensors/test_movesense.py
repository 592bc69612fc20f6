from __future__ import annotations

import itertools

import numpy as np
import pytest

from sensors.errors import DecodeError
from sensors.link import Device, Notification
from sensors.profile import Frame
from sensors.profiles.movesense import ECG_PATH, Action, Command, EcgData, MovesenseProfile, Response
from sensors.reader import Reader
from sensors.samples import Gap, GapReason, Samples

PROFILE = MovesenseProfile()
T = 1_760_000_000 * 10**9


def test_commands_are_the_bytes_that_the_device_takes() -> None:
    assert Command(Action.SUBSCRIBE, 100, ECG_PATH).encode() == b"\x01\x64/Meas/ECG/200"
    assert Command(Action.UNSUBSCRIBE, 100).encode() == b"\x02\x64"
    assert Command(Action.HELLO, 1).encode() == b"\x00\x01"
    for command in (Command(Action.SUBSCRIBE, 100, ECG_PATH), Command(Action.HELLO, 0)):
        assert Command.decode(command.encode()) == command
    with pytest.raises(DecodeError, match="command 3, expected 0 to 2"):
        Command.decode(b"\x03\x64")
    with pytest.raises(DecodeError, match="not ASCII"):
        Command.decode(b"\x01\x64\xff")


def test_a_refusal_observes_nothing() -> None:
    assert PROFILE.observe(PROFILE.decode(PROFILE.encode(Response(100, 404)))) == ()


def test_ecg_is_in_millivolts_and_stamped_at_its_last_sample() -> None:
    (frame,) = PROFILE.observe(EcgData(100, 1000, np.arange(16) * 2**15))
    assert isinstance(frame, Frame)
    assert frame.device_ns == 1_075_000_000
    assert frame.values.tolist() == [12.5 * k for k in range(16)]


def test_a_lost_frame_is_a_gap_and_the_rest_joins_without_a_seam() -> None:
    reader = Reader(Device("Movesense"))
    items = []
    for k in range(50):
        if k != 30:
            payload = PROFILE.encode(EcgData(100, k * 80, np.arange(16) + k))
            items += reader.push(Notification(T + k * 80_000_000, PROFILE.characteristic, payload))
    gaps = [item for item in items if isinstance(item, Gap)]
    assert [(gap.channel, gap.reason) for gap in gaps] == [("ecg", GapReason.LOST_FRAME)]
    assert gaps[0].end_ns - gaps[0].start_ns == pytest.approx(80_000_000, rel=0.01)
    blocks = [item for item in items if isinstance(item, Samples)]
    assert len(blocks) == 49
    for before, after in itertools.pairwise(blocks):
        assert after.start_ns == pytest.approx(before.end_ns, abs=2) or after.start_ns == gaps[0].end_ns
