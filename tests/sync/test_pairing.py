"""A pairing code comes back as it was, however it was copied; a slip of the hand is told."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sync.pairing import FINGERPRINT_BYTES, TOKEN_BYTES, PairingCode, PairingCodeError, base32, on_this_machine

URLS = st.sampled_from(
    ["https://clinic.example", "http://127.0.0.1:8443", "https://clinic.example/heart/v", "http://[::1]:80"]
)
codes = st.builds(
    PairingCode,
    URLS,
    st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES),
    st.binary(min_size=FINGERPRINT_BYTES, max_size=FINGERPRINT_BYTES),
)
CODE = PairingCode("https://clinic.example", bytes(range(10)), bytes(range(100, 116)))


@given(codes)
def test_a_code_comes_back_as_it_was(code: PairingCode) -> None:
    assert PairingCode.decode(code.encode()) == code


@given(codes)
def test_case_blanks_and_dashes_do_not_matter(code: PairingCode) -> None:
    url, _, letters = code.encode().partition("#")
    assert PairingCode.decode(f" {url}#\n{letters.lower().replace('-', ' ')} ") == code


@given(codes)
def test_letters_that_look_like_digits_are_read_as_them(code: PairingCode) -> None:
    url, _, letters = code.encode().partition("#")
    assert PairingCode.decode(f"{url}#{letters.replace('0', 'O').replace('1', 'l')}") == code


@given(codes, st.data())
def test_one_wrong_letter_is_told(code: PairingCode, data: st.DataObject) -> None:
    text = code.encode()
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ.:/#"))
    assume(letter != text[at] and text[at] != "-")
    with pytest.raises(PairingCodeError):
        PairingCode.decode(text[:at] + letter + text[at + 1 :])


@given(st.text())
def test_any_text_is_a_code_or_refused(text: str) -> None:
    with pytest.raises(PairingCodeError):
        PairingCode.decode(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://clinic.example", "expected"),
        (CODE.encode()[:-1], "47 letters"),
        (CODE.encode() + "0", "49 letters"),
        (CODE.encode()[:-1] + "U", "no pairing code has"),
        (CODE.encode().replace("clinic", "evil"), "check"),
    ],
)
def test_what_is_wrong_with_a_code_is_said(text: str, told: str) -> None:
    with pytest.raises(PairingCodeError, match=told):
        PairingCode.decode(text)


@pytest.mark.parametrize("url", ["", "ftp://clinic", "https://", "https://a/", "https://a b", "https://a?b", "x" * 300])
def test_an_address_that_no_clinic_has_is_refused(url: str) -> None:
    with pytest.raises(PairingCodeError, match="address"):
        PairingCode(url, bytes(10), bytes(16))


def test_a_refusal_does_not_say_the_token() -> None:
    with pytest.raises(PairingCodeError) as refused:
        PairingCode.decode(CODE.encode()[:-1])
    assert CODE.token_text[:6] not in str(refused.value)


def test_the_letters_are_those_of_crockford() -> None:
    assert base32(bytes.fromhex("0000000000")) == "00000000"
    assert base32(b"\xff" * 5) == "ZZZZZZZZ"
    assert base32(b"hello") == "D1JPRV3F"


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8443", True),
        ("http://localhost", True),
        ("http://[::1]:1/clinic", True),
        ("https://clinic.example", False),
        ("http://127.0.0.1.clinic.example", False),
        ("http://localhost.example/127.0.0.1", False),
        ("http://localhost:80@clinic.example/", False),
    ],
)
def test_an_address_on_this_machine_is_known_as_one(url: str, here: bool) -> None:
    assert on_this_machine(url) is here
