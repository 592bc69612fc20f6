"""`vitalkeep run` from the outside: what is stored, what is said and to whom, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from device_pipeline.alerts.rules import RULES
from device_pipeline.beat import Beat
from device_pipeline.store import derived, raw
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import Ended
from sensors.samples import GapReason, Kind, Samples
from tests.vitalkeep.command import PROGRAM, RECORDINGS, end, home, start, vitalkeep, vitalkeep_here

REST = RECORDINGS / "chest_strap_rest.jsonl.gz"
STRAP = RECORDINGS / "chest_strap.jsonl.gz"


def store_of(folder: Path) -> Store:
    return open_store(folder / "data" / "vitalkeep")


def everything(folder: Path, session: int = 1) -> dict[str, list[object]]:
    """All that was found, as it is stored."""
    with store_of(folder).reader() as db:
        return {
            "beats": list(derived.beats(db, session)),
            "heart_rate": list(derived.heart_rates(db, session)),
            "hrv": list(derived.hrv(db, session)),
            "rhythm": list(derived.rhythm(db, session)),
            "absences": list(derived.absences(db, session)),
            "quality": list(derived.qualities(db, session, "ecg")),
            "alerts": [stored.alert for stored in derived.alerts(db) if stored.session_id == session],
        }


def until(what: Any, limit_s: float = 60) -> None:
    """Waits for `what()`; another machine may be slow."""
    give_up_s = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < give_up_s, "it never came"
        time.sleep(0.05)


def stored_beats(folder: Path) -> int:
    store = store_of(folder)
    if not store.exists:
        return 0
    try:
        with store.reader() as db:
            return len(list(derived.beats(db, 1)))
    except Exception:  # it is being made just now
        return 0


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """75 s at rest, played as fast as can be."""
    folder = tmp_path_factory.mktemp("rest")
    done = vitalkeep(folder, "run", "--replay", REST, "--speed", "max")
    assert done.code == 0, done.err
    return folder


@pytest.mark.parametrize("speed", ["200", "60x"])
def test_the_speed_changes_nothing_that_is_stored(speed: str, rest: Path, tmp_path: Path) -> None:
    assert vitalkeep_here(tmp_path, "run", "--replay", REST, "--speed", speed).code == 0
    mine, fastest = everything(tmp_path), everything(rest)
    for kind, found in fastest.items():
        assert mine[kind] == found, kind
    assert len(fastest["beats"]) > 100
    assert fastest["heart_rate"]


def test_every_sample_of_the_recording_is_stored(rest: Path) -> None:
    from sensors.reader import read_recording

    sent = [item for item in read_recording(REST) if isinstance(item, Samples) and item.kind is Kind.ECG]
    with store_of(rest).reader() as db:
        kept = list(raw.read_samples(db, 1, "ecg"))
    assert sum(map(len, kept)) == sum(map(len, sent)) > 9000
    assert [value for block in kept for value in block.values.tolist()] == [
        value for block in sent for value in block.values.tolist()
    ]


def test_the_grid_of_the_rate_has_no_hole(rest: Path) -> None:
    with store_of(rest).reader() as db:
        windows = list(derived.heart_rates(db, 1))
    starts = [window.start_ns for window in windows]
    assert starts == list(range(starts[0], starts[-1] + 1, 10 * 10**9))
    assert all((window.bpm is None) == (window.reason is not None) for window in windows)


# -- what is said, and to whom


FIELDS = {
    "beat": {"type", "t_ns", "source", "rr_ms", "label"},
    "gap": {"type", "start_ns", "end_ns", "channel", "reason"},
    "heart_rate": {"type", "start_ns", "length_ns", "bpm", "quality", "reason", "source"},
    "hrv": {
        "type",
        "start_ns",
        "length_ns",
        "n_beats",
        "corrected_pct",
        "method",
        "values",
        "reason",
        "absent",
        "uncertain",
    },
    "rhythm": {"type", "start_ns", "end_ns", "kind", "probability", "model"},
    "respiration": {"type", "start_ns", "length_ns", "rate_bpm", "quality", "reason", "method"},
    "alert": {"type", "rule", "state", "start_ns", "end_ns", "text", "grounds"},
    "quality": {"type", "start_ns", "end_ns", "index", "good", "reason"},
    "beat_type": {"type", "t_ns", "label", "score", "model", "version", "reason"},
    "usable": {"type", "start_ns", "length_ns", "usable", "right", "noisy", "method", "reason"},
    "anomaly": {"type", "start_ns", "length_ns", "score", "n_beats", "odd_n", "model", "reason"},
}


def test_json_lines_are_the_findings_and_standard_error_is_silent(tmp_path: Path) -> None:
    done = vitalkeep_here(tmp_path, "run", "--replay", STRAP, "--speed", "max", "--json")
    assert (done.code, done.err) == (0, "")
    rows = done.rows()
    assert {row["type"] for row in rows} == set(FIELDS)
    for row in rows:
        assert set(row) == FIELDS[row["type"]]
        if row["type"] == "heart_rate":
            assert (row["bpm"] is None) == (row["reason"] is not None)
        if row["type"] == "respiration":
            assert (row["rate_bpm"] is None) == (row["reason"] is not None)
        if row["type"] == "hrv":
            assert (row["values"] is None) == (row["reason"] is not None)
        if row["type"] == "gap":
            assert row["reason"] in set(GapReason)
    alerts = [(row["rule"], row["state"]) for row in rows if row["type"] == "alert"]
    for rule in {rule for rule, _ in alerts}:
        assert [state for name, state in alerts if name == rule] == ["raised", "over"]
        assert rule in {row.name for row in RULES}
    assert len(alerts) == 10
    beats = sorted(row["t_ns"] for row in rows if row["type"] == "beat")
    assert beats == sorted(beat.t_ns for beat in everything(tmp_path)["beats"] if isinstance(beat, Beat))


def test_off_a_terminal_nothing_is_drawn(tmp_path: Path) -> None:
    done = vitalkeep(tmp_path, "run", "--replay", REST, "--speed", "max", extra={"NO_COLOR": "1"})
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "\r" not in done.out + done.err
    assert all(line.startswith("vitalkeep: ") for line in done.err.splitlines())


def test_a_terminal_gets_no_colour_where_none_is_wanted(tmp_path: Path) -> None:
    """The page of `run --no-view` and of `analyze`, on a real pseudo-terminal."""
    for arguments in (["analyze", str(REST)], ["run", "--no-view", "--speed", "max", "--replay", str(REST)]):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=tmp_path,
            env=home(tmp_path, {"NO_COLOR": "1", "TERM": "xterm-256color"}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        seen = b""
        with suppress(OSError):  # Linux says EIO when the other side has gone
            while piece := os.read(master, 65536):
                seen += piece
        os.close(master)
        assert process.wait(60) == 0
        assert b"heart rate" in seen
        assert b"\x1b" not in seen, seen


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--json", "--speed", "max", "--replay", str(STRAP)],
        ["run", "--speed", "max", "--replay", str(REST)],
        ["analyze", str(REST)],
        ["analyze", "--json", str(REST), str(REST)],
        ["--help"],
    ],
    ids=" ".join,
)
def test_a_reader_who_leaves_early_is_no_error(arguments: list[str], tmp_path: Path) -> None:
    read, write = os.pipe()
    process = subprocess.Popen(
        [*PROGRAM, *arguments], cwd=tmp_path, env=home(tmp_path), stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    os.close(read)
    done = end(process)
    assert done.code == 0
    told = [line for line in done.err.splitlines() if "Not a medical device" not in line]
    assert [line for line in told if not line.startswith("vitalkeep: alert")] == []
    if arguments[0] == "run" and "--help" not in arguments:
        with store_of(tmp_path).reader() as db:
            assert derived.sessions(db)[0].ended is Ended.CLEAN


def test_a_standard_error_that_nobody_reads_ends_nothing(tmp_path: Path) -> None:
    read, write = os.pipe()
    process = subprocess.Popen(
        [*PROGRAM, "run", "--speed", "max", "--replay", str(STRAP)],
        cwd=tmp_path,
        env=home(tmp_path),
        stdout=subprocess.PIPE,
        stderr=write,
        text=True,
    )
    os.close(write)
    os.close(read)
    done = end(process)
    assert done.code == 0
    assert "Everything is stored" in done.out
    assert len(everything(tmp_path)["alerts"]) == 5


# -- how it ends


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly_with_everything_stored(number: signal.Signals, tmp_path: Path) -> None:
    process = start(tmp_path, "run", "--replay", STRAP, "--speed", "20", "--json")
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(60)]
    done = end(process, number)
    assert (done.code, done.err) == (0, "")
    told = [json.loads(line) for line in [*seen, *done.out.splitlines()]]
    found = everything(tmp_path)
    beats = {(row["t_ns"], row["source"]) for row in told if row["type"] == "beat"}
    assert beats == {(beat.t_ns, beat.source.value) for beat in found["beats"] if isinstance(beat, Beat)}
    assert len(beats) >= 10
    assert len(beats) < 2000  # it was stopped on its way
    with store_of(tmp_path).reader() as db:
        (session,) = derived.sessions(db)
        assert session.ended is Ended.CLEAN
        assert session.last_ns is not None
        assert session.last_ns >= max(t_ns for t_ns, _ in beats)


def test_a_killed_run_is_seen_by_status_and_closed_by_the_next(tmp_path: Path) -> None:
    process = start(tmp_path, "run", "--replay", STRAP, "--speed", "20", "--json")
    assert process.stdout is not None
    try:
        until(lambda: process.stdout is not None and process.stdout.readline() and stored_beats(tmp_path) > 0)
    finally:
        done = end(process, signal.SIGKILL)
    assert done.code == -signal.SIGKILL
    committed = stored_beats(tmp_path)
    (status,) = vitalkeep(tmp_path, "status", "--json").rows()
    assert [session["ended"] for session in status["sessions"]] == ["killed"]
    assert vitalkeep_here(tmp_path, "run", "--replay", REST, "--speed", "max").code == 0
    with store_of(tmp_path).reader() as db:
        assert [session.ended for session in derived.sessions(db)] == [Ended.CLEAN, Ended.KILLED]
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert stored_beats(tmp_path) == committed


def test_a_second_run_on_the_same_store_is_refused(tmp_path: Path) -> None:
    process = start(tmp_path, "run", "--replay", STRAP, "--speed", "5", "--json")
    try:
        assert process.stdout is not None
        process.stdout.readline()
        second = vitalkeep_here(tmp_path, "run", "--replay", REST, "--speed", "max")
        assert second.code == 3
        assert f"is being written by process {process.pid}" in second.problem()
        (status,) = vitalkeep_here(tmp_path, "status", "--json").rows()
        assert status["writing"] is True
    finally:
        done = end(process, signal.SIGTERM)
    assert (done.code, done.err) == (0, "")


# -- usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--speed", "0"], "is not a speed"),
        (["--speed", "-3"], "is not a speed"),
        (["--speed", "nan"], "is not a speed"),
        (["--speed", "fast"], "is not a speed"),
        (["--on-alert", ""], "an empty command"),
        (["--on-alert", "say 'hello"], "No closing quotation"),
        (["--json", "--view"], "choose one"),
        (["--store", str(REST)], "is a file"),
        (["--nothing"], "No such option"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_made(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = vitalkeep_here(tmp_path, "run", "--replay", REST, *arguments)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""
    assert not (tmp_path / "data").exists()
