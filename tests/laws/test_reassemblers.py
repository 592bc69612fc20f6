"""The laws of every profile that reads a byte stream: the frames do not depend on the cuts, nor on what went before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.profile import AnyProfile, StreamProfile
from sensors.registry import PROFILES
from tests.laws.profile_values import VALUES

STREAMS = [profile for profile in PROFILES if isinstance(profile, StreamProfile)]
LONGEST_FRAME = 600
every_stream = pytest.mark.parametrize("profile", STREAMS, ids=lambda profile: profile.name)


def frames_of(profile: AnyProfile, pieces: list[bytes]) -> list[bytes]:
    assert isinstance(profile, StreamProfile)
    reassembler = profile.reassembler()
    return [frame for piece in pieces for frame in reassembler.push(piece)]


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted(k % (len(stream) + 1) for k in cuts)
    return [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]


def test_the_streams_are_enrolled() -> None:
    assert {profile.name for profile in STREAMS} == {"pc60_oxysmart", "o2ring", "berrymed"}


@every_stream
@given(data=st.data())
def test_whole_frames_come_out_as_they_went_in_whatever_the_cuts(profile: AnyProfile, data: st.DataObject) -> None:
    frames = [profile.encode(value) for value in data.draw(st.lists(VALUES[profile.name], max_size=8))]
    stream = b"".join(frames)
    assert frames_of(profile, cut(stream, data.draw(st.lists(st.integers(0, 2000), max_size=20)))) == frames
    assert frames_of(profile, [stream[k : k + 1] for k in range(len(stream))]) == frames


@every_stream
@given(data=st.data())
def test_any_bytes_give_the_same_frames_whatever_the_cuts(profile: AnyProfile, data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.binary(max_size=40) | VALUES[profile.name].map(profile.encode), max_size=8))
    stream = b"".join(parts)
    whole = frames_of(profile, [stream])
    assert frames_of(profile, cut(stream, data.draw(st.lists(st.integers(0, 2000), max_size=20)))) == whole
    assert frames_of(profile, [stream[k : k + 1] for k in range(len(stream))]) == whole
    for frame in whole:
        assert frame in stream


@every_stream
@given(data=st.data())
def test_garbage_resynchronises(profile: AnyProfile, data: st.DataObject) -> None:
    garbage = data.draw(st.binary(max_size=100))
    value = data.draw(VALUES[profile.name])
    frame = profile.encode(value)
    # what garbage may have promised is at most one frame long; after it every frame is found
    copies = 2 + LONGEST_FRAME // len(frame)
    found = frames_of(profile, [garbage, *[frame] * copies])
    assert found[-1:] == [frame]


@every_stream
@given(pieces=st.lists(st.binary(min_size=1, max_size=512), max_size=30))
def test_memory_is_bounded(profile: AnyProfile, pieces: list[bytes]) -> None:
    assert isinstance(profile, StreamProfile)
    reassembler = profile.reassembler()
    for piece in pieces:
        reassembler.push(piece)
        assert getattr(reassembler, "waiting", None) is not None
        assert reassembler.waiting <= LONGEST_FRAME  # type: ignore[attr-defined]


@every_stream
def test_a_promise_of_a_frame_that_never_ends_holds_nothing_up(profile: AnyProfile) -> None:
    assert isinstance(profile, StreamProfile)
    for start in (b"\xaa\x55\x0f\xff\x01", b"\x55\x00\xff\x00\x00\xff\xff", b"\x80", b"\xaa\x55\x0f\x40\x01"):
        reassembler = profile.reassembler()
        reassembler.push(start)
        for _ in range(100):
            reassembler.push(bytes(20))
        assert reassembler.waiting < LONGEST_FRAME  # type: ignore[attr-defined]
