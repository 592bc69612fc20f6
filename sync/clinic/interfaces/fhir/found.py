"""What a search finds in the database: resources of one page, and where the next one begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sync.clinic.card import Card, Figure, make_card
from sync.clinic.catalogue import FIRST_DAY, question
from sync.clinic.database.database import Transaction
from sync.clinic.interfaces.fhir.codes import Names, Resource
from sync.clinic.interfaces.fhir.observation import observation
from sync.clinic.interfaces.fhir.observation_id import ObservationIds
from sync.clinic.interfaces.fhir.patient import patient
from sync.clinic.interfaces.fhir.search import ID, Search, SearchError
from sync.clinic.tables.answers import Answers
from sync.clinic.tables.devices import Device, Devices
from sync.clinic.tables.figures import Figures, Place


@dataclass(frozen=True, slots=True)
class Found:
    """`after`: where the next page begins; None: this is the last one. `whose`: who was asked for, and is here."""

    resources: tuple[Resource, ...] = ()
    after: str | None = None
    total: int | None = 0
    whose: frozenset[str] = frozenset()


def observations_of(device: Device, card: Card, ids: ObservationIds, names: Names) -> Iterator[Resource]:
    for figure in card.figures:
        place = _place(device, figure)
        yield observation(_id(place, ids), card.pseudonym, figure, names)


def find_observation(tx: Transaction, id_: str, ids: ObservationIds, names: Names) -> tuple[Resource, str] | None:
    """And the pseudonym of whom it is about."""
    place = _read_id(tx, id_, ids)
    device = None if place is None else Devices(tx).get(place.device)
    if place is None or device is None:
        return None
    figure = _by_place(tx, device).get(place)
    return None if figure is None else (observation(id_, device.pseudonym, figure, names), device.pseudonym)


def find_observations(tx: Transaction, search: Search, ids: ObservationIds, names: Names) -> Found:
    """Raises SearchError."""
    device = None if search.patient is None else _device(tx, search.patient)
    if search.nobody or (search.patient is not None and device is None):
        return Found()
    figures = Figures(tx)
    id_ = None if device is None else device.id
    wanted = search.questions, search.days
    if search.id is not None:
        place = _read_id(tx, search.id, ids)
        places = [place] if place is not None and figures.holds(place, id_, *wanted) else []
        found = _resources(tx, places, ids, names)
        whose = frozenset(each["subject"]["reference"].removeprefix("Patient/") for each in found)
        return Found(found, None, len(places), whose)
    after = None if search.page is None else _position(tx, search.page, ids)
    total = figures.count(id_, *wanted) if search.with_total or device is not None or search.count == 0 else None
    if search.count == 0:
        return Found(total=total, whose=_named(device))
    places = figures.page(search.count + 1, after, id_, *wanted)
    more = len(places) > search.count
    places = places[: search.count]
    found = _resources(tx, places, ids, names)
    return Found(found, _id(places[-1], ids) if more else None, total, _named(device))


def find_patients(tx: Transaction, search: Search, names: Names) -> Found:
    """Raises SearchError."""
    if search.nobody:
        return Found()
    if search.patient is not None:
        device = _device(tx, search.patient)
        if device is None:
            return Found()
        only = (patient(device.pseudonym, names),) if search.count else ()
        return Found(only, None, 1, _named(device))
    if search.page is not None and ID.fullmatch(search.page) is None:
        raise SearchError("_page: as the next link has it", "value")
    total = Devices(tx).count()
    if search.count == 0:
        return Found(total=total)
    pseudonyms = Devices(tx).pseudonyms(search.page or "", search.count + 1)
    shown = pseudonyms[: search.count]
    after = shown[-1] if len(pseudonyms) > search.count else None
    return Found(tuple(patient(each, names) for each in shown), after, total)


def _resources(tx: Transaction, places: list[Place], ids: ObservationIds, names: Names) -> tuple[Resource, ...]:
    resources: list[Resource] = []
    seen: dict[bytes, tuple[Device, dict[Place, Figure]]] = {}
    for place in places:
        if question(place.statistic, place.version) is None:
            continue  # of another version of this program; a card has none of it
        if place.device not in seen:
            device = Devices(tx).get(place.device)
            assert device is not None  # answers of nobody are in no state of the database
            seen[place.device] = device, _by_place(tx, device)
        device, figures = seen[place.device]
        resources.append(observation(_id(place, ids), device.pseudonym, figures[place], names))
    return tuple(resources)


def _named(device: Device | None) -> frozenset[str]:
    return frozenset() if device is None else frozenset({device.pseudonym})


def _device(tx: Transaction, pseudonym: str) -> Device | None:
    """Ids are the same letter for letter."""
    device = Devices(tx).find(pseudonym)
    return device if device is not None and device.pseudonym == pseudonym else None


def _by_place(tx: Transaction, device: Device) -> dict[Place, Figure]:
    return {_place(device, figure): figure for figure in make_card(device, Answers(tx).of(device.id)).figures}


def _place(device: Device, figure: Figure) -> Place:
    asked = question(figure.statistic, figure.version)
    assert asked is not None
    window = (figure.first_day - FIRST_DAY).days // asked.length_days
    return Place(device.id, asked.length_days, window, figure.statistic, figure.version)


def _id(place: Place, ids: ObservationIds) -> str:
    asked = question(place.statistic, place.version)
    assert asked is not None
    return ids.encode(place.device, asked, place.window)


def _read_id(tx: Transaction, text: str, ids: ObservationIds) -> Place | None:
    named = ids.decode(text)
    device = None if named is None else Figures(tx).device(named.device)
    if named is None or device is None:
        return None
    return Place(device, named.asked.length_days, named.window, named.asked.name, named.asked.version)


def _position(tx: Transaction, text: str, ids: ObservationIds) -> Place:
    """Where a page ended, also where whoever it ended with has withdrawn since."""
    named = ids.decode(text)
    if named is None:
        raise SearchError("_page: as the next link has it", "value")
    device = Figures(tx).device(named.device) or named.device.ljust(16, b"\xff")
    return Place(device, named.asked.length_days, named.window, named.asked.name, named.asked.version)
