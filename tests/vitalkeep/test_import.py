"""`vitalkeep import`: a log in, recordings out that replay plays."""

from __future__ import annotations

import itertools
from pathlib import Path

from sensors.link import Notification
from sensors.profile import full_uuid
from sensors.reader import read_recording
from sensors.recording import Recording
from sensors.samples import Reading
from tests.fakes.btsnoop_log import BtsnoopLog
from tests.vitalkeep.command import vitalkeep

S = 10**9
T = 1_760_000_000 * S
HR = full_uuid("2a37")
ADDRESS, OTHER = "24:AC:AC:0C:30:DD", "C0:11:22:33:44:55"


def log(tmp_path: Path, n: int = 30, discovered: bool = True) -> Path:
    out = BtsnoopLog()
    out.advertised(T, ADDRESS, "Polar H10")
    for handle, address in ((0x40, ADDRESS), (0x41, OTHER)):
        out.connected(T, handle, address)
        if discovered:
            out.discovered(T, handle, {0x10: HR, 0x20: full_uuid("2a4d")})
    for k in range(n):
        out.notified(T + k * S, 0x40, 0x10, b"\x10\x3c\x00\x04")
        out.notified(T + k * S, 0x40, 0x20, b"keystroke")
    out.notified(T + n * S, 0x41, 0x10, b"\x00\x40")
    path = tmp_path / "btsnoop_hci.log"
    path.write_bytes(out.getvalue())
    return path


def test_each_device_becomes_a_recording_that_can_be_read(tmp_path: Path) -> None:
    done = vitalkeep(tmp_path, "import", log(tmp_path), "--out", "ride.jsonl.gz")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "ride.jsonl.gz: Polar H10, 0:00:29, heart_rate 30",
        f"ride-2.jsonl.gz: {OTHER}, 0:00:00, heart_rate 1",
    ]
    recording = Recording(tmp_path / "ride.jsonl.gz")
    assert (recording.device.name, recording.device.address, recording.started_ns) == ("Polar H10", ADDRESS, T)
    assert list(recording.events()) == [Notification(T + k * S, HR, b"\x10\x3c\x00\x04") for k in range(30)]
    rates = [i for i in read_recording(tmp_path / "ride.jsonl.gz") if isinstance(i, Reading) and i.channel == "hr"]
    assert [rate.value for rate in rates] == [60.0] * 30


def test_a_recording_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "btsnoop_hci.jsonl.gz").write_bytes(b"mine")
    done = vitalkeep(tmp_path, "import", log(tmp_path))
    assert done.code == 1
    assert done.problem() == "btsnoop_hci.jsonl.gz: File exists"
    assert (tmp_path / "btsnoop_hci.jsonl.gz").read_bytes() == b"mine"


def test_handles_that_the_log_does_not_explain_are_told_and_can_be_named(tmp_path: Path) -> None:
    path = log(tmp_path, discovered=False)
    done = vitalkeep(tmp_path, "import", path)
    assert (done.code, done.out) == (1, "")
    assert "0x0010 of Polar H10 (30 values)" in done.err
    assert "no value of a characteristic that can be read" in done.err
    named = vitalkeep(tmp_path, "import", path, "--map", "0x10=2A37")
    assert named.code == 0
    assert named.out.startswith("btsnoop_hci.jsonl.gz: Polar H10, 0:00:29, heart_rate 30\n")


def test_a_map_to_what_cannot_be_read_is_wrong_usage(tmp_path: Path) -> None:
    path = log(tmp_path)
    for wrong in ("0=2a37", "0x10000=2a37", "x=2a37", "0x10", "0x10=2a4d", "0x10=heart"):
        done = vitalkeep(tmp_path, "import", path, "--map", wrong)
        assert done.code == 2, wrong
        assert "Error: Invalid value for '--map'" in done.err
    assert not list(tmp_path.glob("*.gz"))


def test_a_log_that_is_cut_short_or_wrong_gives_what_came_before(tmp_path: Path) -> None:
    path = log(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-60])
    done = vitalkeep(tmp_path, "import", path, "--out", "cut.jsonl")
    assert done.code == 1
    assert "all before it is read" in done.problem()
    path.write_bytes(whole + b"\xff" * 24)
    wrong = vitalkeep(tmp_path, "import", path, "--out", "wrong.jsonl")
    assert wrong.code == 1
    assert "expected at most 65540" in wrong.problem()
    assert len(list(Recording(tmp_path / "wrong.jsonl").events())) == 30


def test_a_leap_of_the_clock_begins_a_further_recording(tmp_path: Path) -> None:
    out = BtsnoopLog()
    out.connected(0, 0x40, ADDRESS)
    out.discovered(0, 0x40, {0x10: HR})
    for t_ns in (S, 2 * S, T, T + S):
        out.notified(t_ns, 0x40, 0x10, b"\x00\x40")
    path = tmp_path / "pi.log"
    path.write_bytes(out.getvalue())
    assert vitalkeep(tmp_path, "import", path).code == 0
    times = [[e.t_ns for e in Recording(tmp_path / n).events()] for n in ("pi.jsonl.gz", "pi-2.jsonl.gz")]
    assert times == [[S, 2 * S], [T, T + S]]
    assert all(b > a for a, b in itertools.pairwise(times[0] + times[1]))
