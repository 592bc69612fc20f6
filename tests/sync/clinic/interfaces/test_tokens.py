"""Tokens: shown once, of which only a hash is kept, each for one thing."""

from __future__ import annotations

import hashlib
import json

import pytest
from click.testing import CliRunner, Result

from sync.clinic.__main__ import app
from sync.clinic.errors import ClinicError
from sync.clinic.tables.audit import Audit
from sync.clinic.tables.tokens import Tokens
from tests.rigs.clinic import ClinicRig
from tests.sync.clinic.interfaces.programs import token


def _run(clinic: ClinicRig, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["token", *arguments, "--data", str(clinic.folder)])


def test_a_token_is_kept_as_its_hash_alone(clinic: ClinicRig) -> None:
    made = token(clinic)
    stored = b"".join(
        bytes(each) if isinstance(each, bytes | memoryview) else str(each).encode()
        for row in clinic.rows("SELECT digest, name, scope, added FROM api_tokens")
        for each in row
    )
    assert made.encode() not in stored
    assert hashlib.sha256(b"vitalkeep api token 1" + made.encode()).digest() in stored


def test_a_token_is_its_holders_and_no_other_text_is(clinic: ClinicRig) -> None:
    made = token(clinic)
    with clinic.database.reading() as tx:
        holder = Tokens(tx).holder(made)
        assert holder is not None and (holder.name, holder.scope) == ("records", "read")
        for other in ("", made[:-1], made + "A", made.swapcase(), "\ud800"):
            assert Tokens(tx).holder(other) is None


def test_no_two_tokens_are_the_same_and_none_can_be_guessed(clinic: ClinicRig) -> None:
    made = [token(clinic, name=f"program{number}") for number in range(20)]
    assert len(set(made)) == 20
    assert all(len(each) >= 43 for each in made)


@pytest.mark.parametrize("name", ["", "a" * 41, "two words", "-x", "naïve", "x\n", "a/b"])
def test_a_name_is_one_that_a_log_can_show(clinic: ClinicRig, name: str) -> None:
    with clinic.database.writing() as tx, pytest.raises(ClinicError, match="40 letters"):
        Tokens(tx).add(name, "read", clinic.clock.today())


def test_the_command_shows_a_token_once(clinic: ClinicRig) -> None:
    made = _run(clinic, "add", "records", "--scope", "read", "--json")
    assert made.exit_code == 0
    text = json.loads(made.stdout)["token"]
    with clinic.database.reading() as tx:
        assert Tokens(tx).holder(text) is not None
        entries = Audit(tx, clinic.secrets, clinic.clock).page()
    assert [(each.action, each.subject, each.detail) for each in entries] == [("token added", "records", "read")]
    assert entries[0].who.startswith("cli")
    listed = _run(clinic, "list", "--json")
    assert [each["name"] for each in json.loads(listed.stdout)["tokens"]] == ["records"]
    assert text not in listed.output + _run(clinic, "list").output


def test_a_name_is_used_once(clinic: ClinicRig) -> None:
    _run(clinic, "add", "records", "--scope", "read")
    again = _run(clinic, "add", "records", "--scope", "metrics")
    assert again.exit_code == 1 and "token list" in again.stderr and not again.stdout
    with clinic.database.reading() as tx:
        assert [each.scope for each in Tokens(tx).all()] == ["read"]


def test_a_token_is_taken_back(clinic: ClinicRig) -> None:
    made = token(clinic)
    assert _run(clinic, "remove", "records").exit_code == 0
    with clinic.database.reading() as tx:
        assert Tokens(tx).holder(made) is None
        assert Audit(tx, clinic.secrets, clinic.clock).page()[0].action == "token removed"
    again = _run(clinic, "remove", "records")
    assert again.exit_code == 1 and "token list" in again.stderr
    assert "no tokens" in _run(clinic, "list").stderr


def test_a_token_has_a_scope(clinic: ClinicRig) -> None:
    assert _run(clinic, "add", "records").exit_code == 2
    assert _run(clinic, "add", "records", "--scope", "write").exit_code == 2
