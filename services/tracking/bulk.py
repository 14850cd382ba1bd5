"""The check of many certificates at once, for customs of other countries that have a key: `/verify/bulk`."""

import asyncio
from datetime import date
from math import ceil
from typing import Annotated, Self

from opentelemetry.trace import INVALID_SPAN
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import Response

from services.tracking.answers import BulkChecked, BulkShown, Problem
from services.tracking.check_keys import CheckKeyInvalid, key_of
from services.tracking.checking import Check, check_code, check_summary, is_code, summary_in
from services.tracking.limits import RATE, Limits, TooManyRequests, refused
from services.tracking.references import MAX_TYPED, ReferenceMalformed, read_reference
from services.tracking.replies import data_of, kept
from services.tracking.verifying import Uploads
from shared.handling.work import ServiceContext, Work
from shared.refusals import Refused, TemporarilyUnavailable
from shared.web.site import HEADERS

MAX_ENTRIES = 500
MAX_BODY = 2 * 1024 * 1024
"""Bytes of a request. The text of a QR code has less than 2,300."""
PER_REQUEST = 25
"""Entries that count as one request of the limits."""
RETRY = 5


class BulkCheckMalformed(Refused):
    code = "bulk_check_malformed"


class BulkCheckTooLarge(Refused):
    code = "bulk_check_too_large"


class BulkEntry(BaseModel):
    """One certificate: the text of its QR code, or its reference and its verification code."""

    model_config = ConfigDict(extra="forbid")
    qr: Annotated[str, StringConstraints(max_length=4000)] | None = None
    reference: Annotated[str, StringConstraints(max_length=MAX_TYPED)] | None = None
    code: Annotated[str, StringConstraints(max_length=40)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.qr is None) is (self.reference is None or self.code is None) or (self.qr and (self.reference or self.code)):
            raise ValueError("give qr, or reference and code")
        return self


class BulkRequest(BaseModel):
    """The certificates to check."""

    model_config = ConfigDict(extra="forbid")
    entries: Annotated[list[BulkEntry], Field(min_length=1, max_length=MAX_ENTRIES)]


async def verify_bulk(request: Request) -> Response:
    """Checks up to 500 certificates, each for itself, in the order of the request."""
    context: ServiceContext = request.app.state.context
    length, uploads = request.headers.get("content-length", ""), context.use(Uploads)
    if not length.isdigit() or int(length) > MAX_BODY:
        return _refused(BulkCheckTooLarge(limit=MAX_BODY // 1024 // 1024), 413)
    if uploads.places.locked():
        return refused(request, TemporarilyUnavailable(), 503, RETRY)
    async with uploads.places, context.reading(INVALID_SPAN) as work:
        try:
            key = await key_of(work, request.headers.get("authorization", "").removeprefix("Bearer "))
        except CheckKeyInvalid as no:
            return _refused(no, 401, {"www-authenticate": "Bearer"})
        try:
            wanted = BulkRequest.model_validate_json(await request.body())
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, fault["loc"])) or "body"
            return _refused(BulkCheckMalformed(where[:200], fault=f"{where}: {fault['msg']}"[:300]), 400)
        limits = context.use(Limits)
        for _ in range(ceil(len(wanted.entries) / PER_REQUEST)):
            if wait := limits.take(f"key {key.key_id}"):
                return refused(request, TooManyRequests(rate=int(RATE)), 429, wait)
        today = context.clock.today()
        results = []
        for number, entry in enumerate(wanted.entries, start=1):
            results.append(_result(number, await _checked(entry, request, work, today), request))
            await asyncio.sleep(0)  # other visitors are answered between two entries
    answer = BulkShown(checked_at=context.clock.now(), results=tuple(results))
    return Response(answer.model_dump_json(), 200, HEADERS | kept(0), media_type="application/json")


async def _checked(entry: BulkEntry, request: Request, work: Work, today: date) -> Check:
    if entry.qr is not None:
        summary = summary_in(entry.qr)
        return await check_summary(summary, work, today) if summary else Check(verdict="summary_forged")
    try:
        reference = read_reference(entry.reference or "", data_of(request).offices)
    except ReferenceMalformed:
        return Check(verdict="unknown")
    if not is_code(entry.code or ""):
        return Check(verdict="code_wrong", reference=reference)
    return await check_code(reference, entry.code or "", work, today)


def _result(number: int, check: Check, request: Request) -> BulkChecked:
    certificate, summary = check.certificate, check.summary
    return BulkChecked(
        number=number,
        verdict=data_of(request).checks[check.verdict].verdict or check.verdict,
        reason=check.verdict,
        reference=check.reference or None,
        form=certificate.form if certificate else None,
        destination=certificate.destination if certificate else None,
        issued_on=certificate.issued_on.isoformat() if certificate else None,
        valid_until=certificate.valid_until.isoformat() if certificate else None,
        replaced_by=check.replaced_by,
        exporter=summary.exporter if summary else None,
        consignee=summary.consignee if summary else None,
    )


def _refused(refusal: Refused, status: int, headers: dict[str, str] | None = None) -> Response:
    """The refusal as JSON: only programs check many certificates."""
    problem = Problem(code=refusal.code, detail=refusal.detail)
    return Response(problem.model_dump_json(), status, HEADERS | kept(0) | (headers or {}), media_type="application/json")
