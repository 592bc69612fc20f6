"""Whatever a file holds, `analyze` and `run` answer with one clear line or an honest "no data", never with a traceback.

Nothing of what a sensor measured stands in a message, and a bad record takes no good one with it.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from device_pipeline.store import derived
from device_pipeline.store.store import open_store
from tests.vitalkeep.command import RECORDINGS, ROOT, Done, strict_json, vitalkeep, vitalkeep_here
from vitalkeep.cli.app import app

REST = RECORDINGS / "chest_strap_rest.jsonl.gz"
HEADER = json.dumps({"format": "vitalkeep-recording", "version": 1, "device": {"name": "strap"}, "started_ns": 0})
N, FS = 60 * 130, 130
RNG = np.random.default_rng(20260105)
PULSE_BPM = 72.0
MEASURED = "0648"  # a heart rate of 72 in the heart-rate service


def column(name: str, values: Any) -> str:
    return f"{name}\n" + "".join(f"{value}\n" for value in values)


def pulse() -> Any:
    t_s = np.arange(N) / FS
    return 5 * np.sin(np.pi * t_s * PULSE_BPM / 60) ** 40


def lines(*entries: object) -> str:
    return "".join(f"{entry if isinstance(entry, str) else json.dumps(entry)}\n" for entry in (HEADER, *entries))


# name: (content, what the error says; None for an answer without a rate)
FILES: dict[str, tuple[str | bytes, str | None]] = {
    "zeros.csv": (column("ecg_mv", [0] * N), None),
    "constant.csv": (column("ecg_mv", [3.3] * N), None),
    "clipped.csv": (column("ecg_mv", np.clip(pulse() * 100 - 200, -1, 1).round(4)), None),
    "noise.csv": (column("ecg_mv", RNG.normal(0, 1, N).round(4)), None),
    "nan.csv": (column("ecg_mv", ["nan"] * N), None),
    "infinite.csv": (column("ecg_mv", ["inf", "-inf"] * (N // 2)), None),
    "absurd.csv": (column("ecg_mv", ["1e300", "-1e300"] * (N // 2)), None),
    "blank_cells.csv": (column("ecg_mv,ppg", [","] * N), None),
    "one_row.csv": (column("ecg_mv", [0.1]), None),
    "flat_pulse.csv": (column("ppg", [512] * N), None),
    "noisy_pulse.csv": (column("ppg", RNG.normal(0, 1, N).round(4)), None),
    "words.csv": (column("ecg_mv", ["0.1", "high"]), "line 3: the cell of ecg_mv is no number"),
    "no_use.csv": (
        column("resp", [0.1] * N),
        "an ECG, a PPG, beats, RR intervals, acceleration or readings expected",
    ),
    "still.csv": (column("acc_x,acc_y,acc_z", ["0,0,1"] * N), None),
    "backward.csv": (column("t_s,ecg_mv", ["2,0", "1,0"]), "t_s goes backward"),
    "empty.csv": (b"", "empty file"),
    "junk.csv": (RNG.bytes(5000), "binary data"),
    "empty.txt": (b"", "empty file"),
    "seconds.txt": ("0.8\n" * 50, "Milliseconds are expected"),
    "words.txt": ("800\nslow\n", "line 2 is no list of numbers"),
    "negative.txt": ("800\n-800\n", "line 2 has an interval that is not above 0 ms"),
    "absurd.txt": ("1e300\n" * 50, "line 1 has an interval of more than"),
    "long_hole.txt": ("800\n" * 50 + "2000000000\n" + "800\n" * 50, "told"),
    "empty.jsonl": (b"", "empty file"),
    "header_alone.jsonl": (lines(), "an ECG, a PPG, beats, RR intervals, acceleration or readings expected"),
    "newer.jsonl": (lines().replace('"version": 1', '"version": 2'), "version 2, expected 1"),
    "no_header.jsonl": (f'[5,"2a37","{MEASURED}"]\n', ""),
    "battery.jsonl": (lines([5, "2a19", "57"]), None),
    "rate_alone.jsonl": (lines(*([k * 10**9, "2a37", MEASURED] for k in range(60))), None),
    "junk_notifications.jsonl": (lines(*([k * 10**9, "2a37", "ff"] for k in range(60))), None),
    "odd_entry.jsonl": (lines([5, "2a37", MEASURED, "x", "y"]), "line 2: 5 fields"),
    "odd_payload.jsonl": (lines([5, "2a37", MEASURED + "q"]), "line 2: 5 characters of payload"),
    "no_json.jsonl": (lines(f'[5,"2a37",{MEASURED}x]', [6, "2a19", "57"]), "line 2: no JSON"),
    "backward.jsonl": (lines([5, "2a37", MEASURED], [4, "2a37", MEASURED]), "line 3: time 4 goes backward"),
    "junk.jsonl": (RNG.bytes(5000), "binary data"),
    "junk.jsonl.gz": (b"\x1f\x8b" + RNG.bytes(5000), "damaged"),
    "empty.edf": (b"", "empty file"),
    "junk.edf": (RNG.bytes(5000), "an EDF file starts with"),
    "header_cut.edf": (b"0       " + b" " * 100, "header_cut.edf"),
    "empty.hea": (b"", "empty file"),
    "junk.hea": (RNG.bytes(500), "junk"),
    "signal_lost.hea": (
        "signal_lost 1 360 1000\nsignal_lost.dat 16 200 11 0 0 0 0 MLII\n",
        "signal_lost.dat is missing",
    ),
    "no_rate.hea": ("no_rate 1 -360 1000\nno_rate.dat 16 200 11 0 0 0 0 MLII\n", "no sampling rate above 0 Hz"),
    "pressure.hea": ("pressure 1 360 100\npressure.dat 16 200 11 0 0 0 0 ABP\n", ""),
    "no_end.atr": (b"\x01\x04" * 10, "no end mark"),
    "junk.bin": (RNG.bytes(5000), "junk.bin"),
}
GAPLESS = {"long_hole.txt"}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Done]:
    """All of them in one command line, with a good record before, between and after."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (content, _) in FILES.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    names = list(FILES)
    names = [str(REST), *names[:20], ".", "nothing_there", str(REST), *names[20:], str(REST)]
    return names, vitalkeep(folder, "analyze", "--json", "--fs", FS, *names)


def test_each_is_answered_in_its_place_and_the_good_ones_are_read(answers: tuple[list[str], Done]) -> None:
    names, done = answers
    rows = done.rows()
    assert done.code == 1
    assert done.err == ""
    assert len(rows) == len(names)
    for name, row in zip(names, rows, strict=True):
        stem = Path(name).name.removesuffix(".gz").removesuffix(".jsonl") if ".jsonl" in name else Path(name).stem
        assert row["record"] == (stem or name)
    good = [row for name, row in zip(names, rows, strict=True) if name == str(REST)]
    assert len(good) == 3
    assert good[0] == good[1] == good[2]
    assert good[0]["beats"]["n"] > 70


@pytest.mark.parametrize("name", [name for name in FILES if name not in GAPLESS])
def test_the_answer_is_one_clear_line_or_an_honest_absence(name: str, answers: tuple[list[str], Done]) -> None:
    names, done = answers
    row = done.rows()[names.index(name)]
    expected = FILES[name][1]
    if expected is not None:
        assert set(row) == {"schema", "record", "error"}
        assert expected in row["error"]
        assert "\n" not in row["error"]
        assert "internal error" not in row["error"]
        assert MEASURED not in row["error"]
        return
    assert "error" not in row, row["error"]
    assert row["beats"]["mean_hr_bpm"] is None or name == "clipped.csv"
    assert row["beats"]["mean_hr_bpm"] is not None or row["beats"]["reason"]
    starts = [window["start_s"] for window in row["heart_rate"]]
    step_s = 2 if row["source"] == "ppg" else 10
    assert starts == [step_s * k for k in range(len(starts))]
    if name != "clipped.csv":
        assert all(window["bpm"] is None and window["reason"] for window in row["heart_rate"])
        assert all(window["values"] is None and window["reason"] for window in row["hrv"])
    assert {alert["rule"] for alert in row["alerts"]} <= {"no_data", "poor_signal"}
    if len(starts) > 5 and name != "clipped.csv":  # of which a few stretches can be read
        assert row["alerts"], "a minute without a rate is told"


def test_a_hole_of_weeks_is_a_gap_and_not_a_million_windows(answers: tuple[list[str], Done]) -> None:
    names, done = answers
    row = done.rows()[names.index("long_hole.txt")]
    assert row["beats"]["n"] == 101
    assert [gap["reason"] for gap in row["gaps"]] == ["missing"]
    assert len(row["heart_rate"]) < 20
    assert all(abs(window["bpm"] - 75) < 0.1 for window in row["heart_rate"] if window["bpm"] is not None)


def test_no_message_holds_what_was_measured(answers: tuple[list[str], Done]) -> None:
    _, done = answers
    for row in done.rows():
        if "error" in row:
            assert "72" not in row["error"]
            assert "0.1" not in row["error"]


def invoke(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the system's answer is put in."""
    (tmp_path / "closed.csv").write_text("ecg_mv\n0\n")

    rightly = Path.open

    def refuse(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == "closed.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return rightly(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    result = invoke("analyze", "--json", "--fs", "130", tmp_path / "closed.csv")
    assert result.exit_code == 1
    assert "Permission denied" in strict_json(result.stdout)["error"]


@pytest.mark.parametrize(("library", "name"), [("wfdb", "x.hea"), ("edfio", "x.edf")])
def test_a_missing_library_names_the_extra(library: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / f"{library}.py").write_text("raise ModuleNotFoundError('no such module', name=__name__)\n")
    (tmp_path / "x.hea").write_text("x 1 360 4\nx.dat 16 200 11 0 0 0 0 MLII\n")
    (tmp_path / "x.dat").write_bytes(bytes(8))
    (tmp_path / "x.edf").write_bytes(b"0       " + b" " * 1000)
    done = vitalkeep(tmp_path, "analyze", name, extra={"PYTHONPATH": f"{tmp_path / 'absent'}:{ROOT}"})
    assert done.code == 1
    assert "needs the extra [files]" in done.problem()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fs", "0"], "expected one above 0"),
        (["--fs", "nan"], "expected one above 0"),
        (["--fs", "5"], "80 to 4000 Hz expected"),
        (["--fs", "1e9"], "80 to 4000 Hz expected"),
        (["--fs", "130", "--channel", "II"], "no ECG or PPG channel 'II'; it has: ecg_mv"),
        ([], "--fs"),
    ],
)
def test_a_wrong_rate_or_channel_is_told_with_what_there_is(arguments: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ecg_mv\n" + "0\n" * 100)
    result = invoke("analyze", *arguments, tmp_path / "x.csv")
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_annotations_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = invoke("analyze", "--annotations", tmp_path / "file" / "beats", REST)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


# -- a record that breaks us


def test_our_own_mistake_in_one_record_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import vitalkeep.analysis

    right = vitalkeep.analysis.analyze_path

    def wrong(path: Path, **options: Any) -> object:
        if path.name == "bad":
            raise ZeroDivisionError(f"the heart rate was {PULSE_BPM}")
        return right(path, **options)

    monkeypatch.setattr(vitalkeep.analysis, "analyze_path", wrong)
    result = invoke("analyze", "--json", "--jobs", "1", "bad", REST)
    first, second = map(strict_json, result.stdout.splitlines())
    assert result.exit_code == 70
    assert first["error"] == "bad: internal error (ZeroDivisionError)"
    assert second["beats"]["n"] > 70


def _work(task: str) -> str:
    if task == "dies":
        os._exit(9)
    return task.upper()


def test_a_process_that_dies_takes_no_other_record_with_it() -> None:
    from vitalkeep.cli.side_by_side import side_by_side

    tasks = ["a", "b", "dies", "c", "dies", "d"]
    assert list(side_by_side(_work, tasks, 2, "", "died")) == ["A", "B", "died", "C", "died", "D"]


# -- a recording that is cut short


def whole_rest() -> bytes:
    return gzip.decompress(REST.read_bytes())


CUTS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "text within a line": lambda: ("cut.jsonl", whole_rest()[:40_007]),
    "text in the header": lambda: ("cut.jsonl", whole_rest()[:40]),
    "compressed": lambda: ("cut.jsonl.gz", REST.read_bytes()[: REST.stat().st_size // 2]),
    "compressed, its last byte": lambda: ("cut.jsonl.gz", REST.read_bytes()[:-1]),
}


@pytest.mark.parametrize("cut", CUTS)
def test_of_a_recording_cut_short_all_that_can_be_read_is_stored(cut: str, tmp_path: Path) -> None:
    name, content = CUTS[cut]()
    (tmp_path / name).write_bytes(content)
    done = vitalkeep_here(tmp_path, "run", "--replay", tmp_path / name, "--speed", "max", "--json")
    assert done.code == 1
    if cut == "text in the header":
        assert "no recording header" in done.problem()
        assert not (tmp_path / "data").exists()
        return
    assert done.problem() == f"{name}: the recording is cut short; all that could be read is stored"
    with open_store(tmp_path / "data" / "vitalkeep").reader() as db:
        (session,) = derived.sessions(db)
        beats = list(derived.beats(db, session.id))
    assert session.ended is not None
    assert session.ended.value == "clean"
    assert len(beats) > 10


def test_a_recording_cut_at_any_byte_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    text = b"\n".join(whole_rest().splitlines()[:120]) + b"\n"
    packed = gzip.compress(text, mtime=0)
    paths = []
    for name, data in (("t.jsonl", text), ("z.jsonl.gz", packed)):
        for length in [*range(1, 40, 13), *np.linspace(40, len(data) - 1, 12, dtype=int).tolist()]:
            paths.append(tmp_path / f"{length:06}{name}")
            paths[-1].write_bytes(data[:length])
    result = invoke("analyze", "--json", "--jobs", "1", *paths)
    assert result.stderr == ""
    rows = [strict_json(line) for line in result.stdout.splitlines()]
    assert len(rows) == len(paths)
    for row in rows:
        assert "internal" not in row.get("error", "")
        assert "error" in row or row["notes"] or row["duration_s"] > 0
    assert len([row for row in rows if "error" not in row]) > 10


def test_a_recording_that_goes_wrong_on_its_way_keeps_what_came_before(tmp_path: Path) -> None:
    good = whole_rest().splitlines()
    (tmp_path / "bad.jsonl").write_bytes(b"\n".join([*good[:200], b"{}", *good[200:]]) + b"\n")
    done = vitalkeep_here(tmp_path, "run", "--replay", tmp_path / "bad.jsonl", "--speed", "max", "--json")
    assert done.code == 1
    assert "line 201: no list" in done.problem()
    with open_store(tmp_path / "data" / "vitalkeep").reader() as db:
        (session,) = derived.sessions(db)
        assert session.ended is not None
        assert session.ended.value == "error"
        assert len(list(derived.beats(db, session.id))) > 10


@pytest.mark.parametrize("name", ["nothing_there", ".", "empty.jsonl", "junk.jsonl"])
def test_what_is_no_recording_makes_no_store(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "junk.jsonl").write_bytes(RNG.bytes(3000))
    done = vitalkeep_here(tmp_path, "run", "--replay", tmp_path / name, "--speed", "max")
    assert done.code == 1
    assert done.problem()
    assert not (tmp_path / "data").exists()
