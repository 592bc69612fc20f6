"""What every page function is made with: the clinic, and how a view becomes a response."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.responses import Response

from sync.clinic.clinic import Clinic
from sync.clinic.desk.desk import Desk
from sync.clinic.desk.guard import SignedIn
from sync.clinic.pages.renderer import Frame, Renderer
from sync.clinic.settings import Settings


@dataclass(frozen=True, slots=True)
class Presenter:
    desk: Desk = field(repr=False)
    renderer: Renderer = field(repr=False)

    @property
    def clinic(self) -> Clinic:
        return self.desk.clinic

    def show(
        self, template: str, here: str, staff: SignedIn, settings: Settings, view: object, status: int = 200
    ) -> Response:
        """`here`: the path of the entry of the navigation that is marked."""
        frame = Frame(settings.shown_name or self.clinic.name, here, staff.name, staff.csrf)
        return self.renderer.page(template, frame, view, status)
