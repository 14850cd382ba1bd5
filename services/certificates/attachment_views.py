"""Maps attachments to answers. Views do not query."""

from collections.abc import Iterable
from uuid import UUID

from services.certificates.domain.attachment import Attachment
from shared.contracts.certificates import attachments as contracts


def attachments_view(certificate_id: UUID, attached: Iterable[Attachment]) -> contracts.CertificateAttachments:
    """The attachments of a certificate."""
    return contracts.CertificateAttachments(certificate_id=certificate_id, attachments=tuple(map(attachment_view, attached)))


def attachment_view(attachment: Attachment) -> contracts.Attachment:
    """An attachment."""
    return contracts.Attachment(
        kind=contracts.AttachmentKind(attachment.kind),
        name=attachment.name,
        sha256=attachment.sha256,
        size=attachment.size,
        attached_at=attachment.attached_at,
    )
