"""Requests made up from the OpenAPI document, right and wrong ones: each answer is one that the document promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from sync.clinic.app import make_app
from sync.clinic.openapi import document
from tests.rigs.clinic import ClinicRig

OPERATIONS = [
    (method, path, mode)
    for path, operations in document("")["paths"].items()
    for method, operation in operations.items()
    for mode in GenerationMode
    # Without parameters or a body there is nothing to get wrong.
    if mode is GenerationMode.POSITIVE or "requestBody" in operation
]


@pytest.mark.parametrize(("method", "path", "mode"), OPERATIONS)
def test_every_answer_is_one_that_the_document_promises(
    tmp_path: Path, method: str, path: str, mode: GenerationMode
) -> None:
    with ClinicRig(tmp_path / "clinic") as clinic:
        app = make_app(clinic.clinic, most_per_address=0)
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        requests: st.SearchStrategy[Case[Any]] = schema[path][method.upper()].as_strategy(generation_mode=mode)

        @given(requests)
        @settings(max_examples=50, suppress_health_check=list(HealthCheck))
        def asked(case: Case[Any]) -> None:
            # Bytes of the right size by chance are no message: they may be turned away.
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        asked()
        assert clinic.devices() == []
