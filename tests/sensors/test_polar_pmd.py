from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest

from sensors.errors import DecodeError
from sensors.profile import Absent, Frame, Intervals
from sensors.profiles.pmd_delta import decode_deltas, encode_deltas
from sensors.profiles.polar_pmd import AccFrame, EcgFrame, Header, PolarPmdProfile, PpiFrame, PpInterval
from sensors.profiles.polar_pmd_control import (
    START_H10_ACC,
    START_H10_ECG,
    Command,
    PolarPmdControlProfile,
    decode_settings,
    encode_settings,
    settings_fields,
)
from sensors.recording import Recording
from sensors.samples import GapReason
from tests.data import shared_data

DATA, CONTROL = PolarPmdProfile(), PolarPmdControlProfile()


def vectors(name: str) -> list[dict[str, object]]:
    text = shared_data("vectors", "gatt_vectors.json").read_text()
    return [v for v in json.loads(text)["vectors"] if v["characteristic"] == name]


def test_shared_delta_vector_reads_as_expected_and_back() -> None:
    for vector in vectors("PMD_DELTA"):
        data = bytes.fromhex(str(vector["hex"]))
        samples = decode_deltas(data, 3, 14)
        assert samples.tolist() == vector["expected"]
        assert decode_deltas(encode_deltas(samples, 14), 3, 14).tolist() == vector["expected"]
        for length in range(len(data)):
            with contextlib.suppress(DecodeError):
                decode_deltas(data[:length], 3, 14)


def test_differences_wider_than_a_sample_can_be_are_refused() -> None:
    with pytest.raises(DecodeError, match="33 bits, expected at most 32"):
        decode_deltas(bytes(6) + b"\x21\x01" + bytes(100), 3, 16)


def test_shared_settings_vectors_read_as_expected_and_back() -> None:
    found = vectors("PMD_SETTINGS")
    assert found
    for vector in found:
        data = bytes.fromhex(str(vector["hex"]))
        settings = decode_settings(data)
        assert settings_fields(settings) == vector["expected"]
        assert encode_settings(settings) == data


def test_start_commands_are_the_bytes_that_the_h10_takes() -> None:
    assert START_H10_ECG.encode().hex() == "02000001820001010e00"
    assert START_H10_ACC.encode().hex() == "0202020108000001c80001011000"
    assert Command.decode(START_H10_ACC.encode()) == START_H10_ACC


@pytest.mark.parametrize("number", [4, 5, 6, 8, 9, 10, 13, 63])
def test_an_unknown_type_is_refused_by_its_number(number: int) -> None:
    with pytest.raises(DecodeError, match=f"measurement type {number} "):
        DATA.decode(bytes([number]) + bytes(9))


def test_an_unknown_frame_type_is_refused_by_its_number() -> None:
    with pytest.raises(DecodeError, match=r"type 0 \(ECG\), compressed frame type 3"):
        DATA.decode(bytes(9) + b"\x83" + bytes(6))


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(DecodeError, match="5 bytes of samples, expected a multiple of 3"):
        DATA.decode(bytes(10) + bytes(5))


def test_raw_acceleration_of_each_width_is_in_g() -> None:
    for frame_type, low in ((0, -128), (1, -32768), (2, -8388608)):
        mg = np.array([[low, 0, 100]], dtype=np.int64)
        value = DATA.decode(DATA.encode(AccFrame(Header(7, frame_type), mg)))
        (frame,) = DATA.observe(value)
        assert isinstance(frame, Frame)
        assert frame.values.tolist() == [[low / 1000, 0.0, 0.1]]


def test_ecg_is_in_millivolts() -> None:
    (frame,) = DATA.observe(EcgFrame(Header(5), np.array([1234, -8388608])))
    assert isinstance(frame, Frame)
    assert (frame.values.tolist(), frame.device_ns, frame.fs_hz) == ([1.234, -8388.608], 5, 130.0)


def test_pulse_intervals_without_contact_in_motion_or_with_a_large_error_do_not_count() -> None:
    still = PpInterval(60, 1000, 10, False, True, True)
    moved = PpInterval(60, 900, 10, True, True, True)
    off = PpInterval(60, 800, 10, False, False, True)
    vague = PpInterval(60, 700, 31, False, True, True)
    seen = DATA.observe(PpiFrame(Header(1), (still, moved, off, vague)))
    assert seen == (Intervals("rr", (1000.0, 0.0, 0.0, 0.0)),)
    assert DATA.observe(PpiFrame(Header(1), (off, off))) == (Absent(None, GapReason.OFF_BODY),)


def test_refusals_of_the_control_point_end_with_their_status() -> None:
    refused = CONTROL.decode(bytes.fromhex("f0020006"))
    assert CONTROL.encode(refused).hex() == "f0020006"


def test_real_frames_come_back_to_the_byte() -> None:
    recording = Recording(shared_data("polar_h10_pmd", "ecg_first_20_min.bin"))
    payloads = [event.payload for event in recording.events() if hasattr(event, "payload")]
    assert len(payloads) == 2100
    assert all(DATA.encode(DATA.decode(payload)) == payload for payload in payloads)
