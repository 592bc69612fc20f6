"""A publisher of models for tests: keys, bundles of the shipped screening net under other versions, revocations."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.bundle import Bundle, read_bundle, unsigned
from models.publishers import Publisher
from models.revocation import RevokedModel, revocations_file, revocations_text
from models.screen import CARD
from models.signature import MANIFEST, REVOCATIONS
from models.training.bundle import signed

CREATED = "2026-03-01T12:00:00Z"


@cache
def key(number: int = 0) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def publisher(number: int = 0, models: tuple[str, ...] | None = None) -> Publisher:
    return Publisher(key(number).public_key().public_bytes_raw(), f"Lab {number}", models)


def card(version: str = "9.1.0", **changed: Any) -> bytes:
    raw = json.loads(CARD.read_text(encoding="utf-8"))
    return json.dumps({**raw, "version": version, **changed}).encode()


def plain(
    version: str = "9.1.0", minimum_program: str = "0.1.0", golden: bytes | None = None, **changed: Any
) -> Bundle:
    """Of the shipped screening net, not signed."""
    raw = json.loads(card(version, **changed))
    names = [raw["weights"], *(variant["weights"] for variant in raw["variants"])]
    weights = {name: CARD.with_name(name).read_bytes() for name in names}
    held = CARD.with_name("screen.golden.npz").read_bytes() if golden is None else golden
    return unsigned(card(version, **changed), held, weights, CREATED, minimum_program)


def packed(version: str = "9.1.0", number: int | None = 0, **changed: Any) -> bytes:
    """The file, signed by key `number`; None for not at all."""
    bundle = plain(version, **changed)
    return bundle.packed(None if number is None else signed(key(number), MANIFEST, bundle.signed))


def bundle(version: str = "9.1.0", number: int | None = 0, **changed: Any) -> Bundle:
    return read_bundle(packed(version, number, **changed), "file")


def write(folder: Path, version: str = "9.1.0", number: int | None = 0, **changed: Any) -> Path:
    path = folder / f"screen-{version}.vkmodel"
    path.write_bytes(packed(version, number, **changed))
    return path


def revoked(sequence: int, *models: RevokedModel, number: int = 0, key_reason: str | None = None) -> bytes:
    text = revocations_text(sequence, key_reason, models)
    return revocations_file(text, signed(key(number), REVOCATIONS, text.encode()))
