"""What publishers have taken back. Each key speaks for itself and for what it signed; nothing comes back ever.

A list is one JSON file, {"list": TEXT, "key": HEX, "signature": HEX}, TEXT the JSON that is signed. Its sequence only
rises, so an older list can neither hide a newer one nor be played again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.errors import BundleError, TrustError
from models.plain_json import plain_json
from models.publishers import Publisher, publisher_of
from models.signature import KEY_BYTES, REVOCATIONS, SIGNATURE_BYTES, Signature, fingerprint, spaced

SCHEMA = "vitalkeep.revocations/1"
SUFFIX = ".vkrevoked"
MOST_BYTES = 64 << 10
_HEX = re.compile(r"^[0-9a-f]+$")
_MOST_REASON = 200


@dataclass(frozen=True, slots=True)
class RevokedModel:
    """One version of a model, or one bundle by its SHA-256, among those that the key `by` signed."""

    name: str
    version: str | None
    sha256: str | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class RevocationList:
    """As signed: `key_reason` where the key takes itself back. `by`: fingerprint of the key that signed it."""

    sequence: int
    key_reason: str | None
    models: tuple[RevokedModel, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Revocations:
    """All that is known: `keys` by fingerprint with the reason; `sequences`: the last list of each key."""

    keys: Mapping[str, str] = field(default_factory=dict)
    models: tuple[RevokedModel, ...] = ()
    sequences: Mapping[str, int] = field(default_factory=dict)

    def of_model(self, name: str, version: str, sha256: str, key: str | None) -> str | None:
        """Why a bundle signed by `key` was taken back; None where it was not."""
        for model in self.models:
            same = model.name == name and (
                model.sha256 == sha256 or (model.sha256 is None and model.version == version)
            )
            if same and model.by == key:
                return model.reason
        return None

    def with_list(self, new: RevocationList) -> Revocations:
        """Raises TrustError where a list as new was seen before."""
        last = self.sequences.get(new.by)
        if last is not None and new.sequence <= last:
            raise TrustError(f"revocations {new.sequence}: {last} is known already, a newer list expected")
        keys = dict(self.keys) if new.key_reason is None else {**self.keys, new.by: new.key_reason}
        more = tuple(model for model in new.models if model not in self.models)
        return Revocations(keys, self.models + more, {**self.sequences, new.by: new.sequence})


def read_revocations(data: bytes, where: str, publishers: Iterable[Publisher]) -> RevocationList:
    """A list signed by a trusted key. Raises BundleError where it is no list, TrustError where it is not so signed."""
    outer = plain_json(data, where, MOST_BYTES)
    if not isinstance(outer, dict) or set(outer) != {"list", "key", "signature"}:
        raise BundleError(f"{where}: no revocations, the fields list, key and signature expected")
    key, signature = _hex(outer["key"], KEY_BYTES, where), _hex(outer["signature"], SIGNATURE_BYTES, where)
    if not isinstance(outer["list"], str):
        raise BundleError(f"{where}: its list is no text")
    text = outer["list"].encode("utf-8")
    by = fingerprint(key)
    publisher = publisher_of(publishers, by)
    if publisher is None:
        raise TrustError(f"{where}: signed by {spaced(by)}, a trusted key expected")
    if not Signature(key, signature).is_of(REVOCATIONS, text):
        raise TrustError(f"{where}: the signature is not that of the key it names: the file was changed")
    raw = plain_json(text, where, MOST_BYTES)
    if not isinstance(raw, dict) or set(raw) != {"schema", "sequence", "key", "models"} or raw["schema"] != SCHEMA:
        raise BundleError(f"{where}: the list does not have the fields of {SCHEMA}")
    sequence = raw["sequence"]
    if type(sequence) is not int or not 0 < sequence < 1 << 53 or not isinstance(raw["models"], list):
        raise BundleError(f"{where}: a sequence from 1 on and a list of models expected")
    models = tuple(_model(one, by, where) for one in raw["models"])
    return RevocationList(sequence, None if raw["key"] is None else _reason(raw["key"], where), models, by)


def revocations_text(sequence: int, key_reason: str | None, models: Iterable[RevokedModel]) -> str:
    """What is signed."""
    rows = [{"name": m.name, "version": m.version, "sha256": m.sha256, "reason": m.reason} for m in models]
    return json.dumps({"schema": SCHEMA, "sequence": sequence, "key": key_reason, "models": rows}, sort_keys=True)


def revocations_file(text: str, signature: Signature) -> bytes:
    outer = {"list": text, "key": signature.key.hex(), "signature": signature.signature.hex()}
    return (json.dumps(outer, indent=1) + "\n").encode("ascii")


def _model(raw: Any, by: str, where: str) -> RevokedModel:
    if not isinstance(raw, dict) or set(raw) != {"name", "version", "sha256", "reason"}:
        raise BundleError(f"{where}: a model has name, version, sha256 and reason")
    name, version, sha256 = raw["name"], raw["version"], raw["sha256"]
    if not isinstance(name, str) or not all(part is None or isinstance(part, str) for part in (version, sha256)):
        raise BundleError(f"{where}: a model has a name and texts")
    if (version is None) == (sha256 is None):
        raise BundleError(f"{where}: {name[:40]}: either a version or a sha256 expected")
    return RevokedModel(name, version, sha256, _reason(raw["reason"], where), by)


def _reason(raw: Any, where: str) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= _MOST_REASON:
        raise BundleError(f"{where}: a reason of 1 to {_MOST_REASON} characters expected")
    return raw


def _hex(raw: Any, size: int, where: str) -> bytes:
    if not isinstance(raw, str) or len(raw) != 2 * size or not _HEX.match(raw):
        raise BundleError(f"{where}: {2 * size} hexadecimal digits expected")
    return bytes.fromhex(raw)
