"""The public check as a page and as JSON: `/verify`."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import BrokenExecutor
from datetime import date
from functools import partial

from opentelemetry.trace import INVALID_SPAN
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from services.tracking.answers import CheckedDocument, CheckShown, Problem
from services.tracking.checking import (
    Check,
    check_code,
    check_file,
    check_summary,
    check_xml,
    is_code,
    is_xml,
    summary_in,
    xml_document,
)
from services.tracking.limits import refused
from services.tracking.references import MAX_TYPED, ReferenceMalformed, read_reference
from services.tracking.replies import data_of, kept, page, reply
from services.tracking.visitors import wants_json
from shared.handling.work import ServiceContext, Work
from shared.refusals import Refused, TemporarilyUnavailable
from shared.web.site import HEADERS

MAX_FILE = 6 * 1024 * 1024
"""Bytes of a posted form. A certificate of 2,000 items has less than 5 MB."""
AT_ONCE = 4
"""Files that a replica receives at the same time."""
RETRY = 5


class FileNotAccepted(Refused):
    code = "file_not_accepted"


class CheckIncomplete(Refused):
    code = "check_incomplete"


class Uploads:
    """The places for files that are received at the same time, and for XML that is parsed in the one other process."""

    def __init__(self) -> None:
        self.places = asyncio.Semaphore(AT_ONCE)
        self.being_parsed = asyncio.Semaphore(AT_ONCE)


async def verify(request: Request) -> Response:
    """Checks what the address or the form names; without anything the page shows the three ways."""
    if request.method == "POST":
        return await _verify_file(request)
    asked = request.query_params
    text = asked.get("q", "")
    typed, code = asked.get("reference", "")[:MAX_TYPED], asked.get("code", "")
    if text:
        summary = summary_in(text)
        if summary is None:
            return _answer(request, Check(verdict="summary_forged"))
        return await _shown(request, partial(check_summary, summary))
    if not typed.strip():
        return _incomplete(request, typed="", problem="")
    try:
        reference = read_reference(typed, data_of(request).offices)
    except ReferenceMalformed:
        return _incomplete(request, typed=typed, problem="reference")
    if not is_code(code):
        return _incomplete(request, typed=typed, problem="code")
    return await _shown(request, partial(check_code, reference, code))


def _incomplete(request: Request, *, typed: str, problem: str) -> Response:
    """The page with the three ways, and what is wrong with what was sent; for a program a refusal."""
    if wants_json(request):
        no = CheckIncomplete()
        answer = Problem(code=no.code, detail=no.detail)
        return Response(answer.model_dump_json(), 400, HEADERS | kept(0), media_type="application/json")
    return page(
        request, "verify.html", 0 if problem else 300, 400 if problem else 200, check=None, typed=typed, problem=problem
    )


async def _verify_file(request: Request) -> Response:
    length = request.headers.get("content-length", "")
    multipart = request.headers.get("content-type", "").startswith("multipart/form-data")
    if not multipart or not length.isdigit() or int(length) > MAX_FILE:
        return refused(request, FileNotAccepted(limit=MAX_FILE // 1024 // 1024), 413, RETRY)
    context: ServiceContext = request.app.state.context
    uploads = context.use(Uploads)
    if uploads.places.locked():
        return refused(request, TemporarilyUnavailable(), 503, RETRY)
    async with uploads.places, request.form(max_files=1, max_fields=4, max_part_size=MAX_FILE) as form:
        file = form.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
    if not content:
        return _incomplete(request, typed="", problem="file")
    if not is_xml(content):
        return await _shown(request, partial(check_file, content))
    if uploads.being_parsed.locked():
        return refused(request, TemporarilyUnavailable(), 503, RETRY)
    async with uploads.being_parsed:
        try:
            document = await asyncio.get_running_loop().run_in_executor(context.processes, xml_document, content)
        except BrokenExecutor:
            return refused(request, TemporarilyUnavailable(), 503, RETRY)
    return await _shown(request, partial(check_xml, document))


async def _shown(request: Request, check: Callable[[Work, date], Awaitable[Check]]) -> Response:
    context: ServiceContext = request.app.state.context
    async with context.reading(INVALID_SPAN) as work:
        found = await check(work, context.clock.today())
    return _answer(request, found)


def _answer(request: Request, check: Check) -> Response:
    """What was found. No cache keeps it: a certificate may be cancelled at any moment."""
    shown = check_view(check, request)
    return reply(request, shown, "verify.html", 0, check=shown, typed=check.reference, problem="")


def check_view(check: Check, request: Request) -> CheckShown:
    """A check for the public."""
    data = data_of(request)
    row = data.checks[check.verdict]
    certificate, summary, seal = check.certificate, check.summary, check.seal
    document = None
    if summary is not None:
        document = CheckedDocument(
            exporter=summary.exporter, consignee=summary.consignee, origin=summary.origin, items=summary.items
        )
    return CheckShown(
        verdict=row.verdict or check.verdict,
        reason=check.verdict,
        tone=row.tone,
        title=row.title,
        meaning=row.meaning,
        reference=check.reference or None,
        form=certificate.form if certificate else None,
        destination=certificate.destination if certificate else None,
        issued_on=certificate.issued_on.isoformat() if certificate else None,
        valid_until=certificate.valid_until.isoformat() if certificate else None,
        replaced_by=check.replaced_by,
        contingency_number=seal.contingency_number if seal else None,
        document=document,
    )
