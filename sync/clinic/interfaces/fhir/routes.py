"""FHIR R4 over HTTP: it reads only, each answer is a resource, and no error says again what was sent.

What our codes and our extension mean, and what this server can do, is told to everybody; all else to whoever is let in,
and it is in the audit log before it is given out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from sync.clinic.card import Card
from sync.clinic.clinic import Clinic
from sync.clinic.desk.desk import Desk
from sync.clinic.desk.guard import SignedIn, guarded
from sync.clinic.errors import UnknownPatientError
from sync.clinic.interfaces.access import CHALLENGE, Endpoint, bearer_of
from sync.clinic.interfaces.cards import one_card
from sync.clinic.interfaces.fhir.bundle import searchset
from sync.clinic.interfaces.fhir.capability import capability
from sync.clinic.interfaces.fhir.codes import PATH, Names, Resource
from sync.clinic.interfaces.fhir.definitions import figures, privacy_note
from sync.clinic.interfaces.fhir.found import (
    Found,
    find_observation,
    find_observations,
    find_patients,
    observations_of,
)
from sync.clinic.interfaces.fhir.names import names_for
from sync.clinic.interfaces.fhir.observation_id import ObservationIds
from sync.clinic.interfaces.fhir.outcome import outcome
from sync.clinic.interfaces.fhir.patient import patient
from sync.clinic.interfaces.fhir.search import ID, Search, SearchError, observation_search, patient_search
from sync.clinic.tables.devices import Device

MEDIA_TYPE = "application/fhir+json"
_FORMATS = ("json", "application/json", MEDIA_TYPE, "text/json")
_RANGES = ("*/*", "application/*", *_FORMATS)
# by status: the code of http://hl7.org/fhir/issue-type, and the one text it has
_REFUSALS: dict[int, tuple[str, str]] = {
    400: ("invalid", "this request cannot be read"),
    401: ("login", "a token of scope read in the Authorization header expected"),
    403: ("forbidden", "this is not allowed"),
    404: ("not-found", "there is no such resource"),
    405: ("not-supported", "this server only reads, by GET"),
    406: ("not-supported", f"this server answers with {MEDIA_TYPE} alone"),
    500: ("exception", "our mistake"),
    503: ("transient", "the database cannot be used now; ask again"),
}
Asked = Callable[[Request, SignedIn, Names], Resource]


def fhir_mount(clinic: Clinic, desk: Desk) -> Mount:
    return Mount(PATH, app=_app(_Fhir(clinic, desk), clinic, desk))


class _Fhir:
    """What stands behind the paths. Each runs in a worker thread, and may raise HTTPException and SearchError."""

    def __init__(self, clinic: Clinic, desk: Desk) -> None:
        self._clinic = clinic
        self._desk = desk
        self._ids = ObservationIds(clinic.secrets)

    def patients(self, request: Request, staff: SignedIn, names: Names) -> Resource:
        search = patient_search(request.query_params.multi_items(), names, strict=_is_strict(request))
        with self._clinic.database.reading() as tx:
            found = find_patients(tx, search, names)
        return self._bundle("Patient", staff, search, found, names)

    def observations(self, request: Request, staff: SignedIn, names: Names) -> Resource:
        search = observation_search(request.query_params.multi_items(), names, strict=_is_strict(request))
        with self._clinic.database.reading() as tx:
            found = find_observations(tx, search, self._ids, names)
        return self._bundle("Observation", staff, search, found, names)

    def patient(self, request: Request, staff: SignedIn, names: Names) -> Resource:
        _, card = self._card(request, staff)
        return patient(card.pseudonym, names)

    def everything(self, request: Request, staff: SignedIn, names: Names) -> Resource:
        device, card = self._card(request, staff)
        resources = [patient(card.pseudonym, names), *observations_of(device, card, self._ids, names)]
        return searchset(f"Patient/{card.pseudonym}/$everything", [], resources, names, total=len(resources))

    def observation(self, request: Request, staff: SignedIn, names: Names) -> Resource:
        with self._clinic.database.reading() as tx:
            found = find_observation(tx, request.path_params["id"], self._ids, names)
        if found is None:
            raise HTTPException(404)
        resource, pseudonym = found
        self._desk.viewed(staff, pseudonym)
        return resource

    def _card(self, request: Request, staff: SignedIn) -> tuple[Device, Card]:
        pseudonym = request.path_params["id"]
        if ID.fullmatch(pseudonym) is None:
            raise HTTPException(404)
        try:
            device, card = one_card(self._clinic.database, pseudonym)
        except UnknownPatientError:
            raise HTTPException(404) from None
        if card.pseudonym != pseudonym:  # ids are the same letter for letter
            raise HTTPException(404)
        self._desk.viewed(staff, pseudonym)
        return device, card

    def _bundle(self, path: str, staff: SignedIn, search: Search, found: Found, names: Names) -> Resource:
        if search.patient is None and search.id is None and not search.nobody:
            self._desk.viewed(staff, None)
        for pseudonym in found.whose:
            self._desk.viewed(staff, pseudonym)
        return searchset(
            path,
            search.understood,
            found.resources,
            names,
            after=found.after,
            total=found.total,
            ignored=search.ignored,
        )


def _app(fhir: _Fhir, clinic: Clinic, desk: Desk) -> Starlette:
    def names(request: Request) -> Names:
        return names_for(clinic, request.url.scheme, request.headers.get("host", ""))

    def let_in(asked: Asked) -> Endpoint:
        def page(request: Request, staff: SignedIn) -> Response:
            try:
                return _response(request, asked(request, staff, names(request)))
            except SearchError as problem:
                return _fhir(outcome(problem.code, str(problem)), 400)
            except HTTPException as problem:
                return refusal(problem.status_code)

        return _as_fhir(guarded(desk, page, bearer=bearer_of(clinic, "read")))

    def public(made: Callable[[Names], Resource]) -> Endpoint:
        async def answer(request: Request) -> Response:
            return _response(request, made(names(request)))

        return answer

    app = Starlette(
        routes=[
            Route("/metadata", public(lambda each: capability(each, clinic.name, version("vitalkeep")))),
            Route("/StructureDefinition/privacy-note", public(privacy_note)),
            Route("/CodeSystem/figures", public(figures)),
            Route("/Patient", let_in(fhir.patients)),
            Route("/Patient/{id}", let_in(fhir.patient)),
            Route("/Patient/{id}/$everything", let_in(fhir.everything)),
            Route("/Observation", let_in(fhir.observations)),
            Route("/Observation/{id}", let_in(fhir.observation)),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _internal_error},
    )
    # It would lead, unasked who one is, to an absolute address made from what the request says the host is.
    app.router.redirect_slashes = False
    return app


def _response(request: Request, resource: Resource) -> Response:
    """Raises HTTPException 406."""
    wanted = request.query_params.get("_format")
    ranges = [each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "*/*").split(",")]
    # a plus sign in an address is a space
    if wanted is not None and wanted.replace(" ", "+") not in _FORMATS:
        raise HTTPException(406)
    if wanted is None and not any(each in _RANGES for each in ranges):
        raise HTTPException(406)
    return _fhir(resource)


def _fhir(resource: Resource, status: int = 200) -> Response:
    text = json.dumps(resource, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    headers = {"Cache-Control": "no-store"}
    return Response(text, status, headers, media_type=MEDIA_TYPE)


def refusal(status: int) -> Response:
    status = status if status in _REFUSALS else 400
    response = _fhir(outcome(*_REFUSALS[status]), status)
    if status == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def _as_fhir(endpoint: Endpoint) -> Endpoint:
    """What the guard refuses, it refuses in words of its own."""

    async def answer(request: Request) -> Response:
        response = await endpoint(request)
        return response if response.media_type == MEDIA_TYPE else refusal(response.status_code)

    return answer


def _is_strict(request: Request) -> bool:
    preferences = [each.strip() for value in request.headers.getlist("prefer") for each in value.split(",")]
    return "handling=strict" in preferences


async def _http_error(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    answer = refusal(problem.status_code)
    answer.headers.update(problem.headers or {})
    return answer


async def _internal_error(_: Request, __: Exception) -> Response:
    return refusal(500)
