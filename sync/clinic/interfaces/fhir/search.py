"""What a search asks for: what is understood and what is not, so that nobody takes all for what was asked for.

A parameter that is unknown here is left out and said so, or refused where the asker wrote `Prefer: handling=strict`. A
modifier, and a value that cannot be read, are refused always (FHIR R4, search, "Handling Errors" and "Modifiers").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sync.clinic.catalogue import QUESTIONS, Question
from sync.clinic.interfaces.fhir.codes import Names, statistics_with
from sync.clinic.tables.figures import Days

PAGE = 50
MOST = 200
_MOST_CHOICES = 20
_MOST_DATES = 4
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_DAY = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


class SearchError(Exception):
    """A search that cannot be done as it is asked. `code`: of http://hl7.org/fhir/issue-type."""

    def __init__(self, words: str, code: str = "invalid") -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Search:
    """`patient`: a pseudonym; None: whoever. `nobody`: it names one who cannot be. `questions`: None: whichever.

    `days`: all of a group's conditions hold of one of the groups' alternatives: [and [or [and]]].
    """

    understood: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    count: int = PAGE
    page: str | None = None
    id: str | None = None
    patient: str | None = None
    nobody: bool = False
    questions: tuple[Question, ...] | None = None
    days: tuple[tuple[tuple[Days, ...], ...], ...] = ()
    with_total: bool = False


def patient_search(given: Sequence[tuple[str, str]], names: Names, *, strict: bool) -> Search:
    """Raises SearchError."""
    reader = _Reader(names)
    for name, value in given:
        match name:
            case "_id":
                reader.named(value)
            case "identifier":
                reader.identified(value)
            case _:
                reader.common(name, value, strict)
                continue
        reader.understood.append((name, value))
    return reader.search()


def observation_search(given: Sequence[tuple[str, str]], names: Names, *, strict: bool) -> Search:
    """Raises SearchError."""
    reader = _Reader(names)
    for name, value in given:
        match name:
            case "patient" | "subject":
                reader.named(_reference(value, names, bare=name == "patient"))
            case "code":
                reader.coded(value)
            case "date":
                if len(reader.days) == _MOST_DATES:
                    raise SearchError(f"at most {_MOST_DATES} date parameters", "too-costly")
                reader.days.append(tuple(_days(each) for each in _choices(value)))
            case "_id":
                reader.id = value
            case _:
                reader.common(name, value, strict)
                continue
        reader.understood.append((name, value))
    return reader.search()


class _Reader:
    def __init__(self, names: Names) -> None:
        self._names = names
        self.understood: list[tuple[str, str]] = []
        self._ignored: list[str] = []
        self._count = PAGE
        self._page: str | None = None
        self._with_total = False
        self.id: str | None = None
        self._patient: str | None = None
        self._nobody = False
        self._questions: set[str] | None = None
        self.days: list[tuple[tuple[Days, ...], ...]] = []

    def search(self) -> Search:
        questions = None
        if self._questions is not None:
            questions = tuple(asked for asked in QUESTIONS if asked.name in self._questions)
        return Search(
            tuple(self.understood),
            tuple(self._ignored),
            self._count,
            self._page,
            self.id,
            self._patient,
            self._nobody,
            questions,
            tuple(self.days),
            self._with_total,
        )

    def named(self, pseudonym: str) -> None:
        """Said twice, both hold."""
        if "," in pseudonym:
            raise SearchError("one patient at a time", "not-supported")
        if ID.fullmatch(pseudonym) is None or self._patient not in {None, pseudonym}:
            self._nobody = True
        else:
            self._patient = pseudonym

    def identified(self, value: str) -> None:
        system, bar, pseudonym = value.rpartition("|")
        if bar and system != self._names.patients:
            self._nobody = True
        else:
            self.named(pseudonym)

    def coded(self, value: str) -> None:
        found: set[str] = set()
        for choice in _choices(value):
            system, bar, code = choice.rpartition("|")
            found.update(statistics_with(code, system if bar else None, self._names))
        self._questions = found if self._questions is None else self._questions & found

    def common(self, name: str, value: str, strict: bool) -> None:
        match name:
            case "_count":
                if not (value.isascii() and value.isdigit() and len(value) <= 9):
                    raise SearchError("_count: a whole number expected", "value")
                self._count = min(int(value), MOST)
                self.understood.append((name, str(self._count)))
            case "_page":
                self._page = value
                self.understood.append((name, value))
            case "_total" if value in {"none", "estimate", "accurate"}:
                self._with_total = value == "accurate"
                self.understood.append((name, value))
            case "_summary" if value in {"count", "false"}:
                if value == "count":
                    self._count = 0
                self.understood.append((name, value))
            case "_format" | "_pretty":
                pass  # how the answer looks, not what is in it
            case _ if ":" in name:
                raise SearchError("modifiers of parameters are not known here", "not-supported")
            case _ if strict:
                raise SearchError("a parameter that is not known here; metadata names those that are", "not-supported")
            case _:
                words = "a parameter that is not known here was left out: the self link says what was searched for"
                if words not in self._ignored:
                    self._ignored.append(words)


def _choices(value: str) -> list[str]:
    choices = value.split(",")
    if len(choices) > _MOST_CHOICES:
        raise SearchError(f"at most {_MOST_CHOICES} values of one parameter", "too-costly")
    return choices


def _reference(value: str, names: Names, *, bare: bool) -> str:
    """The pseudonym; of another kind of resource, or of another server, nobody's."""
    for start in ("Patient/", f"{names.base}/Patient/"):
        if value.startswith(start):
            return value.removeprefix(start)
    return value if bare or "/" not in value else "/"


def _days(value: str) -> tuple[Days, ...]:
    """What holds of a period's first and last day: FHIR R4, search, "date"; `ge` and `le` also where periods touch."""
    read = _DAY.fullmatch(value)
    if read is None:
        raise SearchError("date: a day, month or year expected, with a prefix other than ap: periods are days", "value")
    prefix, year, month, day = read.groups()
    try:
        low = date(int(year), int(month or 1), int(day or 1))
        if day:
            high = low
        elif month:
            high = (low.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        else:
            high = date(low.year, 12, 31)
        after, before = high + timedelta(days=1), low - timedelta(days=1)
    except (ValueError, OverflowError):
        raise SearchError("date: there is no such day", "value") from None
    match prefix or "eq":
        case "eq":
            return Days("first", True, low), Days("last", False, high)
        case "gt":
            return (Days("last", True, after),)
        case "lt":
            return (Days("first", False, before),)
        case "ge":
            return (Days("last", True, low),)
        case "le":
            return (Days("first", False, high),)
        case "sa":
            return (Days("first", True, after),)
        case "eb":
            return (Days("last", False, before),)
        case _:
            raise SearchError("date: ne is not known here", "not-supported")
