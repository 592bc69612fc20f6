"""What this server says of itself: FHIR's `metadata`."""

from __future__ import annotations

from sync.clinic.interfaces.fhir.codes import FHIR_VERSION, Names, Resource

# of the last change to what stands here
_DATE = "2026-11-26"
_SEARCHED = {
    "Patient": (
        ("_id", "token", "the pseudonym"),
        ("identifier", "token", "the pseudonym, with or without its system"),
    ),
    "Observation": (
        ("_id", "token", "the id"),
        ("patient", "reference", "whose: a pseudonym"),
        ("subject", "reference", "whose: Patient/ and a pseudonym"),
        ("code", "token", "which figure: by the code system figures, or LOINC where it has a code"),
        ("date", "date", "when: of the period's days; eq, gt, lt, ge, le, sa, eb"),
    ),
}
_READ = {
    "StructureDefinition": "what the extension of the privacy note means",
    "CodeSystem": "what the figures are",
}


def capability(names: Names, clinic: str, software: str) -> Resource:
    """`clinic`: what wearers see it called; `software`: its version."""
    resources: list[Resource] = []
    for type_, parameters in _SEARCHED.items():
        resource: Resource = {
            "type": type_,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "versioning": "no-version",
            "searchParam": [{"name": name, "type": kind, "documentation": words} for name, kind, words in parameters],
        }
        if type_ == "Patient":
            resource["operation"] = [
                {"name": "everything", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything"}
            ]
        resources.append(resource)
    resources += [
        {"type": type_, "interaction": [{"code": "read"}], "versioning": "no-version", "documentation": words}
        for type_, words in _READ.items()
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "description": (
            "Reads only. Every figure has chance added on the wearer's device, so that it hides one calendar day of"
            " this person, and stands with its interval, its period and its ε. Not a medical device."
        ),
        "software": {"name": "vitalkeep", "version": software},
        "implementation": {"description": clinic, "url": names.base},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "description": "A bearer token of scope read in the Authorization header, never in an address"
                },
                "resource": resources,
            }
        ],
    }
