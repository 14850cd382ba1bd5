"""Maps certified true copies to answers, pages and events. Views do not query."""

from services.certificates.documents.orders import PageOrder
from services.certificates.domain.true_copy import TrueCopy
from services.certificates.reference_data import ReferenceData
from services.certificates.sealed_views import page_of
from services.certificates.store.documents import Document
from shared.contracts.certificates.sealing import CertificateSealed
from shared.contracts.certificates.true_copies import TrueCopyState, TrueCopyStatus

MARK = "CERTIFIED TRUE COPY"


def true_copy_view(copy: TrueCopy, reference: str | None) -> TrueCopyState:
    """A certified true copy."""
    return TrueCopyState(
        request_id=copy.request_id,
        certificate_id=copy.certificate_id,
        reference=reference or "",
        status=TrueCopyStatus(copy.status),
        reason=copy.reason,
        requested_at=copy.requested_at,
        decided_on=copy.decided_on,
        decided_by=copy.decided_by,
        remark=copy.remark,
        sha256=copy.sha256,
    )


def true_copy_page(document: Document, copy: TrueCopy, data: ReferenceData, check_at: str) -> PageOrder:
    """The page: that of the original, with the endorsement and the date of the original in box 12."""
    page = page_of(document, data, check_at)
    return page.certified_as(MARK, document.body.issued_on, copy.decided_on or document.body.issued_on)


def true_copy_event(document: Document, copy: TrueCopy) -> CertificateSealed | None:
    """The event for the public check of a copy; None until it is made."""
    if copy.sha256 is None or copy.key_id is None or copy.locked_summary is None:
        return None
    return CertificateSealed(
        certificate_id=document.certificate_id,
        reference=document.body.reference,
        sha256=copy.sha256,
        key_id=copy.key_id,
        summary=copy.locked_summary,
        version=document.version,
        occurred_at=copy.requested_at,
    )
