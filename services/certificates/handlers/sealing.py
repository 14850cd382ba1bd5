"""An issued certificate gets its sealed document, by a task. The exporter, officers and auditors read it."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from services.certificates.documents.keys import Sealing
from services.certificates.documents.making import print_and_seal
from services.certificates.documents.orders import PageOrder, SealedPage
from services.certificates.documents.summaries import new_code
from services.certificates.domain.sealing import DocumentNotReady
from services.certificates.handlers.reading import certificate_to_read
from services.certificates.reference_data import ReferenceData
from services.certificates.sealed_views import credential_view, key_event, page_of, sealed_event
from services.certificates.store.documents import Document, find_document
from services.certificates.store.sealed import SealedDocument, find_key, find_sealed, keep_key, keep_sealed, key_ids, unsealed
from shared.contracts.certificates.sealing import (
    CertificateCredential,
    CertificateDocument,
    GetCertificateCredential,
    GetCertificateDocument,
)
from shared.contracts.messages import GetFile
from shared.handling.files import get_file, store_file
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()

AT_ONCE = 200
"""Certificates of a former release that are sealed each ten minutes."""
PDF = "application/pdf"


class SealCertificate(Task):
    """Prints and seals the document of an issued certificate."""

    kind: ClassVar[str] = "seal_certificate"
    certificate_id: UUID


class SealRemaining(Task):
    """Seals documents that have no seal, such as those that a former release has issued."""

    kind: ClassVar[str] = "seal_remaining"
    every: ClassVar[timedelta | None] = timedelta(minutes=10)


@router.due(SealCertificate)
async def seal_certificate(task: SealCertificate, work: Work) -> None:
    """The office seals the document. Everybody can check it from now on."""
    document = await find_document(work, task.certificate_id)
    if document is None or await find_sealed(work, task.certificate_id):
        return
    code, page = new_code(), page_of(document, work.use(ReferenceData), work.use(Sealing).check_at)
    made, key_id = await print_sealed(document, page, code, work)

    sealed = SealedDocument(
        certificate_id=document.certificate_id,
        sha256=made.sha256,
        key_id=key_id,
        code=code,
        summary=made.summary,
        locked_summary=made.locked_summary,
        credential=made.credential,
        sealed_at=work.now,
        proof=made.proof,
    )
    await keep_sealed(work, sealed)
    work.announce(sealed_event(document, sealed))


async def print_sealed(document: Document, page: PageOrder, code: str, work: Work) -> tuple[SealedPage, str]:
    """Prints and seals a page of a certificate, and stores the PDF under its SHA-256. Returns it and the id of the key."""
    order = work.use(Sealing).order(document.certificate_id, document.body.office, code, work.today, work.now)
    made: SealedPage = await work.in_process(print_and_seal, page, order)
    await store_file(document.certificate_id, made.pdf, PDF, work)
    return made, order.key_id


@router.due(SealRemaining)
async def seal_remaining(task: SealRemaining, work: Work) -> None:
    """Each certificate that was issued without a seal gets one."""
    for certificate_id in await unsealed(work, AT_ONCE):
        work.later(SealCertificate(certificate_id=certificate_id), key=certificate_id)


@router.answers(GetCertificateDocument)
async def get_certificate_document(question: GetCertificateDocument, work: Work) -> CertificateDocument:
    """The exporter, an officer or an auditor reads a part of a document."""
    certificate = await certificate_to_read(question, work)
    sha256 = question.sha256 or (await sealed_of(certificate.certificate_id, work)).sha256
    wanted = GetFile(owner_id=certificate.certificate_id, sha256=sha256, offset=question.offset)
    chunk = await get_file(wanted, work)
    return CertificateDocument(chunk=chunk.chunk, size=chunk.size, media_type=chunk.media_type, sha256=sha256)


@router.answers(GetCertificateCredential)
async def get_certificate_credential(question: GetCertificateCredential, work: Work) -> CertificateCredential:
    """What are the data of this certificate, for programs?"""
    certificate = await certificate_to_read(question, work)
    sealed = await sealed_of(certificate.certificate_id, work)
    document = await issued_document(certificate.certificate_id, work)
    return credential_view(sealed, document, question.offset)


async def sealed_of(certificate_id: UUID, work: Work) -> SealedDocument:
    """The sealed document of a certificate. Raises DocumentNotReady."""
    sealed = await find_sealed(work, certificate_id)
    if sealed is None:
        raise DocumentNotReady("certificate_id")
    return sealed


async def issued_document(certificate_id: UUID, work: Work) -> Document:
    """The document of an issued certificate. Raises DocumentNotReady."""
    document = await find_document(work, certificate_id)
    if document is None:
        raise DocumentNotReady("certificate_id")
    return document


@router.at_start
async def publish_document_keys(work: Work) -> None:
    """Announces the certificates of new keys, and keys that were stolen."""
    keys = work.use(Sealing).keys
    for key in keys.keys.values():
        event = key_event(key.key_id, key.office, key.pem, keys.withdrawn.get(key.key_id), work)
        if await keep_key(work, event):
            work.announce(event)
    for key_id, since in keys.withdrawn.items():
        if known := await find_key(work, key_id):
            event = key_event(key_id, known[0], known[1], since, work)
            if await keep_key(work, event):
                work.announce(event)


@router.reannounces("document-key", key_ids)
async def announce_document_key(key_id: str, work: Work) -> None:
    """Announces the certificate of a key again."""
    if known := await find_key(work, key_id):
        office, certificate, withdrawn_since = known
        work.announce(key_event(key_id, office, certificate, withdrawn_since, work))
