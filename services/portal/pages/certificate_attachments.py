"""The documents attached to a certificate: each is uploaded by itself, so an interrupted upload loses no other one."""

from re import fullmatch

from starlette.responses import Response

from services.portal.certificate_words import attachment_words
from services.portal.forms import FormInvalid
from services.portal.navigation import FILING
from services.portal.pages.certificate import certificate_page, show_certificate
from services.portal.pages.certificate_documents import stream_pdf
from services.portal.settings import PREFIX
from services.portal.uploads import send_file
from services.portal.visit import NotForYou, Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.certificates.attachments import (
    AttachCertificateFile,
    AttachmentKind,
    PutCertificateFile,
    RemoveCertificateFile,
)
from shared.contracts.certificates.sealing import GetCertificateDocument

FILE = "attachment"


async def attach(visit: Visit) -> Response:
    """Sends one file, and attaches it. Errors stand at its field."""
    certificate_id, _ = visit.id("certificate_id"), visit.language.gettext
    try:
        kind = AttachmentKind(visit.form.text("kind"))
    except ValueError:
        visit.form.fail("kind", _("Choose one of the list."))
        raise FormInvalid from None
    upload = visit.form.files.get(FILE)
    name = "".join(char for char in (upload.filename if upload else None) or "" if char.isprintable()).strip()
    try:
        digest = await send_file(visit, PutCertificateFile, certificate_id, FILE)
        await visit.ask(
            AttachCertificateFile(
                certificate_id=certificate_id,
                kind=kind,
                sha256=digest,
                name=name[-150:] or attachment_words(_)[kind],
                command_id=visit.form.command_id(f"attach {digest}"),
            )
        )
    except AskRefused as refused:
        visit.form.refuse(refused.refusal, at=FILE)
        raise FormInvalid from None
    except NobodyAnswers:
        visit.form.fail(FILE, _("The file did not arrive completely, and nothing else is lost. Send it again."))
        raise FormInvalid from None
    return _back(visit, "attached")


async def remove(visit: Visit) -> Response:
    """Removes an attachment."""
    command = RemoveCertificateFile(certificate_id=visit.id("certificate_id"), sha256=_digest(visit.form.text("sha256")))
    await visit.ask(command.model_copy(update={"command_id": visit.form.command_id(f"remove {command.sha256}")}))
    return _back(visit, "attachment-removed")


async def download(visit: Visit) -> Response:
    """An attached document, as a file to save."""
    digest = _digest(visit.path("sha256"))
    question = GetCertificateDocument(certificate_id=visit.id("certificate_id"), sha256=digest)
    return await stream_pdf(visit, question, f"attachment-{digest[:8]}")


def _digest(text: str) -> str:
    if not fullmatch("[0-9a-f]{64}", text):
        raise NotForYou
    return text


def _back(visit: Visit, done: str) -> Response:
    return visit.go(f"{PREFIX}/certificates/{visit.id('certificate_id')}", done=done)


routes = [
    certificate_page("/attachments", show_certificate, attach, roles=FILING),
    certificate_page("/attachments/remove", show_certificate, remove, roles=FILING),
    certificate_page("/attachments/{sha256}", download),
]
