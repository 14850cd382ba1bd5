"""Maps certificates and products to answers, events and documents. Views do not query."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.certificates.domain import consignment as domain
from services.certificates.domain.certificate import Certificate
from services.certificates.domain.consignment import Consignment
from services.certificates.domain.exporter import Exporter
from services.certificates.domain.form import Form
from services.certificates.domain.message import Message
from services.certificates.domain.origin.verdict import ACCUMULATION, DE_MINIMIS, PARTIAL_CUMULATION
from services.certificates.domain.product import Product
from services.certificates.mappers import claimed
from services.certificates.original_views import based_on, originals_of
from services.certificates.store.documents import Document
from shared.contracts.certificates.cancelling import CertificateCancelled
from shared.contracts.certificates.content import CertificateMessageSent
from shared.contracts.certificates.documents import (
    CertificateDocumented,
    Company,
    DocumentInvoice,
    DocumentItem,
    Exhibition,
    FormD,
    Money,
    Party,
)
from shared.contracts.certificates.issuing import (
    BoxRemark,
    CertificateIssued,
    CertificateState,
    CertificateStatusChanged,
    CertificateSubmitted,
    OtherCertificate,
    SubmittedGoods,
)
from shared.contracts.certificates.products import ProductState
from shared.contracts.certificates.withdrawing import CertificateClosed
from shared.handling.work import Work


def certificate_state(
    certificate: Certificate, *, settled: bool, agent: Exporter | None, form: Form, origin: str
) -> CertificateState:
    """A certificate as its exporter and the officers see it."""
    consignment = certificate.consignment
    return CertificateState(
        certificate_id=certificate.certificate_id,
        exporter_id=certificate.exporter_id,
        agent_id=certificate.agent_id,
        agent_name=agent.name if agent else None,
        form=certificate.form,
        office=certificate.office,
        destination=consignment.destination,
        status=certificate.status,
        waits_for=certificate.waits_for(settled=settled),
        remarks=certificate.remarks,
        box_remarks=[BoxRemark(box=each.box, item=each.item, text=each.text) for each in certificate.box_remarks or ()],
        reasons=certificate.reasons or (),
        settled=settled,
        reference=certificate.reference,
        issued_on=certificate.issued_on,
        valid_until=certificate.valid_until,
        issued_retroactively=certificate.issued_retroactively,
        fob_disclosed=[form.shows_fob(origin, consignment.destination, item.criterion) for item in consignment.items],
        cancelled_on=certificate.cancelled_on,
        cancelled_because=certificate.cancelled_because,
        replaces=_other(certificate.replaces_id, certificate.replaces),
        replaced_by=_other(certificate.replaced_by_id, certificate.replaced_by),
        channel=form.channel,
        version=certificate.version,
    )


def _other(certificate_id: UUID | None, reference: str | None) -> OtherCertificate | None:
    return OtherCertificate(certificate_id=certificate_id, reference=reference) if certificate_id else None


def product_state(product: Product) -> ProductState:
    """A product as its exporter and the officers see it."""
    return ProductState(
        product_id=product.product_id,
        exporter_id=product.exporter_id,
        description=product.description,
        hs_code=product.hs_code,
        criterion=claimed(product.criterion),
        box_8=product.criterion.box_8,
        status=product.status,
        reason=product.reason,
        handicraft=product.handicraft,
        version=product.version,
        costs_version=product.costs_version,
        claim_met=product.claim_met,
        valid_until=product.valid_until,
    )


def submitted(certificate: Certificate, work: Work) -> CertificateSubmitted:
    """The event for fees: the goods, as the tariff needs them."""
    return CertificateSubmitted(
        certificate_id=certificate.certificate_id,
        exporter_id=certificate.exporter_id,
        agent_id=certificate.agent_id,
        office=certificate.office,
        form=certificate.form,
        submission=certificate.submission,
        submitted_on=certificate.submitted_on,
        goods=[
            SubmittedGoods(hs_code=item.hs_code, handicraft=item.handicraft, quantity=item.quantity, unit=item.unit)
            for item in certificate.consignment.items
        ],
        version=certificate.version,
        occurred_at=work.now,
    )


def status_changed(certificate: Certificate, work: Work) -> CertificateStatusChanged:
    """The event for all who show how far a certificate is: only what the public may read."""
    return CertificateStatusChanged(
        certificate_id=certificate.certificate_id,
        office=certificate.office,
        destination=certificate.consignment.destination,
        status=certificate.status,
        submission=certificate.submission,
        version=certificate.version,
        occurred_at=certificate.status_since or work.now,
    )


def closed(certificate: Certificate, work: Work) -> CertificateClosed:
    """The event for fees: no payment is accepted for this submission."""
    return CertificateClosed(
        certificate_id=certificate.certificate_id,
        submission=certificate.submission,
        status=certificate.status,
        version=certificate.version,
        occurred_at=work.now,
    )


def message_sent(message: Message, certificate: Certificate) -> CertificateMessageSent:
    """The event for the portal: somebody wrote, but not what."""
    return CertificateMessageSent(
        certificate_id=message.certificate_id,
        office=certificate.office,
        by=message.side,
        version=message.number,
        occurred_at=message.at,
    )


def issued(document: Document, work: Work) -> CertificateIssued:
    """The event for tracking: only what the public may read."""
    form_d = document.body
    return CertificateIssued(
        certificate_id=document.certificate_id,
        reference=form_d.reference,
        form=document.form,
        destination=form_d.destination,
        issued_on=form_d.issued_on,
        valid_until=form_d.valid_until,
        version=document.version,
        occurred_at=work.now,
    )


def documented(document: Document, work: Work) -> CertificateDocumented:
    """The event for the gateway: the document for the customs of the destination."""
    return CertificateDocumented(
        certificate_id=document.certificate_id,
        exporter_id=document.exporter_id,
        agent_id=document.agent_id,
        document=document.body,
        channel=document.channel,
        version=document.version,
        occurred_at=work.now,
    )


def cancelled(certificate: Certificate, detail: str, work: Work) -> CertificateCancelled:
    """The event for tracking and the gateway. `detail`: the reason in English."""
    return CertificateCancelled(
        certificate_id=certificate.certificate_id,
        reference=certificate.reference,
        destination=certificate.consignment.destination,
        reason=certificate.cancelled_because,
        detail=detail,
        replaced_by_id=certificate.replaced_by_id,
        replaced_by=certificate.replaced_by,
        version=certificate.version,
        occurred_at=certificate.status_since or work.now,
    )


@dataclass(frozen=True)
class Preview:
    """A document that is not issued, and has no number yet: its day, and its content."""

    on: date
    consignment: Consignment


def document_of(
    certificate: Certificate, exporter: Exporter, form: Form, origin: str, preview: Preview | None = None
) -> Document:
    """The document of an issued certificate, box by box; or a preview. A member of the agreement is the consignee's country."""
    consignment = preview.consignment if preview else certificate.consignment
    items = [
        DocumentItem(
            number=number,
            marks=item.marks,
            packages=item.packages,
            package_kind=item.package_kind,
            description=box_7(item),
            hs_code=item.hs_code,
            criterion=item.criterion.box_8,
            quantity=item.quantity,
            unit=item.unit,
            gross_weight_kg=item.gross_weight_kg,
            fob=Money(amount=item.fob_amount, currency=item.fob_currency)
            if form.shows_fob(origin, consignment.destination, item.criterion)
            else None,
            invoice_number=item.invoice_number,
            invoice_date=item.invoice_date,
            manufacturer=item.manufacturer,
            trade_mark=item.trade_mark,
            more_invoices=[DocumentInvoice(number=each.number, date=each.date) for each in item.more_invoices if each.date],
        )
        for number, item in enumerate(consignment.items, start=1)
    ]
    form_d = FormD(
        reference=f"DRAFT-{certificate.office}-000000" if preview else certificate.reference,
        issuing_country=origin,
        office=certificate.office,
        issued_on=preview.on if preview else certificate.issued_on,
        valid_until=form.valid_until(preview.on) if preview else certificate.valid_until,
        exporter=Party(name=exporter.name, address=exporter.address, country=origin),
        consignee=Party(
            name=consignment.consignee_name,
            address=consignment.consignee_address,
            country=consignment.destination if form.members else None,
        ),
        destination=consignment.destination,
        departure_date=consignment.departure_date,
        vessel=consignment.vessel,
        port_of_discharge=consignment.port_of_discharge,
        issued_retroactively=certificate.issued_retroactively,
        items=items,
        route=consignment.route,
        third_country_invoice=_company(consignment.third_country_invoice),
        exhibition=_exhibition(consignment.exhibition),
        replaces=certificate.replaces,
        declared_on=certificate.submitted_on,
        accumulation=consignment.has_tick(ACCUMULATION),
        de_minimis=consignment.has_tick(DE_MINIMIS),
        partial_cumulation=consignment.has_tick(PARTIAL_CUMULATION),
        originals=originals_of(consignment.originals.values()),
    )
    return Document(
        certificate_id=certificate.certificate_id,
        exporter_id=certificate.exporter_id,
        form=certificate.form,
        body=form_d,
        version=certificate.version,
        agent_id=certificate.agent_id,
        channel=form.channel,
    )


def box_7(item: domain.Item) -> str:
    """The description in box 7: the goods, their manufacturer and trade mark (overleaf note 5), and the original (Rule 11)."""
    lines = [item.description]
    if item.manufacturer:
        lines.append(f"Manufacturer: {item.manufacturer}")
    if item.trade_mark:
        lines.append(f"Trade mark: {item.trade_mark}")
    if item.original:
        lines.append(based_on(item.original))
    return "\n".join(lines)


def _company(company: domain.InvoicingCompany | None) -> Company | None:
    return Company(name=company.name or "", country=company.country) if company and company.country else None


def _exhibition(exhibition: domain.Exhibition | None) -> Exhibition | None:
    return Exhibition(name=exhibition.name or "", address=exhibition.address or "") if exhibition else None
