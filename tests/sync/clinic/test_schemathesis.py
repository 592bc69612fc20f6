"""Requests made up from the OpenAPI document, right and wrong ones: each answer is one that the document promises."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from sync.clinic.app import make_app
from sync.clinic.openapi import document
from sync.clinic.tables.tokens import SCOPES, Tokens
from tests.rigs.clinic import ClinicRig, af_days

OPERATIONS = [
    (method, path, mode)
    for path, operations in document("")["paths"].items()
    for method, operation in operations.items()
    for mode in GenerationMode
    # Without parameters or a body there is nothing to get wrong.
    if mode is GenerationMode.POSITIVE or operation.keys() & {"requestBody", "parameters"}
]
# Bytes of the right size by chance are no message, letters by chance are nobody's pseudonym: they may be turned away.
# FHIR leaves out parameters that it does not know, and takes a large page for the largest one that there is.
EXCLUDED: list[Any] = [positive_data_acceptance, negative_data_rejection]


@pytest.mark.parametrize(("method", "path", "mode"), OPERATIONS)
def test_every_answer_is_one_that_the_document_promises(
    clinic: ClinicRig, method: str, path: str, mode: GenerationMode
) -> None:
    device = clinic.enrolled()
    clinic.receipt(device.release(af_days()))
    before = clinic.devices()[0].sequence
    with clinic.database.writing() as tx:
        tokens = {scope: Tokens(tx).add(scope, scope, clinic.clock.today()) for scope in SCOPES}
    bearer = tokens["metrics" if path == "/metrics" else "read"]
    app = make_app(clinic.clinic, most_per_address=0)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    requests: st.SearchStrategy[Case[Any]] = schema[path][method.upper()].as_strategy(generation_mode=mode)
    excluded = EXCLUDED if path.startswith("/fhir/") else EXCLUDED[:1]

    @given(requests)
    @settings(max_examples=50, suppress_health_check=list(HealthCheck))
    def asked(case: Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {bearer}"}, excluded_checks=excluded)

    asked()
    assert [(each.id, each.sequence) for each in clinic.devices()] == [(device.id, before)]
