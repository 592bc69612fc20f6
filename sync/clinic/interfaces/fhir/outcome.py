"""What went wrong, as FHIR says it; nothing of a request is said again."""

from __future__ import annotations

from sync.clinic.interfaces.fhir.codes import Resource


def outcome(code: str, words: str, severity: str = "error") -> Resource:
    """`code`: of http://hl7.org/fhir/issue-type."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": words}],
    }
