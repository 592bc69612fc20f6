"""One thing looked at: how it is, in words, and what to do about it. A problem without a remedy is not told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"  # it works, but not as well as it could
    PROBLEM = "problem"  # it will not work


@dataclass(frozen=True, slots=True)
class Check:
    """`remedy`: a command to run or a thing to do; None where all is well."""

    name: str
    state: State
    text: str
    remedy: str | None = None


def ok(name: str, text: str) -> Check:
    return Check(name, State.OK, text)


def warning(name: str, text: str, remedy: str) -> Check:
    return Check(name, State.WARNING, text, remedy)


def problem(name: str, text: str, remedy: str) -> Check:
    return Check(name, State.PROBLEM, text, remedy)
