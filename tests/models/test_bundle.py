"""A bundle is what its manifest says, in one form, within limits; anything else is refused and says why."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import MOST_BYTES, SCHEMA, bundle_of, read_bundle, version_key
from models.card import ModelCard
from models.errors import BundleError, ModelError
from models.registry import MODELS, ModelRow
from models.stored_zip import unzipped, zipped
from tests.models.publisher import CREATED, bundle, card, packed, plain

WHOLE = packed()
MEMBERS = unzipped(WHOLE, "file", 9)


def test_what_was_packed_is_read_back() -> None:
    read = read_bundle(WHOLE, "file")
    assert (read.name, read.version, read.manifest.created) == ("screen", "9.1.0", CREATED)
    assert read.has_true_signature
    assert hashlib.sha256(read.weights).hexdigest() == read.card.sha256
    assert read.sha256 == hashlib.sha256(WHOLE).hexdigest()
    assert read.packed(read.signature) == WHOLE
    assert plain().packed() != WHOLE
    assert not plain().has_true_signature


def test_any_unzip_opens_it() -> None:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_every_model_fits_into_a_bundle(row: ModelRow) -> None:
    made = bundle_of(row.card, CREATED)
    assert made.card == ModelCard.read(row.card)
    assert len(made.packed()) < MOST_BYTES


def foreign(compress: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compress) as archive:
        for name, data in MEMBERS.items():
            archive.writestr(name, data)
        archive.comment = comment
    return file.getvalue()


def changed(**members: bytes | None) -> bytes:
    """The same with members changed, or taken away; the manifest tells them as they are then."""
    new = {name.replace("__", "."): data for name, data in members.items()}
    held = {name: data for name, data in (MEMBERS | new).items() if data is not None}
    manifest = json.loads(MEMBERS["manifest.json"])
    manifest["members"] = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in held.items()
        if name not in ("manifest.json", "signature")
    }
    if "manifest.json" not in new:
        held["manifest.json"] = json.dumps(manifest).encode()
    return zipped(held)


def manifest(**fields: object) -> bytes:
    return changed(manifest__json=json.dumps(json.loads(MEMBERS["manifest.json"]) | fields).encode())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "form"),
        (b"PK\x03\x04", "cut short"),
        (WHOLE[:-1], "form"),
        (WHOLE[:1000], "cut short"),
        (WHOLE + b"\0", "form"),
        (b"\0" + WHOLE, "form"),
        (foreign(), "form"),
        (foreign(zipfile.ZIP_DEFLATED), "packed"),
        (foreign(comment=b"hello"), "form"),
        (WHOLE + bytes(MOST_BYTES), "at most"),
        (zipped({"../../etc/passwd": b""}), "no file of a bundle"),
        (zipped({"/manifest.json": b""}), "no file of a bundle"),
        (zipped({"manifest.json": bytes(10_000)}), "at most"),
        (zipped({"x" * 90: b""}), "short names"),
        (zipped({f"m{k}.npz": b"" for k in range(12)}), "more than"),
        (zipped({"manifest.json": MEMBERS["manifest.json"]}), "missing"),
        (zipped(dict(reversed(MEMBERS.items()))), "order"),
        (changed(golden__npz=None), "missing"),
        (changed(screen__tflite=None), "weights"),
        (changed(screen__tflite=b"other"), "card tells"),
        (changed(z__npz=b"more"), "card tells"),
        (changed(signature=b"short"), "signature of 5 bytes"),
        (changed(card__json=b"{"), "plain JSON"),
        (changed(card__json=b"[" * 60_000), "plain JSON"),
        (changed(card__json=card("9.2.0")), "the manifest of screen 9.1.0"),
        (changed(card__json=card(purpose="a\x1b[2Jb")), "plain JSON"),
        (changed(card__json=card(purpose="a\u202eb")), "plain JSON"),
        (changed(card__json=card(size_bytes=float("inf"))), "plain JSON"),
        (changed(card__json=card().replace(b'"size_bytes": ', b'"size_bytes": 1e999')), "plain JSON"),
        (changed(card__json=b'{"name": 1, "name": 2}'), "plain JSON"),
        (changed(card__json=card(schema="vitalkeep.card/9")), "schema"),
        (manifest(schema="vitalkeep.bundle/2"), SCHEMA),
        (manifest(more=1), "fields"),
        (manifest(version="1.1"), "three numbers"),
        (manifest(version="01.1.0"), "three numbers"),
        (manifest(minimum_program="latest"), "three numbers"),
        (manifest(name="../screen"), "name or date"),
        (manifest(created="yesterday"), "name or date"),
        (manifest(members=[]), "wrong kind"),
        (manifest(members={"card.json": "0"}), "hexadecimal"),
        (manifest(members={}), "not what the manifest says"),
    ],
)
def test_what_is_no_bundle_is_refused_and_says_why(data: bytes, why: str) -> None:
    with pytest.raises(BundleError, match=why) as told:
        read_bundle(data, "file")
    assert str(told.value).startswith("file: ")
    assert len(str(told.value)) < 300


def test_a_name_twice_is_refused() -> None:
    one = zipped({"card.json": b"{}"})
    body = one[: one.index(b"PK\x01\x02")]
    with pytest.raises(BundleError, match="twice"):
        read_bundle(body + one, "file")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed_but_those_of_the_signature(at: int, by: int) -> None:
    data = bytearray(WHOLE)
    data[at] ^= by
    try:
        read = read_bundle(bytes(data), "file")
    except ModelError:
        return
    # a changed signature needs a changed sum in the zip as well, so a single byte never gets so far
    raise AssertionError(f"byte {at} of {read} was changed unseen")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(WHOLE) - 1))
def test_a_bundle_cut_short_is_refused(at: int) -> None:
    with pytest.raises(BundleError):
        read_bundle(WHOLE[:at], "file")


def test_versions_are_ordered_by_number() -> None:
    assert version_key("9.10.0") > version_key("9.9.9")
    with pytest.raises(BundleError):
        version_key("9.0")


def test_a_bundle_shows_its_name_and_no_more() -> None:
    assert repr(bundle()) == "<Bundle screen 9.1.0>"


def test_no_private_key_lies_in_the_repository() -> None:
    root = Path(__file__).resolve().parents[2]
    mark = b" ".join((b"PRIVATE", b"KEY-----"))  # else the mark would lie in the bytecode of this test
    found = []
    for top in (path for path in root.iterdir() if not path.name.startswith(".")):
        files = [top] if top.is_file() else [path for path in top.rglob("*") if path.is_file()]
        found += [path for path in files if path.stat().st_size < 1 << 20 and mark in path.read_bytes()]
    assert found == []
