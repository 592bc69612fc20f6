"""What each figure is called for other programs: a code of others only where it fits, and a text always.

LOINC 40443-4 is "Heart rate --resting" (HL7's value set of heart rates; its guide on physical activity uses it for the
average of a week, in /min). RMSSD and days of something have no LOINC code that is sure to fit: our own stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync.clinic.catalogue import QUESTIONS, Question

Resource = dict[str, Any]

FHIR_VERSION = "4.0.1"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
INTERVAL = "interval-95"
INTERVAL_MEANING = "where the true figure is, 95 times of 100"

_LOINC_CODES = {"resting_hr_median": ("40443-4", "Heart rate --resting")}
# by the unit of the catalogue: UCUM's code, and what people read
_UCUM_UNITS = {"days": ("d", "days"), "bpm": ("/min", "beats per minute"), "ms": ("ms", "ms")}
PATH = "/fhir/R4"


@dataclass(frozen=True, slots=True)
class Names:
    """The addresses that stand in resources. `root`: where the clinic is reached, without a slash at its end;
    `patients`: the system of its pseudonyms, which stays when the address changes."""

    root: str
    patients: str

    @property
    def base(self) -> str:
        return self.root + PATH

    @property
    def figures(self) -> str:
        """The code system of our own."""
        return f"{self.base}/CodeSystem/figures"

    @property
    def privacy_note(self) -> str:
        """The extension that says what a figure hides."""
        return f"{self.base}/StructureDefinition/privacy-note"


def code_of(asked: Question, names: Names) -> Resource:
    """A CodeableConcept."""
    codings = [{"system": names.figures, "code": asked.name, "display": asked.meaning}]
    if asked.name in _LOINC_CODES:
        code, display = _LOINC_CODES[asked.name]
        codings.append({"system": LOINC, "code": code, "display": display})
    return {"coding": codings, "text": asked.meaning}


def quantity(value: float, unit: str) -> Resource:
    """`unit`: as the catalogue has it. A whole number stays one: 3.0 would claim a digit more."""
    code, words = _UCUM_UNITS[unit]
    return {"value": number(value), "unit": words, "system": UCUM, "code": code}


def number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def statistics_with(code: str, system: str | None, names: Names) -> list[str]:
    """The figures that have this code; `system`: None is any."""
    own = [asked.name for asked in QUESTIONS if asked.name == code and system in {None, names.figures}]
    others = [name for name, (loinc, _) in _LOINC_CODES.items() if loinc == code and system in {None, LOINC}]
    return own + others
