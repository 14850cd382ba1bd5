"""The OpenAPI 3.1 document of the public JSON, generated from the definitions of the answers."""

from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from services.tracking.answers import (
    BulkShown,
    CertificateShown,
    CheckShown,
    CodesShown,
    DeclarationShown,
    NoticeShown,
    PartnersShown,
    Problem,
    Public,
    ServiceFigures,
    StepShown,
)
from services.tracking.bulk import BulkRequest
from services.tracking.references import EXAMPLE, MAX_TYPED
from shared.contracts.gateway.outages import MAX_TOKEN

ANSWERS: Sequence[type[Public]] = (
    CertificateShown,
    ServiceFigures,
    PartnersShown,
    NoticeShown,
    CodesShown,
    StepShown,
    CheckShown,
    DeclarationShown,
    BulkShown,
    Problem,
)
TEMPLATE = "#/components/schemas/{model}"

FORMAT = {
    "name": "format",
    "in": "query",
    "required": True,
    "description": "`json`. Without it the answer is a page for people, unless the header Accept asks for JSON.",
    "schema": {"type": "string", "enum": ["json"]},
}
EVENT = {
    "type": "object",
    "description": "Each event of the stream. `id` can be sent as `after` or as the header Last-Event-ID.",
    "properties": {
        "event": {"type": "string", "const": "step"},
        "id": {"type": "string", "examples": ["1-AS2"]},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": TEMPLATE.format(model=StepShown.__name__)},
        },
    },
    "required": ["event", "id", "data"],
}
UPLOAD = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
REFERENCE = {"type": "string", "minLength": 1, "maxLength": MAX_TYPED, "examples": [EXAMPLE]}

NOTICE = tuple(
    {"name": name, "in": "query", "schema": {"type": "string", "maxLength": longest}, "description": text}
    for name, longest, text in (
        ("token", MAX_TOKEN, "The signed notice (JWS), as its QR code has it. The others are then not needed."),
        ("number", 40, "The number of the notice. The reference of its certificate is then needed too."),
        ("reference", 40, "The reference of the certificate."),
    )
)


DECLARATION = tuple(
    {"name": name, "in": "query", "required": True, "schema": {"type": "string", "maxLength": longest}, "description": text}
    for name, longest, text in (
        ("declaration", 40, "The code of the certified exporter, such as KH-CE-2026-0001."),
        ("day", 10, "The date of the declaration (ISO 8601)."),
        ("signatory", 200, "The name of the person who signed."),
        ("goods", 400, "The HS codes of the goods, 6 to 11 digits each, separated by commas, at most 20."),
    )
)


def document() -> dict[str, Any]:
    """The document, as `/openapi.json` has it."""
    _, schemas = models_json_schema(
        [(BulkRequest, "validation"), *((model, "serialization") for model in ANSWERS)], ref_template=TEMPLATE
    )
    typed = {
        "name": "reference",
        "required": True,
        "schema": REFERENCE,
        "description": "The reference, also mistyped a little.",
    }
    in_query, in_path = {**typed, "in": "query"}, {**typed, "in": "path"}
    certificate = _answers(CertificateShown, "The certificate on its way.") | {
        "400": _problem("This is not a reference."),
        "404": _problem("No certificate with this reference has been issued."),
    }
    notice = _answers(NoticeShown, "The check.") | {"404": _problem("No notice has this number and this certificate.")}
    checked = _answers(CheckShown, "The outcome of the check.") | {"400": _problem("Something is missing or malformed.")}
    declared = _answers(DeclarationShown, "The outcome of the check.") | {"400": _problem("Something is missing or malformed.")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Certificates of origin on their way",
            "version": "1",
            "description": "Public: codes, times and countries of certificates, without names, goods or values. Texts are in "
            "English and Khmer. Instants are in UTC.",
        },
        "paths": {
            "/public-search/atiga": _get("searchCertificate", "Find a certificate.", certificate, in_query, FORMAT),
            "/certificates/{reference}": _get("getCertificate", "Read a certificate.", certificate, in_path, FORMAT),
            "/certificates/{reference}/events": _get(
                "watchCertificate",
                "Hear of new steps: server-sent events.",
                {
                    "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": EVENT}}},
                    "404": _problem("No certificate with this reference has been issued."),
                    "429": _problem("Too many requests or open streams: wait as long as Retry-After says."),
                },
                in_path,
                {"name": "after", "in": "query", "schema": {"type": "string"}, "description": "The last known step: `1-AS2`."},
            ),
            "/status": _get("getServiceFigures", "Read the service figures.", _answers(ServiceFigures, "The figures."), FORMAT),
            "/partners": _get("getPartners", "Read the states of partners.", _answers(PartnersShown, "The partners."), FORMAT),
            "/notices": _get("checkNotice", "Check a notice of an outage.", notice, *NOTICE, FORMAT),
            "/verify": {
                **_get(
                    "checkCertificate",
                    "Check a certificate by its QR code, or by its reference and verification code.",
                    checked,
                    {"name": "q", "in": "query", "schema": {"type": "string"}, "description": "The text of the QR code."},
                    {**typed, "in": "query", "required": False},
                    {"name": "code", "in": "query", "schema": {"type": "string"}, "description": "The verification code."},
                    FORMAT,
                ),
                "post": {
                    "operationId": "checkDocument",
                    "summary": "Check a certificate by its PDF, at most 6 MiB. The file is not kept.",
                    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": UPLOAD}}},
                    "responses": _answers(CheckShown, "The outcome of the check.")
                    | {"413": _problem("No file, or too large.")},
                },
            },
            "/verify/declaration": _get(
                "checkDeclaration",
                "Check an origin declaration of a certified exporter, by the day of the declaration.",
                declared,
                *DECLARATION,
                FORMAT,
            ),
            "/verify/bulk": {
                "post": {
                    "operationId": "checkMany",
                    "summary": "Check up to 500 certificates. It needs the key of an authority, which the ministry issues.",
                    "security": [{"authority": []}],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": TEMPLATE.format(model=BulkRequest.__name__)}}},
                    },
                    "responses": _answers(BulkShown, "The outcome for each entry.")
                    | {
                        "400": _problem("The request is malformed."),
                        "401": _problem("The key is unknown or withdrawn."),
                        "413": _problem("No length, or too large."),
                        "503": _problem("Too many at the same time: wait as long as Retry-After says."),
                    },
                }
            },
            "/codes": _get("getCodes", "Read the meanings of codes.", _answers(CodesShown, "The codes."), FORMAT),
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"authority": {"type": "http", "scheme": "bearer"}},
        },
    }


def _get(operation: str, summary: str, responses: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"operationId": operation, "summary": summary, "parameters": list(parameters), "responses": responses}}


def _answers(model: type[Public], description: str) -> dict[str, Any]:
    return {
        "200": {"description": description, "content": {"application/json": {"schema": _of(model)}}},
        "429": _problem("Too many requests: wait as long as Retry-After says."),
    }


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _of(Problem)}}}


def _of(model: type[Public]) -> dict[str, str]:
    return {"$ref": TEMPLATE.format(model=model.__name__)}
