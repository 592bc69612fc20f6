"""What a search found: a bounded page, with a link to the next one, and what of the search was understood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlencode

from sync.clinic.interfaces.fhir.codes import Names, Resource
from sync.clinic.interfaces.fhir.outcome import outcome

Parameters = Sequence[tuple[str, str]]


def searchset(
    path: str,
    understood: Parameters,
    found: Iterable[Resource],
    names: Names,
    *,
    after: str | None = None,
    total: int | None = None,
    ignored: Sequence[str] = (),
) -> Resource:
    """`path`: below the base; `after`: where the next page begins; `ignored`: warnings about the search."""
    links = [{"relation": "self", "url": link(path, understood, names)}]
    if after is not None:
        onward = [pair for pair in understood if pair[0] != "_page"] + [("_page", after)]
        links.append({"relation": "next", "url": link(path, onward, names)})
    entries: list[Resource] = [
        {
            "fullUrl": f"{names.base}/{each['resourceType']}/{each['id']}",
            "resource": each,
            "search": {"mode": "match"},
        }
        for each in found
    ]
    entries += [
        {"resource": outcome("not-supported", words, "warning"), "search": {"mode": "outcome"}} for words in ignored
    ]
    made: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if total is not None:
        made["total"] = total
    # JSON has no empty lists in FHIR
    if entries:
        made["entry"] = entries
    return made


def collection(resources: Iterable[Resource], names: Names) -> Resource:
    """Of what no search has found: an export."""
    entries = [{"fullUrl": f"{names.base}/{each['resourceType']}/{each['id']}", "resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def link(path: str, parameters: Parameters, names: Names) -> str:
    return f"{names.base}/{quote(path, safe='/$')}" + (f"?{urlencode(parameters)}" if parameters else "")
