"""A ModelCard says what a model is for, on whom it was tested, and what exactly goes in; no weights run without theirs.

Every figure stands with its spread over people who were left out; a card that claims less about itself than this
schema asks for is refused.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from models.errors import CardError

SCHEMA = "vitalkeep.card/2"
SUFFIXES = (".tflite", ".npz")  # nets of the TFLite runtime, arrays of a score in numpy
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_VERSION = re.compile(r"^\d+\.\d+\.\d+$")


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a net: `shape` without the batch; what its numbers mean; the range outside which they are cut."""

    name: str
    shape: tuple[int, ...]
    unit: str
    meaning: str
    low: float
    high: float
    rate_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure: `low` to `high` is its 95 % interval over people, `n` how many of what it rests on."""

    name: str
    value: float
    low: float
    high: float
    n: str
    on: str


@dataclass(frozen=True, slots=True)
class DataUse:
    """A set of recordings: under which licence, and what it was used for."""

    name: str
    licence: str
    use: str


@dataclass(frozen=True, slots=True)
class Variant:
    """Another file of the same net, in another precision; `note`: how it was made, and how far it says the same."""

    weights: str
    sha256: str
    size_bytes: int
    precision: str
    note: str


@dataclass(frozen=True, slots=True)
class Reference:
    """How a number spread where the model was made: `shares` of it below, between and above the rising `edges`.

    `shares`: one more than `edges`, summing to 1. `person`: how far from it, as a population stability index, the
    farthest of the people it was made from lies alone; None where that was not measured.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    person: float | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What stands on a card. `variants` may be none; `reference` by the name of an input or a score: a model without
    one cannot be watched for drift."""

    name: str
    version: str
    weights: str
    sha256: str
    size_bytes: int
    precision: str
    purpose: str
    not_for: tuple[str, ...]
    data: tuple[DataUse, ...]
    split: str
    figures: tuple[Figure, ...]
    inputs: tuple[InputSpec, ...]
    labels: tuple[str, ...]
    thresholds: dict[str, float]
    known_failures: tuple[str, ...]
    latency_us: dict[str, float]
    made_by: str
    variants: tuple[Variant, ...]
    reference: dict[str, Reference]

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Raises CardError where the file is not a card, and OSError where it cannot be read."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as problem:
            raise CardError(f"{path.name}: no JSON ({type(problem).__name__})") from None
        return cls.of(raw, path.name)

    @classmethod
    def of(cls, raw: Any, where: str) -> ModelCard:
        """Raises CardError with the field that is missing, unknown or of the wrong kind."""
        card = _Fields(raw, where)
        card.exactly({"schema", *cls.__slots__})
        if card.text("schema") != SCHEMA:
            raise CardError(f"{where}: schema {card.text('schema')!r}, {SCHEMA!r} expected")
        made = cls(
            name=card.text("name"),
            version=card.text("version"),
            weights=card.text("weights"),
            sha256=card.text("sha256"),
            size_bytes=int(card.number("size_bytes")),
            precision=card.text("precision"),
            purpose=card.text("purpose"),
            not_for=card.texts("not_for"),
            data=tuple(DataUse(d.text("name"), d.text("licence"), d.text("use")) for d in card.rows("data")),
            split=card.text("split"),
            figures=tuple(
                Figure(f.text("name"), f.number("value"), f.number("low"), f.number("high"), f.text("n"), f.text("on"))
                for f in card.rows("figures")
            ),
            inputs=tuple(
                InputSpec(
                    i.text("name"),
                    tuple(int(n) for n in i.numbers("shape")),
                    i.text("unit"),
                    i.text("meaning"),
                    i.number("low"),
                    i.number("high"),
                    i.number("rate_hz") if "rate_hz" in i.raw else None,
                )
                for i in card.rows("inputs")
            ),
            labels=card.texts("labels"),
            thresholds=card.numbers_by_name("thresholds"),
            known_failures=card.texts("known_failures"),
            latency_us=card.numbers_by_name("latency_us"),
            made_by=card.text("made_by"),
            variants=tuple(
                Variant(
                    v.text("weights"),
                    v.text("sha256"),
                    int(v.number("size_bytes")),
                    v.text("precision"),
                    v.text("note"),
                )
                for v in card.rows("variants", least=0)
            ),
            reference={
                name: Reference(
                    r.numbers("edges"), r.numbers("shares"), r.number("person") if "person" in r.raw else None
                )
                for name, r in card.named("reference").items()
            },
        )
        if not _VERSION.match(made.version):
            raise CardError(f"{where}: version {made.version!r}, three numbers expected")
        files = [(made.weights, made.sha256), *((variant.weights, variant.sha256) for variant in made.variants)]
        for weights, sha256 in files:
            if not _SHA256.match(sha256):
                raise CardError(f"{where}: sha256 of {weights!r} is not 64 hexadecimal digits")
            if "/" in weights or "\\" in weights or not weights.endswith(SUFFIXES):
                raise CardError(
                    f"{where}: weights {weights!r}, a {' or '.join(SUFFIXES)} file beside the card expected"
                )
        for figure in made.figures:
            if not figure.low <= figure.value <= figure.high:
                raise CardError(f"{where}: figure {figure.name!r} lies outside its own interval")
        for name, reference in made.reference.items():
            edges, shares = reference.edges, reference.shares
            if len(shares) != len(edges) + 1 or any(b <= a for a, b in pairwise(edges)):
                raise CardError(f"{where}: reference {name!r}: rising edges and one share more than edges expected")
            if min(shares) < 0 or not math.isclose(math.fsum(shares), 1.0, abs_tol=1e-3):
                raise CardError(f"{where}: reference {name!r}: shares that sum to 1 expected")
        return made


class _Fields:
    """One JSON object of a card, read field by field."""

    def __init__(self, raw: Any, where: str) -> None:
        if not isinstance(raw, dict):
            raise CardError(f"{where}: {type(raw).__name__}, an object expected")
        self.raw: dict[str, Any] = raw
        self._where = where

    def exactly(self, names: set[str]) -> None:
        missing, unknown = sorted(names - set(self.raw)), sorted(set(self.raw) - names)
        if missing or unknown:
            raise CardError(f"{self._where}: missing {missing or 'nothing'}, unknown {unknown or 'nothing'}")

    def _get(self, name: str, kinds: tuple[type, ...], expected: str) -> Any:
        value = self.raw.get(name)
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise CardError(f"{self._where}: {name} is {type(value).__name__}, {expected} expected")
        return value

    def text(self, name: str) -> str:
        value: str = self._get(name, (str,), "text")
        if not value.strip():
            raise CardError(f"{self._where}: {name} is empty")
        return value

    def number(self, name: str) -> float:
        return float(self._get(name, (int, float), "a number"))

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._get(name, (list,), "a list of texts")
        if not values or not all(isinstance(value, str) and value.strip() for value in values):
            raise CardError(f"{self._where}: {name}: at least one text expected")
        return tuple(values)

    def numbers(self, name: str) -> tuple[float, ...]:
        values = self._get(name, (list,), "a list of numbers")
        if not values or not all(isinstance(value, int | float) for value in values):
            raise CardError(f"{self._where}: {name}: at least one number expected")
        return tuple(values)

    def numbers_by_name(self, name: str) -> dict[str, float]:
        values = self._get(name, (dict,), "numbers by name")
        if not all(isinstance(value, int | float) for value in values.values()):
            raise CardError(f"{self._where}: {name}: numbers expected")
        return {key: float(value) for key, value in values.items()}

    def named(self, name: str) -> dict[str, _Fields]:
        values = self._get(name, (dict,), "objects by name")
        return {key: _Fields(value, f"{self._where}: {name}[{key!r}]") for key, value in values.items()}

    def rows(self, name: str, least: int = 1) -> list[_Fields]:
        values = self._get(name, (list,), "a list of objects")
        if len(values) < least:
            raise CardError(f"{self._where}: {name} is empty")
        return [_Fields(value, f"{self._where}: {name}[{k}]") for k, value in enumerate(values)]
