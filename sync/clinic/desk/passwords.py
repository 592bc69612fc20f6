"""Passwords of staff: Argon2id of RFC 9106's second recommended choice (64 MiB, 3 passes, 4 lanes), and NIST's rules.

SP 800-63B asks for length and for what is not on a list of the obvious, and against rules of composition: 12 characters
at least, 1024 bytes at most, after NFKC. Whoever has no password, or does not exist, is checked for as long.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from base64 import b64encode

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from sync.clinic.errors import PasswordError
from sync.pairing import base32

LEAST_CHARACTERS = 12
MOST_BYTES = 1024
TIME_COST, MEMORY_KIB, LANES, HASH_BYTES, SALT_BYTES = 3, 64 * 1024, 4, 32, 16
_GENERATED_BYTES = 15
# Alone, again and again, or with digits and signs around them. German and English, as those who made this speak them.
# fmt: off
_OBVIOUS = frozenset({
    "password", "passwort", "passphrase", "kennwort", "geheim", "secret", "vitalkeep", "clinic", "klinik", "praxis",
    "hospital", "doctor", "reception", "welcome", "willkommen", "letmein", "admin", "administrator", "changeme",
    "qwerty", "qwertyuiop", "qwertz", "qwertzuiop", "asdfghjkl", "iloveyou", "monkey", "dragon", "sunshine",
    "princess", "football", "correcthorsebatterystaple",
})
# fmt: on
_ROWS = ("0123456789" * 3, "abcdefghijklmnopqrstuvwxyz" * 2, "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm")


class Passwords:
    """Used by many threads: each check takes MEMORY_KIB for its time, so a few at once are enough."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(TIME_COST, MEMORY_KIB, LANES, HASH_BYTES, SALT_BYTES, type=Type.ID)
        # Looks like any other and is the hash of nothing that anybody knows.
        self._nobodys = (
            f"$argon2id$v={ARGON2_VERSION}$m={MEMORY_KIB},t={TIME_COST},p={LANES}"
            f"${_unpadded(secrets.token_bytes(SALT_BYTES))}${_unpadded(secrets.token_bytes(HASH_BYTES))}"
        )

    def hash(self, password: str) -> str:
        """`password`: one that `require_good` has passed."""
        return self._hasher.hash(_normal(password))

    def matches(self, stored: str | None, typed: str) -> bool:
        """`stored`: None or empty where there is none to match."""
        try:
            self._hasher.verify(stored or self._nobodys, _normal(typed))
        except (VerificationError, InvalidHashError):
            return False
        return bool(stored)

    def is_outdated(self, stored: str) -> bool:
        """Made with other parameters: to be made again when it is next typed."""
        return self._hasher.check_needs_rehash(stored)


def require_good(password: str, *others: str) -> None:
    """`others`: what it may not consist of as well, the clinic's name and that of its owner. Raises PasswordError."""
    try:
        normal = _normal(password)
    except UnicodeEncodeError:
        raise PasswordError("a password is text") from None
    if len(normal) < LEAST_CHARACTERS:
        raise PasswordError(f"a password has {LEAST_CHARACTERS} characters at least, this has {len(normal)}")
    if len(normal.encode()) > MOST_BYTES:
        raise PasswordError(f"a password has {MOST_BYTES} bytes at most, this has {len(normal.encode())}")
    if any(unicodedata.category(each) == "Cc" for each in normal):
        raise PasswordError("a password has no control characters in it")
    folded = "".join(normal.casefold().split())
    letters = "".join(filter(str.isalpha, folded))
    known = _OBVIOUS | {"".join(filter(str.isalpha, _normal(each).casefold())) for each in others} - {""}
    if _again_and_again(letters) in known or _again_and_again(folded) in known:
        raise PasswordError("this password is among the first that anybody would try")
    if len(_again_and_again(folded)) <= 4 or any(folded in row or folded[::-1] in row for row in _ROWS):
        raise PasswordError("this password is a row of keys, or one sign after another again and again")


def generate() -> str:
    """120 bits, in groups that can be read out."""
    text = base32(secrets.token_bytes(_GENERATED_BYTES))
    return "-".join(text[start : start + 6] for start in range(0, len(text), 6))


def could_be_one(typed: str) -> bool:
    """Whether it is worth the memory to look: what is longer than any password is none."""
    try:
        return len(_normal(typed).encode()) <= MOST_BYTES
    except UnicodeEncodeError:
        return False


def _unpadded(data: bytes) -> str:
    return b64encode(data).decode("ascii").rstrip("=")


def _normal(password: str) -> str:
    password.encode()  # raises where half of a surrogate pair stands in it
    return unicodedata.normalize("NFKC", password)


def _again_and_again(text: str) -> str:
    """The shortest piece that `text` is made of."""
    found = re.fullmatch(r"(.+?)\1*", text, re.DOTALL)
    return found[1] if found else text
