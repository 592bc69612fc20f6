"""Each resource is one of FHIR R4, and no figure in it is bare."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.clinic.catalogue import QUESTIONS
from sync.clinic.interfaces.fhir.bundle import searchset
from sync.clinic.interfaces.fhir.capability import capability
from sync.clinic.interfaces.fhir.definitions import PARTS, figures, privacy_note
from sync.clinic.interfaces.fhir.observation import observation
from sync.clinic.interfaces.fhir.observation_id import Named, ObservationIds
from sync.clinic.interfaces.fhir.outcome import outcome
from sync.clinic.interfaces.fhir.patient import patient
from sync.clinic.secrets_file import ClinicSecrets
from tests.sync.clinic.interfaces.figures import NAMES, VALUES, figure, hidden
from tests.sync.clinic.interfaces.r4 import require_r4

WHO = "P-7K3QF2M1"
STATISTICS = sorted(VALUES)


def _made(statistic: str = "af_days") -> dict[str, Any]:
    return observation("0" * 32, WHO, figure(statistic), NAMES)


def _secrets() -> ClinicSecrets:
    return ClinicSecrets(X25519PrivateKey.generate(), Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    "resource",
    [
        patient(WHO, NAMES),
        capability(NAMES, "Heart clinic", "0.1.0"),
        figures(NAMES),
        privacy_note(NAMES),
        outcome("not-found", "there is no such resource"),
        *[_made(statistic) for statistic in STATISTICS],
        observation("1" * 32, WHO, hidden(), NAMES),
        searchset("Patient", [], [], NAMES, total=0),
        searchset("Patient", [("_count", "1")], [patient(WHO, NAMES)], NAMES, after="x", ignored=["left out"]),
    ],
    ids=lambda resource: resource["resourceType"],
)
def test_each_resource_is_one_of_r4(resource: dict[str, Any]) -> None:
    require_r4(resource)


def test_a_patient_is_a_pseudonym_and_nothing_else_is_known() -> None:
    made = patient(WHO, NAMES)
    assert made["identifier"] == [{"use": "secondary", "system": NAMES.patients, "value": WHO}]
    assert not {"gender", "birthDate", "address", "telecom", "photo", "contact"} & made.keys()
    assert all(set(name) == {"extension"} for name in made["name"])


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_value_never_stands_without_interval_unit_period_and_privacy_note(statistic: str) -> None:
    made = _made(statistic)
    value, (low, high) = VALUES[statistic]
    assert made["valueQuantity"]["value"] == value
    assert made["valueQuantity"]["system"] == "http://unitsofmeasure.org"
    (interval,) = made["component"]
    assert (interval["valueRange"]["low"]["value"], interval["valueRange"]["high"]["value"]) == (low, high)
    assert interval["valueRange"]["low"]["code"] == made["valueQuantity"]["code"]
    assert made["effectivePeriod"].keys() == {"start", "end"}
    (note,) = made["extension"]
    parts = {part["url"]: part for part in note["extension"]}
    assert parts["epsilon"]["valueDecimal"] == 0.5
    assert parts["epsilonOfCard"]["valueDecimal"] == 2
    assert parts["unit"]["valueString"] == "one calendar day of this person"
    assert parts["period"]["valuePeriod"] == made["effectivePeriod"]
    assert "between" in made["text"]["div"] and "Not a medical device" in made["text"]["div"]


def test_a_median_that_may_not_be_shown_has_a_reason_and_no_value_anywhere() -> None:
    made = observation("1" * 32, WHO, hidden(why="worn on too few days"), NAMES)
    assert made["dataAbsentReason"]["text"] == "worn on too few days"
    assert not [name for name in made if name.startswith("value")]
    assert "component" not in made


def test_no_time_of_day_stands_anywhere() -> None:
    assert "issued" not in _made()
    assert "T0" not in json.dumps(_made()) and "meta" not in _made()


def test_loinc_is_claimed_for_the_resting_heart_rate_alone() -> None:
    for statistic in STATISTICS:
        systems = [coding["system"] for coding in _made(statistic)["code"]["coding"]]
        assert systems[0] == NAMES.figures
        assert ("http://loinc.org" in systems) == (statistic == "resting_hr_median")
        assert _made(statistic)["code"]["text"]
    (loinc,) = [
        coding for coding in _made("resting_hr_median")["code"]["coding"] if coding["system"] == "http://loinc.org"
    ]
    assert (loinc["code"], loinc["display"]) == ("40443-4", "Heart rate --resting")
    assert _made("resting_hr_median")["valueQuantity"]["code"] == "/min"


def test_each_code_of_ours_is_in_the_published_code_system() -> None:
    published = {concept["code"] for concept in figures(NAMES)["concept"]}
    used = {
        coding["code"]
        for statistic in STATISTICS
        for concept in (_made(statistic)["code"], *[each["code"] for each in _made(statistic)["component"]])
        for coding in concept["coding"]
        if coding["system"] == figures(NAMES)["url"]
    }
    assert used == published


def test_the_privacy_note_is_what_its_definition_says() -> None:
    (note,) = _made()["extension"]
    assert note["url"] == privacy_note(NAMES)["url"]
    assert [(part["url"], *[name for name in part if name != "url"]) for part in note["extension"]] == [
        (name, f"value{type_[0].upper()}{type_[1:]}") for name, type_, _ in PARTS
    ]


def test_a_figure_with_signs_of_html_is_shown_as_text() -> None:
    made = observation("1" * 32, WHO, replace(hidden(), why="<script>&"), NAMES)
    assert "&lt;script&gt;&amp;" in made["text"]["div"]
    require_r4(made)


def test_a_whole_number_claims_no_digit_more() -> None:
    assert json.dumps(_made("af_days")["valueQuantity"]["value"]) == "3"
    assert json.dumps(_made("rmssd_median")["valueQuantity"]["value"]) == "33.45"


# -- ids


@given(st.binary(min_size=16, max_size=16), st.sampled_from(QUESTIONS), st.integers(0, 65535))
def test_an_id_leads_back_to_its_figure(device: bytes, asked: Any, window: int) -> None:
    ids = ObservationIds(_SECRETS)
    text = ids.encode(device, asked, window)
    assert ids.decode(text) == Named(device[:8], asked, window)
    assert ids.encode(device, asked, window) == text


@given(st.text(max_size=40) | st.from_regex(r"[0-9a-f]{32}", fullmatch=True))
def test_an_id_that_is_none_leads_nowhere(text: str) -> None:
    assert ObservationIds(_SECRETS).decode(text) is None


def test_a_block_that_only_begins_like_one_of_ours_leads_nowhere() -> None:
    ids = ObservationIds(_SECRETS)
    for end in range(4):
        decryptor, encryptor = ids._cipher.decryptor(), ids._cipher.encryptor()
        block = bytearray(decryptor.update(bytes.fromhex(ids.encode(bytes(16), QUESTIONS[0], 27))))
        block[12 + end] = 1
        assert ids.decode(encryptor.update(bytes(block)).hex()) is None


def test_ids_of_one_device_look_unrelated_and_another_clinic_cannot_read_them() -> None:
    ids = ObservationIds(_SECRETS)
    first, second = (ids.encode(bytes(16), QUESTIONS[0], window) for window in (1, 2))
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 16
    assert ObservationIds(_secrets()).decode(first) is None


_SECRETS = _secrets()


# -- the checks themselves


@pytest.mark.parametrize(
    "broken",
    [
        {"dataAbsentReason": {"text": "both"}},
        {"effectivePeriod": {"start": "2026-02-02", "end": "2026-02-01"}},
        {"status": "done"},
        {"valueInteger": 3},
        {"triggeredBy": []},
        {"note": []},
        {"component": [{**_made()["component"][0], "code": _made()["code"]}]},
    ],
)
def test_what_is_not_of_r4_is_found(broken: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        require_r4({**_made(), **broken})
