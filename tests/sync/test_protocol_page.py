"""docs/sync-protocol.md says what the code does."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from sync.clinic.__main__ import app
from sync.clinic.card import LEAST_WORN, median_interval
from sync.clinic.catalogue import question
from sync.clinic.openapi import ERRORS
from sync.receipt import RECEIPT_BYTES, Reason, Status
from sync.release import CONTENT_BYTES, ENVELOPE_BYTES, HEADER_BYTES, SEALED_BYTES, SIGNATURE_BYTES, Answer
from tests.architecture.house import ROOT

PAGE = (ROOT / "docs" / "sync-protocol.md").read_text(encoding="utf-8")


def _rows(head: str) -> list[list[str]]:
    tables = re.findall(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for table in tables for row in table.splitlines()]


def test_the_parts_of_envelope_and_receipt_add_up() -> None:
    sizes = [int(row[0]) for row in _rows("bytes")]
    assert sizes == [4, 16, 16, 8, SEALED_BYTES, SIGNATURE_BYTES, 4, 16, 32, 1, 1, 10, 64]
    assert sum(sizes[:6]) == ENVELOPE_BYTES
    assert sum(sizes[:4]) == HEADER_BYTES
    assert sum(sizes[6:]) == RECEIPT_BYTES
    assert f"{CONTENT_BYTES} bytes" in PAGE and f"{CONTENT_BYTES - 2} bytes" in PAGE


def test_every_reason_is_told() -> None:
    told = [(int(number), name.strip("`"), words) for number, name, words in _rows("reason")]
    assert told == [(reason.value, reason.name, reason.words) for reason in Reason if reason is not Reason.NONE]
    assert all(f"{status.value} {status.name.lower()}" in PAGE for status in Status)


def test_every_answer_without_a_receipt_is_told() -> None:
    assert all(str(status) in PAGE for status in ERRORS if status not in (404, 405))


@pytest.mark.parametrize("line", re.findall(r"^\$ vitalkeep-clinic (.*)$", PAGE, re.MULTILINE))
def test_every_command_that_is_shown_parses(line: str) -> None:
    words = shlex.split(line)
    command: click.Command = app
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context("vitalkeep-clinic", words)


def test_the_ranges_of_medians_are_those_of_the_card() -> None:
    for low, bpm, factor in _rows("sum of noisy `worn_days`"):
        months: list[float | None] = [float(low.split()[0]), 0.0, 0.0]
        assert _range("resting_hr_median", 70.0, months) == (70.0 - float(bpm.split()[1]), 70.0 + float(bpm.split()[1]))
        assert _range("rmssd_median", 33.45, months)[1] == round(33.45 * float(factor.split()[-1]), 1)
    assert f"sum to {LEAST_WORN} or more" in PAGE


def _range(name: str, value: float, months: list[float | None]) -> tuple[float, float]:
    asked = question(name, 1)
    assert asked is not None
    interval, _ = median_interval(asked, Answer(name, 1, 84, 0, value, 500), months)
    assert interval is not None
    return interval
