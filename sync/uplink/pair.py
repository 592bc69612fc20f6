"""Asks a clinic for its public keys. Nothing of the wearer is sent; whoever asked compares them with a pairing code."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sync.pairing import PairingCodeError, require_url
from sync.sealing import ClinicKeys
from sync.uplink.transport import Transport, TransportError

_MOST_BYTES = 4096
_MOST_NAME = 100
_API = 1


@dataclass(frozen=True, slots=True)
class FoundClinic:
    name: str
    url: str
    keys: ClinicKeys


def ask(url: str, transport: Transport) -> FoundClinic:
    """Raises TransportError, also for an answer that is none."""
    url = url.rstrip("/")
    try:
        require_url(url)
    except PairingCodeError as problem:
        raise TransportError(str(problem)) from None
    try:
        raw = json.loads(transport.get(f"{url}/v1/clinic", _MOST_BYTES))
        keys = ClinicKeys(bytes.fromhex(raw["sealing"]), bytes.fromhex(raw["signing"]))
        name = raw["name"]
        told = raw["api"], bytes.fromhex(raw["id"]), len(keys.sealing), len(keys.signing)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise TransportError("what answers there is no clinic") from None
    if told[0] != _API:
        raise TransportError(f"the clinic speaks another version of the protocol, this program speaks {_API}")
    if told[1:] != (keys.id, 32, 32) or not isinstance(name, str) or not name.isprintable() or len(name) > _MOST_NAME:
        raise TransportError("what answers there is no clinic")
    return FoundClinic(name, url, keys)
