"""A receipt is of one size, about one envelope, and signed by one clinic; nothing else takes a message away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.receipt import MAGIC, RECEIPT_BYTES, Reason, Receipt, ReceiptError, Status, check, issue
from sync.release import SEALED_BYTES, Release

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
RELEASE = Release(bytes(16), bytes(range(16)), 3, bytes(SEALED_BYTES), bytes(64))
VERDICTS = [(Status.STORED, Reason.NONE), (Status.DUPLICATE, Reason.NONE)] + [
    (Status.REFUSED, reason) for reason in Reason if reason is not Reason.NONE
]


@pytest.mark.parametrize(("status", "reason"), VERDICTS)
def test_every_receipt_is_of_one_size_and_comes_back_as_it_was(status: Status, reason: Reason) -> None:
    receipt = issue(RELEASE, status, reason, KEY)
    assert len(receipt.encode()) == RECEIPT_BYTES
    assert Receipt.decode(receipt.encode()) == receipt
    check(receipt, RELEASE, PUBLIC)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.NONE])
def test_every_refusal_has_words(reason: Reason) -> None:
    assert reason.words


@given(st.binary(max_size=RECEIPT_BYTES + 1) | st.binary(min_size=124, max_size=124).map(lambda data: MAGIC + data))
def test_any_bytes_are_a_receipt_or_refused(data: bytes) -> None:
    try:
        receipt = Receipt.decode(data)
    except ReceiptError:
        return
    assert receipt.encode() == data


@given(st.integers(0, RECEIPT_BYTES - 1), st.integers(1, 255))
def test_one_changed_byte_anywhere_is_found(at: int, by: int) -> None:
    data = bytearray(issue(RELEASE, Status.STORED, Reason.NONE, KEY).encode())
    data[at] ^= by
    with pytest.raises(ReceiptError):
        check(Receipt.decode(bytes(data)), RELEASE, PUBLIC)


@pytest.mark.parametrize(
    "other", [replace(RELEASE, id=bytes(16)), replace(RELEASE, sequence=4), replace(RELEASE, signature=b"\1" * 64)]
)
def test_a_receipt_of_another_envelope_is_refused(other: Release) -> None:
    with pytest.raises(ReceiptError, match="another message"):
        check(issue(RELEASE, Status.STORED, Reason.NONE, KEY), other, PUBLIC)


def test_a_receipt_of_another_clinic_is_refused() -> None:
    with pytest.raises(ReceiptError, match="not signed"):
        check(issue(RELEASE, Status.STORED, Reason.NONE, Ed25519PrivateKey.generate()), RELEASE, PUBLIC)


@pytest.mark.parametrize(("status", "reason"), [(Status.STORED, Reason.SEAL), (Status.REFUSED, Reason.NONE)])
def test_a_reason_stands_beside_a_refusal_and_only_there(status: Status, reason: Reason) -> None:
    with pytest.raises(ReceiptError, match="status"):
        issue(RELEASE, status, reason, KEY)
