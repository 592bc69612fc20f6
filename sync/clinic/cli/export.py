"""`export`: figures for other programs, piece by piece as they are read; in the audit log before the first of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from sync.clinic.card import Card
from sync.clinic.cli.card import card_json
from sync.clinic.cli.options import NOT_MEDICAL, data_options, opened, who_runs_this
from sync.clinic.clinic import Clinic
from sync.clinic.errors import ClinicStoreError
from sync.clinic.interfaces.cards import all_cards, one_card
from sync.clinic.interfaces.csv_table import csv_lines
from sync.clinic.interfaces.fhir.bundle import collection
from sync.clinic.interfaces.fhir.codes import Names, Resource
from sync.clinic.interfaces.fhir.found import observations_of
from sync.clinic.interfaces.fhir.names import names_of
from sync.clinic.interfaces.fhir.observation_id import ObservationIds
from sync.clinic.interfaces.fhir.patient import patient
from sync.clinic.interfaces.reads import exported
from sync.clinic.new_file import new_file
from sync.clinic.tables.devices import Device
from sync.pairing import require_url

FORMATS = ("csv", "fhir", "json")
PATIENTS = "Patient.ndjson"
OBSERVATIONS = "Observation.ndjson"
_Cards = Iterable[tuple[Device, Card]]


@click.command()
@data_options
@click.option("--patient", "pseudonym", help="One patient, by pseudonym.  [default: all]")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="csv",
    show_default=True,
    help="fhir: a Bundle of one patient; of all, one resource in a line.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A new file; with fhir and all patients a folder of two files.  [default: standard output]",
)
@click.option("--url", help="The clinic's address, by which FHIR names its codes.  [default: that of init]")
def export(
    folder: Path, database_url: str | None, pseudonym: str | None, form: str, out: Path | None, url: str | None
) -> None:
    """Write figures out, each with its interval, its period and its ε. Labels are left out: they may name somebody.

    \b
    vitalkeep-clinic export > cards.csv
    vitalkeep-clinic export --patient P-7K3QF2M1 --format fhir --out patient.json
    vitalkeep-clinic export --format fhir --out cards/
    """
    with opened(folder, database_url) as clinic:
        if url is not None:
            url = url.rstrip("/")
            require_url(url)
        names = names_of(clinic, url) if form == "fhir" else None
        cards = all_cards(clinic.database) if pseudonym is None else [one_card(clinic.database, pseudonym)]
        whose = None if pseudonym is None else next(iter(cards))[1].pseudonym
        exported(clinic, who_runs_this(), whose, form)
        if names is None:
            lines = csv_lines(card for _, card in cards) if form == "csv" else _json_lines(cards)
            with _opened_to_write(out) as file:
                file.writelines(line.encode() for line in lines)
        elif whose is not None:
            with _opened_to_write(out) as file:
                file.write(_line(collection(_resources(clinic, cards, names), names)))
        elif out is None:
            with _opened_to_write(None) as file:
                file.writelines(_line(each) for each in _resources(clinic, cards, names))
        else:
            _ndjson(out, _resources(clinic, cards, names))
    click.echo(NOT_MEDICAL, err=True)


def _resources(clinic: Clinic, cards: _Cards, names: Names) -> Iterator[Resource]:
    ids = ObservationIds(clinic.secrets)
    for device, card in cards:
        yield patient(card.pseudonym, names)
        yield from observations_of(device, card, ids, names)


def _ndjson(folder: Path, resources: Iterable[Resource]) -> None:
    """One file for each kind, as FHIR's bulk exports have them."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ClinicStoreError(f"{folder}: {problem.strerror}") from None
    with new_file(folder / PATIENTS) as patients, new_file(folder / OBSERVATIONS) as observations:
        for each in resources:
            (patients if each["resourceType"] == "Patient" else observations).write(_line(each))


def _json_lines(cards: _Cards) -> Iterator[str]:
    """One document, a card in a line."""
    before = '{"cards": ['
    for _, card in cards:
        shown = card_json(card)
        del shown["label"]
        yield f"{before}\n{json.dumps(shown)}"
        before = ","
    yield "\n]}\n" if before == "," else f"{before}]}}\n"


def _line(resource: Resource) -> bytes:
    return json.dumps(resource, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


@contextmanager
def _opened_to_write(out: Path | None) -> Iterator[IO[bytes]]:
    if out is not None:
        with new_file(out) as file:
            yield file
        return
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
