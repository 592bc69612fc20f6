"""All that other programs read, put together."""

from __future__ import annotations

from starlette.routing import BaseRoute

from sync.clinic.clinic import Clinic
from sync.clinic.desk.desk import Desk
from sync.clinic.interfaces.export import export_routes
from sync.clinic.interfaces.fhir.routes import fhir_mount
from sync.clinic.interfaces.metrics import metrics_route


def interface_routes(clinic: Clinic, desk: Desk) -> list[BaseRoute]:
    return [fhir_mount(clinic, desk), *export_routes(clinic, desk), metrics_route(clinic)]
