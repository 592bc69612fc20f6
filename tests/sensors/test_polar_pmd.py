from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest

from sensors.errors import DecodeError
from sensors.link import Device, Notification
from sensors.profile import Absent, Frame, Intervals
from sensors.profiles.pmd_delta import decode_deltas, encode_deltas
from sensors.profiles.pmd_frames import (
    PPG_COLUMNS,
    AccFrame,
    CountsFrame,
    EcgFrame,
    FloatFrame,
    Header,
    Measurement,
    PpgFrame,
    PpiFrame,
    PpInterval,
)
from sensors.profiles.polar_pmd import PolarPmdProfile
from sensors.profiles.polar_pmd_control import (
    START_H10_ACC,
    START_H10_ECG,
    Command,
    Features,
    PolarPmdControlProfile,
    decode_settings,
    encode_settings,
    settings_fields,
)
from sensors.reader import Reader
from sensors.recording import Recording
from sensors.samples import Gap, GapReason, Quantity, Reading, Samples
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


@pytest.mark.parametrize("number", [4, 5, 6, 8, 9, 13, 15, 63])
def test_an_unknown_type_is_refused_by_its_number(number: int) -> None:
    with pytest.raises(DecodeError, match=f"measurement type {number} "):
        DATA.decode(bytes([number]) + bytes(9))


def test_an_unknown_frame_type_is_refused_by_its_number() -> None:
    with pytest.raises(DecodeError, match=r"type 0 \(ECG\), compressed frame type 3"):
        DATA.decode(bytes(9) + b"\x83" + bytes(6))


def forms_read(number: int, compressed: bool) -> set[int]:
    """Those frame types that are not refused as such, whatever is said of the bytes behind."""
    refused = set()
    for frame_type in range(128):
        try:
            DATA.decode(bytes([number]) + bytes(8) + bytes([frame_type | compressed << 7]) + bytes(75))
        except DecodeError as problem:
            if "frame type" in str(problem):
                assert f"frame type {frame_type}; expected" in str(problem)
                refused.add(frame_type)
    return set(range(128)) - refused


@pytest.mark.parametrize(
    ("number", "raw", "compressed"),
    [
        (Measurement.ECG, {0, 1, 2, 3}, set()),
        (Measurement.PPG, {0, 4, 5, 6, 9, 14}, {0, 7, 8, 10, 13}),
        (Measurement.ACC, {0, 1, 2}, {0, 1}),
        (Measurement.PPI, {0}, set()),
        (Measurement.GYRO, set(), {0, 1}),
        (Measurement.MAGNETOMETER, set(), {0, 1}),
        (Measurement.SKIN_TEMP, {0}, {0}),
        (Measurement.LOCATION, {0, 1, 2, 3}, set()),
        (Measurement.PRESSURE, {0}, {0}),
        (Measurement.TEMPERATURE, {0}, {0}),
        (Measurement.OFFLINE_HR, {0, 1}, set()),
    ],
)
def test_every_published_form_is_read_and_any_other_is_refused_by_its_numbers(
    number: Measurement, raw: set[int], compressed: set[int]
) -> None:
    assert forms_read(number, False) == raw
    assert forms_read(number, True) == compressed


def test_light_of_newer_watches_is_told_without_its_status_and_nothing_is_taken_off() -> None:
    for frame_type, columns in PPG_COLUMNS.items():
        counts = np.arange(2 * columns, dtype=np.int64).reshape(2, columns)
        frames = DATA.observe(DATA.decode(DATA.encode(PpgFrame(Header(9, frame_type, True), counts))))
        lights = {"ppg", "ppg_2", "ppg_3"} if columns > 3 else {"ppg", "ppg_2"}
        assert {f.channel for f in frames if isinstance(f, Frame)} == lights
        if frame_type:
            assert [f.values.tolist() for f in frames if isinstance(f, Frame)][1] == [1.0, columns + 1.0]


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


def acc(device_s: float, frame_type: int, counts: list[list[int]]) -> Notification:
    header = Header(round(device_s * 1e9), frame_type, True)
    samples = np.array(counts, dtype=np.int64)
    value = AccFrame(header, samples) if frame_type else CountsFrame(Measurement.ACC, header, samples)
    return Notification(10**18 + round(device_s * 1e9), DATA.characteristic, DATA.encode(value))


def started(params: str) -> Notification:
    return Notification(10**18, CONTROL.characteristic, bytes.fromhex("f002020000" + params))


def read_acc(*events: Notification) -> tuple[list[float], list[GapReason]]:
    reader = Reader(Device("Verity Sense", None, (("acc", 52.0),)))
    items = [item for event in events for item in reader.push(event)]
    blocks = [item for item in items if isinstance(item, Samples)]
    return [x for block in blocks for x in block.values[:, 0].tolist()], [g.reason for g in items if isinstance(g, Gap)]


FACTOR = "0501" + "0000803a"  # 2^-10


def test_counts_are_worth_the_factor_that_the_start_of_the_stream_told() -> None:
    told = read_acc(started(FACTOR), acc(1, 0, [[1024, 0, 0]] * 52), acc(2, 0, [[512, 0, 0]] * 52))
    assert told == ([1.0] * 52 + [0.5] * 52, [])


def test_counts_whose_factor_was_never_told_are_a_gap_and_no_number() -> None:
    assert read_acc(acc(1, 0, [[1024, 0, 0]] * 52)) == ([], [GapReason.UNDECODABLE])
    nan = started("0501" + "0000c07f")
    assert read_acc(nan, acc(1, 0, [[1024, 0, 0]] * 52)) == ([], [GapReason.UNDECODABLE])


def test_a_start_without_a_factor_means_one() -> None:
    assert read_acc(started(""), acc(1, 0, [[1, 0, 0]]))[0] == [1.0]
    assert read_acc(started(FACTOR), started(""), acc(1, 0, [[1, 0, 0]]))[0] == [1.0]


def test_compressed_thousandths_of_g_take_the_factor_only_where_one_is_told() -> None:
    assert read_acc(acc(1, 1, [[2048, 0, 0]]))[0] == [2.048]
    assert read_acc(started(FACTOR), acc(1, 1, [[2048, 0, 0]]))[0] == [0.002]


def test_a_start_that_answers_with_nonsense_changes_nothing() -> None:
    assert CONTROL.observe(CONTROL.decode(bytes.fromhex("f00202000005"))) == ()
    assert CONTROL.observe(CONTROL.decode(bytes.fromhex("f002020006" + FACTOR))) != ()
    assert CONTROL.observe(CONTROL.decode(bytes.fromhex("f0020206"))) == ()


def test_light_is_without_the_ambient_raw_and_compressed() -> None:
    counts = np.array([[10, 20, 30, 1], [-(2**23), 2**23 - 1, 0, -5]], dtype=np.int64)
    for compressed in (False, True):
        frames = DATA.observe(DATA.decode(DATA.encode(PpgFrame(Header(9, 0, compressed), counts))))
        assert [(f.channel, f.values.tolist()) for f in frames if isinstance(f, Frame)] == [
            ("ppg", [9.0, 5.0 - 2**23]),
            ("ppg_2", [19.0, 2**23 + 4.0]),
            ("ppg_3", [29.0, 5.0]),
        ]


def test_pulse_intervals_reach_the_beats_as_rr() -> None:
    reader = Reader(Device("Verity Sense"))
    items = []
    for k in range(1, 5):
        frame = PpiFrame(Header(k), (PpInterval(60, 1000, 5, False, True, True),) * 5)
        items += reader.push(Notification(10**18 + k * 5 * 10**9, DATA.characteristic, DATA.encode(frame)))
    assert [(i.quantity, i.channel, i.value) for i in items if isinstance(i, Reading)] == [
        (Quantity.RR, "rr", 1000.0)
    ] * 20
    assert not [i for i in items if isinstance(i, Gap)]


def test_gyroscope_magnetometer_and_temperatures_are_read_and_say_nothing_of_the_wearer() -> None:
    for value in (
        CountsFrame(Measurement.GYRO, Header(1, 0, True), np.array([[1, 2, 3]])),
        CountsFrame(Measurement.MAGNETOMETER, Header(1, 1, True), np.array([[1, 2, 3, 0]])),
        FloatFrame(Measurement.SKIN_TEMP, Header(1), ((33.5,), (None,))),
        FloatFrame(Measurement.PRESSURE, Header(1, 0, True), ((1.013,), (1.014,))),
    ):
        assert DATA.observe(DATA.decode(DATA.encode(value))) == ()


def test_features_name_streams_and_what_is_none() -> None:
    verity = CONTROL.decode(bytes.fromhex("0fee02"))
    assert isinstance(verity, Features)
    assert Measurement.SDK_MODE in verity.offered and Measurement.SDK_MODE not in verity.streams
    assert verity.streams[:3] == (Measurement.PPG, Measurement.ACC, Measurement.PPI)


def test_a_lost_notification_of_pulse_intervals_is_a_gap_of_its_length() -> None:
    reader = Reader(Device("Verity Sense"))
    items = []
    for k in (1, 2, 3, 4, 6, 7, 8):
        frame = PpiFrame(Header(k), (PpInterval(60, 1000, 5, False, True, True),) * 5)
        items += reader.push(Notification(10**18 + k * 5 * 10**9, DATA.characteristic, DATA.encode(frame)))
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert (gap.channel, gap.reason) == ("rr", GapReason.LOST_FRAME)
    assert gap.end_ns - gap.start_ns == pytest.approx(5 * 10**9, rel=0.2)
