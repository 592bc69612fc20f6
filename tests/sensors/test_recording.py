from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensors.errors import FileFormatError
from sensors.link import Device, Event, LinkDown, LinkUp, Notification, Truncated
from sensors.profile import full_uuid
from sensors.recording import H10_LOG_MAGIC, Recording, RecordingWriter
from tests.data import shared_data

HEADER = '{"format": "vitalkeep-recording", "version": 1, "device": {"name": "X"}, "started_ns": 0}\n'
HR = full_uuid("2a37")
EVENTS: list[Event] = [
    Notification(5, HR, b"\x00\x40"),
    Notification(5, full_uuid("fb005c82-02e7-f387-1cad-8acd2d8df0c8"), b""),
    LinkDown(6, "supervision timeout"),
    LinkUp(7),
    Notification(8, HR, b"\x00\x41"),
]


def written(path: Path, events: list[Event] = EVENTS) -> Path:
    with RecordingWriter(path, Device("Straße", "AA:BB", (("acc", 200.0),)), 4) as writer:
        for event in events:
            writer.write(event)
    return path


def text(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "r.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    recording = Recording(written(tmp_path / name))
    assert recording.device == Device("Straße", "AA:BB", (("acc", 200.0),))
    assert recording.started_ns == 4
    assert list(recording.events()) == EVENTS
    assert list(recording.events()) == EVENTS  # again


def test_the_same_events_give_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path / "a.gz").read_bytes() == written(tmp_path / "b.gz").read_bytes()


def test_what_was_flushed_can_be_read_before_the_close(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "r.jsonl", Device("X"), 0)
    writer.write(EVENTS[0])
    writer.flush()
    assert list(Recording(tmp_path / "r.jsonl").events()) == EVENTS[:1]
    writer.close()


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    written(tmp_path / "r.jsonl")
    with pytest.raises(FileExistsError):
        RecordingWriter(tmp_path / "r.jsonl", Device("X"), 0)


def test_a_file_cut_at_any_byte_delivers_all_before_and_then_says_so(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.jsonl").read_bytes()
    ends = [k + 1 for k, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(ends[0], len(whole)):
        path = text(tmp_path, whole[:length])
        # the line end itself may be missing: the entry is whole then
        complete = sum(end - 1 <= length for end in ends) - 1
        events = list(Recording(path).events())
        assert events[:complete] == EVENTS[:complete]
        rest = events[complete:]
        assert len(rest) == (0 if length in ends or length + 1 in ends else 1)
        assert all(isinstance(event, Truncated) for event in rest)


def test_a_compressed_file_cut_anywhere_is_truncated_never_wrong(tmp_path: Path) -> None:
    many: list[Event] = [Notification(k, HR, bytes([0, k % 251])) for k in range(5, 3000)]
    whole = written(tmp_path / "r.jsonl.gz", many).read_bytes()
    for length in range(2000, len(whole) - 1, 997):
        path = tmp_path / "cut.gz"
        path.write_bytes(whole[:length])
        events = list(Recording(path).events())
        assert isinstance(events.pop(), Truncated)
        assert events == many[: len(events)]
        assert events


WRONG = {
    "a time that goes backward": ('[5,"2a37","0040"]\n[4,"2a37","0040"]\n', "line 3: time 4 goes backward, .* 5"),
    "a bad line in the middle": ('[5,"2a37","00\n[6,"2a37","0040"]\n', "line 2: no JSON"),
    "not UTF-8": (b'[5,"2a37","\xff"]\n[6,"2a37","0040"]\n', "line 2: no JSON .not UTF-8"),
    "NaN": ('[NaN,"2a37","0040"]\n[6,"2a37","0040"]\n', "line 2: no JSON .NaN is no number"),
    "a float": ('[5.5,"2a37","0040"]\n', "line 2: time 5.5, expected whole nanoseconds"),
    "a huge float": ('[1e308,"2a37","0040"]\n', "line 2: time 1e.308, expected whole nanoseconds"),
    "true for a number": ('[true,"2a37","0040"]\n', "line 2: time True"),
    "a negative time": ('[-1,"2a37","0040"]\n', "line 2: time -1"),
    "a huge number": (f'[{"9" * 4000},"2a37","0040"]\n', "line 2: time a number of 13288 bits"),
    "endless digits": (f'[{"9" * 9000},"2a37","0040"]\n[6,"2a37","0040"]\n', "line 2: no JSON"),
    "deep nesting": ("[" * 60000 + "\n[6]\n", "line 2: no JSON"),
    "an endless line": ("[" + " " * 100_000 + "\n", "line 2: longer than 65536 bytes"),
    "years of nothing": (f'[5,"2a37","0040"]\n[{10**18},"2a37","0040"]\n', "line 3: .* expected at most 31 days"),
    "an object": ("{}\n", "line 2: no list, expected"),
    "too few fields": ('[5,"2a37"]\n', "line 2: "),
    "too many fields": ('[5,"2a37","00","x"]\n', "line 2: 4 fields, expected 3"),
    "no UUID": ('[5,"heart","00"]\n', "line 2: 'heart' as a UUID"),
    "half a byte": ('[5,"2a37","004"]\n', "line 2: 3 characters of payload"),
    "no hexadecimal": ('[5,"2a37","zz"]\n', "line 2: 2 characters of payload"),
    "an endless payload": (f'[5,"2a37","{"00" * 513}"]\n', "line 2: 513 bytes of payload, expected at most 512"),
    "a link that is sideways": ('[5,"link","sideways"]\n', "line 2: link 'sideways'"),
}


@pytest.mark.parametrize("content, message", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_entry_is_named_by_its_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    tail = content.encode() if isinstance(content, str) else content
    recording = Recording(text(tmp_path, HEADER.encode() + tail))
    with pytest.raises(FileFormatError, match=rf"r\.jsonl: {message}"):
        list(recording.events())


HEADERS = {
    "": "empty file",
    "\n": "no recording header",
    "[]\n": "no recording header",
    "a,b\n1,2\n": "no recording header",
    HEADER[:40]: "no recording header",
    HEADER.replace('"version": 1', '"version": 2'): "version 2, expected 1 to 1",
    HEADER.replace('"version": 1', '"version": "1"'): "version '1', expected 1 to 1",
    HEADER.replace('"name"', '"nom"'): "no device name",
    HEADER.replace('"started_ns": 0', '"started_ns": 1e9'): "started_ns 1000000000.0, expected whole",
    HEADER.replace("}\n", ', "rates_hz": {"acc": 0}}\n'): "rates_hz, expected",
    HEADER.replace("}\n", ', "rates_hz": {"acc": 1e999}}\n'): "rates_hz, expected",
}


@pytest.mark.parametrize("content, message", HEADERS.items(), ids=HEADERS.values())
def test_a_wrong_header_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        Recording(text(tmp_path, content))


def test_a_directory_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="a directory, expected a recording"):
        Recording(tmp_path)
    with pytest.raises(FileFormatError, match="nothing: cannot be read"):
        Recording(tmp_path / "nothing")


def test_damaged_compression_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress((HEADER + '[5,"2a37","0040"]\n' * 2000).encode()))
    packed[-6] ^= 0xFF  # the checksum
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(packed)
    with pytest.raises(FileFormatError, match="cannot be read"):
        list(Recording(path).events())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(tail=st.binary(max_size=200))
def test_any_bytes_after_the_header_are_read_or_refused(tmp_path: Path, tail: bytes) -> None:
    try:
        list(Recording(text(tmp_path, HEADER.encode() + tail)).events())
    except FileFormatError:
        return


def test_reading_needs_constant_memory_even_for_one_line_of_100_mb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb") as file:
        file.write(HEADER.encode())
        for _ in range(100):
            file.write(b" " * (1 << 20))
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="longer than"):
        list(Recording(path).events())
    assert tracemalloc.get_traced_memory()[1] < 2 << 20
    tracemalloc.stop()


def h10_log(*frames: bytes) -> bytes:
    out = io.BytesIO()
    out.write(H10_LOG_MAGIC)
    for frame in frames:
        out.write(len(frame).to_bytes(4, "little") + frame)
    return out.getvalue()


def h10_frame(device_ns: int) -> bytes:
    return b"\x00" + device_ns.to_bytes(8, "little") + bytes(4)


def test_an_h10_log_cut_at_any_byte_delivers_all_before_and_then_says_so(tmp_path: Path) -> None:
    frames = [h10_frame(k * 10**9) for k in range(1, 5)]
    whole = h10_log(*frames)
    assert Recording(text(tmp_path, whole)).device.name == "Polar H10"
    for length in range(24, len(whole)):
        events = list(Recording(text(tmp_path, whole[:length])).events())
        complete, cut = divmod(length - 24, 17)
        assert [event.payload for event in events if isinstance(event, Notification)] == frames[:complete]
        assert isinstance(events[-1], Truncated) if cut else len(events) == complete


def test_an_h10_log_with_an_impossible_length_or_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="frame 1: 4294967295 bytes, expected at most 512"):
        Recording(text(tmp_path, H10_LOG_MAGIC + b"\xff\xff\xff\xff"))
    with pytest.raises(FileFormatError, match=r"frame 2: time .* goes backward"):
        list(Recording(text(tmp_path, h10_log(h10_frame(9), h10_frame(8)))).events())
    with pytest.raises(FileFormatError, match=r"frame 1: time .* expected whole nanoseconds"):
        Recording(text(tmp_path, h10_log(h10_frame(2**64 - 1))))


def test_the_real_h10_log_holds_its_frames() -> None:
    recording = Recording(shared_data("polar_h10_pmd", "ecg_first_20_min.bin"))
    events = list(recording.events())
    assert len(events) == 2100
    assert all(isinstance(event, Notification) and len(event.payload) == 229 for event in events)
    assert recording.started_ns == events[0].t_ns == 1_546_301_354_640_998_550


def test_reprs_and_files_of_ours_show_no_payload(tmp_path: Path) -> None:
    assert repr(Notification(5, HR, b"\x00\x40")) == "<Notification 00002a37 2 bytes>"
    first = json.loads(written(tmp_path / "r.jsonl").read_text().splitlines()[1])
    assert first == [5, "2a37", "0040"]
