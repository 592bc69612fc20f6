"""Counts as Prometheus reads them: of nobody, and in the format of its documentation."""

from __future__ import annotations

import re

from sync.clinic.counters import BUCKETS_S, Counters
from sync.clinic.interfaces.prometheus import State, exposition

STATE = State("0.1.0", "sqlite", 12.5, 57, {})
_SAMPLE = re.compile(
    r'[a-z_:][a-z0-9_:]*(?:\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? \S+'
)


def _counted() -> Counters:
    counters = Counters()
    counters.message("stored")
    counters.message("stored")
    counters.message("refused", "sequence")
    counters.sign_in(succeeded=False)
    counters.database_error()
    counters.request("/patients/{pseudonym}", 200, 0.01)
    counters.request("/patients/{pseudonym}", 200, 0.2)
    counters.request("/patients/{pseudonym}", 404, 99.0)
    return counters


def _value(text: str, sample: str) -> float:
    (line,) = [line for line in text.splitlines() if line.startswith(f"vitalkeep_clinic_{sample} ")]
    return float(line.rpartition(" ")[2])


def test_each_line_is_a_sample_or_says_what_one_is() -> None:
    text = exposition(_counted(), STATE)
    assert text.endswith("\n")
    typed = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif not line.startswith("# HELP "):
            assert _SAMPLE.fullmatch(line), line
            float(line.rpartition(" ")[2])
            name = re.sub(r"_(?:bucket|sum|count)$", "", re.split(r"[{ ]", line)[0])
            assert name in typed, "a type stands before its samples"


def test_what_was_counted_is_told() -> None:
    text = exposition(_counted(), STATE)
    assert _value(text, 'messages_total{outcome="stored",reason=""}') == 2
    assert _value(text, 'messages_total{outcome="refused",reason="sequence"}') == 1
    assert _value(text, 'sign_ins_total{result="failed"}') == 1
    assert _value(text, 'sign_ins_total{result="ok"}') == 0
    assert _value(text, "database_errors_total") == 1


def test_an_outcome_that_never_was_is_told_as_none() -> None:
    text = exposition(Counters(), STATE)
    assert _value(text, 'messages_total{outcome="internal",reason=""}') == 0
    assert 'outcome="refused"' not in text


def test_a_histogram_counts_up_to_each_bound_the_bound_included() -> None:
    text = exposition(_counted(), STATE)
    labels = 'route="/patients/{pseudonym}",status="2xx"'
    counts = [_value(text, f'request_seconds_bucket{{{labels},le="{most:g}"}}') for most in BUCKETS_S]
    assert counts == [0, 1, 1, 1, 2, 2, 2, 2]
    assert _value(text, f'request_seconds_bucket{{{labels},le="+Inf"}}') == 2
    assert _value(text, f"request_seconds_count{{{labels}}}") == 2
    assert _value(text, f"request_seconds_sum{{{labels}}}") == 0.21
    beyond = 'request_seconds_bucket{route="/patients/{pseudonym}",status="4xx",le='
    assert (_value(text, beyond + '"10"}'), _value(text, beyond + '"+Inf"}')) == (0, 1)


def test_how_many_are_enrolled_is_told_in_tens() -> None:
    """One who comes or withdraws does not show."""
    texts = {exposition(Counters(), State("0", "sqlite", 0.0, enrolled, {})) for enrolled in range(50, 60)}
    assert len(texts) == 1
    assert _value(texts.pop(), "enrolled_tens") == 50


def test_a_pool_is_told_where_there_is_one() -> None:
    text = exposition(Counters(), State("0", "postgresql", 0.0, 0, {"idle": 3, "used": 1}))
    assert _value(text, 'pool_connections{state="idle"}') == 3
    assert "pool" not in exposition(Counters(), STATE)
