"""Holds a resource to FHIR R4 (4.0.1): by `fhir.resources`, nearest R4B (4.3.0), and by what is written out here.

HL7 says of R4B that nothing changed in the parts we use (r4b-explanation). Still the elements of 4.0.1 stand here by
name, with the invariants that a model of fields cannot see. Sources: hl7.org/fhir/R4, one page for each resource.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

Resource = dict[str, Any]


def _words(text: str) -> set[str]:
    return set(text.split())


_ANY = _words("resourceType id meta implicitRules language")
_DOMAIN = _ANY | _words("text contained extension modifierExtension")
_VALUE = _words("""valueQuantity valueCodeableConcept valueString valueBoolean valueInteger valueRange valueRatio
    valueSampledData valueTime valueDateTime valuePeriod""")
_CANONICAL = _DOMAIN | _words("""url identifier version name title status experimental date publisher contact
    description useContext jurisdiction purpose copyright""")
ELEMENTS: dict[str, set[str]] = {
    "Patient": _DOMAIN
    | _words("""identifier active name telecom gender birthDate deceasedBoolean deceasedDateTime address maritalStatus
        multipleBirthBoolean multipleBirthInteger photo contact communication generalPractitioner managingOrganization
        link"""),
    "Observation": _DOMAIN
    | _VALUE
    | _words("""identifier basedOn partOf status category code subject focus encounter effectiveDateTime effectivePeriod
        effectiveTiming effectiveInstant issued performer dataAbsentReason interpretation note bodySite method specimen
        device referenceRange hasMember derivedFrom component"""),
    "Bundle": _ANY | _words("identifier type timestamp total link entry signature"),
    "OperationOutcome": _DOMAIN | {"issue"},
    "CapabilityStatement": _CANONICAL - {"identifier"}
    | _words("""kind instantiates imports software implementation fhirVersion format patchFormat implementationGuide
        rest messaging document"""),
    "CodeSystem": _CANONICAL
    | _words("""caseSensitive valueSet hierarchyMeaning compositional versionNeeded content supplements count filter
        property concept"""),
    "StructureDefinition": _CANONICAL
    | _words("""keyword fhirVersion mapping kind abstract context contextInvariant type baseDefinition derivation
        snapshot differential"""),
}
_COMPONENT = {"id", "extension", "modifierExtension", "code", "dataAbsentReason", "interpretation", "referenceRange"}
_ISSUE_TYPES = _words("""invalid structure required value invariant security login unknown expired forbidden suppressed
    processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly
    business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational""")
_DATA_ABSENT = _words("""unknown asked-unknown temp-unknown not-asked asked-declined masked not-applicable unsupported
    as-text error not-a-number negative-infinity positive-infinity not-performed not-permitted""")
_STATUS = _words("registered preliminary final amended corrected cancelled entered-in-error unknown")
_UCUM = {"d", "/min", "ms"}


def require_r4(resource: Resource) -> None:
    """Fails where it is no resource of 4.0.1."""
    type_ = resource["resourceType"]
    get_fhir_model_class(type_).model_validate_json(json.dumps(resource, allow_nan=False))
    names = {name.removeprefix("_") for name in resource}
    assert names <= ELEMENTS[type_], names - ELEMENTS[type_]
    if type_ != "Bundle":
        assert "id" not in resource or re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", resource["id"])
    for element in _elements(resource):
        _require_element(element)
    _INVARIANTS.get(type_, lambda _: None)(resource)


def _elements(value: Any) -> Iterator[Resource]:
    """Each JSON object within, of contained resources too."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _elements(each)
    elif isinstance(value, list):
        # JSON, "Repeating elements": an empty list is no list
        assert value
        for each in value:
            yield from _elements(each)
    else:
        # an element that is there has a value
        assert value not in {None, ""}


def _require_element(element: Resource) -> None:
    assert element, "ele-1: a value or children"
    if "url" in element and any(name.startswith("value") or name == "extension" for name in element):
        values = [name for name in element if name.startswith("value")]
        # ext-1: either extensions or a value
        assert (len(values) == 1) != ("extension" in element)
    if {"start", "end"} <= element.keys():
        assert element["start"] <= element["end"], "per-1"
    if "low" in element and "high" in element:
        assert element["low"]["value"] <= element["high"]["value"], "rng-2"
        assert "comparator" not in element["low"] | element["high"], "SimpleQuantity: sqty-1"
    if element.get("system") == "http://unitsofmeasure.org":
        # qty-3: a code has a system; and UCUM's of these units
        assert element["code"] in _UCUM and element["unit"]


def _observation(made: Resource) -> None:
    values = [name for name in made if name in _VALUE]
    assert len(values) <= 1
    assert not (values and "dataAbsentReason" in made), "obs-6"
    assert values or "dataAbsentReason" in made, "never neither"
    for coding in made.get("dataAbsentReason", {}).get("coding", []):
        assert coding["code"] in _DATA_ABSENT
    assert made["status"] in _STATUS
    own = {(coding["system"], coding["code"]) for coding in made["code"]["coding"]}
    for component in made.get("component", []):
        assert component.keys() <= _COMPONENT | _VALUE
        codes = {(coding["system"], coding["code"]) for coding in component["code"]["coding"]}
        assert not (values and own & codes), "obs-7"
        for reference in component.get("referenceRange", []):
            assert reference.keys() & {"low", "high", "text"}, "obs-3"


def _bundle(made: Resource) -> None:
    kind = made["type"]
    assert "total" not in made or kind in {"searchset", "history"}, "bdl-1"
    seen = set()
    for entry in made.get("entry", []):
        assert "search" not in entry or kind == "searchset", "bdl-2"
        assert not ({"request", "response"} & entry.keys()), "bdl-3, bdl-4"
        assert "resource" in entry, "bdl-5"
        if "fullUrl" in entry:
            assert "/_history/" not in entry["fullUrl"], "bdl-8"
            assert entry["fullUrl"].startswith(("http://", "https://", "urn:"))
            assert entry["fullUrl"] not in seen, "bdl-7"
            seen.add(entry["fullUrl"])
            assert entry["fullUrl"].endswith(f"{entry['resource']['resourceType']}/{entry['resource']['id']}")
        require_r4(entry["resource"])


def _capability(made: Resource) -> None:
    assert made["fhirVersion"] == "4.0.1"
    assert made.keys() & {"rest", "messaging", "document"}, "cpb-1"
    assert made.keys() & {"description", "software", "implementation"}, "cpb-2"
    assert made["kind"] != "instance" or "implementation" in made, "cpb-14"
    for rest in made["rest"]:
        types = [resource["type"] for resource in rest["resource"]]
        assert len(types) == len(set(types)), "cpb-9"
        for resource in rest["resource"]:
            names = [parameter["name"] for parameter in resource.get("searchParam", [])]
            assert len(names) == len(set(names)), "cpb-12"


def _outcome(made: Resource) -> None:
    for issue in made["issue"]:
        assert issue["severity"] in {"fatal", "error", "warning", "information"}
        assert issue["code"] in _ISSUE_TYPES


def _definition(made: Resource) -> None:
    assert made.keys() & {"snapshot", "differential"}, "sdf-6"
    assert made["type"] != "Extension" or "context" in made, "sdf-5"
    elements = made["differential"]["element"]
    assert all(element["path"].split(".")[0] == made["type"] for element in elements), "sdf-8a"
    assert "." not in elements[0]["path"] and "slicing" not in elements[0], "sdf-20"
    ids = [element["id"] for element in elements]
    assert len(ids) == len(set(ids)), "sdf-17"
    assert re.fullmatch(r"[A-Z]([A-Za-z0-9_]){0,254}", made["name"]), "sdf-0"


def _code_system(made: Resource) -> None:
    codes = [concept["code"] for concept in made["concept"]]
    assert len(codes) == len(set(codes)), "csd-1"
    assert made["count"] == len(codes)


_INVARIANTS = {
    "Observation": _observation,
    "Bundle": _bundle,
    "CapabilityStatement": _capability,
    "OperationOutcome": _outcome,
    "StructureDefinition": _definition,
    "CodeSystem": _code_system,
}
