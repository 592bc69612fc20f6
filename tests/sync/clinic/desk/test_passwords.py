"""Passwords: what is kept tells nothing, what is obvious is refused, and checking takes its time and memory."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from sync.clinic.desk.passwords import LEAST_CHARACTERS, MOST_BYTES, Passwords, generate, require_good
from sync.clinic.errors import PasswordError
from tests.rigs.visitor import PASSWORD


def test_it_is_argon2id_with_what_rfc_9106_recommends() -> None:
    found = extract_parameters(Passwords().hash(PASSWORD))
    assert found.type is Type.ID
    assert (found.memory_cost, found.time_cost, found.parallelism) == (64 * 1024, 3, 4)
    assert (found.salt_len, found.hash_len) == (16, 32)


def test_the_hash_of_nobody_takes_the_same_work() -> None:
    passwords = Passwords()
    assert extract_parameters(passwords._nobodys) == extract_parameters(passwords.hash(PASSWORD))
    assert not passwords.matches(None, PASSWORD)
    assert not passwords.matches("", "")


def test_what_is_kept_matches_one_password_and_holds_none() -> None:
    passwords = Passwords()
    kept = passwords.hash(PASSWORD)
    assert PASSWORD not in kept
    assert passwords.matches(kept, PASSWORD)
    assert not passwords.matches(kept, PASSWORD + " ")
    assert not passwords.matches("no hash at all", PASSWORD)
    assert kept != passwords.hash(PASSWORD)


def test_one_made_with_less_is_outdated() -> None:
    assert Passwords().is_outdated(PasswordHasher(2, 8 * 1024, 1).hash(PASSWORD))
    assert not Passwords().is_outdated(Passwords().hash(PASSWORD))


@pytest.mark.parametrize(
    "good",
    [
        PASSWORD,
        "x1 y2 z3 w4 v",
        "пароль для врача",
        "長い合言葉を使いましょうね",
        "a" * 11 + "bcdefg",
        "🙂🙃🙂🙂🙃🙃🙂🙃🙃🙃🙂🙂",
    ],
)
def test_length_is_what_counts(good: str) -> None:
    require_good(good, "Heart clinic", "reception")


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "short",
        "x7!kP-2qLm9",  # 11
        "\ufb03" * 3 + "x",  # NFKC makes three of each: 10
        "x7" * MOST_BYTES,
        "password1234",
        "PassWord!!!!",
        "passwordpassword",
        "password password",
        "reception2026",
        "Heart-Clinic-1",
        "Heart clinic 2026!",
        "vitalkeep2026",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "123456789012",
        "098765432109",
        "abcdefghijkl",
        "qwertyuiopas",
        "zaq12wsx\0abcd",
        "hunter2\nhunter2x",
        "x" * 12 + "\ud800",
    ],
)
def test_what_is_short_or_obvious_is_refused_without_being_said_again(bad: str) -> None:
    with pytest.raises(PasswordError) as refused:
        require_good(bad, "Heart clinic", "reception")
    if len(bad) > 3:
        assert bad not in str(refused.value)


def test_generated_ones_are_good_and_never_the_same() -> None:
    made = {generate() for _ in range(200)}
    assert len(made) == 200
    for each in made:
        require_good(each, "Heart clinic", "reception")
        assert len(each) >= LEAST_CHARACTERS
