"""CSV over HTTP, of all patients or of one, piece by piece; each export is in the audit log before its first line."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sync.clinic.clinic import Clinic
from sync.clinic.desk.desk import Desk
from sync.clinic.desk.guard import Page, SignedIn, guarded
from sync.clinic.errors import UnknownPatientError
from sync.clinic.interfaces.access import bearer_of, told_to_programs
from sync.clinic.interfaces.cards import all_cards, one_card
from sync.clinic.interfaces.csv_table import MEDIA_TYPE, csv_lines
from sync.clinic.interfaces.fhir.search import ID
from sync.clinic.interfaces.reads import exported

ALL_PATH = "/export/cards.csv"
ONE_PATH = "/export/patients/{pseudonym}.csv"


def export_routes(clinic: Clinic, desk: Desk) -> list[Route]:
    def everybody(request: Request, staff: SignedIn) -> Response:
        cards = all_cards(clinic.database)
        if request.method == "HEAD":
            return _attachment("cards", [])
        exported(clinic, staff.name, None, "csv")
        return _attachment("cards", csv_lines(card for _, card in cards))

    def one(request: Request, staff: SignedIn) -> Response:
        pseudonym = request.path_params["pseudonym"]
        if ID.fullmatch(pseudonym) is None:
            raise HTTPException(404)
        try:
            _, card = one_card(clinic.database, pseudonym)
        except UnknownPatientError:
            raise HTTPException(404) from None
        if request.method != "HEAD":
            exported(clinic, staff.name, card.pseudonym, "csv")
        return _attachment(card.pseudonym, csv_lines([card]))

    def route(path: str, page: Page) -> Route:
        return Route(path, told_to_programs(guarded(desk, page, bearer=bearer_of(clinic, "read"))), methods=["GET"])

    return [route(ALL_PATH, everybody), route(ONE_PATH, one)]


def _attachment(name: str, lines: Iterable[str]) -> Response:
    return StreamingResponse(
        lines,
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )
