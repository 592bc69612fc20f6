"""A figure as it is read: its words are made here, and none is made without range, unit, period and ε."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sync.clinic.card import Figure
from sync.clinic.pages.charts import number
from sync.clinic.pages.words import title


@dataclass(frozen=True, slots=True, repr=False)
class ShownFigure:
    """`value` and `range` are None where `why` says why the figure may not be shown."""

    title: str
    value: str | None
    range: str | None
    unit: str
    first_day: date
    last_day: date
    epsilon: str
    received: date
    why: str = ""
    note: str = ""


def shown(figure: Figure) -> ShownFigure:
    both = figure.value is not None and figure.interval is not None
    return ShownFigure(
        title(figure.statistic),
        number(figure.value) if both and figure.value is not None else None,
        range_words(figure.interval) if both and figure.interval is not None else None,
        "day" if figure.unit == "days" and figure.value == 1 else figure.unit,
        figure.first_day,
        figure.last_day,
        number(figure.epsilon, 3),
        figure.received,
        figure.why.replace("worn_days", "days worn"),
        figure.note,
    )


def range_words(interval: tuple[float, float]) -> str:
    """`2 to 14`: a dash between would be read as a minus."""
    return f"{number(interval[0])} to {number(interval[1])}"
