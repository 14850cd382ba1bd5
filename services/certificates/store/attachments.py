"""Queries for the attachments of certificates."""

from uuid import UUID

from sqlalchemy import delete, select

from services.certificates.domain.attachment import Attachment
from services.certificates.store.tables import attachments
from shared.handling.files import delete_file
from shared.handling.work import Work


async def attachments_of(work: Work, certificate_id: UUID) -> list[Attachment]:
    """The attachments of a certificate, in the order in which they were attached."""
    these = select(attachments).where(attachments.c.certificate_id == certificate_id)
    rows = await work.session.execute(these.order_by(attachments.c.attached_at, attachments.c.sha256))
    return [Attachment(**row._mapping) for row in rows]


async def keep_attachment(work: Work, attachment: Attachment) -> None:
    """Keeps an attachment."""
    await work.insert_new(attachments, [vars(attachment)])


async def remove_attachment(work: Work, attachment: Attachment) -> None:
    """Removes an attachment and its file."""
    this = (attachments.c.certificate_id == attachment.certificate_id) & (attachments.c.sha256 == attachment.sha256)
    await work.session.execute(delete(attachments).where(this))
    await delete_file(attachment.certificate_id, attachment.sha256, work)
