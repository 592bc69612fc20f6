"""Patients of a clinic as tests need them: each with the cards that are named, come on the day they are due."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sync.clinic.catalogue import FIRST_DAY, last_day
from sync.clinic.tables.answers import Answers
from sync.clinic.tables.devices import Devices
from sync.clinic.tables.pairings import Pairing
from sync.pairing import base32
from sync.release import Answer
from tests.rigs.clinic import TODAY, ClinicRig

# The newest windows that are due on TODAY.
MONTH, QUARTER = 29, 9
ALL = {"af_days": 1, "worn_days": 1, "resting_hr_median": 1, "rmssd_median": 1}
COUNTS = {"af_days": 1, "worn_days": 1}
LONG_AGO = FIRST_DAY + timedelta(days=100)


def month(statistic: str, value: float, window: int = MONTH) -> Answer:
    return Answer(statistic, 1, 28, window, value, 500)


def quarter(statistic: str, value: float, window: int = QUARTER) -> Answer:
    return Answer(statistic, 1, 84, window, value, 500)


def card(af: float = 0.0, worn: float = 25.0, window: int = MONTH) -> list[Answer]:
    return [month("af_days", af, window), month("worn_days", worn, window)]


def add_patient(
    clinic: ClinicRig,
    label: str | None,
    answers: Sequence[Answer] = (),
    *,
    enrolled: date = LONG_AGO,
    statistics: Mapping[str, int] = COUNTS,
) -> str:
    """The pseudonym."""
    return add_patients(clinic, [(label, answers)], enrolled=enrolled, statistics=statistics)[0]


def add_patients(
    clinic: ClinicRig,
    patients: Sequence[tuple[str | None, Sequence[Answer]]],
    *,
    enrolled: date = LONG_AGO,
    statistics: Mapping[str, int] = COUNTS,
) -> list[str]:
    pseudonyms = []
    with clinic.database.writing() as tx:
        for label, answers in patients:
            pseudonyms.append(f"P-{base32(secrets.token_bytes(5))}")
            pairing = Pairing(secrets.token_bytes(32), pseudonyms[-1], label, TODAY)
            id_ = secrets.token_bytes(16)
            Devices(tx).enrol(id_, secrets.token_bytes(32), pairing, dict(statistics), enrolled)
            for answer in answers:
                Answers(tx).add(id_, answer, last_day(answer.length_days, answer.window) + timedelta(days=5))
    return pseudonyms
