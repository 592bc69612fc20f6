"""A patient is a pseudonym: no name, no day of birth, no sex; they are not known here, and each says so."""

from __future__ import annotations

from sync.clinic.interfaces.fhir.codes import Names, Resource

_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def patient(pseudonym: str, names: Names) -> Resource:
    """The label that the clinic gave may be a name: it is not in here."""
    unknown = {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}
    masked = {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}
    return {
        "resourceType": "Patient",
        "id": pseudonym,
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{pseudonym}: a pseudonym; no name is given out</div>',
        },
        "identifier": [{"use": "secondary", "system": names.patients, "value": pseudonym}],
        "active": True,
        "name": [masked],
        "_gender": unknown,
        "_birthDate": unknown,
    }
