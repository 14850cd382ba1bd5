"""The documents of a registration: each is uploaded by itself, so an interrupted upload loses no other one."""

from urllib.parse import quote

from starlette.responses import Response

from services.portal.acting import own_company
from services.portal.company_words import DOCUMENTS
from services.portal.forms import FormInvalid
from services.portal.navigation import COMPANY
from services.portal.page import page
from services.portal.pages.company import HERE, company_page, is_returned, may_change, registration_of
from services.portal.uploads import send_file
from services.portal.visit import NotForYou, Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.messages import FileChunk
from shared.contracts.registry.particulars import DocumentKind, GetRegistrationFile, PutRegistrationFile
from shared.contracts.registry.registrations import AttachRegistrationDocument, RegistrationState

SUFFIXES = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
OPTIONAL = frozenset({DocumentKind.GSP_MFN_CERTIFICATE})


def attached(state: RegistrationState) -> dict[DocumentKind, str]:
    """The documents that an officer decides on, with the digests of their files."""
    return {each.kind: each.sha256 for each in (state.renewal.papers if state.renewal else state.papers)}


async def show_documents(visit: Visit) -> Response:
    """Every document with its state, and a form to send or replace it."""
    state = await registration_of(visit)
    return company_page(
        visit,
        "company/documents.html",
        state=state,
        kinds=DOCUMENTS,
        optional=OPTIONAL,
        attached=attached(state),
        changeable=may_change(state),
        returned=is_returned(state),
        limit=PutRegistrationFile.limit // (1024 * 1024),
        sent=visit.query("kind"),
    )


async def send_document(visit: Visit) -> Response:
    """Sends one file, and attaches it as a document. Errors stand at the field of this document."""
    kind, company = _kind(visit.form.text("kind")), own_company(visit)
    try:
        digest = await send_file(visit, PutRegistrationFile, company, kind)
        command_id = visit.form.command_id(f"{kind} {digest}")
        await visit.ask(AttachRegistrationDocument(exporter_id=company, kind=kind, sha256=digest, command_id=command_id))
    except AskRefused as refused:
        visit.form.refuse(refused.refusal, at=kind)
        raise FormInvalid from None
    except NobodyAnswers:
        _ = visit.language.gettext
        visit.form.fail(kind, _("The file did not arrive completely, and nothing else is lost. Send it again."))
        raise FormInvalid from None
    return visit.go(f"{HERE}/documents?kind={kind}", done="attached")


async def show_document(visit: Visit) -> Response:
    """One document, as a file to save."""
    kind, state = _kind(visit.path("kind")), await registration_of(visit)
    digest = attached(state).get(kind)
    if digest is None:
        raise NotForYou
    content, media_type, size = b"", "", 1
    while len(content) < size:
        question = GetRegistrationFile(owner_id=state.exporter_id, sha256=digest, offset=len(content))
        part: FileChunk = await visit.ask(question)
        content, media_type, size = content + part.chunk, part.media_type, part.size
    suffix = SUFFIXES.get(media_type, "bin")
    headers = {
        "content-disposition": f"attachment; filename={quote(kind)}.{suffix}",
        "content-security-policy": "sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return Response(content, media_type=media_type if suffix != "bin" else "application/octet-stream", headers=headers)


def _kind(text: str) -> DocumentKind:
    try:
        return DocumentKind(text)
    except ValueError:
        raise NotForYou from None


routes = [
    page("/company/documents", show_documents, send_document, roles=COMPANY),
    page("/company/documents/{kind}", show_document, roles=COMPANY),
]
