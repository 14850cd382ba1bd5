"""The exporter attaches documents to a certificate, and removes them, as long as it may change the certificate."""

from uuid import UUID

from services.certificates.attachment_views import attachments_view
from services.certificates.domain.attachment import MOST, Attachment, TooManyAttachments
from services.certificates.domain.certificate import Certificate
from services.certificates.handlers.agents import certificate_of_actor
from services.certificates.store.attachments import attachments_of, keep_attachment, remove_attachment
from shared.contracts.certificates.attachments import (
    AttachCertificateFile,
    CertificateAttachments,
    PutCertificateFile,
    RemoveCertificateFile,
)
from shared.contracts.messages import FileProgress
from shared.handling.files import put_file, whole_file
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()

ROOM = 120 * 1024 * 1024
"""Bytes of all files of a certificate (ours)."""


@router.answers(PutCertificateFile)
async def put_certificate_file(command: PutCertificateFile, work: Work) -> FileProgress:
    """The exporter uploads a part of a document."""
    await changeable_certificate(command.owner_id, work)
    return await put_file(command, work, room=ROOM)


@router.answers(AttachCertificateFile)
async def attach_certificate_file(command: AttachCertificateFile, work: Work) -> CertificateAttachments:
    """The exporter attaches an uploaded document. It is examined first, so that officers can open it safely."""
    await changeable_certificate(command.certificate_id, work)
    attached = await attachments_of(work, command.certificate_id)
    if any(each.sha256 == command.sha256 for each in attached):  # attached before: the exporter has lost the answer
        return attachments_view(command.certificate_id, attached)
    content = await whole_file(command.certificate_id, command.sha256, work)
    await work.in_process(_examine, content)
    await changeable_certificate(command.certificate_id, work)
    if len(await attachments_of(work, command.certificate_id)) >= MOST:
        raise TooManyAttachments("sha256", most=MOST)

    attachment = Attachment(
        certificate_id=command.certificate_id,
        sha256=command.sha256,
        kind=command.kind,
        name=command.name,
        size=len(content),
        attached_at=work.now,
        attached_by=work.actor.user_id,
    )
    await keep_attachment(work, attachment)

    return attachments_view(command.certificate_id, await attachments_of(work, command.certificate_id))


@router.answers(RemoveCertificateFile)
async def remove_certificate_file(command: RemoveCertificateFile, work: Work) -> CertificateAttachments:
    """The exporter removes an attachment. If it is not there, nothing changes."""
    await changeable_certificate(command.certificate_id, work)

    for each in await attachments_of(work, command.certificate_id):
        if each.sha256 == command.sha256:
            await remove_attachment(work, each)

    return attachments_view(command.certificate_id, await attachments_of(work, command.certificate_id))


async def changeable_certificate(certificate_id: UUID, work: Work) -> Certificate:
    """A certificate that its exporter may change now. Raises NotAllowedNow, and the errors of `certificate_of_actor`."""
    certificate = await certificate_of_actor(certificate_id, work)
    certificate.must_be_changeable()
    return certificate


def _examine(content: bytes) -> None:
    """Checks a document. Only the process that does it needs the libraries, which take 9 MB."""
    from shared.uploads.document_check import examine

    examine("document", content)
