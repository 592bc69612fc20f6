"""The conversation with the control point, against answers written by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sensors.pmd_streams import PmdStreams, chosen
from sensors.profiles.pmd_frames import Measurement
from sensors.profiles.polar_pmd_control import START_H10_ACC, START_H10_ECG, Setting

ECG, PPG, ACC, PPI = Measurement.ECG, Measurement.PPG, Measurement.ACC, Measurement.PPI
FEATURES = {"h10": b"\x0f\x05", "verity": b"\x0f\x0e"}


def conversation(
    answer: Callable[[bytes], list[bytes]], features: bytes, then: int | None = None
) -> tuple[list[bytes], PmdStreams]:
    """What is written where each command is answered by `answer`; `then`: a stream the device stops by itself."""
    written: list[bytes] = []

    async def talk() -> PmdStreams:
        async def write(data: bytes) -> None:
            written.append(data)
            for piece in answer(data):
                streams.heard(piece)

        streams = PmdStreams(write, answer_s=0.05)
        streams.heard(features)
        await streams.start()
        if then is not None:
            streams.heard(bytes((1, then)))
            await streams.start_again(set(streams.stopped))
        return streams

    return written, asyncio.run(talk())


def agreed(data: bytes) -> list[bytes]:
    """Success, with no settings to choose from."""
    return [bytes((0xF0, data[0], data[1], 0, 0))]


def test_what_is_offered_is_asked_for_its_settings_and_started_with_the_finest() -> None:
    offered = {
        ECG: bytes.fromhex("00018200" + "01010e00"),
        ACC: bytes.fromhex("00021900c800" + "01011000" + "0203020004000800"),
    }

    def answer(data: bytes) -> list[bytes]:
        params = offered[Measurement(data[1])] if data[0] == 1 else b""
        return [bytes((0xF0, data[0], data[1], 0, 0)) + params]

    written, streams = conversation(answer, FEATURES["h10"])
    assert written == [b"\x01\x00", START_H10_ECG.encode(), b"\x01\x02", START_H10_ACC.encode()]
    assert streams.running == {ECG, ACC}


def test_settings_in_several_pieces_are_put_together() -> None:
    def answer(data: bytes) -> list[bytes]:
        if data != b"\x01\x00":
            return agreed(data)
        return [b"\xf0\x01\x00\x00\x01\x00\x01\x82", b"\xf0\x01\x00\x00\x00\x00\x01\x01\x0e\x00"]

    written, _ = conversation(answer, b"\x0f\x01")
    assert written[1] == START_H10_ECG.encode()


def test_a_device_that_does_not_tell_its_settings_is_started_with_the_usual_ones() -> None:
    written, streams = conversation(lambda data: [] if data[0] == 1 else agreed(data), b"\x0f\x01")
    assert written[1] == START_H10_ECG.encode()
    assert streams.running == {ECG}


def test_a_refused_stream_does_not_run_and_takes_no_other_with_it() -> None:
    refused, streams = conversation(
        lambda data: [bytes((0xF0, data[0], data[1], 13 if data[1] == ECG else 0, 0))], FEATURES["h10"]
    )
    assert refused[-1][:2] == bytes((2, ACC))
    assert streams.running == {ACC}


def test_a_stream_that_runs_already_runs() -> None:
    _, streams = conversation(lambda data: [bytes((0xF0, data[0], data[1], 6))], FEATURES["h10"])
    assert streams.running == {ECG, ACC}


def test_intervals_are_asked_for_only_where_there_is_no_pulse_wave() -> None:
    _, with_wave = conversation(agreed, FEATURES["verity"])
    _, without = conversation(agreed, b"\x0f\x08")
    assert (with_wave.running, without.running) == ({PPG, ACC}, {PPI})


def test_what_the_device_stopped_is_stopped_and_started_once_more() -> None:
    written, streams = conversation(agreed, b"\x0f\x01", then=ECG)
    assert [data[:2] for data in written[-3:]] == [b"\x03\x00", b"\x01\x00", b"\x02\x00"]
    assert (streams.running, streams.stopped) == ({ECG}, set())


def test_without_features_nothing_is_asked_and_answers_that_cannot_be_read_are_passed_over() -> None:
    written, streams = conversation(agreed, b"\xee")
    assert (written, streams.running) == ([], set())


def test_acceleration_is_no_faster_and_no_wider_than_a_body_needs() -> None:
    offered = (Setting(0, (26, 52, 208, 416)), Setting(1, (16,)), Setting(2, (2, 4, 8, 16)), Setting(4, (3,)))
    assert chosen(ACC, offered) == (Setting(2, (8,)), Setting(0, (52,)), Setting(1, (16,)), Setting(4, (3,)))
    assert chosen(ACC, (Setting(0, (416,)), Setting(2, (2, 4)))) == (Setting(2, (4,)), Setting(0, (416,)))
    assert chosen(PPG, (Setting(0, (28, 55, 135, 176)), Setting(1, (22,)))) == (Setting(0, (176,)), Setting(1, (22,)))
