"""`vitalkeep model`: what is refused changes nothing, what is let in waits, and every word is said in plain lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.card import ModelCard
from models.publishers import key_line
from models.registry import MODELS
from models.revocation import RevokedModel
from models.screen import CARD
from tests.models.publisher import publisher, revoked, write
from tests.vitalkeep.command import Done, strict_json, vitalkeep, vitalkeep_here

SHIPPED = ModelCard.read(CARD).version


def model(folder: Path, *arguments: object) -> Done:
    return vitalkeep_here(folder, "model", *arguments)


def trusting(folder: Path, *arguments: str) -> None:
    path = folder / "lab.vkkey.pub"
    path.write_text(key_line(publisher(0)))
    assert model(folder, "trust", path, "--yes", *arguments).code == 0


def screen(folder: Path) -> dict[str, object]:
    rows = model(folder, "list", "--json").rows()
    assert [row["name"] for row in rows] == [row.name for row in MODELS]
    return next(row for row in rows if row["name"] == "screen")


def test_a_model_is_trusted_let_in_tried_put_into_service_and_taken_back(tmp_path: Path) -> None:
    trusting(tmp_path)
    done = model(tmp_path, "install", write(tmp_path), "--json")
    assert done.code == 0
    row = strict_json(done.out)
    assert (row["slot"], row["trust"], row["key"]) == ("shadow", "signed", publisher(0).fingerprint)
    assert screen(tmp_path)["version"] == SHIPPED
    assert model(tmp_path, "promote", "screen").code == 0
    assert (screen(tmp_path)["version"], screen(tmp_path)["origin"]) == ("9.1.0", "installed")
    shown = model(tmp_path, "show", "screen").out
    assert "screen 9.1.0, signed by Lab 0" in shown
    assert model(tmp_path, "pin", "screen").code == 0
    assert model(tmp_path, "rollback", "screen").code == 0
    now = screen(tmp_path)
    assert (now["version"], now["origin"]) == (SHIPPED, "program")
    assert now["pinned"] is not None
    assert [event["what"] for event in now["events"]] == ["installed", "promoted", "pinned", "rolled_back"]  # type: ignore[attr-defined]
    assert model(tmp_path, "pin", "screen", "--release").code == 0
    refused = model(tmp_path, "install", tmp_path / "screen-9.1.0.vkmodel")
    assert refused.code == 1
    assert "a newer version expected" in refused.problem()


def test_an_unsigned_model_needs_the_wearers_word_which_is_shown_ever_after(tmp_path: Path) -> None:
    path = write(tmp_path, number=None)
    refused = model(tmp_path, "install", path)
    assert refused.code == 1
    assert "--trust-local" in refused.problem()
    assert screen(tmp_path)["shadow"] is None
    done = model(tmp_path, "install", path, "--trust-local")
    assert done.code == 0
    assert "on your word alone" in done.problem()
    assert "trusted locally" in model(tmp_path, "list").out
    model(tmp_path, "promote", "screen")
    assert screen(tmp_path)["trust"] == "local"
    assert "trusted locally" in model(tmp_path, "show", "screen").out


def test_a_key_is_for_the_models_that_were_named(tmp_path: Path) -> None:
    trusting(tmp_path, "--model", "qrs")
    refused = model(tmp_path, "install", write(tmp_path))
    assert "is trusted for qrs, not for screen" in refused.problem()
    (row,) = model(tmp_path, "keys", "--json").rows()
    assert (row["models"], row["from"]) == (["qrs"], "wearer")
    assert model(tmp_path, "untrust", publisher(0).fingerprint[:10]).code == 0
    assert "No key is trusted." in model(tmp_path, "keys").out


def test_trust_asks_after_showing_the_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "lab.vkkey.pub"
    path.write_text(key_line(publisher(0)))
    done = vitalkeep(tmp_path, "model", "trust", path)  # nobody answers
    assert done.code == 130
    assert publisher(0).fingerprint[:4] in done.out
    assert model(tmp_path, "keys", "--json").rows() == []


def test_what_was_taken_back_leaves_service(tmp_path: Path) -> None:
    trusting(tmp_path)
    model(tmp_path, "install", write(tmp_path))
    model(tmp_path, "promote", "screen")
    path = tmp_path / "list.vkrevoked"
    path.write_bytes(revoked(1, RevokedModel("screen", "9.1.0", None, "It errs.", "")))
    done = model(tmp_path, "revoke", path)
    assert done.code == 0
    assert "screen 9.1.0 (active): It errs." in done.out
    assert screen(tmp_path)["version"] == SHIPPED
    assert "a newer list expected" in model(tmp_path, "revoke", path).problem()
    path.write_bytes(revoked(2, key_reason="Stolen."))
    assert model(tmp_path, "revoke", path).code == 0
    assert "taken back: Stolen." in model(tmp_path, "trust", tmp_path / "lab.vkkey.pub", "--yes").problem()


def test_verify_finds_what_is_damaged_and_says_so(tmp_path: Path) -> None:
    trusting(tmp_path)
    model(tmp_path, "install", write(tmp_path))
    done = model(tmp_path, "verify", "--json")
    assert done.code == 0
    assert all(row["ok"] for row in done.rows())
    assert {row["model"] for row in done.rows() if row["check"] == "golden"} == {row.name for row in MODELS}
    assert [row["check"] for row in done.rows() if row["slot"] == "shadow"] == ["file", "trust", "golden"]
    (path,) = (tmp_path / "data" / "vitalkeep" / "models" / "bundles").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    done = model(tmp_path, "verify", "screen")
    assert done.code == 1
    assert "FAILED screen 9.1.0 (shadow) file" in done.out


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
def test_show_tells_all_that_is_on_the_card(tmp_path: Path, row: object) -> None:
    name = row.name  # type: ignore[attr-defined]
    shown = " ".join(model(tmp_path, "show", name).out.split())
    card = json.loads(row.card.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    for text in (card["purpose"], *card["not_for"], *card["known_failures"], card["split"], card["sha256"]):
        assert " ".join(text.split()) in shown
    for figure in card["figures"]:
        assert f"{figure['value']:g} ({figure['low']:g} to {figure['high']:g})" in shown
    told = strict_json(model(tmp_path, "show", name, "--json").out)
    assert told["card"]["purpose"] == card["purpose"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("promote", "screen"), 1),
        (("rollback", "screen"), 1),
        (("drop", "screen"), 1),
        (("pin", "screen", "--release"), 1),
        (("show", "screen", "--slot", "shadow"), 1),
        (("untrust", "0123456789"), 1),
        (("install", "missing.vkmodel"), 1),
        (("trust", "missing.pub", "--yes"), 1),
        (("revoke", "missing.vkrevoked"), 1),
        (("show", "nothing"), 2),
        (("promote",), 2),
        (("nothing",), 2),
    ],
)
def test_what_cannot_be_done_is_one_line_and_an_exit_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    done = model(tmp_path, *arguments)
    assert done.code == code
    if code == 1:
        assert done.problem()
    assert done.out == ""


def test_no_bundle_is_let_in_whatever_it_holds(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04", b"\x00" * 3_000_000, b"#!/bin/sh"):
        path = tmp_path / "x.vkmodel"
        path.write_bytes(content)
        done = model(tmp_path, "install", path, "--trust-local")
        assert done.code == 1
        assert done.problem().startswith("x.vkmodel: ")
    done = model(tmp_path, "install", "/dev/zero", "--trust-local")
    assert done.code == 1
    assert "no regular file" in done.problem()


def test_every_command_has_examples_and_exit_codes(tmp_path: Path) -> None:
    listed = (
        "list",
        "show",
        "verify",
        "install",
        "promote",
        "rollback",
        "drop",
        "pin",
        "trust",
        "untrust",
        "keys",
        "revoke",
    )
    for name in listed:
        text = model(tmp_path, name, "--help").out
        assert "Examples:" in text
        assert "Exit codes:" in text


def test_names_of_models_are_completed(tmp_path: Path) -> None:
    extra = {"_VITALKEEP_COMPLETE": "bash_complete", "COMP_WORDS": "vitalkeep model show sc", "COMP_CWORD": "3"}
    assert "screen" in vitalkeep(tmp_path, extra=extra).out
