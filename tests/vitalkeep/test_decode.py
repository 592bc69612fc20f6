"""`vitalkeep decode`, most of it without a process of its own: there are many payloads."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sensors.decoders import ALIASES, DECODERS, find
from sensors.errors import DecodeError
from sensors.profile import short_uuid
from sensors.registry import PROFILES
from sensors.unsaid import Unsaid
from tests.data import shared_data
from tests.laws.gatt_values import GATT_VECTOR_NAMES, OWN_VECTORS
from tests.vitalkeep.command import vitalkeep
from vitalkeep.cli import exit_codes
from vitalkeep.cli.app import app
from vitalkeep.cli.decode import as_text

MINE = {name for names in GATT_VECTOR_NAMES.values() for name in names} | {"2A37", "2A19", "SFLOAT", "FLOAT"}


def shared_vectors() -> list[dict[str, Any]]:
    text = shared_data("vectors", "gatt_vectors.json").read_text()
    return [vector for vector in json.loads(text)["vectors"] if vector["characteristic"] in DECODERS]


def same(have: Any, expected: Any) -> bool:
    """To the type, but for rounding."""
    if type(have) is not type(expected):
        return False
    if isinstance(have, dict):
        return have.keys() == expected.keys() and all(same(have[name], expected[name]) for name in have)
    if isinstance(have, list):
        return len(have) == len(expected) and all(map(same, have, expected))
    return math.isclose(have, expected, rel_tol=1e-9) if isinstance(have, float) else bool(have == expected)


def decode(*arguments: str) -> tuple[int, str]:
    """The exit code and what was printed."""
    result = CliRunner().invoke(app, ["decode", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def decoded(*arguments: str) -> tuple[int, Any]:
    code, out = decode("--json", *arguments)
    assert out.count("\n") == 1 and out.endswith("\n")
    return code, json.loads(out)


def check(name: str, payload: str, expected: Any, *options: str) -> None:
    code, have = decoded(name, payload, *options)
    if isinstance(expected, dict) and expected.get("error"):
        assert code == exit_codes.FAILED
        assert have["error"] is True and have["message"] and have.keys() == {"error", "message"}, (name, payload)
    else:
        assert code == exit_codes.OK
        assert same(have, expected), (name, payload, have)


def test_shared_vectors_print_as_expected() -> None:
    found = shared_vectors()
    assert {vector["characteristic"] for vector in found} >= MINE
    for vector in found:
        options = [f"--{name}={vector[name]}" for name in ("channels", "resolution") if name in vector]
        check(vector["characteristic"], vector["hex"], vector["expected"], *options)


def test_own_vectors_print_as_expected() -> None:
    for name, vectors in OWN_VECTORS.items():
        for payload, expected in vectors:
            check(name, payload, expected)


@pytest.mark.parametrize(
    "name",
    [
        *("2A37", "2a37", "0x2A37", "00002A37", "00002a37-0000-1000-8000-00805F9B34FB"),
        *("00002a3700001000800000805f9b34fb", "{00002a37-0000-1000-8000-00805f9b34fb}"),
        *("heart_rate", "HEART_RATE", "heart-rate", "Heart Rate Measurement"),
    ],
)
def test_a_characteristic_has_many_names(name: str) -> None:
    assert decoded(name, "0055")[1]["hr"] == 85


@pytest.mark.parametrize("name", sorted(GATT_VECTOR_NAMES))
def test_every_profile_is_found_by_its_name_and_its_uuid(name: str) -> None:
    (profile,) = (profile for profile in PROFILES if profile.name == name)
    assert find(name) is find(profile.characteristic)


@pytest.mark.parametrize("name", sorted(GATT_VECTOR_NAMES))
def test_the_page_of_sensors_lists_what_is_read(name: str) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "sensors.md").read_text()
    (profile,) = (profile for profile in PROFILES if profile.name == name)
    assert f"| {short_uuid(profile.characteristic).upper()} | `{name}` |" in page
    told = [expected for _, expected in OWN_VECTORS[name] if expected != {"error": True}]
    fields = {field for one in told for record in (one if isinstance(one, list) else [one]) for field in record}
    assert [word for word in [*profile.channels, *sorted(fields)] if f"`{word}`" not in page] == []


def test_no_alias_leads_nowhere_or_hides_a_decoder() -> None:
    assert set(ALIASES.values()) <= set(DECODERS)
    assert not {name.casefold() for name in ALIASES} & {name.casefold() for name in DECODERS}
    assert all(alias == alias.casefold() for alias in ALIASES)


@pytest.mark.parametrize(
    "payload",
    [
        ["1e5532002100"],
        ["1E", "55", "32", "00", "21", "00"],
        ["1e:55:32:00:21:00"],
        ["0x1E5532002100"],
        ["0x1e 0x55, 0x32 0x00 0X21 0x00"],
        ["  1e55 3200-2100\n"],
    ],
)
def test_hex_may_be_written_in_many_ways(payload: list[str]) -> None:
    assert decoded("2A37", *payload)[1]["rr_1024"] == [33]


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        (["2A37", "zz"], "'zz' is not hexadecimal: expected pairs of 0-9 and a-f"),
        (["2A00", "00"], "'2A00' is not known: expected a UUID or one of 2A37"),
        (["no_such", "00"], "'no_such' is not known"),
        (["2A37", "0055", "--channels", "0"], "--channels"),
        (["2A37", "0055", "--resolution", "33"], "--resolution"),
        (["PMD_DATA", "00", "--factor", "0"], "--factor"),
        (["PMD_DATA", "00", "--factor", "nan"], "--factor"),
        (["PMD_DATA", "00", "--factor", "inf"], "--factor"),
    ],
)
def test_wrong_usage_says_what_was_expected(arguments: list[str], say: str) -> None:
    code, out = decode(*arguments)
    assert code == exit_codes.USAGE
    assert say in out


def test_the_command_line_tells_apart_what_is_read_refused_and_misused(tmp_path: Path) -> None:
    done = vitalkeep(tmp_path, "decode", "--json", "2A37", "0055")
    assert (done.code, done.rows()[0]["hr"], done.err) == (exit_codes.OK, 85, "")
    done = vitalkeep(tmp_path, "decode", "2A37", "")
    assert (done.code, done.out, done.problem()) == (exit_codes.FAILED, "", "0 bytes, expected 1")
    done = vitalkeep(tmp_path, "decode", "--json", "2A37", "")
    assert (done.code, done.err) == (exit_codes.FAILED, "")
    assert done.rows() == [{"error": True, "message": "0 bytes, expected 1"}]
    done = vitalkeep(tmp_path, "decode", "--json", "2A37", "064")
    assert (done.code, done.err) == (exit_codes.FAILED, "")
    assert done.rows() == [{"error": True, "message": "3 hexadecimal digits, expected an even number"}]
    done = vitalkeep(tmp_path, "decode", "--json", "2A37", "zz")
    assert (done.code, done.out) == (exit_codes.USAGE, "")


def test_shared_vectors_cut_at_every_digit_are_read_or_refused_in_one_line() -> None:
    """Whatever is cut off, the command ends with 0 and what it read, or with 1 and an error, and says nothing else."""
    cuts = refused = 0
    for vector in shared_vectors():
        options = [f"--{name}={vector[name]}" for name in ("channels", "resolution") if name in vector]
        digits = vector["hex"]
        for length in range(len(digits)):
            code, have = decoded(vector["characteristic"], digits[:length], *options)
            error = isinstance(have, dict) and have.get("error") is True
            assert code == (exit_codes.FAILED if error else exit_codes.OK), (vector["characteristic"], length)
            assert error or length % 2 == 0
            cuts, refused = cuts + 1, refused + error
    assert cuts > refused > cuts / 2 > 500


def test_no_payload_at_all_is_one_of_no_bytes() -> None:
    assert (
        decoded("2A37") == decoded("2A37", "") == (exit_codes.FAILED, {"error": True, "message": "0 bytes, expected 1"})
    )


@pytest.mark.parametrize("name", sorted(DECODERS))
@given(payload=st.binary(max_size=60), channels=st.integers(1, 255), resolution=st.integers(1, 32))
def test_any_bytes_become_json_and_text_or_are_refused(
    name: str, payload: bytes, channels: int, resolution: int
) -> None:
    try:
        found = DECODERS[name](payload, Unsaid(channels, resolution))
    except DecodeError as problem:
        assert str(problem)
        return
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert as_text(found)


def test_without_json_a_person_can_read_it() -> None:
    code, out = decode("2A37", "1e5532002100")
    assert (code, out) == (exit_codes.OK, "hr         85\ncontact    yes\nenergy_kj  50\nrr_1024    33\n")
    assert decode("2AA7", "06000c10050006000c100600")[1].count("glucose_mg_dl  120\n") == 2
    assert decode("2A5F", "00ff07ff07") == (exit_codes.OK, "spo2  -\npr    -\n")
    assert as_text([[1, -2, 3], [4, 5, 6]]) == "1 -2 3\n4 5 6"
    assert as_text([]) == as_text({}) == "none"
    assert as_text({"ppi": [{"hr": 60, "ms": 1000}, {"hr": 61}]}) == "ppi  hr 60, ms 1000; hr 61"
    assert as_text({"ppg": [[1, 2], [3, 4]]}) == "ppg  1 2; 3 4"


def test_a_device_cannot_write_to_the_terminal() -> None:
    assert decode("2A29", "1b5b324a41") == (exit_codes.OK, "text  \N{REPLACEMENT CHARACTER}[2JA\n")
    assert "\x1b" not in decode("--json", "2A29", "1b5b324a41")[1]
