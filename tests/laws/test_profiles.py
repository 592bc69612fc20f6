"""The laws every profile of the registry keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.errors import DecodeError
from sensors.profile import AnyProfile, full_uuid
from sensors.registry import PROFILES
from tests.data import shared_data
from tests.laws.gatt_values import OWN_VECTORS
from tests.laws.profile_values import VALUES, VECTOR_NAMES

every_profile = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)


def vectors(profile: AnyProfile) -> list[dict[str, Any]]:
    text = shared_data("vectors", "gatt_vectors.json").read_text()
    names = VECTOR_NAMES[profile.name]
    own = [{"hex": payload, "expected": expected} for payload, expected in OWN_VECTORS.get(profile.name, ())]
    return own + [vector for vector in json.loads(text)["vectors"] if vector["characteristic"] in names]


def in_json(found: Any) -> str:
    """As text, in which 1, 1.0 and true differ."""
    return json.dumps(found, sort_keys=True, allow_nan=False)


def decoded_or_refused(profile: AnyProfile, payload: bytes) -> Any:
    try:
        value = profile.decode(payload)
    except DecodeError:
        return None
    profile.observe(value)
    return value


def test_names_and_characteristics_are_unique_and_in_full_form() -> None:
    assert len({p.name for p in PROFILES}) == len({p.characteristic for p in PROFILES}) == len(PROFILES)
    assert all(p.characteristic == full_uuid(p.characteristic) and len(p.characteristic) == 36 for p in PROFILES)


@every_profile
@given(payload=st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(profile: AnyProfile, payload: bytes) -> None:
    value = decoded_or_refused(profile, payload)
    if value is not None:
        again = profile.decode(profile.encode(value))
        assert again == value


@every_profile
@given(data=st.data())
def test_what_was_encoded_decodes_to_itself_and_encodes_to_the_same_bytes(
    profile: AnyProfile, data: st.DataObject
) -> None:
    value = data.draw(VALUES[profile.name])
    payload = profile.encode(value)
    assert profile.decode(payload) == value
    assert profile.encode(profile.decode(payload)) == payload
    profile.observe(value)


@every_profile
@given(data=st.data())
def test_damaged_bytes_decode_or_are_refused(profile: AnyProfile, data: st.DataObject) -> None:
    payload = bytearray(profile.encode(data.draw(VALUES[profile.name])))
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    decoded_or_refused(profile, bytes(payload))


@every_profile
def test_vectors_read_as_expected(profile: AnyProfile) -> None:
    found = vectors(profile)
    assert found or not VECTOR_NAMES[profile.name]
    for vector in found:
        payload, expected = bytes.fromhex(vector["hex"]), vector["expected"]
        if isinstance(expected, dict) and expected.get("error"):
            with pytest.raises(DecodeError):
                profile.decode(payload)
            continue
        assert in_json(profile.fields(profile.decode(payload))) == in_json(expected), vector["hex"]


@every_profile
def test_vectors_cut_at_every_byte_decode_or_are_refused(profile: AnyProfile) -> None:
    for vector in vectors(profile):
        payload = bytes.fromhex(vector["hex"])
        for length in range(len(payload)):
            decoded_or_refused(profile, payload[:length])


@every_profile
@given(data=st.data())
def test_no_repr_shows_a_value(profile: AnyProfile, data: st.DataObject) -> None:
    value = data.draw(VALUES[profile.name])
    for observed in profile.observe(value):
        shown = repr(observed).partition("n=")[0].replace(observed.channel or "", "")
        assert not any(ch.isdigit() for ch in shown)
