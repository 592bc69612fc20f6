"""What the clinic answers to, as OpenAPI 3.1; app.py serves it, and the tests hold the app against it."""

from __future__ import annotations

from typing import Any

from sync.clinic.interfaces.description import paths, schemas, security_schemes
from sync.receipt import RECEIPT_BYTES
from sync.release import ENVELOPE_BYTES

API_VERSION = "1"
# Every refusal that is not a receipt, with the one text it has: nothing of a request is said again.
ERRORS: dict[int, tuple[str, str]] = {
    400: ("not_a_message", f"no envelope: {ENVELOPE_BYTES} bytes that begin as the protocol says expected"),
    404: ("not_found", "there is no such path"),
    405: ("method_not_allowed", "this path takes no such method"),
    408: ("too_slow", "the message did not arrive in time"),
    413: ("too_large", f"more than {ENVELOPE_BYTES} bytes"),
    429: ("too_many", "too many requests within ten minutes"),
    500: ("internal", "our mistake; the message is not stored, send it again"),
    503: ("not_now", "the message cannot be stored now; send it again"),
}


def document(name: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"vitalkeep clinic: {name}",
            "version": API_VERSION,
            "description": (
                "Takes sealed messages of one size from paired devices, and answers each with a receipt. Gives what"
                " they say, with its error, to programs that have a token: as FHIR R4 and as CSV."
            ),
        },
        "paths": {
            "/v1/clinic": {
                "get": {
                    "operationId": "clinic",
                    "summary": "The clinic's name and public keys; a pairing code holds their fingerprint",
                    "responses": {
                        "200": _json("The clinic", {"$ref": "#/components/schemas/Clinic"}),
                        **_errors(429, 500),
                    },
                }
            },
            "/v1/messages": {
                "post": {
                    "operationId": "message",
                    "summary": "One envelope; sent again, it is the same message",
                    "requestBody": {
                        "required": True,
                        "content": {"application/octet-stream": {"schema": _bytes(ENVELOPE_BYTES)}},
                    },
                    "responses": {
                        "200": {
                            "description": "A receipt: signed, about these very bytes; stored, duplicate, or refused",
                            "content": {"application/octet-stream": {"schema": _bytes(RECEIPT_BYTES)}},
                        },
                        **_errors(400, 408, 413, 429, 500, 503),
                    },
                }
            },
            "/openapi.json": {
                "get": {
                    "operationId": "openapi",
                    "summary": "This document",
                    "responses": {"200": _json("This document", {"type": "object"}), **_errors(429, 500)},
                }
            },
            **paths(),
        },
        "components": {
            "securitySchemes": security_schemes(),
            "schemas": {
                **schemas(),
                "Clinic": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["api", "name", "id", "sealing", "signing"],
                    "properties": {
                        "api": {"const": int(API_VERSION)},
                        "name": {"type": "string"},
                        "id": _hex(16, "names the clinic by its keys; the fingerprint in a pairing code"),
                        "sealing": _hex(32, "X25519: what messages are sealed to"),
                        "signing": _hex(32, "Ed25519: what receipts are signed with"),
                    },
                },
                "Error": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["error", "message"],
                    "properties": {
                        "error": {"enum": sorted(code for code, _ in ERRORS.values())},
                        "message": {"type": "string"},
                    },
                },
            },
        },
    }


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _errors(*codes: int) -> dict[str, Any]:
    return {str(code): _json(ERRORS[code][1], {"$ref": "#/components/schemas/Error"}) for code in codes}


def _bytes(size: int) -> dict[str, Any]:
    return {"type": "string", "format": "binary", "minLength": size, "maxLength": size}


def _hex(size: int, description: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^[0-9a-f]{{{2 * size}}}$", "description": description}
