"""The pages and what they are drawn with, put together: all but the drawings are behind the guard."""

from __future__ import annotations

from starlette.routing import Route

from sync.clinic.desk.desk import Desk
from sync.clinic.desk.guard import guarded_route
from sync.clinic.pages.assets import Assets
from sync.clinic.pages.audit import audit_page
from sync.clinic.pages.cohort import cohort_page
from sync.clinic.pages.pair import pair_page, revoke_page
from sync.clinic.pages.patient import patient_page
from sync.clinic.pages.patients import patients_page
from sync.clinic.pages.presenter import Presenter
from sync.clinic.pages.privacy import privacy_page
from sync.clinic.pages.renderer import Renderer
from sync.clinic.pages.settings import settings_page
from sync.clinic.pages.today import today_page

_FORM = ("GET", "POST")


def page_routes(desk: Desk, assets: Assets, renderer: Renderer) -> list[Route]:
    presenter = Presenter(desk, renderer)
    return [
        Route("/static/{name}", assets.answer),
        guarded_route(desk, "/", today_page(presenter)),
        guarded_route(desk, "/patients", patients_page(presenter)),
        guarded_route(desk, "/patients/{pseudonym}", patient_page(presenter), methods=_FORM),
        guarded_route(desk, "/cohort", cohort_page(presenter)),
        guarded_route(desk, "/privacy", privacy_page(presenter)),
        guarded_route(desk, "/pair", pair_page(presenter), methods=_FORM),
        guarded_route(desk, "/pair/revoke", revoke_page(presenter), methods=("POST",)),
        guarded_route(desk, "/audit", audit_page(presenter)),
        guarded_route(desk, "/settings", settings_page(presenter), methods=_FORM),
    ]
