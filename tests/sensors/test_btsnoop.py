"""Logs of Bluetooth traffic: what a device notified comes out of them, and nothing that the log could do harms."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensors.errors import FileFormatError
from sensors.files.btsnoop import MAGIC
from sensors.files.hci_log import HciLog
from sensors.link import Device, Event, LinkDown, LinkUp, Notification
from sensors.profile import full_uuid
from sensors.profiles.polar_pmd import DATA
from sensors.profiles.polar_pmd_control import CONTROL
from sensors.recording import Recording
from tests.fakes.btsnoop_log import H1, H4, MONITOR, BtsnoopLog

S = 10**9
T = 1_760_000_000 * S
HR, BATTERY, NAME = full_uuid("2a37"), full_uuid("2a19"), full_uuid("2a00")
KEYBOARD = full_uuid("2a4d")
ADDRESS, OTHER = "24:AC:AC:0C:30:DD", "C0:11:22:33:44:55"
TABLE = {0x10: HR, 0x20: BATTERY, 0x30: CONTROL, 0x32: DATA, 0x40: KEYBOARD}
REST = Path(__file__).resolve().parents[2] / "fixtures" / "recordings" / "chest_strap_rest.jsonl.gz"


def heard(tmp_path: Path, log: BtsnoopLog | bytes, handles: dict[int, str] | None = None) -> list[tuple[Device, Event]]:
    path = tmp_path / "phone.log"
    path.write_bytes(log if isinstance(log, bytes) else log.getvalue())
    return list(HciLog(path, handles).events())


def values(events: list[tuple[Device, Event]]) -> list[tuple[str, bytes]]:
    return [(e.characteristic, e.payload) for _, e in events if isinstance(e, Notification)]


def connected(datalink: int = H4, largest: int = 27) -> BtsnoopLog:
    log = BtsnoopLog(datalink, largest)
    log.connected(T, 0x40, ADDRESS)
    log.mtu(T, 0x40, 247)
    log.discovered(T, 0x40, TABLE)
    return log


@pytest.mark.parametrize("datalink", [H1, H4, MONITOR])
@pytest.mark.parametrize("largest", [7, 27, 251])
def test_a_fixture_in_a_log_comes_out_as_it_went_in(tmp_path: Path, datalink: int, largest: int) -> None:
    handles = {uuid: handle for handle, uuid in TABLE.items()}
    log = BtsnoopLog(datalink, largest)
    recording = Recording(REST)
    log.advertised(recording.started_ns, ADDRESS, "Polar H10 A1B2C3D4")
    log.connected(recording.started_ns, 0x40, ADDRESS)
    log.mtu(recording.started_ns, 0x40, 247)
    log.discovered(recording.started_ns, 0x40, TABLE)
    went_in = list(recording.events())
    for event in went_in:
        assert isinstance(event, Notification)
        handle = handles[event.characteristic]
        if event.characteristic == BATTERY or event.payload[:1] == b"\x0f":
            log.read(event.t_ns, 0x40, handle, event.payload, mtu=247)
        else:
            log.notified(event.t_ns, 0x40, handle, event.payload, indication=event.characteristic == CONTROL)
    came_out = heard(tmp_path, log)
    assert {device for device, _ in came_out} == {Device("Polar H10 A1B2C3D4", ADDRESS)}
    assert [(e.t_ns, *v) for (_, e), v in zip(came_out, values(came_out), strict=True)] == [
        (e.t_ns // 1000 * 1000, e.characteristic, e.payload) for e in went_in if isinstance(e, Notification)
    ]


def test_handles_are_learnt_by_find_information_as_well(tmp_path: Path) -> None:
    log = BtsnoopLog()
    log.connected(T, 0x40, ADDRESS)
    log.information(T, 0x40, TABLE)
    log.notified(T, 0x40, 0x10, b"\x00\x40")
    log.notified(T, 0x40, 0x32, b"\x00" * 10)
    assert values(heard(tmp_path, log)) == [(HR, b"\x00\x40"), (DATA, b"\x00" * 10)]


def test_handles_learnt_later_hold_for_what_came_before(tmp_path: Path) -> None:
    log = BtsnoopLog()
    log.connected(T, 0x40, ADDRESS)
    log.notified(T, 0x40, 0x10, b"\x00\x40")
    log.discovered(T + S, 0x40, TABLE)
    assert values(heard(tmp_path, log)) == [(HR, b"\x00\x40")]


def test_handles_outlive_their_connection_but_not_their_device(tmp_path: Path) -> None:
    log = connected()
    log.notified(T, 0x40, 0x10, b"\x00\x40")
    log.disconnected(T + S, 0x40)
    log.connected(T + 2 * S, 0x41, ADDRESS)
    log.notified(T + 3 * S, 0x41, 0x10, b"\x00\x41")
    log.connected(T + 4 * S, 0x42, OTHER)
    log.notified(T + 5 * S, 0x42, 0x10, b"\x00\x42")
    assert values(heard(tmp_path, log)) == [(HR, b"\x00\x40"), (HR, b"\x00\x41")]


def test_a_lost_link_and_its_return_are_told_with_the_reason(tmp_path: Path) -> None:
    log = connected()
    log.notified(T + S, 0x40, 0x10, b"\x00\x40")
    log.disconnected(T + 2 * S, 0x40, 0x13)
    log.connected(T + 5 * S, 0x40, ADDRESS, subevent=0x0A)
    log.hci(T + 6 * S, 1, True, b"\x03\x0c\x00")
    events = [event for _, event in heard(tmp_path, log)]
    assert events[1:] == [
        LinkDown(T + 2 * S, "ended by the device"),
        LinkUp(T + 5 * S),
        LinkDown(T + 6 * S, "the adapter was reset"),
    ]


def test_a_connection_that_began_before_the_log_is_read_by_the_map(tmp_path: Path) -> None:
    log = BtsnoopLog()
    log.notified(T, 0x40, 0x10, b"\x00\x40")
    assert heard(tmp_path, log) == []
    path = tmp_path / "phone.log"
    hci = HciLog(path)
    assert list(hci.events()) == []
    assert hci.unknown == {("device 1 of the log", 0x10): 1}
    ((device, event),) = heard(tmp_path, log, {0x10: HR})
    assert device == Device("device 1 of the log")
    assert event == Notification(T, HR, b"\x00\x40")


def test_what_no_profile_reads_stays_in_the_log(tmp_path: Path) -> None:
    log = connected()
    log.notified(T, 0x40, 0x40, b"secret")
    path = tmp_path / "phone.log"
    path.write_bytes(log.getvalue())
    hci = HciLog(path)
    assert list(hci.events()) == []
    assert not hci.unknown


def test_a_name_may_be_read_advertised_late_or_missing(tmp_path: Path) -> None:
    log = connected()
    log.notified(T, 0x40, 0x10, b"\x00\x40")
    assert heard(tmp_path, log)[0][0] == Device(ADDRESS, ADDRESS)
    log.advertised(T + S, ADDRESS, "Straße \x1b[2J", extended=True)
    assert heard(tmp_path, log)[0][0] == Device("Straße [2J", ADDRESS)
    log.information(T + S, 0x40, {3: NAME})
    log.read(T + S, 0x40, 3, b"Polar H10")
    assert heard(tmp_path, log)[0][0] == Device("Polar H10", ADDRESS)


def test_a_long_value_is_read_in_pieces(tmp_path: Path) -> None:
    for length in (0, 21, 22, 23, 44, 45, 100):
        log = BtsnoopLog()
        log.connected(T, 0x40, ADDRESS)
        log.discovered(T, 0x40, TABLE)
        value = bytes(range(length))
        log.read(T, 0x40, 0x30, value)
        log.read(T + S, 0x40, 0x20, b"\x50")
        assert values(heard(tmp_path, log)) == [(CONTROL, value), (BATTERY, b"\x50")]


def test_many_values_in_one_notification(tmp_path: Path) -> None:
    log = connected()
    log.att(T, 0x40, False, b"\x23" + struct.pack("<HHBHHB", 0x10, 1, 7, 0x20, 1, 8))
    assert values(heard(tmp_path, log)) == [(HR, b"\x07"), (BATTERY, b"\x08")]


def test_what_the_host_notifies_is_not_the_device(tmp_path: Path) -> None:
    log = connected()
    log.att(T, 0x40, True, b"\x1b\x10\x00\x00\x40")
    assert heard(tmp_path, log) == []


def test_two_devices_keep_their_order_and_their_handles(tmp_path: Path) -> None:
    log = connected()
    log.connected(T, 0x41, OTHER)
    log.discovered(T, 0x41, {0x10: BATTERY})
    for k in range(5):
        log.notified(T + k * S, 0x40, 0x10, bytes([0, k]))
        log.notified(T + k * S, 0x41, 0x10, bytes([k]))
    events = heard(tmp_path, log)
    assert [d.address for d, _ in events] == [ADDRESS, OTHER] * 5
    assert values(events)[1::2] == [(BATTERY, bytes([k])) for k in range(5)]


def test_a_clock_that_was_set_back_stands_still(tmp_path: Path) -> None:
    log = connected()
    for at in (5, 2, 3, 9):
        log.notified(T + at * S, 0x40, 0x10, b"\x00\x40")
    assert [(e.t_ns - T) // S for _, e in heard(tmp_path, log)] == [5, 5, 5, 9]


def test_a_packet_that_the_log_holds_in_part_says_nothing(tmp_path: Path) -> None:
    log = connected(largest=251)
    whole = b"\x40\x20\x09\x00\x05\x00\x04\x00\x1b\x10\x00\x00\x40"
    log.record(T, 1, b"\x02" + whole[:9], original=14)
    log.record(T, 1, b"\x02" + whole)
    assert values(heard(tmp_path, log)) == [(HR, b"\x00\x40")]


def test_a_log_that_is_cut_anywhere_gives_all_before_it(tmp_path: Path) -> None:
    log = connected()
    for k in range(3):
        log.notified(T + k * S, 0x40, 0x10, bytes([0, k]))
    content = log.getvalue()
    path = tmp_path / "phone.log"
    lengths = []
    for length in range(16, len(content)):
        path.write_bytes(content[:length])
        hci = HciLog(path)
        lengths.append(len(list(hci.events())))
        ends = 16
        for record in log.records:
            if ends == length:
                break
            ends += len(record)
        assert (hci.cut_short is None) == (ends == length)
    assert lengths == sorted(lengths)
    assert set(lengths) == {0, 1, 2}


FAULTS = {
    b"": 'no btsnoop log, expected "btsnoop" at its start',
    b"H10 ECG v1.0 binary data": 'no btsnoop log, expected "btsnoop" at its start',
    MAGIC + b"\0\0\0\2\0\0\x03\xea": "btsnoop version 2, expected 1",
    MAGIC + b"\0\0\0\1\0\0\x03\xeb": "datalink 1003, expected 1001, 1002 or 2001",
    MAGIC + b"\0\0\0": "btsnoop version 0, expected 1",
}


@pytest.mark.parametrize("content", list(FAULTS), ids=list(FAULTS.values()))
def test_what_is_no_log_is_one_line_with_both_sides(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileFormatError, match=r"^phone\.log: ") as caught:
        heard(tmp_path, content)
    assert FAULTS[content] in str(caught.value)


def test_no_file_and_a_folder_are_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="cannot be read"):
        HciLog(tmp_path / "none.log")
    with pytest.raises(FileFormatError, match="a directory, expected a btsnoop log"):
        HciLog(tmp_path)


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (struct.pack(">IIIIq", 99_999, 99_999, 0, 0, 0), "record 16: 99999 bytes, expected at most 65540"),
        (struct.pack(">IIIIq", 0, 0, 0, 0, 5), "us since 1970, expected from 0"),
    ],
)
def test_a_wrong_record_is_told_after_everything_before_it(tmp_path: Path, record: bytes, what: str) -> None:
    log = connected()
    log.notified(T, 0x40, 0x10, b"\x00\x40")
    path = tmp_path / "phone.log"
    path.write_bytes(log.getvalue() + record + log.records[-1])
    events = HciLog(path).events()
    assert next(events)[1] == Notification(T, HR, b"\x00\x40")
    with pytest.raises(FileFormatError, match=what.split(":", maxsplit=1)[-1]):
        list(events)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    datalink=st.sampled_from([H1, H4, MONITOR]),
    largest=st.sampled_from([5, 7, 27, 251]),
    sent=st.lists(st.lists(st.binary(max_size=60), max_size=6), min_size=3, max_size=3),
    order=st.randoms(use_true_random=False),
)
def test_fragments_of_several_connections_come_out_whole_however_they_are_mixed(
    tmp_path: Path, datalink: int, largest: int, sent: list[list[bytes]], order: Random
) -> None:
    """And beside them a Bluetooth Classic connection, on whose channels there are no attributes."""
    addresses = [ADDRESS, OTHER, "D0:00:00:00:00:03"]
    whole = BtsnoopLog(datalink, largest)
    for k, address in enumerate(addresses):
        whole.connected(T, 0x40 + k, address)
        whole.mtu(T, 0x40 + k, 247)
        whole.discovered(T, 0x40 + k, {0x10: HR})
    whole.event(T, 0x03, b"\x00\x50\x00" + bytes(6) + b"\x01\x00")
    queues = []
    for k, values_sent in enumerate(sent):
        one = BtsnoopLog(datalink, largest)
        for value in values_sent:
            one.notified(T, 0x40 + k, 0x10, value)
        queues.append(one.records)
    classic = BtsnoopLog(datalink)
    for k in range(10):  # audio, on a channel that was opened, now and then in two packets
        data = b"\x06\x00\x41\x00" + b"\x1b\x10\x00" + bytes([k]) * 3
        classic.hci(T, 2, False, b"\x50\x20" + bytes([7, 0]) + data[:7])
        classic.hci(T, 2, False, b"\x50\x10" + bytes([3, 0]) + data[7:])
    queues.append(classic.records)
    while any(queues):
        whole.records.append(order.choice([queue for queue in queues if queue]).pop(0))
    came_out: dict[str | None, list[bytes]] = {}
    for device, event in heard(tmp_path, whole):
        assert isinstance(event, Notification)
        came_out.setdefault(device.address, []).append(event.payload)
    assert came_out == {address: given for address, given in zip(addresses, sent, strict=True) if given}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    datalink=st.sampled_from([H1, H4, MONITOR]),
    records=st.lists(
        st.tuples(
            st.integers(0, 12) | st.integers(0, 2**32 - 1),
            st.binary(max_size=60)
            | st.binary(max_size=40).map(lambda b: b"\x02\x40\x20" + bytes([len(b), 0]) + b)
            | st.binary(max_size=30).map(lambda b: b"\x04\x3e" + b)
            | st.binary(max_size=20).map(
                lambda b: b"\x02\x40\x20" + bytes([len(b) + 4, 0, len(b), 0, 4, 0]) + b  # any PDU
            ),
            st.integers(0, 10**6),
        ),
        max_size=20,
    ),
)
def test_any_log_gives_events_or_a_typed_error(
    tmp_path: Path, datalink: int, records: list[tuple[int, bytes, int]]
) -> None:
    log = connected(datalink)
    log.notified(T, 0x40, 0x10, b"\x00\x40")
    for flags, data, seconds in records:
        log.record(T + seconds * S, flags, data)
    last: dict[Device, int] = {}
    for device, event in heard(tmp_path, log):
        assert event.t_ns >= last.get(device, 0)
        last[device] = event.t_ns


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(content=st.binary(max_size=400), start=st.sampled_from([b"", MAGIC + b"\0\0\0\1\0\0\x03\xea"]))
def test_any_bytes_give_events_or_a_typed_error(tmp_path: Path, content: bytes, start: bytes) -> None:
    try:
        heard(tmp_path, start + content)
    except FileFormatError as problem:
        assert str(problem).startswith("phone.log: ")
