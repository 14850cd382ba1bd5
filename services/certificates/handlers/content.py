"""A certificate with everything in it, its history, and what a new certificate takes from it."""

from uuid import UUID

from services.certificates.content_views import content_of, copy_of
from services.certificates.domain.certificate import Certificate
from services.certificates.domain.product import Product
from services.certificates.handlers.answers import state_of
from services.certificates.handlers.back_to_back import known_originals
from services.certificates.handlers.importing import copy_of_former, problems_of
from services.certificates.handlers.reading import certificate_to_read
from services.certificates.reference_data import ReferenceData
from services.certificates.store.assignments import find_assignment
from services.certificates.store.attachments import attachments_of
from services.certificates.store.certificates import acts_of
from services.certificates.store.exporters import find_exporter
from services.certificates.store.former import find_former
from services.certificates.store.products import products_by_ids
from shared.contracts.certificates.content import (
    CertificateContent,
    CertificateCopy,
    CertificateHistory,
    CopyCertificate,
    GetCertificateContent,
    GetCertificateHistory,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(GetCertificateContent)
async def get_certificate_content(question: GetCertificateContent, work: Work) -> CertificateContent:
    """What does this certificate contain?"""
    certificate = await certificate_to_read(question, work)
    return content_of(
        certificate,
        await state_of(certificate, work),
        products=await products_of(certificate, work),
        exporter=await find_exporter(work, certificate.exporter_id),
        assignment=await find_assignment(work, certificate.certificate_id),
        for_officer=bool(work.actor.roles & question.read_by),
        originals=list((await known_originals(certificate.consignment.originals, work)).values()),
        attachments=await attachments_of(work, certificate.certificate_id),
    )


@router.answers(GetCertificateHistory)
async def get_certificate_history(question: GetCertificateHistory, work: Work) -> CertificateHistory:
    """Which acts were done on this certificate?"""
    certificate = await certificate_to_read(question, work)
    acts, following = await acts_of(work, certificate.certificate_id, question.before, question.limit)
    return CertificateHistory(certificate_id=certificate.certificate_id, acts=acts, next=following)


@router.answers(CopyCertificate)
async def copy_certificate(question: CopyCertificate, work: Work) -> CertificateCopy:
    """What would a new certificate take from this one?"""
    if former := await find_former(work, question.certificate_id):
        return await copy_of_former(former, work)
    certificate = await certificate_to_read(question, work)
    consignment = certificate.consignment
    return copy_of(
        certificate,
        products=await products_of(certificate, work),
        form=work.use(ReferenceData).find_form(certificate.form, work.today),
        problems=problems_of(certificate.form, consignment.destination, consignment.office, work),
        today=work.today,
    )


async def products_of(certificate: Certificate, work: Work) -> dict[UUID, Product]:
    """The products of a certificate as they are today."""
    return await products_by_ids(work, {item.product_id for item in certificate.consignment.items})
