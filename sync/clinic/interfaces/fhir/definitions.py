"""What our own codes and our own extension mean, where their addresses lead: published without signing in."""

from __future__ import annotations

from sync.clinic.catalogue import QUESTIONS
from sync.clinic.interfaces.fhir.codes import FHIR_VERSION, INTERVAL, INTERVAL_MEANING, Names, Resource

_DATE = "2026-11-26"
# of each part of the privacy note: its type, and what it says
PARTS = (
    (
        "unit",
        "string",
        "what is hidden: replacing this by any other data changes the figure's chances by a factor of at most e^ε",
    ),
    ("epsilon", "decimal", "ε of this figure, for each day of the period"),
    ("delta", "decimal", "δ of this figure"),
    ("epsilonOfCard", "decimal", "ε of all kinds of figures together, for each day"),
    ("mechanism", "string", "how chance was added, on the wearer's device"),
    ("period", "Period", "the days that the figure is about; each lies in one period of a kind"),
)


def figures(names: Names) -> Resource:
    concepts = [{"code": asked.name, "display": asked.meaning} for asked in QUESTIONS]
    concepts.append({"code": INTERVAL, "display": INTERVAL_MEANING})
    return {
        "resourceType": "CodeSystem",
        "id": "figures",
        "url": names.figures,
        "version": "1",
        "name": "VitalkeepFigures",
        "title": "Figures of a card, each with chance added",
        "status": "active",
        "experimental": False,
        "date": _DATE,
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": concepts,
    }


def privacy_note(names: Names) -> Resource:
    elements: list[Resource] = [
        {
            "id": "Extension",
            "path": "Extension",
            "short": "What a figure hides, how, and what that costs",
            "definition": (
                "The figure was made on the wearer's own device with chance added, and is differentially private with"
                " the unit, ε and period that stand here."
            ),
            "min": 1,
            "max": "1",
        },
        {
            "id": "Extension.extension",
            "path": "Extension.extension",
            "slicing": {"discriminator": [{"type": "value", "path": "url"}], "rules": "closed"},
            "min": len(PARTS),
        },
    ]
    for name, type_, words in PARTS:
        slice_ = f"Extension.extension:{name}"
        elements += [
            {
                "id": slice_,
                "path": "Extension.extension",
                "sliceName": name,
                "short": words,
                "min": 1,
                "max": "1",
            },
            {"id": f"{slice_}.extension", "path": "Extension.extension.extension", "max": "0"},
            {"id": f"{slice_}.url", "path": "Extension.extension.url", "fixedUri": name},
            {
                "id": f"{slice_}.value[x]",
                "path": "Extension.extension.value[x]",
                "min": 1,
                "type": [{"code": type_}],
            },
        ]
    elements += [
        {"id": "Extension.url", "path": "Extension.url", "fixedUri": names.privacy_note},
        {"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"},
    ]
    return {
        "resourceType": "StructureDefinition",
        "id": "privacy-note",
        "url": names.privacy_note,
        "version": "1",
        "name": "VitalkeepPrivacyNote",
        "title": "What a figure hides, how, and what that costs",
        "status": "active",
        "experimental": False,
        "date": _DATE,
        "fhirVersion": FHIR_VERSION,
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": "Observation"}],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {"element": elements},
    }
