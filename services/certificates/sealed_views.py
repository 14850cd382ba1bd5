"""Maps sealed documents, keys and contingency prints to answers, events and orders of pages. Views do not query."""

from datetime import datetime

from services.certificates.documents.orders import PageOrder
from services.certificates.reference_data import ReferenceData
from services.certificates.store.copies import Copy
from services.certificates.store.documents import Document
from services.certificates.store.sealed import SealedDocument
from shared.contracts.certificates.sealing import (
    CertificateCredential,
    CertificateSealed,
    ContingencyCopy,
    ContingencyCopyPrinted,
    DocumentKeyPublished,
)
from shared.handling.work import Work
from shared.xml.documents import digests_of

CREDENTIAL_PART = 200_000
"""Characters of a credential in one answer. That of 1,000 items has more."""
CONTINGENCY_MARK = "CONTINGENCY PRINT No. {number}"


def page_of(
    document: Document, data: ReferenceData, check_at: str, *, watermark: str = "", copy: Copy | None = None
) -> PageOrder:
    """How the page of a document is printed, with the texts of its form on the day of issue."""
    form = document.body
    return PageOrder(
        document=document.as_json,
        page=data.form(document.form, form.issued_on).page,
        country_names=data.country_names,
        office_name=data.office_names.get(form.office, form.office),
        check_at=check_at,
        watermark=watermark,
        mark=CONTINGENCY_MARK.format(number=copy.number) if copy else "",
    )


def sealed_event(document: Document, sealed: SealedDocument) -> CertificateSealed:
    """The event for the public check: a digest, and a summary that only the verification code opens."""
    return CertificateSealed(
        certificate_id=document.certificate_id,
        reference=document.body.reference,
        sha256=sealed.sha256,
        key_id=sealed.key_id,
        summary=sealed.locked_summary,
        data_sha256=digests_of(document.body) if document.channel else (),
        version=document.version,
        occurred_at=sealed.sealed_at,
    )


def copy_event(document: Document, copy: Copy) -> CertificateSealed | None:
    """The event for the public check of a contingency print; None until it is made."""
    if copy.sha256 is None or copy.key_id is None or copy.locked_summary is None:
        return None
    return CertificateSealed(
        certificate_id=document.certificate_id,
        reference=document.body.reference,
        sha256=copy.sha256,
        key_id=copy.key_id,
        summary=copy.locked_summary,
        contingency_number=copy.number,
        version=document.version,
        occurred_at=copy.printed_at,
    )


def copy_printed(document: Document, copy: Copy) -> ContingencyCopyPrinted:
    """The event for the register of the gateway."""
    return ContingencyCopyPrinted(
        number=copy.number,
        certificate_id=document.certificate_id,
        reference=document.body.reference,
        destination=document.body.destination,
        printed_by=copy.printed_by,
        version=1,
        occurred_at=copy.printed_at,
    )


def credential_view(sealed: SealedDocument, document: Document, offset: int = 0) -> CertificateCredential:
    """The data of a sealed certificate, with a part of its credential."""
    end = offset + CREDENTIAL_PART
    return CertificateCredential(
        certificate_id=sealed.certificate_id,
        document="" if offset else document.as_json,
        summary=sealed.summary,
        credential=sealed.credential[offset:end],
        proof=sealed.proof,
        next=end if end < len(sealed.credential) else None,
        code=sealed.code,
        key_id=sealed.key_id,
        sealed_at=sealed.sealed_at,
        channel=document.channel,
    )


def copy_view(copy: Copy, document: Document) -> ContingencyCopy:
    """A contingency print."""
    return ContingencyCopy(
        number=copy.number,
        certificate_id=copy.certificate_id,
        reference=document.body.reference,
        destination=document.body.destination,
        reason=copy.reason,
        printed_on=copy.printed_on,
        printed_at=copy.printed_at,
        printed_by=copy.printed_by,
        sha256=copy.sha256,
    )


def key_event(key_id: str, office: str, certificate: str, withdrawn_since: datetime | None, work: Work) -> DocumentKeyPublished:
    """The event for the public check: the certificate of an office's key."""
    return DocumentKeyPublished(
        key_id=key_id,
        office=office,
        certificate=certificate,
        withdrawn_since=withdrawn_since,
        version=2 if withdrawn_since else 1,
        occurred_at=work.now,
    )
