"""One figure is one Observation, and never a bare value: its interval, period, unit and what it hides stand in it.

A figure that cannot be read has no value and says why not. When it was issued is left out: that takes a time of day,
and the clinic keeps days.
"""

from __future__ import annotations

from html import escape

from sync.clinic.card import Figure
from sync.clinic.catalogue import QUESTIONS, Question, question
from sync.clinic.interfaces.fhir.codes import (
    ABSENT_REASON,
    INTERVAL,
    INTERVAL_MEANING,
    Names,
    Resource,
    code_of,
    number,
    quantity,
)

UNIT_HIDDEN = "one calendar day of this person"
NOT_MEDICAL = (
    "Not a medical device: a figure with chance added, of what a wearable sensor saw. It decides nothing alone."
)


def mechanism(asked: Question) -> str:
    if asked.grid:
        low, high = asked.grid[0], asked.grid[-1]
        return f"permute-and-flip over {len(asked.grid)} public values, {low:g} to {high:g} {asked.unit}"
    return "discrete Laplace noise, sensitivity 1 day"


def epsilon_together() -> float:
    """Of all figures of a card, for each day."""
    return sum(asked.epsilon_milli for asked in QUESTIONS) / 1000


def observation(id_: str, pseudonym: str, figure: Figure, names: Names) -> Resource:
    asked = question(figure.statistic, figure.version)
    assert asked is not None  # a card has no other figures
    made: Resource = {
        "resourceType": "Observation",
        "id": id_,
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(said(figure))}</div>',
        },
        "extension": [privacy_note(figure, asked, names)],
        "status": "final",
        "code": code_of(asked, names),
        "subject": {"reference": f"Patient/{pseudonym}"},
        "effectivePeriod": _period(figure),
        "note": [{"text": text} for text in (figure.note, NOT_MEDICAL) if text],
        "method": {"text": f"worked out on the wearer's own device, then {mechanism(asked)}"},
    }
    if figure.value is None or figure.interval is None:
        made["dataAbsentReason"] = {"coding": [{"system": ABSENT_REASON, "code": "unknown"}], "text": figure.why}
        return made
    made["valueQuantity"] = quantity(figure.value, figure.unit)
    low, high = figure.interval
    made["component"] = [
        {
            "code": {
                "coding": [{"system": names.figures, "code": INTERVAL, "display": INTERVAL_MEANING}],
                "text": INTERVAL_MEANING,
            },
            "valueRange": {"low": quantity(low, figure.unit), "high": quantity(high, figure.unit)},
        }
    ]
    return made


def privacy_note(figure: Figure, asked: Question, names: Names) -> Resource:
    """What the figure hides, how, and what it costs: an extension, which its StructureDefinition describes."""
    return {
        "url": names.privacy_note,
        "extension": [
            {"url": "unit", "valueString": UNIT_HIDDEN},
            {"url": "epsilon", "valueDecimal": number(figure.epsilon)},
            {"url": "delta", "valueDecimal": 0},
            {"url": "epsilonOfCard", "valueDecimal": number(epsilon_together())},
            {"url": "mechanism", "valueString": mechanism(asked)},
            {"url": "period", "valuePeriod": _period(figure)},
        ],
    }


def said(figure: Figure) -> str:
    """In one line, as a person reads it."""
    period = f"{figure.first_day.isoformat()} to {figure.last_day.isoformat()}"
    if figure.value is None or figure.interval is None:
        return f"{figure.statistic}, {period}: not shown: {figure.why}"
    low, high = figure.interval
    unit = "day" if (figure.value, figure.unit) == (1.0, "days") else figure.unit
    return (
        f"{figure.statistic}, {period}: {figure.value:g} {unit}, 95 times of 100 between {low:g} and {high:g};"
        f" hides {UNIT_HIDDEN}, ε = {figure.epsilon:g} for each day. {NOT_MEDICAL}"
    )


def _period(figure: Figure) -> Resource:
    return {"start": figure.first_day.isoformat(), "end": figure.last_day.isoformat()}
