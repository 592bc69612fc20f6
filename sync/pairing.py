"""A pairing code: where a clinic is, a token that enrols one device once, and the fingerprint of the clinic's keys.

The address stays readable; after `#` come 8 groups of 6 letters and digits (Crockford's base 32, which takes O for 0
and I or L for 1): version (1 byte), token (10), fingerprint (16: the id of the keys), check (3: SHA-256 of the address
and all before it). A slip of the hand is told before anything is asked of any network.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_VERSION = 1
TOKEN_BYTES = 10
FINGERPRINT_BYTES = 16
_CHECK_BYTES = 3
_BYTES = 1 + TOKEN_BYTES + FINGERPRINT_BYTES + _CHECK_BYTES
_GROUP = 6
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011")
_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:/[A-Za-z0-9._~/\-]*)?")
_LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/.*)?")
MOST_URL = 200


class PairingCodeError(Exception):
    """Text that is no pairing code, or was copied wrong."""


@dataclass(frozen=True, slots=True)
class PairingCode:
    """`url`: the clinic's address without a slash at its end; `token`: 10 bytes; `fingerprint`: ClinicKeys.id."""

    url: str
    token: bytes
    fingerprint: bytes

    def __post_init__(self) -> None:
        require_url(self.url)
        if (len(self.token), len(self.fingerprint)) != (TOKEN_BYTES, FINGERPRINT_BYTES):
            raise PairingCodeError(
                f"token of {len(self.token)} bytes and fingerprint of {len(self.fingerprint)},"
                f" expected {TOKEN_BYTES} and {FINGERPRINT_BYTES}"
            )

    @property
    def token_text(self) -> str:
        """As it stands in an Enrol."""
        return base32(self.token)

    def encode(self) -> str:
        data = bytes([_VERSION]) + self.token + self.fingerprint
        letters = base32(data + _check(self.url, data))
        return self.url + "#" + "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))

    @classmethod
    def decode(cls, text: str) -> PairingCode:
        """Whatever case, blanks and dashes it was copied with. Raises PairingCodeError."""
        url, mark, letters = "".join(text.split()).partition("#")
        letters = letters.replace("-", "").upper().translate(_READ_AS)
        if not mark:
            raise PairingCodeError("no pairing code: an address, # and 8 groups of 6 letters and digits expected")
        if len(letters) != _BYTES * 8 // 5:
            raise PairingCodeError(f"{len(letters)} letters and digits after the #, expected {_BYTES * 8 // 5}")
        if any(letter not in _ALPHABET for letter in letters):
            raise PairingCodeError("a sign after the # that no pairing code has")
        data = _from_base32(letters)
        url = url.rstrip("/")
        if data[-_CHECK_BYTES:] != _check(url, data[:-_CHECK_BYTES]):
            raise PairingCodeError("the code was not copied right: its check does not fit")
        if data[0] != _VERSION:
            raise PairingCodeError(f"a code of version {data[0]}, this program knows {_VERSION}")
        return cls(url, data[1 : 1 + TOKEN_BYTES], data[1 + TOKEN_BYTES : -_CHECK_BYTES])


def require_url(url: str) -> None:
    """Raises PairingCodeError for what no clinic can have as its address."""
    if not _URL.fullmatch(url) or url.endswith("/") or len(url) > MOST_URL:
        raise PairingCodeError(
            f"an address is http:// or https://, a host and perhaps a path, no slash at its end, and at most {MOST_URL}"
            " letters"
        )


def on_this_machine(url: str) -> bool:
    """Whether the address can lead nowhere else."""
    return _LOOPBACK.fullmatch(url) is not None


def base32(data: bytes) -> str:
    """Crockford's, without padding; of whole groups of 5 bytes."""
    if len(data) % 5:
        raise ValueError(f"{len(data)} bytes, a multiple of 5 expected")
    number = int.from_bytes(data, "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(len(data) * 8 - 5, -1, -5))


def _from_base32(letters: str) -> bytes:
    number = 0
    for letter in letters:
        number = number << 5 | _ALPHABET.index(letter)
    return number.to_bytes(len(letters) * 5 // 8, "big")


def _check(url: str, data: bytes) -> bytes:
    return hashlib.sha256(b"vitalkeep pairing 1" + url.encode("utf-8") + b"\0" + data).digest()[:_CHECK_BYTES]
