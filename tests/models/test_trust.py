"""Let in is what a trusted key signed for that model, or what the wearer names; what was taken back never."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.bundle import read_bundle
from models.errors import BundleError, TrustError
from models.publishers import PUBLISHERS, key_line, read_key
from models.revocation import Revocations, RevokedModel, read_revocations
from models.signature import MANIFEST, Signature
from models.training.bundle import load_key, make_key, signed
from models.trust import LOCAL, SIGNED, judged
from tests.models.publisher import bundle, key, packed, plain, publisher, revoked

NOTHING = Revocations()
US = (publisher(0),)


def test_the_program_pins_no_key_while_nothing_is_published_apart_from_it() -> None:
    assert PUBLISHERS == ()


def test_a_bundle_signed_by_a_trusted_key_is_let_in() -> None:
    trust = judged(bundle(), US, NOTHING)
    assert (trust.kind, trust.fingerprint) == (SIGNED, publisher(0).fingerprint)
    assert "Lab 0" in trust.told(US)
    assert "no longer trusted" in trust.told(())


@pytest.mark.parametrize(
    ("number", "publishers", "why"),
    [
        (None, US, "not signed"),
        (1, US, "a key that is trusted expected"),
        (0, (), "a key that is trusted expected"),
        (0, (publisher(0, ("beat",)),), "trusted for beat, not for screen"),
    ],
)
def test_anything_else_needs_the_word_of_the_wearer(number: int | None, publishers: tuple, why: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(TrustError, match=why):
        judged(bundle(number=number), publishers, NOTHING)
    trust = judged(bundle(number=number), publishers, NOTHING, local_is_enough=True)
    assert trust.kind == LOCAL
    assert "trusted locally" in trust.told(publishers)


@pytest.mark.parametrize("local", [False, True])
def test_a_false_signature_is_let_in_by_nobody(local: bool) -> None:
    other = signed(key(0), MANIFEST, plain("9.2.0").signed)
    wrong_purpose = signed(key(0), b"vitalkeep.revocations/1\0", plain().signed)
    for signature in (other, wrong_purpose, Signature(other.key, bytes(64)), Signature(bytes(32), other.signature)):
        forged = read_bundle(plain().packed(signature), "file")
        with pytest.raises(TrustError, match="signature is not"):
            judged(forged, US, NOTHING, local_is_enough=local)


def taken_back(*models: RevokedModel, sequence: int = 1, number: int = 0, key_reason: str | None = None) -> Revocations:
    data = revoked(sequence, *models, number=number, key_reason=key_reason)
    return NOTHING.with_list(read_revocations(data, "list", (publisher(0), publisher(1))))


def of(version: str | None = None, sha256: str | None = None, name: str = "screen") -> RevokedModel:
    return RevokedModel(name, version, sha256, "Wrong labels.", "")


@pytest.mark.parametrize("local", [False, True])
def test_what_was_taken_back_is_let_in_by_nobody(local: bool) -> None:
    one = bundle()
    for known in (
        taken_back(of("9.1.0")),
        taken_back(of(sha256=one.sha256)),
        taken_back(key_reason="Stolen."),
    ):
        with pytest.raises(TrustError, match="taken back"):
            judged(one, US, known, local_is_enough=local)


def test_a_list_takes_back_no_other_version_model_or_key() -> None:
    for known in (
        taken_back(of("9.2.0")),
        taken_back(of("9.1.0", name="beat")),
        taken_back(of("9.1.0"), number=1),
        taken_back(number=1, key_reason="Stolen."),
    ):
        assert judged(bundle(), US, known).kind == SIGNED


def test_a_list_is_taken_once_and_only_a_newer_one_after_it() -> None:
    first = taken_back(of("9.1.0"), sequence=2)
    for sequence in (1, 2):
        with pytest.raises(TrustError, match="a newer list expected"):
            first.with_list(read_revocations(revoked(sequence), "list", US))
    second = first.with_list(read_revocations(revoked(3), "list", US))
    assert second.of_model("screen", "9.1.0", "0" * 64, publisher(0).fingerprint) == "Wrong labels."


def test_a_list_that_nobody_trusted_signed_is_refused() -> None:
    with pytest.raises(TrustError, match="trusted key expected"):
        read_revocations(revoked(1, number=2), "list", US)
    data = revoked(1, of("9.1.0"))
    with pytest.raises(TrustError, match="changed"):
        read_revocations(data.replace(b"9.1.0", b"1.0.0"), "list", US)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        bytes(70_000),
        json.dumps({"list": 1, "key": "0" * 64, "signature": "0" * 128}).encode(),
        json.dumps({"list": "", "key": "0" * 63, "signature": "0" * 128}).encode(),
        revoked(0),
        revoked(1, of()),
        revoked(1, of("9.1.0", "0" * 64)),
        revoked(1, RevokedModel("screen", "9.1.0", None, "", "")),
    ],
)
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match="list"):
        read_revocations(data, "list", US)


@pytest.mark.parametrize(
    "text",
    ["", "vitalkeep-key-1", "ssh-ed25519 AAAA me", "vitalkeep-key-1 AAAA Lab", "vitalkeep-key-1 **** Lab", "x" * 600]
    + [key_line(publisher()).replace("Lab", name) for name in ("\x1b[2J", "\u202e", "x" * 90)],
)
def test_a_key_file_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(TrustError, match="file"):
        read_key(text, "file")


def test_a_private_key_lies_encrypted_and_outside_of_the_repository(tmp_path: Path) -> None:
    path = tmp_path / "lab.vkkey"
    with pytest.raises(TrustError, match="12 or more"):
        make_key(path, "Lab", b"short")
    with pytest.raises(TrustError, match="repository"):
        make_key(Path(__file__).with_name("lab.vkkey"), "Lab", b"long enough, this")
    made = make_key(path, "Lab", b"long enough, this")
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    assert read_key(path.with_name("lab.vkkey.pub").read_text(), "file") == made
    with pytest.raises(TrustError, match="passphrase"):
        load_key(path, b"another passphrase")
    again = load_key(path, b"long enough, this")
    assert (
        judged(read_bundle(plain().packed(signed(again, MANIFEST, plain().signed)), "file"), (made,), NOTHING).kind
        == SIGNED
    )
    with pytest.raises(FileExistsError):
        make_key(path, "Lab", b"long enough, this")


def test_the_whole_is_the_same_again_from_the_same_key() -> None:
    assert packed() == packed()
