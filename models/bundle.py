"""A model in one file, NAME-VERSION.vkmodel: manifest, signature, card, golden inputs and scores, weights. No more.

The manifest tells the hash of every other file and is what is signed; so whoever holds the manifest to its signature
holds everything. Nothing is ever unpacked to a disk: a bundle is kept whole and read whole, in memory, within limits.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from models.card import ModelCard
from models.errors import BundleError, CardError
from models.plain_json import plain_json
from models.signature import KEY_BYTES, MANIFEST, SIGNATURE_BYTES, Signature
from models.stored_zip import unzipped, zipped

SUFFIX = ".vkmodel"
SCHEMA = "vitalkeep.bundle/1"
MINIMUM_PROGRAM = "0.1.0"  # the first that takes bundles
MOST_BYTES = 2 << 20
_MANIFEST, _SIGNATURE, _CARD, _GOLDEN = "manifest.json", "signature", "card.json", "golden.npz"
_MOST = {_MANIFEST: 8 << 10, _SIGNATURE: KEY_BYTES + SIGNATURE_BYTES, _CARD: 64 << 10, _GOLDEN: 512 << 10}
_MOST_WEIGHTS = 512 << 10  # of any precision
_MOST_MEMBERS = 8
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,31}$")
_WEIGHTS = re.compile(r"^[a-z][a-z0-9_]{0,31}(\.[a-z0-9_]{1,16})?\.(tflite|npz)$")
_VERSION = re.compile(r"^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


def version_key(version: str) -> tuple[int, ...]:
    """Versions in order: 1.10.0 is more than 1.9.0. Raises BundleError where it is not three numbers."""
    if not _VERSION.match(version):
        raise BundleError(f"version {version[:20]!r}, three numbers expected")
    return tuple(int(part) for part in version.split("."))


@dataclass(frozen=True, slots=True)
class Manifest:
    """`members`: SHA-256 of every file but this and the signature. `minimum_program`: the least version to run it."""

    name: str
    version: str
    created: str
    minimum_program: str
    members: dict[str, str]

    def encoded(self) -> bytes:
        fields = {"schema": SCHEMA} | {name: getattr(self, name) for name in self.__slots__}
        return (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode("ascii")


@dataclass(frozen=True, slots=True, repr=False)
class Bundle:
    """`members`: its files by name, but for the signature; `sha256`: of the whole bundle.

    What is in it is what the manifest says; whose it is, `signature` only claims (models/trust.py).
    """

    manifest: Manifest
    card: ModelCard
    members: dict[str, bytes]
    signature: Signature | None
    sha256: str

    def __repr__(self) -> str:
        return f"<Bundle {self.manifest.name} {self.manifest.version}>"

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def golden(self) -> bytes:
        return self.members[_GOLDEN]

    @property
    def weights(self) -> bytes:
        return self.members[self.card.weights]

    @property
    def signed(self) -> bytes:
        """What a signature is of."""
        return self.members[_MANIFEST]

    def packed(self, signature: Signature | None = None) -> bytes:
        """The file, under this signature."""
        first = {_MANIFEST: self.signed}
        if signature is not None:
            first[_SIGNATURE] = signature.key + signature.signature
        return zipped(first | self.members)

    @property
    def has_true_signature(self) -> bool:
        """Whether it is signed by the key that it names, whosever that is."""
        return self.signature is not None and self.signature.is_of(MANIFEST, self.signed)


def read_bundle(data: bytes, where: str) -> Bundle:
    """Raises BundleError with `where` and both sides for whatever is not a bundle in every byte."""
    if len(data) > MOST_BYTES:
        raise BundleError(f"{where}: {len(data)} bytes or more, at most {MOST_BYTES} expected")
    members = unzipped(data, where, _MOST_MEMBERS)
    for name, content in members.items():
        most = _MOST.get(name, _MOST_WEIGHTS)
        if name not in _MOST and not _WEIGHTS.match(name):
            raise BundleError(f"{where}: {name!r}, no file of a bundle")
        if len(content) > most:
            raise BundleError(f"{where}: {name} has {len(content)} bytes, at most {most} expected")
    missing = [name for name in (_MANIFEST, _CARD, _GOLDEN) if name not in members]
    if missing:
        raise BundleError(f"{where}: {', '.join(missing)} missing")
    manifest = _manifest(members[_MANIFEST], where)
    found = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in members.items()
        if name not in (_MANIFEST, _SIGNATURE)
    }
    if found != manifest.members:
        odd = sorted(
            name for name in found.keys() | manifest.members.keys() if found.get(name) != manifest.members.get(name)
        )
        raise BundleError(f"{where}: {', '.join(odd)[:80]} is not what the manifest says")
    if list(members) != [name for name in (_MANIFEST, _SIGNATURE, _CARD, _GOLDEN) if name in members] + sorted(
        name for name in members if name not in _MOST
    ):
        raise BundleError(f"{where}: its files are not in their order")
    card = _card(members[_CARD], manifest, where)
    told = {card.weights: card.sha256} | {variant.weights: variant.sha256 for variant in card.variants}
    held = {name: found[name] for name in found if name not in _MOST}
    if told != held:
        raise BundleError(f"{where}: weights {sorted(held)}, the card tells of {sorted(told)}"[:200])
    signature = _signature(members.pop(_SIGNATURE, None), where)
    return Bundle(manifest, card, members, signature, hashlib.sha256(data).hexdigest())


def unsigned(card: bytes, golden: bytes, weights: dict[str, bytes], created: str, minimum_program: str) -> Bundle:
    """A bundle of these files, not signed yet. Raises BundleError, CardError."""
    told = ModelCard.of(plain_json(card, _CARD), _CARD)
    members = {_CARD: card, _GOLDEN: golden, **dict(sorted(weights.items()))}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    manifest = Manifest(told.name, told.version, created, minimum_program, hashes).encoded()
    return read_bundle(zipped({_MANIFEST: manifest, **members}), f"{told.name}-{told.version}{SUFFIX}")


def bundle_of(card_path: Path, created: str, minimum_program: str = MINIMUM_PROGRAM) -> Bundle:
    """Of a card with its weights, their variants and its golden scores beside it. Raises ModelError, OSError."""
    card = ModelCard.read(card_path)
    names = [card.weights, *(variant.weights for variant in card.variants)]
    weights = {name: card_path.with_name(name).read_bytes() for name in names}
    golden = card_path.with_name(f"{card_path.stem}.golden.npz").read_bytes()
    return unsigned(card_path.read_bytes(), golden, weights, created, minimum_program)


def _manifest(data: bytes, where: str) -> Manifest:
    raw = plain_json(data, f"{where}: {_MANIFEST}", _MOST[_MANIFEST])
    texts = ("name", "version", "created", "minimum_program")
    if not isinstance(raw, dict) or set(raw) != {"schema", "members", *texts}:
        raise BundleError(f"{where}: the manifest does not have the fields it must have")
    if raw["schema"] != SCHEMA:
        raise BundleError(f"{where}: schema {str(raw['schema'])[:40]!r}, {SCHEMA!r} expected")
    members = raw["members"]
    if not all(isinstance(raw[name], str) for name in texts) or not isinstance(members, dict):
        raise BundleError(f"{where}: a field of the manifest is of the wrong kind")
    if not all(isinstance(value, str) and _SHA256.match(value) for value in members.values()):
        raise BundleError(f"{where}: a hash in the manifest is not 64 hexadecimal digits")
    if not _NAME.match(raw["name"]) or not _MOMENT.match(raw["created"]):
        raise BundleError(
            f"{where}: name or date of the manifest are not such, a_name and 2026-01-31T12:00:00Z expected"
        )
    for name in ("version", "minimum_program"):
        if not _VERSION.match(raw[name]):
            raise BundleError(f"{where}: {name} {raw[name][:20]!r}, three numbers expected")
    return Manifest(members=members, **{name: raw[name] for name in texts})


def _card(data: bytes, manifest: Manifest, where: str) -> ModelCard:
    try:
        card = ModelCard.of(plain_json(data, f"{where}: {_CARD}", _MOST[_CARD]), f"{where}: {_CARD}")
    except (CardError, OverflowError, ValueError) as problem:
        raise BundleError(str(problem)) from None
    if (card.name, card.version) != (manifest.name, manifest.version):
        theirs = f"{card.name[:40]} {card.version[:20]}"
        raise BundleError(f"{where}: the card is of {theirs}, the manifest of {manifest.name} {manifest.version}")
    return card


def _signature(data: bytes | None, where: str) -> Signature | None:
    if data is None:
        return None
    if len(data) != KEY_BYTES + SIGNATURE_BYTES:
        raise BundleError(f"{where}: a signature of {len(data)} bytes, {KEY_BYTES + SIGNATURE_BYTES} expected")
    return Signature(data[:KEY_BYTES], data[KEY_BYTES:])
