"""The handler that sends an export declaration (ACDD) for an issued certificate, because its exporter wants it."""

from uuid import uuid4

from services.gateway.cancellations import must_not_be_cancelled
from services.gateway.domain import E_FORM_D, Transmission
from services.gateway.handlers.sending import begin, restore_steps
from services.gateway.handlers.transmissions import state_of
from services.gateway.kinds import DocumentKinds, ExchangedKind, must_be_exchanged
from services.gateway.store import find_transmissions, transmissions_of
from services.gateway.wire.exchange import Exchange
from shared.contracts.certificates.documents import FormD
from shared.contracts.gateway.declarations import DeclaredItem, ExportDeclaration, SendDeclaration, Trader
from shared.contracts.gateway.transmissions import StatusCode, TransmissionState
from shared.handling.router import Router
from shared.handling.work import Work
from shared.refusals import Refused
from shared.xml.document_types import ACDD

router = Router()


class DeclarationSentAlready(Refused):
    code = "declaration_sent_already"


class OriginUnclear(Refused):
    code = "declaration_origin_unclear"


@router.answers(SendDeclaration)
async def send_declaration(command: SendDeclaration, work: Work) -> TransmissionState:
    """The declaration is a document of its own, with its own codes. It is sent once, and again only after a rejection."""
    certificate = (await transmissions_of(work, command.certificate_id))[-1]
    work.actor.must_act_for(certificate.exporter_id)
    work.actor.must_have_begun(certificate.agent_id)
    kinds = work.use(DocumentKinds)
    kind = kinds.of(ACDD.code)
    former = await find_transmissions(work, command.certificate_id, kind.code)
    if former and former[-1].code != StatusCode.NOT:
        raise DeclarationSentAlready("certificate_id")
    await must_not_be_cancelled(work, command.certificate_id)
    must_be_exchanged(kind, work.use(Exchange).partners, certificate.destination, work.today)

    form = kinds.read(E_FORM_D, certificate.document)
    assert isinstance(form, FormD)
    declaration = declaration_of(command, form, kind)
    transmission = Transmission(
        transmission_id=uuid4(),
        certificate_id=command.certificate_id,
        exporter_id=certificate.exporter_id,
        reference=declaration.reference,
        destination=declaration.destination,
        number=len(former) + 1,
        document=declaration.model_dump_json(),
        agent_id=certificate.agent_id,
        kind=kind.code,
    )
    work.session.add(transmission)
    await restore_steps(transmission, work)
    begin(transmission, work)
    return await state_of([*former, transmission], work)


def declaration_of(command: SendDeclaration, form: FormD, kind: ExchangedKind) -> ExportDeclaration:
    """The declaration: what the exporter has entered, and the goods of the certificate. Raises OriginUnclear."""
    origin = command.country_of_origin or origin_of(form)
    return ExportDeclaration(
        reference=f"{kind.rules.reference_prefix}{form.reference}",
        issuing_country=form.issuing_country,
        destination=form.destination,
        permit_number=command.permit_number,
        exporter=Trader(name=form.exporter.name, address=form.exporter.address, identifier=command.exporter_number),
        consignee=Trader(name=form.consignee.name, address=form.consignee.address),
        declaring_agent=command.declaring_agent,
        departure_date=form.departure_date,
        transport_mode=command.transport_mode,
        port_of_discharge=form.port_of_discharge,
        certificate=form.reference,
        items=tuple(
            DeclaredItem(
                number=item.number,
                hs_code=item.hs_code,
                quantity=item.quantity,
                unit=item.unit,
                country_of_origin=origin,
            )
            for item in form.items
        ),
    )


def origin_of(form: FormD) -> str:
    """The issuing country; for a back-to-back certificate that of its originals. Raises OriginUnclear."""
    countries = {each.country for each in form.originals} or {form.issuing_country}
    if len(countries) > 1:
        raise OriginUnclear("country_of_origin", countries=countries)
    return next(iter(countries))
