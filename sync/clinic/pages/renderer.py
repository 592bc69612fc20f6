"""Templates become pages here: all that is put into one is escaped, and a name that a view lacks is an error.

A template loops and asks; whatever has to be worked out was worked out by the view it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from sync.clinic.pages.assets import Assets
from sync.clinic.pages.charts import MONTHS

FOLDER = Path(__file__).parent / "templates"
NAVIGATION = (
    ("/", "Today"),
    ("/patients", "Patients"),
    ("/cohort", "Cohort"),
    ("/privacy", "Privacy"),
    ("/pair", "Pair"),
    ("/audit", "Audit"),
    ("/settings", "Settings"),
)
NOT_MEDICAL = (
    "Not a medical device: figures with noise in them, of what a wearable sensor saw. They decide nothing alone."
)


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """What is around every page. `here`: the path of the entry that is marked; `staff` None: nobody is signed in, and
    there is no navigation; `csrf`: what each form sends back."""

    clinic: str
    here: str = ""
    staff: str | None = None
    csrf: str = ""


class Renderer:
    """Used by many threads."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(asset=assets.url, navigation=NAVIGATION, not_medical=NOT_MEDICAL)
        self._environment.filters.update(day=spoken_day, period=spoken_period)

    def render(self, template: str, frame: Frame, view: object = None) -> str:
        """`template`: a file of templates/, `view`: what it shows, under the name `view`."""
        return self._environment.get_template(template).render(frame=frame, view=view)

    def page(self, template: str, frame: Frame, view: object = None, status: int = 200) -> HTMLResponse:
        """No browser and no proxy keeps it."""
        return HTMLResponse(self.render(template, frame, view), status, headers={"Cache-Control": "no-store"})


def spoken_day(day: date) -> str:
    """`1 May 2026`: no reader takes the month for the day."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def spoken_period(days: tuple[date, date]) -> str:
    """`9 Mar to 5 Apr 2026`: the year once, where it is the same."""
    first, last = days
    if first.year == last.year:
        return f"{first.day} {MONTHS[first.month - 1]} to {spoken_day(last)}"
    return f"{spoken_day(first)} to {spoken_day(last)}"
