"""Noisy answers, one for each question, and the questions that were answered, which outlive the answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sync.clinic.catalogue import FIRST_DAY
from sync.clinic.database.database import Transaction
from sync.release import Answer


@dataclass(frozen=True, slots=True, repr=False)
class StoredAnswer:
    """`received`: the day on which it came."""

    answer: Answer
    received: date


@dataclass(frozen=True, slots=True)
class Newest:
    """How many answers have come of a device, and until when the newest of them reach."""

    answers: int
    last_day: date


class Answers:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def is_answered(self, device: bytes, answer: Answer) -> bool:
        """Also where the answer itself has been erased."""
        return self._tx.one(f"SELECT 1 FROM answered WHERE {_QUESTION}", (device, *_question(answer))) is not None

    def holds(self, device: bytes, answer: Answer) -> bool:
        """Whether this very answer is stored."""
        row = self._tx.one(
            f"SELECT 1 FROM answers WHERE {_QUESTION} AND value = ? AND epsilon_milli = ?",
            (device, *_question(answer), answer.value, answer.epsilon_milli),
        )
        return row is not None

    def add(self, device: bytes, answer: Answer, today: date) -> None:
        question = (device, *_question(answer))
        self._tx.execute(
            'INSERT INTO answered (device, length_days, "window", statistic, version) VALUES (?, ?, ?, ?, ?)', question
        )
        self._tx.execute(
            'INSERT INTO answers (device, length_days, "window", statistic, version, value, epsilon_milli, received)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*question, answer.value, answer.epsilon_milli, today.isoformat()),
        )

    def of(self, device: bytes) -> list[StoredAnswer]:
        """The newest window first."""
        rows = self._tx.all(
            'SELECT statistic, version, length_days, "window", value, epsilon_milli, received FROM answers'
            ' WHERE device = ? ORDER BY ("window" + 1) * length_days DESC, length_days, statistic, version',
            (device,),
        )
        return [StoredAnswer(Answer(*row[:6]), date.fromisoformat(row[6])) for row in rows]

    def newest(self) -> dict[bytes, Newest]:
        """By device; who has sent none is not in it."""
        rows = self._tx.all('SELECT device, count(*), max(("window" + 1) * length_days) FROM answers GROUP BY device')
        return {row[0]: Newest(row[1], FIRST_DAY + timedelta(days=row[2] - 1)) for row in rows}


_QUESTION = 'device = ? AND length_days = ? AND "window" = ? AND statistic = ? AND version = ?'


def _question(answer: Answer) -> tuple[int, int, str, int]:
    return answer.length_days, answer.window, answer.statistic, answer.version
