"""docs/fhir.md shows what comes out: the examples are made again, and each table is that of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sync.clinic.card import Card
from sync.clinic.catalogue import QUESTIONS
from sync.clinic.counters import BUCKETS_S, OUTCOMES, Counters
from sync.clinic.interfaces.csv_table import COLUMNS, csv_lines
from sync.clinic.interfaces.description import paths
from sync.clinic.interfaces.fhir.codes import code_of, quantity
from sync.clinic.interfaces.fhir.observation import mechanism, observation
from sync.clinic.interfaces.fhir.outcome import outcome
from sync.clinic.interfaces.fhir.patient import patient
from sync.clinic.interfaces.fhir.search import MOST, PAGE
from sync.clinic.interfaces.prometheus import State, exposition
from tests.sync.clinic.interfaces.figures import NAMES, figure, hidden

PAGE_TEXT = (Path(__file__).resolve().parents[4] / "docs" / "fhir.md").read_text(encoding="utf-8")
WHO = "P-7K3QF2M1"
_ABSENT = "worn on too few days: the noisy worn_days of the quarter sum to 41, 60 needed"


def _json(resource: dict[str, object]) -> str:
    return json.dumps(resource, indent=2, ensure_ascii=False)


def _csv() -> str:
    shown = figure("resting_hr_median", 9)
    card = Card(WHO, None, shown.received, (), (shown, hidden("rmssd_median", _ABSENT)))
    return "".join(csv_lines([card])).replace("\r\n", "\n").rstrip()


def _counts() -> str:
    counters = Counters()
    counters.message("stored")
    counters.message("refused", "sequence")
    counters.request("/fhir/R4/Patient/{id}", 200, 0.012)
    return exposition(counters, State("0.1.0", "sqlite", 86400.0, 57, {})).rstrip()


EXAMPLES = {
    "Patient": _json(patient(WHO, NAMES)),
    "Observation": _json(observation("0bb812c131a25091fea2ada8af1227a4", WHO, figure("resting_hr_median", 9), NAMES)),
    "absent": _json(
        {"dataAbsentReason": observation("0" * 32, WHO, hidden("rmssd_median", _ABSENT), NAMES)["dataAbsentReason"]}
    ),
    "OperationOutcome": _json(outcome("not-found", "there is no such resource")),
    "CSV": _csv(),
    "metrics": _counts(),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_comes_out(name: str) -> None:
    assert f"\n{EXAMPLES[name]}\n```" in PAGE_TEXT, f"write this into docs/fhir.md:\n{EXAMPLES[name]}"


def test_each_figure_is_in_the_table_with_its_codes() -> None:
    for asked in QUESTIONS:
        others = [coding["code"] for coding in code_of(asked, NAMES)["coding"][1:]]
        code = quantity(1.0, asked.unit)["code"]
        cells = (
            f"`{asked.name}`",
            " ".join(others) or "none",
            f"`{code}`",
            f"{asked.length_days} days",
            mechanism(asked),
        )
        row = f"| {' | '.join(cells)} |"
        assert row in PAGE_TEXT, row


def test_each_column_is_in_the_table() -> None:
    for name, words in COLUMNS.items():
        assert f"| `{name}` | {words} |" in PAGE_TEXT, f"| `{name}` | {words} |"


def test_each_path_is_named() -> None:
    named = set(re.findall(r"`(?:GET )?(/(?:fhir|export|metrics)[^`?]*)", PAGE_TEXT))
    assert named >= set(paths())


def test_bounds_and_outcomes_are_those_of_the_code() -> None:
    assert f"{PAGE} in a page, {MOST} at most" in PAGE_TEXT
    assert ", ".join(f"`{outcome}`" for outcome in OUTCOMES) in PAGE_TEXT
    assert f"{BUCKETS_S[0]:g} to {BUCKETS_S[-1]:g} s" in PAGE_TEXT
