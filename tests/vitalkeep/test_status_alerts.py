"""status and alerts tell what the store holds, in the wearer's own time, and change nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from device_pipeline.alerts.alert import Alert, Grounds
from device_pipeline.beat import BeatLabel, BeatSource
from device_pipeline.beat_types import BeatType
from device_pipeline.clock import ManualClock, SystemClock
from device_pipeline.errors import StoreKeyError
from device_pipeline.hrv import Hrv
from device_pipeline.motion.activity import Activity, Level, Posture
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.store.schema import MIGRATIONS
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import SessionKind, StoreWriter
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from sensors.samples import Quantity, Reading
from vitalkeep.cli.alerts import alerts
from vitalkeep.cli.app import app
from vitalkeep.cli.status import status

S = 1_000_000_000
ROOT = Path(__file__).resolve().parents[2]


def invoke(command: Any, *arguments: str) -> Result:
    result = CliRunner().invoke(app, [command.name, *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def objects(command: Any, *arguments: str) -> list[dict[str, Any]]:
    result = invoke(command, "--json", *arguments)
    assert result.exit_code == 0
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import time

    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def now_ns() -> int:
    return SystemClock().now_ns()


def fill(writer: StoreWriter, start_ns: int, source: str = "chest [strap]") -> None:
    writer.begin_session(SessionKind.REPLAY, source, "0.1.0")
    writer.add_item(Reading(Quantity.RR, "rr", start_ns, 800.0))
    writer.add_item(Reading(Quantity.RR, "rr", start_ns + 20 * S, 800.0))
    writer.add_finding(HeartRate(start_ns, 10 * S, 75.04, 0.9, None, BeatSource.ECG))
    writer.add_finding(HeartRate(start_ns + 10 * S, 10 * S, None, None, "too_few_beats", BeatSource.ECG))
    writer.add_finding(Hrv(start_ns, 300 * S, 290, 1.5, "nn/1", {"rmssd_ms": 41.123, "sdnn_ms": None}, None))
    writer.add_finding(Window(BeatSource.ECG, start_ns, start_ns + 10 * S, (), 6 * S, 3 * S, 0.5, "noise"))
    writer.add_finding(Alert("pause", start_ns, start_ns + 4 * S, start_ns + 5 * S, "a pause of 4 s"))
    writer.add_finding(Alert("irregular_rhythm", start_ns + 6 * S, start_ns + 7 * S, None, "irregular rhythm"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.mark.parametrize("command", [status, alerts])
def test_no_store_is_no_error_and_none_is_made(command: Any, folder: Path) -> None:
    result = invoke(command, "--store", str(folder))
    assert result.exit_code == 0
    assert "`make demo` or `vitalkeep run` makes one" in result.stdout
    found = objects(command, "--store", str(folder))
    assert [entry.get("sessions") for entry in found] == ([[]] if command is status else [])
    assert not folder.exists()


def test_the_store_is_where_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert objects(status)[0]["store"] == str(tmp_path / "vitalkeep")
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert objects(status)[0]["store"] == str(tmp_path / ".local/share/vitalkeep")


def test_status_tells_what_is_stored(folder: Path, now_ns: int) -> None:
    with open_store(folder, ManualClock(now_ns - 60 * S)).writer() as writer:
        fill(writer, 1_771_000_000 * S)
    (found,) = objects(status, "--store", str(folder))
    (session,) = found["sessions"]
    assert session == {
        "id": 1,
        "kind": "replay",
        "source": "chest [strap]",
        "program": "0.1.0",
        "opened": session["opened"],
        "stored": session["stored"],
        "started": "2026-02-13T21:56:40.000+05:30",
        "last": "2026-02-13T21:57:00.000+05:30",
        "ended": "clean",
        "clock": "synchronised",
        "synchronised_from": None,
    }
    assert found["writing"] is False
    assert 60 <= found["last_data_age_s"] < 120
    assert found["last_session"] == {"good_s": 6.0, "poor_s": 3.0, "gap_s": 1.0}
    assert found["today"] == {"good_s": 0.0, "poor_s": 0.0, "gap_s": 0.0}
    assert found["heart_rate"]["bpm"] is None
    assert found["heart_rate"]["reason"] == "too_few_beats"
    assert found["hrv"]["values"] == {"rmssd_ms": 41.12, "sdnn_ms": None}
    assert found["open_alerts"] == []
    assert found["schema_version"] == len(MIGRATIONS)
    assert found["database_bytes"] == (folder / "store.db").stat().st_size
    assert found["disk_free_bytes"] > 0


def test_status_of_a_running_session(folder: Path, now_ns: int) -> None:
    with open_store(folder).writer() as writer:
        fill(writer, now_ns - 30 * S)
        writer.commit()
        (found,) = objects(status, "--store", str(folder))
        assert found["writing"] is True
        assert found["sessions"][0]["ended"] is None
        assert [alert["rule"] for alert in found["open_alerts"]] == ["irregular_rhythm"]
        text = invoke(status, "--store", str(folder)).stdout
    assert "writing" in text
    assert "chest [strap]" in text
    assert "irregular_rhythm since" in " ".join(text.split())


def test_today_begins_at_local_midnight(folder: Path) -> None:
    midnight_ns = (1_771_000_000 // 86_400 * 86_400 - 19_800) * S  # UTC+05:30
    now = ManualClock(midnight_ns + 3600 * S)
    store = open_store(folder, now)
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "strap", "0")
        for at_ns, good_ns in ((midnight_ns - 10 * S, 7 * S), (midnight_ns, 5 * S)):
            writer.add_finding(Window(BeatSource.ECG, at_ns, at_ns + 10 * S, (), good_ns, 0, 0.5, None))
    from vitalkeep.cli.status import gather

    assert gather(store)["today"] == {"good_s": 5.0, "poor_s": 0.0, "gap_s": 5.0}


def test_a_dead_writer_is_called_killed_before_the_next_start(folder: Path, now_ns: int) -> None:
    writer = open_store(folder).writer()
    fill(writer, now_ns)
    writer.commit()
    copy = folder.with_name("copy")
    copy.mkdir(mode=0o700)
    for path in folder.iterdir():
        if not path.name.endswith("-shm"):
            (copy / path.name).write_bytes(path.read_bytes())
            (copy / path.name).chmod(0o600)
    writer.close()
    (found,) = objects(status, "--store", str(copy))
    assert (found["sessions"][0]["ended"], found["open_alerts"], found["writing"]) == ("killed", [], False)
    assert [alert["duration_s"] for alert in objects(alerts, "--store", str(copy))] == [5.0, 14.0]


def test_alerts_are_listed_newest_last_in_local_time(folder: Path) -> None:
    with open_store(folder).writer() as writer:
        fill(writer, 1_771_000_000 * S)
    first, second = objects(alerts, "--store", str(folder))
    assert first == {
        "schema": "vitalkeep.alert/1",
        "session": 1,
        "rule": "pause",
        "start": "2026-02-13T21:56:40.000+05:30",
        "raised": "2026-02-13T21:56:44.000+05:30",
        "end": "2026-02-13T21:56:45.000+05:30",
        "duration_s": 5.0,
        "text": "a pause of 4 s",
        "grounds": None,
    }
    assert second["rule"] == "irregular_rhythm"
    text = invoke(alerts, "--store", str(folder)).stdout
    assert text.index("2026-02-13 21:56:40") < text.index("2026-02-13 21:56:46")


def test_an_alert_from_a_model_says_what_it_rests_on_and_where_to_look(folder: Path) -> None:
    at_ns = 1_771_000_000 * S
    grounds = Grounds(at_ns, at_ns + S, (at_ns, at_ns + S), 0.8125, "beat", "1.0.0", at_ns - 2 * S, at_ns + 8 * S)
    with open_store(folder).writer() as writer:
        fill(writer, at_ns)
        writer.add_finding(Alert("ventricular_run", at_ns, at_ns + S, at_ns + 2 * S, "three beats", grounds))
    told = next(alert for alert in objects(alerts, "--store", str(folder)) if alert["rule"] == "ventricular_run")
    assert told["grounds"] == {
        "start": "2026-02-13T21:56:40.000+05:30",
        "end": "2026-02-13T21:56:41.000+05:30",
        "beats": ["2026-02-13T21:56:40.000+05:30", "2026-02-13T21:56:41.000+05:30"],
        "score": 0.812,
        "model": "beat",
        "version": "1.0.0",
        "strip_start": "2026-02-13T21:56:38.000+05:30",
        "strip_end": "2026-02-13T21:56:48.000+05:30",
    }
    text = " ".join(invoke(alerts, "--store", str(folder)).stdout.split())
    assert "look at 2026-02-13 21:56:38 to 21:56:48; 2 beats, score 0.81 by beat 1.0.0" in text


def test_status_counts_the_kinds_of_beats(folder: Path, now_ns: int) -> None:
    with open_store(folder).writer() as writer:
        fill(writer, now_ns - 60 * S)
        for k, label in enumerate((BeatLabel.N, BeatLabel.N, BeatLabel.V, None)):
            score = None if label is None else 0.9
            reason = "noise" if label is None else None
            writer.add_finding(BeatType(now_ns - (50 + k) * S, label, score, "beat", "1.0.0", reason))
    (found,) = objects(status, "--store", str(folder))
    expected = {"counts": {"N": 2, "S": 0, "V": 1, "F": 0, "Q": 0}, "untold": 1, "model": "beat 1.0.0"}
    assert found["beats_last_session"] == expected
    assert "2 N, 1 V; 1 not told (beat 1.0.0)" in invoke(status, "--store", str(folder)).stdout


@pytest.mark.parametrize(
    ("since", "rules"),
    [
        ("2026-02-13T21:56:45", ["pause", "irregular_rhythm"]),
        ("2026-02-13T21:56:46", ["irregular_rhythm"]),
        ("2026-02-13T16:26:46+00:00", ["irregular_rhythm"]),
        ("2026-02-14", []),
        ("20000w", ["pause", "irregular_rhythm"]),
        ("0002-01-01", ["pause", "irregular_rhythm"]),
        ("9998-01-01", []),
    ],
)
def test_since_leaves_out_what_was_over_before(since: str, rules: list[str], folder: Path) -> None:
    with open_store(folder).writer() as writer:
        fill(writer, 1_771_000_000 * S)
    assert [alert["rule"] for alert in objects(alerts, "--since", since, "--store", str(folder))] == rules


def test_a_time_ago_counts_from_now(folder: Path, now_ns: int) -> None:
    with open_store(folder).writer() as writer:
        fill(writer, now_ns - 7200 * S)
    assert objects(alerts, "--since", "90m", "--store", str(folder)) == []
    assert len(objects(alerts, "--since", "3h", "--store", str(folder))) == 2


@pytest.mark.parametrize("since", ["yesterday", "3", "-1h", "", "2026-13-01", "99999999-01-01"])
def test_a_since_that_is_no_time_is_wrong_usage(since: str, folder: Path) -> None:
    result = invoke(alerts, "--since", since, "--store", str(folder))
    assert result.exit_code == 2
    assert "expected a time ago" in result.stderr


@pytest.mark.parametrize("command", [status, alerts])
def test_a_person_is_told_that_it_is_no_medical_device(command: Any, folder: Path) -> None:
    open_store(folder).writer().close()
    assert "Not a medical device" in invoke(command, "--store", str(folder)).stderr


@pytest.mark.parametrize("command", [status, alerts])
def test_a_store_that_cannot_be_read_is_an_error(command: Any, folder: Path) -> None:
    open_store(folder).writer().close()
    (folder / "store.key").write_bytes(bytes(32))
    with pytest.raises(StoreKeyError):
        invoke(command, "--store", str(folder))


@pytest.mark.parametrize("command", [status, alerts])
def test_reading_changes_nothing(command: Any, folder: Path) -> None:
    with open_store(folder).writer() as writer:
        fill(writer, 1_771_000_000 * S)

    def content() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    before = content()
    invoke(command, "--store", str(folder))
    objects(command, "--store", str(folder))
    assert content() == before


@pytest.mark.parametrize("command", ["status", "alerts"])
def test_the_commands_load_nothing_heavy_to_be_found(command: str) -> None:
    script = (
        f"import sys, vitalkeep.cli.{command}\n"
        "print(sorted({'rich', 'numpy', 'sqlite_utils', 'sqlcipher3', 'json'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"


def test_status_tells_what_was_found_beside_the_beats(tmp_path: Path) -> None:
    now_ns = SystemClock().now_ns()
    store = open_store(tmp_path / "beside", ManualClock(now_ns))
    with store.writer() as writer:
        writer.begin_session(SessionKind.LIVE, "oximeter", "0")
        writer.add_item(Reading(Quantity.SPO2, "spo2", now_ns - 20 * S, 96.0))
        writer.add_finding(Spo2(now_ns - 30 * S, 10 * S, 95.0, 1.0, None, "oximeter"))
        writer.add_finding(Spo2(now_ns - 20 * S, 10 * S, 96.4, 1.0, None, "oximeter"))
        writer.add_finding(Temperature(now_ns - 60 * S, 60 * S, 37.1, 0.2, None, Site.BODY))
        writer.add_finding(Activity(now_ns - 3 * S, 60 * S, 40, Level.LIGHT, Posture.UPRIGHT, 1.0, None))
    (found,) = objects(status, "--store", str(tmp_path / "beside"))
    assert (found["oxygen"]["spo2_pct"], found["oxygen"]["method"]) == (96.4, "oximeter")
    assert (found["temperature"]["temperature_c"], found["temperature"]["site"]) == (37.1, "body")
    assert (found["activity"]["steps"], found["activity"]["level"]) == (40, "light")
    page = invoke(status, "--store", str(tmp_path / "beside")).stdout
    assert "96 %" in page and "37.1 °C" in page and "light, upright" in page
