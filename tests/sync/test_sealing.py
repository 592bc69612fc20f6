"""What is sealed opens at one clinic, for one header, unchanged; what is signed is one device's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.release import ENVELOPE_BYTES, Content, Delete, Release, ReleaseError
from sync.sealing import ClinicKeys, SealError, device_id, seal, unseal, verify
from tests.sync.contents import contents

DEVICE = Ed25519PrivateKey.generate()
DEVICE_KEY = DEVICE.public_key().public_bytes_raw()
ID = bytes(range(16))


def _clinic() -> tuple[X25519PrivateKey, ClinicKeys]:
    sealing = X25519PrivateKey.generate()
    signing = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return sealing, ClinicKeys(sealing.public_key().public_bytes_raw(), signing)


SEALING, CLINIC = _clinic()


@given(contents)
@settings(max_examples=25)
def test_what_was_sealed_opens_as_it_was_and_is_of_one_size(content: Content) -> None:
    release = seal(content, ID, 7, DEVICE, CLINIC)
    assert len(release.encode()) == ENVELOPE_BYTES
    verify(release, DEVICE_KEY)
    assert unseal(release, SEALING, CLINIC) == content


def test_two_seals_of_one_content_have_nothing_in_common() -> None:
    one, other = (seal(Delete(), ID, 7, DEVICE, CLINIC) for _ in range(2))
    assert one.sealed != other.sealed
    assert one.sealed[:32] != other.sealed[:32]


@given(st.integers(0, ENVELOPE_BYTES - 1), st.integers(1, 255))
@settings(max_examples=200)
def test_one_changed_byte_anywhere_is_found(at: int, by: int) -> None:
    data = bytearray(seal(Delete(), ID, 7, DEVICE, CLINIC).encode())
    data[at] ^= by
    with pytest.raises(ReleaseError):
        verify(Release.decode(bytes(data)), DEVICE_KEY)


@pytest.mark.parametrize("change", [{"sequence": 8}, {"id": bytes(16)}, {"device": bytes(16)}])
def test_a_content_moved_to_another_header_does_not_open(change: dict[str, object]) -> None:
    release = replace(seal(Delete(), ID, 7, DEVICE, CLINIC), **change)  # type: ignore[arg-type]
    with pytest.raises(SealError):
        unseal(release, SEALING, CLINIC)
    with pytest.raises(ReleaseError):
        verify(release, DEVICE_KEY)


def test_a_content_signed_anew_by_another_device_does_not_open() -> None:
    release = seal(Delete(), ID, 7, DEVICE, CLINIC)
    thief = Ed25519PrivateKey.generate()
    stolen = replace(release, device=device_id(thief.public_key().public_bytes_raw()))
    signed = replace(stolen, signature=thief.sign(b"vitalkeep release 1" + stolen.signed))
    verify(signed, thief.public_key().public_bytes_raw())
    with pytest.raises(SealError):
        unseal(signed, SEALING, CLINIC)


def test_another_clinic_opens_nothing() -> None:
    release = seal(Delete(), ID, 7, DEVICE, CLINIC)
    sealing, keys = _clinic()
    with pytest.raises(SealError):
        unseal(release, sealing, keys)
    with pytest.raises(SealError):
        unseal(release, SEALING, keys)


def test_another_device_signed_nothing() -> None:
    release = seal(Delete(), ID, 7, DEVICE, CLINIC)
    with pytest.raises(ReleaseError, match="not the one of the device"):
        verify(release, Ed25519PrivateKey.generate().public_key().public_bytes_raw())


@given(st.binary(min_size=916, max_size=916))
@settings(max_examples=25)
def test_any_sealed_bytes_open_or_are_refused(sealed: bytes) -> None:
    with pytest.raises(SealError):
        unseal(Release(bytes(16), ID, 1, sealed, bytes(64)), SEALING, CLINIC)


def test_a_clinic_is_named_by_both_of_its_keys() -> None:
    other = _clinic()[1]
    assert len({CLINIC.id, other.id, ClinicKeys(CLINIC.sealing, other.signing).id}) == 3
