"""An exporter, or its agent, drafts, revises, submits and reads a certificate."""

from collections.abc import Iterable
from uuid import UUID

from services.certificates.domain.certificate import Certificate, CertificateIdTaken, ReplacementUnderWay
from services.certificates.domain.consignment import Consignment, Item
from services.certificates.handlers.acts import record
from services.certificates.handlers.agents import agent_acting_for, certificate_of_actor
from services.certificates.handlers.answers import state_of
from services.certificates.handlers.back_to_back import reserve_originals
from services.certificates.handlers.nomenclature import must_be_in_nomenclature
from services.certificates.handlers.reading import certificate_to_read
from services.certificates.mappers import consignment_of
from services.certificates.reference_data import ReferenceData
from services.certificates.store.certificates import find_certificate, replacement_under_way
from services.certificates.store.exporters import find_exporter
from services.certificates.store.products import products_by_ids, require_product
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
    consignment = await checked_consignment(command.consignment, command.form, command.exporter_id, work)
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

    certificate.revise(await checked_consignment(command.consignment, certificate.form, certificate.exporter_id, work))

    await record(CertificateActKind.REVISE, certificate, work, by=work.actor)
    return await state_of(certificate, work)


@router.answers(SubmitCertificate)
async def submit_certificate(command: SubmitCertificate, work: Work) -> CertificateState:
    """The exporter submits the certificate. From now on only an officer may change it."""
    certificate = await certificate_of_actor(command.certificate_id, work)

    await must_be_in_nomenclature(hs_codes_of(certificate.consignment.items), work)
    form = work.use(ReferenceData).form(certificate.form, work.today)
    certificate.submit(on=work.today, exporter=await find_exporter(work, certificate.exporter_id), form=form)
    await reserve_originals(certificate, work)

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


async def checked_consignment(wanted: contracts.Consignment, form_name: str, exporter_id: UUID, work: Work) -> Consignment:
    """The consignment with the findings on each product. Refuses a form, office or product that does not serve it."""
    reference_data = work.use(ReferenceData)
    form = reference_data.form(form_name, work.today)
    reference_data.must_have_office(wanted.office)
    form.must_serve(work.country, wanted.destination)
    known = await products_by_ids(work, {item.product_id for item in wanted.items})
    for index, item in enumerate(wanted.items):
        field = f"consignment.items.{index}.product_id"
        product = require_product(known.get(item.product_id), item.product_id, field)
        product.must_serve(exporter_id, field, work.today)
        form.must_know(product.criterion, field)
        if item.original:
            form.must_allow_originals(f"consignment.items.{index}.original.reference")
    await must_be_in_nomenclature(hs_codes_of(wanted.items), work)
    consignment = consignment_of(wanted, known)
    consignment.must_fit()
    return consignment


def hs_codes_of(items: Iterable[contracts.Item | Item]) -> list[tuple[str, str]]:
    """The HS codes of a consignment, each with its field."""
    return [(f"consignment.items.{index}.hs_code", item.hs_code) for index, item in enumerate(items)]
