"""What other programs can ask, as OpenAPI 3.1: the part of sync/clinic/openapi.py that devices have nothing to do with.

FHIR's resources are described by FHIR; here stands which of them comes with which status.
"""

from __future__ import annotations

from typing import Any

from sync.clinic.interfaces.access import REFUSALS
from sync.clinic.interfaces.csv_table import COLUMNS
from sync.clinic.interfaces.fhir.codes import PATH
from sync.clinic.interfaces.fhir.search import MOST, PAGE

Described = dict[str, Any]

FHIR = "application/fhir+json"
_READ: list[Described] = [{"readToken": []}]
_METRICS: list[Described] = [{"metricsToken": []}, {}]
_DATE = r"^(eq|gt|lt|ge|le|sa|eb)?[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"


def paths() -> Described:
    found = {"200": _resource("Bundle", "What was found, a page of it"), **_outcomes(400, 401, 406, 500, 503)}
    return {
        f"{PATH}/metadata": _public("metadata", "What this server can do", "CapabilityStatement"),
        f"{PATH}/StructureDefinition/privacy-note": _public(
            "privacyNote", "What the extension of the privacy note means", "StructureDefinition"
        ),
        f"{PATH}/CodeSystem/figures": _public("figures", "What the figures are", "CodeSystem"),
        f"{PATH}/Patient": _get(
            "patients",
            "Who is enrolled, by pseudonym",
            found,
            _READ,
            _query("_id", "a pseudonym"),
            _query("identifier", "a pseudonym, with or without its system"),
            *_PAGING,
        ),
        f"{PATH}/Patient/{{id}}": _get("patient", "One patient: a pseudonym", _one("Patient"), _READ, _ID),
        f"{PATH}/Patient/{{id}}/$everything": _get(
            "everything", "One patient and all figures", _one("Bundle"), _READ, _ID
        ),
        f"{PATH}/Observation": _get(
            "observations",
            "Figures, each with its interval, its period and what it hides",
            found,
            _READ,
            _query("_id", "an id"),
            _query("patient", "a pseudonym, or Patient/ and one"),
            _query("subject", "Patient/ and a pseudonym"),
            _query("code", "which figure: [system|]code, several by commas"),
            _query("date", "of the period", {"type": "string", "pattern": _DATE}),
            *_PAGING,
        ),
        f"{PATH}/Observation/{{id}}": _get("observation", "One figure", _one("Observation"), _READ, _ID),
        "/export/cards.csv": _get("cards", "All figures of all patients", _csv(400, 401, 500, 503), _READ),
        "/export/patients/{pseudonym}.csv": _get(
            "card",
            "All figures of one patient",
            _csv(400, 401, 404, 500, 503),
            _READ,
            {**_ID, "name": "pseudonym"},
        ),
        "/metrics": _get(
            "metrics",
            "Counts for Prometheus; on the same machine without a token",
            {"200": _text("Counts", "text/plain"), **_refusals(401, 500)},
            _METRICS,
        ),
    }


def schemas() -> Described:
    return {
        "Refusal": {
            "type": "object",
            "additionalProperties": False,
            "required": ["error", "message"],
            "properties": {
                "error": {"enum": sorted(code for code, _ in REFUSALS.values())},
                "message": {"type": "string"},
            },
        },
        **{
            type_: {
                "type": "object",
                "description": f"http://hl7.org/fhir/R4/{type_.lower()}.html",
                "required": ["resourceType"],
                "properties": {"resourceType": {"const": type_}},
            }
            for type_ in (
                "Bundle",
                "CapabilityStatement",
                "CodeSystem",
                "Observation",
                "OperationOutcome",
                "Patient",
                "StructureDefinition",
            )
        },
    }


def security_schemes() -> Described:
    return {
        f"{scope}Token": {
            "type": "http",
            "scheme": "bearer",
            "description": f"vitalkeep-clinic token add --scope {scope}",
        }
        for scope in ("read", "metrics")
    }


def _get(name: str, summary: str, responses: Described, security: list[Described], *parameters: Described) -> Described:
    operation = {"operationId": name, "summary": summary, "security": security, "responses": responses}
    if parameters:
        operation["parameters"] = list(parameters)
    return {"get": operation}


def _public(name: str, summary: str, type_: str) -> Described:
    return _get(name, summary, {"200": _resource(type_, summary), **_outcomes(400, 406, 500)}, [])


def _one(type_: str) -> Described:
    return {"200": _resource(type_, type_), **_outcomes(400, 401, 404, 406, 500, 503)}


def _resource(type_: str, words: str) -> Described:
    return {"description": words, "content": {FHIR: {"schema": {"$ref": f"#/components/schemas/{type_}"}}}}


def _outcomes(*statuses: int) -> Described:
    return _unread({str(status): _resource("OperationOutcome", "What went wrong") for status in statuses})


def _refusals(*statuses: int) -> Described:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    return _unread({str(status): {"description": REFUSALS[status][1], "content": dict(content)} for status in statuses})


def _unread(responses: Described) -> Described:
    """With control characters in it a request is turned away before it is known what it asks for: as a page."""
    if "400" in responses:
        responses["400"]["content"]["text/html"] = {"schema": {"type": "string"}}
    return responses


def _csv(*statuses: int) -> Described:
    columns = "; ".join(f"{name}: {words}" for name, words in COLUMNS.items())
    to_sign_in = {"303": {"description": "Of a browser that is not signed in: to where that is done"}}
    return {"200": _text(f"RFC 4180, with a header. {columns}", "text/csv"), **to_sign_in, **_refusals(*statuses)}


def _text(words: str, media_type: str) -> Described:
    return {"description": words, "content": {media_type: {"schema": {"type": "string"}}}}


def _query(name: str, words: str, schema: Described | None = None) -> Described:
    return {"name": name, "in": "query", "description": words, "schema": schema or {"type": "string"}}


_ID: Described = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"},
}
_PAGING = (
    _query(
        "_count", f"figures in a page, {PAGE} where nothing is said", {"type": "integer", "minimum": 0, "maximum": MOST}
    ),
    _query("_total", "whether all are counted", {"enum": ["none", "estimate", "accurate"]}),
    _query("_summary", "count: none are shown", {"enum": ["count", "false"]}),
    _query("_format", "how", {"enum": ["json", "application/json", FHIR]}),
)
