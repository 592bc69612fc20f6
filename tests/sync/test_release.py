"""The codec of what leaves: any bytes decode or are refused, and every content is of one size."""

from __future__ import annotations

import dataclasses
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.release import (
    CONTENT_BYTES,
    ENVELOPE_BYTES,
    HEADER_BYTES,
    MAGIC,
    SEALED_BYTES,
    SIGNATURE_BYTES,
    Answer,
    Content,
    Delete,
    Enrol,
    Release,
    ReleaseError,
    pack,
    unpack,
)
from tests.sync.contents import contents

releases = st.builds(
    Release,
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
    st.integers(1, 2**63 - 1),
    st.binary(min_size=SEALED_BYTES, max_size=SEALED_BYTES),
    st.binary(min_size=SIGNATURE_BYTES, max_size=SIGNATURE_BYTES),
)


@given(releases)
def test_every_envelope_is_of_one_size_and_comes_back_as_it_was(release: Release) -> None:
    data = release.encode()
    assert len(data) == ENVELOPE_BYTES
    assert Release.decode(data) == release


@given(st.binary(max_size=ENVELOPE_BYTES + 1))
def test_any_bytes_are_an_envelope_or_refused(data: bytes) -> None:
    try:
        release = Release.decode(data)
    except ReleaseError:
        return
    assert release.encode() == data


@given(st.binary(min_size=ENVELOPE_BYTES - 4, max_size=ENVELOPE_BYTES - 4))
def test_any_bytes_after_the_magic_are_an_envelope_or_refused(data: bytes) -> None:
    try:
        release = Release.decode(MAGIC + data)
    except ReleaseError:
        return
    assert release.encode() == MAGIC + data


@given(releases, st.integers(0, ENVELOPE_BYTES - 1))
def test_an_envelope_cut_at_any_byte_is_refused(release: Release, at: int) -> None:
    with pytest.raises(ReleaseError, match="expected 1024"):
        Release.decode(release.encode()[:at])


@pytest.mark.parametrize("sequence", [0, 2**63, 2**64 - 1])
def test_a_sequence_number_beyond_what_is_counted_is_refused(sequence: int) -> None:
    data = MAGIC + bytes(32) + struct.pack(">Q", sequence)
    with pytest.raises(ReleaseError, match="sequence"):
        Release.decode(data.ljust(ENVELOPE_BYTES, b"\0"))


@given(contents)
def test_every_content_is_packed_to_one_size_and_comes_back_as_it_was(content: Content) -> None:
    data = pack(content)
    assert len(data) == CONTENT_BYTES
    assert unpack(data) == content


@given(st.binary(max_size=CONTENT_BYTES + 1))
def test_any_bytes_are_a_content_or_refused(data: bytes) -> None:
    _content_or_refused(data)
    _content_or_refused(data[:CONTENT_BYTES].ljust(CONTENT_BYTES, b"\0"))


_json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(["answer", "enrol", "delete", "other", 1]), st.data())
def test_any_json_is_a_content_or_refused(kind: object, data: st.DataObject) -> None:
    type_ = {"answer": Answer, "enrol": Enrol, "delete": Delete}.get(str(kind), Answer)
    raw = {"kind": kind, **{field.name: data.draw(_json_values) for field in dataclasses.fields(type_)}}
    text = json.dumps(raw).encode("ascii")[: CONTENT_BYTES - 2]
    _content_or_refused((struct.pack(">H", len(text)) + text).ljust(CONTENT_BYTES, b"\0"))


def _content_or_refused(data: bytes) -> None:
    """Where it is one, it is one again after `pack`, so that it can be stored and told."""
    try:
        content = unpack(data)
    except ReleaseError:
        return
    assert unpack(pack(content)) == content


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "NaN",
        '{"kind":"answer"}',
        '{"kind":["answer"]}',
        '{"kind":"delete","reason":1}',
        '{"kind":"delete","reason":"x","more":1}',
        '{"kind":"enrol","token":"t","device_key":"k","statistics":{"af_days":true}}',
        "[" * 800,
    ],
)
def test_a_content_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError):
        unpack(_padded(text))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "true", "null", '"1"', str(2**63)])
def test_a_value_that_is_no_number_within_bounds_is_refused(value: str) -> None:
    text = (
        '{"kind":"answer","statistic":"af_days","version":1,"length_days":28,"window":1,"epsilon_milli":500,'
        f'"value":{value}}}'
    )
    with pytest.raises(ReleaseError):
        unpack(_padded(text))


def test_padding_that_holds_something_is_refused() -> None:
    with pytest.raises(ReleaseError, match="padded"):
        unpack(pack(Delete())[:-1] + b"\1")


def test_what_does_not_fit_is_refused_before_it_is_sealed() -> None:
    with pytest.raises(ReleaseError, match="at most"):
        pack(Delete("x" * CONTENT_BYTES))


def test_a_refusal_says_nothing_of_the_content() -> None:
    with pytest.raises(ReleaseError) as refused:
        unpack(_padded('{"kind":"delete","reason":123454321}'))
    assert "123454321" not in str(refused.value)


def test_the_parts_of_an_envelope_fill_it() -> None:
    assert HEADER_BYTES + SEALED_BYTES + SIGNATURE_BYTES == ENVELOPE_BYTES == 1024


def _padded(text: str) -> bytes:
    data = text.encode("ascii")
    return (struct.pack(">H", len(data)) + data).ljust(CONTENT_BYTES, b"\0")
