"""Killed at any moment, the ledger neither answers twice nor loses an answer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest

from sync.private.ledger import CAP_MILLI
from sync.private.window import FIRST_DAY
from sync.release import Answer
from tests.sync.private import killed_publisher
from tests.sync.private.room import FalseClinic, Room, at

KILLS = 200


@pytest.mark.slow
def test_two_hundred_kills_overspend_nothing_answer_nothing_twice_and_lose_nothing(room: Room) -> None:
    clinic = FalseClinic("practice")
    room.pair(clinic, FIRST_DAY)
    done = subprocess.run(
        [sys.executable, killed_publisher.__file__, str(room.folder), str(KILLS), "1"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-2000:]

    shown: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for line in (room.folder / "shown").read_text().splitlines():
        fields = line.split(" ")
        if len(fields) == 4 and len(fields[3]) == 2048:  # a line that was cut short was not shown
            shown[fields[0], fields[1], fields[2]].add(fields[3])
    assert len(shown) > 10
    assert all(len(envelopes) == 1 for envelopes in shown.values())

    room.clock.set_right(at(FIRST_DAY + timedelta(days=killed_publisher.DAYS)))
    publisher = room.open()
    publisher.publish(room.outbox)
    waiting = {message.envelope.hex() for message in room.outbox.messages()}
    assert all(envelopes <= waiting for envelopes in shown.values())
    told = [clinic.open(message.envelope, publisher.device_key) for message in room.outbox.messages()]
    questions = [(a.length_days, a.window, a.statistic) for a in told if isinstance(a, Answer)]
    assert len(questions) == len(set(questions)) == len(publisher.due(date(2024, 7, 19)))
    assert max(publisher.ledger.spent_milli(FIRST_DAY + timedelta(days=k)) for k in range(200)) == CAP_MILLI


def test_two_processes_at_once_answer_each_question_once(room: Room) -> None:
    clinic = FalseClinic("practice")
    room.pair(clinic, FIRST_DAY)
    program = (
        "import sys; from pathlib import Path; from datetime import date\n"
        "from device_pipeline.clock import ManualClock\n"
        "from tests.sync.private.room import Room, at\n"
        "room = Room(Path(sys.argv[1]), ManualClock(now_ns=at(date(2024, 7, 1))))\n"
        "print(room.publisher.publish(room.outbox).sealed)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "TZ": "UTC"}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(room.folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    due = room.publisher.due(date(2024, 7, 1))
    assert len(room.answers()) == len(room.outbox.messages()) == len(due)
