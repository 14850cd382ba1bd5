"""An exporter, or its agent, drafts, revises, submits and reads a certificate."""

from uuid import UUID

from services.certificates.domain.boxes import must_be_storable
from services.certificates.domain.boxes.sheet import Content
from services.certificates.domain.certificate import Certificate, CertificateIdTaken, ReplacementUnderWay
from services.certificates.domain.consignment import Consignment
from services.certificates.handlers.acts import record
from services.certificates.handlers.agents import agent_acting_for, certificate_of_actor
from services.certificates.handlers.answers import state_of
from services.certificates.handlers.back_to_back import reserve_originals
from services.certificates.handlers.checking import sheet_of
from services.certificates.handlers.reading import certificate_to_read
from services.certificates.mappers import consignment_of
from services.certificates.store.certificates import find_certificate, replacement_under_way
from services.certificates.store.costs import findings_on
from services.certificates.store.products import products_by_ids
from services.certificates.views import submitted
from shared.contracts.certificates import issuing as contracts
from shared.contracts.certificates.content import CertificateActKind
from shared.contracts.certificates.issuing import (
    CertificateState,
    DraftCertificate,
    GetCertificate,
    ReviseCertificate,
    SubmitCertificate,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(DraftCertificate)
async def draft_certificate(command: DraftCertificate, work: Work) -> CertificateState:
    """An exporter drafts a certificate."""
    agent_id = await agent_acting_for(command.exporter_id, work)
    if await find_certificate(work, command.certificate_id):
        raise CertificateIdTaken("certificate_id")

    former = await certificate_to_replace(command.replaces, work) if command.replaces else None
    consignment = await storable_consignment(command.consignment, command.form, command.exporter_id, work)
    certificate = Certificate(
        certificate_id=command.certificate_id,
        exporter_id=command.exporter_id,
        form=command.form,
        consignment=consignment,
        agent_id=agent_id,
        drafted_at=work.now,
        replaces_id=former.certificate_id if former else None,
        replaces=former.reference if former else None,
    )

    work.session.add(certificate)
    await record(CertificateActKind.DRAFT, certificate, work, by=work.actor)
    return await state_of(certificate, work)


@router.answers(ReviseCertificate)
async def revise_certificate(command: ReviseCertificate, work: Work) -> CertificateState:
    """The exporter changes a draft or corrects a returned certificate."""
    certificate = await certificate_of_actor(command.certificate_id, work)

    certificate.revise(await storable_consignment(command.consignment, certificate.form, certificate.exporter_id, work))

    await record(CertificateActKind.REVISE, certificate, work, by=work.actor)
    return await state_of(certificate, work)


@router.answers(SubmitCertificate)
async def submit_certificate(command: SubmitCertificate, work: Work) -> CertificateState:
    """The exporter submits the certificate. From now on only an officer may change it."""
    certificate = await certificate_of_actor(command.certificate_id, work)

    sheet = await sheet_of(Content.of(certificate.consignment), certificate.form, certificate.exporter_id, work)
    certificate.submit(on=work.today, sheet=sheet, findings=await findings_on(work, sheet.products.values(), certificate.form))
    await reserve_originals(certificate, sheet.originals, work)

    work.announce(submitted(certificate, work))
    await record(CertificateActKind.SUBMIT, certificate, work, by=work.actor)
    return await state_of(certificate, work)


@router.answers(GetCertificate)
async def get_certificate(question: GetCertificate, work: Work) -> CertificateState:
    """What is the state of this certificate, and what does it wait for?"""
    return await state_of(await certificate_to_read(question, work), work)


async def certificate_to_replace(certificate_id: UUID, work: Work) -> Certificate:
    """The issued certificate that its exporter, or the agent that drafted it, replaces. Only one can be under way.

    Raises NotReplaceable, ReplacementUnderWay, and the errors of `certificate_of_actor`.
    """
    former = await certificate_of_actor(certificate_id, work)
    former.must_be_replaceable()
    if await replacement_under_way(work, former.certificate_id):
        raise ReplacementUnderWay("replaces", reference=former.reference)
    return former


async def storable_consignment(wanted: contracts.Consignment, form_name: str, exporter_id: UUID, work: Work) -> Consignment:
    """The consignment with the findings on each product. Refuses one that cannot be stored, with all its problems."""
    known = await products_by_ids(work, {item.product_id for item in wanted.items})
    consignment = consignment_of(wanted, known)
    must_be_storable(await sheet_of(Content.of(consignment), form_name, exporter_id, work, known))
    return consignment
