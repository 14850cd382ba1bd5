"""The exporter's part, or its agent's: draft, revise, submit, and look."""

from uuid import UUID

from services.certificates.catalogue import Catalogue
from services.certificates.domain.certificate import Certificate, CertificateIdTaken, Consignment, Item
from services.certificates.handlers.agents import who_acts_for
from services.certificates.store import certificate_by_id, find_certificate, find_exporter, must_be_there, products_by_ids
from services.certificates.views import OFFICERS, state_of, submitted
from shared.contracts.certificates import issuing as contracts
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
    """An exporter begins a certificate."""
    agent_id = await who_acts_for(command.exporter_id, work)
    if await find_certificate(work, command.certificate_id):
        raise CertificateIdTaken("", "certificate_id")

    consignment = await examined(command.consignment, command.form, command.exporter_id, work)
    certificate = Certificate(command.certificate_id, command.exporter_id, command.form, consignment, agent_id=agent_id)

    work.session.add(certificate)
    return await state_of(certificate, work)


@router.answers(ReviseCertificate)
async def revise_certificate(command: ReviseCertificate, work: Work) -> CertificateState:
    """The exporter changes a draft, or corrects what was returned."""
    certificate = await certificate_by_id(work, command.certificate_id)
    await who_acts_for(certificate.exporter_id, work)
    work.actor.must_have_begun(certificate.agent_id)

    certificate.revise(await examined(command.consignment, certificate.form, certificate.exporter_id, work))

    return await state_of(certificate, work)


@router.answers(SubmitCertificate)
async def submit_certificate(command: SubmitCertificate, work: Work) -> CertificateState:
    """The exporter hands in the certificate; from now on only an officer may change it."""
    certificate = await certificate_by_id(work, command.certificate_id)
    await who_acts_for(certificate.exporter_id, work)
    work.actor.must_have_begun(certificate.agent_id)

    certificate.submit(on=work.today, exporter=await find_exporter(work, certificate.exporter_id))

    work.announce(submitted(certificate, work))
    return await state_of(certificate, work)


@router.answers(GetCertificate)
async def get_certificate(question: GetCertificate, work: Work) -> CertificateState:
    """Where does this certificate stand, and what does it wait for?"""
    certificate = await certificate_by_id(work, question.certificate_id)
    work.actor.may_read(certificate.exporter_id, *OFFICERS)
    work.actor.must_have_begun(certificate.agent_id)
    return await state_of(certificate, work)


async def examined(wanted: contracts.Consignment, form_name: str, exporter_id: UUID, work: Work) -> Consignment:
    """The consignment with what the ministry found of each product; refused where form, office or a product do not serve."""
    catalogue = work.use(Catalogue)
    form = catalogue.form(form_name, work.today)
    catalogue.must_have_office(wanted.office)
    form.must_serve(work.country, wanted.destination)
    known = await products_by_ids(work, {item.product_id for item in wanted.items})
    items = []
    for index, item in enumerate(wanted.items):
        field = f"consignment.items.{index}.product_id"
        product = must_be_there(known.get(item.product_id), item.product_id, field)
        product.must_serve(exporter_id, field)
        form.must_know(product.criterion, field)
        items.append(
            Item(
                product_id=product.product_id,
                description=product.description,
                criterion=product.criterion,
                handicraft=product.handicraft,
                hs_code=item.hs_code,
                marks=item.marks,
                packages=item.packages,
                package_kind=item.package_kind,
                quantity=item.quantity,
                unit=item.unit,
                gross_weight_kg=item.gross_weight_kg,
                fob_amount=item.fob.amount,
                fob_currency=item.fob.currency,
                invoice_number=item.invoice_number,
                invoice_date=item.invoice_date,
            )
        )
    consignment = Consignment(
        office=wanted.office,
        destination=wanted.destination,
        consignee_name=wanted.consignee.name,
        consignee_address=wanted.consignee.address,
        departure_date=wanted.transport.departure_date,
        vessel=wanted.transport.vessel,
        port_of_discharge=wanted.transport.port_of_discharge,
        items=items,
    )
    consignment.must_fit()
    return consignment
