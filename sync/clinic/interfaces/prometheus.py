"""Counts in the text format of Prometheus, 0.0.4: of no person; how many are enrolled, in tens alone.

The exact number would tell whoever reads the records of it when one person came or withdrew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sync.clinic.counters import BUCKETS_S, OUTCOMES, Counters

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
COARSENESS = 10


@dataclass(frozen=True, slots=True)
class State:
    """What is not counted but is so now. `enrolled`: None where the database cannot be asked; `pool`: how many
    connections are in which state, where there is a pool."""

    version: str
    database: str
    uptime_s: float
    enrolled: int | None
    pool: Mapping[str, int]


def exposition(counters: Counters, state: State) -> str:
    return "".join(f"{line}\n" for line in _lines(counters, state))


def _lines(counters: Counters, state: State) -> Iterator[str]:
    yield from _head("info", "gauge", "The version that runs, and the kind of its database")
    yield _sample("info", {"version": state.version, "database": state.database}, 1)
    yield from _head("uptime_seconds", "gauge", "Since the process began")
    yield _sample("uptime_seconds", {}, state.uptime_s)
    if state.enrolled is not None:
        yield from _head("enrolled_tens", "gauge", f"Patients enrolled, rounded down to a multiple of {COARSENESS}")
        yield _sample("enrolled_tens", {}, state.enrolled // COARSENESS * COARSENESS)
    yield from _head("messages_total", "counter", "Messages of devices, by what became of them")
    # A series that is not there yet has no increase: all but those of refusals stand there from the start.
    none = {(outcome, ""): 0 for outcome in OUTCOMES if outcome != "refused"}
    for (outcome, reason), count in sorted({**none, **counters.messages()}.items()):
        yield _sample("messages_total", {"outcome": outcome, "reason": reason}, count)
    yield from _head("sign_ins_total", "counter", "Sign-ins of staff, by whether they succeeded")
    for succeeded, count in sorted(counters.sign_ins().items()):
        yield _sample("sign_ins_total", {"result": "ok" if succeeded else "failed"}, count)
    yield from _head("database_errors_total", "counter", "Times that the database could not be used")
    yield _sample("database_errors_total", {}, counters.database_errors())
    if state.pool:
        yield from _head("pool_connections", "gauge", "Connections to the database, by state")
        for name, count in sorted(state.pool.items()):
            yield _sample("pool_connections", {"state": name}, count)
    yield from _head("request_seconds", "histogram", "How long requests took, by the route's template")
    for (route, status), (buckets, seconds) in sorted(counters.requests().items()):
        labels = {"route": route, "status": status}
        count = 0
        for most, fell in zip((*BUCKETS_S, None), buckets, strict=True):
            count += fell
            yield _sample("request_seconds_bucket", {**labels, "le": "+Inf" if most is None else f"{most:g}"}, count)
        yield _sample("request_seconds_sum", labels, seconds)
        yield _sample("request_seconds_count", labels, count)


def _head(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"# HELP vitalkeep_clinic_{name} {words}"
    yield f"# TYPE vitalkeep_clinic_{name} {kind}"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"vitalkeep_clinic_{name}{f'{{{told}}}' if told else ''} {value:.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
