"""The wearer's own command gets the alert on its standard input, never on its command line, and can break nothing."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from device_pipeline.alerts.alert import Alert
from device_pipeline.store import derived
from device_pipeline.store.store import open_store
from tests.vitalkeep.command import RECORDINGS, vitalkeep, vitalkeep_here
from vitalkeep.alert_command import AlertCommand, command_words

STRAP = RECORDINGS / "chest_strap.jsonl.gz"
RAISED = Alert("pause", 5_000_000_000, 9_000_000_000, None, "No heartbeat for at least 3 s")


def told(
    words: Sequence[str], alerts: Sequence[Alert] = (RAISED,), longest_s: float = 30.0, hurry_s: float | None = None
) -> list[str]:
    """What is said when `alerts` are raised one right after the other."""
    said: list[str] = []

    async def main() -> None:
        command = AlertCommand(words, said.append, longest_s)
        for alert in alerts:
            command.finding(alert)
        if hurry_s is not None:
            await asyncio.sleep(hurry_s)
            command.hurry()
        await command.finish()

    asyncio.run(main())
    return said


def test_the_alert_is_json_on_standard_input_and_its_rule_in_the_environment(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = (
        f'cat > {out}; echo "$VITALKEEP_RULE $VITALKEEP_STATE $#" >> {out}; tr "\\0" " " < /proc/$$/cmdline >> {out}'
    )
    assert told(["sh", "-c", script], [RAISED.ended(9_500_000_000)]) == []
    first, second, line = out.read_text().splitlines()
    assert json.loads(first) == {
        "rule": "pause",
        "state": "over",
        "start_ns": 5_000_000_000,
        "end_ns": 9_500_000_000,
        "text": "No heartbeat for at least 3 s",
        "grounds": None,
    }
    assert second == "pause over 0"
    assert "5000000000" not in line
    assert "heartbeat" not in line


def test_what_it_prints_is_not_mixed_with_our_data(capfd: pytest.CaptureFixture[str]) -> None:
    assert told(["echo", "hello"]) == []
    assert capfd.readouterr().out == ""


def test_a_missing_command_is_one_line() -> None:
    (line,) = told(["/nothing/there"])
    assert line == "--on-alert: /nothing/there: No such file or directory"


def test_a_command_that_may_not_be_run_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("text")
    (line,) = told([str(tmp_path / "plain")])
    assert "Permission denied" in line


def test_a_failing_command_is_one_line() -> None:
    assert told(["sh", "-c", "exit 7"]) == ["--on-alert: sh ended with exit code 7"]


def test_a_command_need_not_read(tmp_path: Path) -> None:
    assert told(["true"]) == []
    assert told(["sh", "-c", "exec <&-; sleep 0.2"]) == []


def test_a_hanging_command_is_ended_with_all_it_started(tmp_path: Path) -> None:
    began_s = time.monotonic()
    script = f"sleep 300 & echo $! > {tmp_path / 'child'}; sleep 300"
    assert told(["sh", "-c", script], longest_s=0.5) == ["--on-alert: sh ran for more than 0.5 s and was ended"]
    assert time.monotonic() - began_s < 10
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not is_running(child):
            break
        time.sleep(0.05)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    """A process that has ended but that nobody has buried yet does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_in_a_hurry_nothing_is_waited_for_and_nothing_said() -> None:
    began_s = time.monotonic()
    assert told(["sleep", "300"], [RAISED] * 9, hurry_s=0.3) == []
    assert time.monotonic() - began_s < 10


def test_a_few_run_at_once_and_in_the_order_of_the_alerts(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f"echo + >> {out}; sleep 0.1; echo - >> {out}"
    assert told(["sh", "-c", script], [RAISED] * 12) == []
    running, most = 0, 0
    for mark in out.read_text().split():
        running += 1 if mark == "+" else -1
        most = max(most, running)
    assert running == 0
    assert 1 < most <= 4


def test_no_words_are_no_command() -> None:
    assert command_words("notify-send 'a b' c") == ["notify-send", "a b", "c"]
    with pytest.raises(ValueError, match="empty"):
        command_words("  ")


@pytest.mark.parametrize("command", ["/nothing/there", "sh -c 'kill -9 $$'"])
def test_whatever_it_does_the_session_is_whole(command: str, tmp_path: Path) -> None:
    done = vitalkeep_here(tmp_path, "run", "--replay", STRAP, "--speed", "max", "--json", "--on-alert", command)
    assert done.code == 0
    lines = done.err.splitlines()
    assert len(lines) == 10
    assert all(line.startswith("vitalkeep: --on-alert: ") for line in lines)
    with open_store(tmp_path / "data" / "vitalkeep").reader() as db:
        assert len(derived.alerts(db)) == 5
        (session,) = derived.sessions(db)
        assert session.ended is not None
        assert session.ended.value == "clean"


def test_each_alert_of_a_run_comes_once_raised_and_once_over(tmp_path: Path) -> None:
    out = tmp_path / "told"
    done = vitalkeep(
        tmp_path, "run", "--replay", STRAP, "--speed", "max", "--json", "--on-alert", f"sh -c 'cat >> {out}'"
    )
    assert (done.code, done.err) == (0, "")
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted((row["rule"], row["state"]) for row in rows) == sorted(
        (row["rule"], row["state"]) for row in done.rows() if row["type"] == "alert"
    )
    assert len(rows) == 10
    assert os.environ.get("VITALKEEP_RULE") is None
