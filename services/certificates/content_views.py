"""Maps certificates with their content, their copies, and rows of lists to answers. Views do not query."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.certificates.attachment_views import attachment_view
from services.certificates.domain.assignment import Assignment
from services.certificates.domain.attachment import Attachment
from services.certificates.domain.certificate import Certificate
from services.certificates.domain.consignment import Consignment, Item
from services.certificates.domain.copying import problem_of
from services.certificates.domain.exporter import Exporter
from services.certificates.domain.form import Form
from services.certificates.domain.life_cycle import waits_for
from services.certificates.domain.message import Message
from services.certificates.domain.original import Original
from services.certificates.domain.product import Product
from services.certificates.mappers import claimed
from services.certificates.original_views import states_of
from shared.contracts.certificates import issuing
from shared.contracts.certificates.content import (
    CertificateContent,
    CertificateCopy,
    CopiedItem,
    ItemContent,
    OriginFinding,
    ThreadMessage,
)
from shared.contracts.certificates.importing import ImportedCertificate
from shared.contracts.certificates.issuing import CertificateState
from shared.contracts.certificates.lists import ListedCertificate
from shared.contracts.certificates.originals import OriginalLine


def content_of(
    certificate: Certificate,
    state: CertificateState,
    *,
    products: Mapping[UUID, Product],
    exporter: Exporter | None,
    assignment: Assignment | None,
    for_officer: bool,
    originals: Collection[Original] = (),
    attachments: Iterable[Attachment] = (),
) -> CertificateContent:
    """A certificate with everything in it. The exporter does not see the worksheet."""
    items = zip(certificate.consignment.items, state.fob_disclosed, strict=True)
    return CertificateContent(
        state=state,
        consignment=declared(certificate.consignment),
        items=[item_content(item, products.get(item.product_id), disclosed=disclosed) for item, disclosed in items],
        exporter_name=exporter.name if exporter else "",
        exporter_address=exporter.address if exporter else "",
        submitted_on=certificate.submitted_on,
        submission=certificate.submission,
        since=certificate.status_since,
        reviewed_by=certificate.reviewed_by,
        approved_by=certificate.approved_by,
        worksheet=certificate.worksheet if for_officer else None,
        assigned_to=assignment.officer if assignment else None,
        assigned_until=assignment.until if assignment else None,
        last_message_by=certificate.last_message_by,
        originals=states_of(certificate.consignment.originals.values(), originals, for_officer=for_officer),
        attachments=tuple(map(attachment_view, attachments)),
    )


def item_content(item: Item, product: Product | None, *, disclosed: bool) -> ItemContent:
    """What the ministry found about the product of one item."""
    return ItemContent(
        product_id=item.product_id,
        description=item.description,
        criterion=claimed(item.criterion),
        box_8=item.criterion.box_8,
        handicraft=item.handicraft,
        fob_disclosed=disclosed,
        product_status=product.status if product else None,
        origin=OriginFinding(**vars(item.origin)) if item.origin else None,
    )


def declared(consignment: Consignment) -> issuing.Consignment:
    """A consignment as its exporter declared it."""
    return issuing.Consignment(
        office=consignment.office,
        destination=consignment.destination,
        consignee=consignee(consignment),
        transport=issuing.Transport(
            departure_date=consignment.departure_date,
            vessel=consignment.vessel,
            port_of_discharge=consignment.port_of_discharge,
            route=consignment.route,
        ),
        third_country_invoice=invoicing_company(consignment),
        exhibition=exhibition(consignment),
        items=[
            issuing.Item(
                product_id=item.product_id,
                hs_code=item.hs_code,
                marks=item.marks,
                packages=item.packages,
                package_kind=item.package_kind,
                quantity=item.quantity,
                unit=item.unit,
                gross_weight_kg=item.gross_weight_kg,
                fob=issuing.Fob(amount=item.fob_amount, currency=item.fob_currency),
                invoice_number=item.invoice_number,
                invoice_date=item.invoice_date,
                original=OriginalLine(**vars(item.original)) if item.original else None,
                manufacturer=item.manufacturer,
                trade_mark=item.trade_mark,
                more_invoices=[issuing.Invoice(number=each.number, date=each.date) for each in item.more_invoices],
            )
            for item in consignment.items
        ],
    )


def consignee(consignment: Consignment) -> issuing.Consignee:
    """Box 2 of a consignment."""
    return issuing.Consignee(name=consignment.consignee_name, address=consignment.consignee_address)


def invoicing_company(consignment: Consignment) -> issuing.InvoicingCompany | None:
    """The company in a third country that has invoiced the goods."""
    company = consignment.third_country_invoice
    return issuing.InvoicingCompany(name=company.name, country=company.country) if company else None


def exhibition(consignment: Consignment) -> issuing.Exhibition | None:
    """The exhibition at which the goods were sold."""
    shown = consignment.exhibition
    return issuing.Exhibition(name=shown.name, address=shown.address) if shown else None


def copy_of(
    certificate: Certificate, *, products: Mapping[UUID, Product], form: Form | None, problems: list[str], today: date
) -> CertificateCopy:
    """What a new certificate takes from this one. The findings on a product are today's."""
    consignment = certificate.consignment
    return CertificateCopy(
        copy_of=certificate.certificate_id,
        exporter_id=certificate.exporter_id,
        form=certificate.form,
        office=consignment.office,
        destination=consignment.destination,
        consignee=consignee(consignment),
        vessel=consignment.vessel,
        port_of_discharge=consignment.port_of_discharge,
        route=consignment.route,
        third_country_invoice=invoicing_company(consignment),
        exhibition=exhibition(consignment),
        items=[
            copied_item(
                item,
                products.get(item.product_id),
                problem=problem_of(products.get(item.product_id), certificate.exporter_id, form, today),
            )
            for item in consignment.items
        ],
        problems=problems,
    )


def copied_former(
    row: ImportedCertificate,
    certificate_id: UUID,
    exporter_id: UUID,
    *,
    product_ids: Sequence[UUID],
    products: Mapping[UUID, Product],
    form: Form | None,
    problems: list[str],
    today: date,
) -> CertificateCopy:
    """What a new certificate takes from one of the former system."""
    items = []
    for item, product_id in zip(row.items, product_ids, strict=True):
        product = products[product_id]
        values = item.model_dump(exclude={"product_former_id"})
        found = {"description": product.description, "criterion": claimed(product.criterion)}
        problem = problem_of(product, exporter_id, form, today)
        items.append(CopiedItem(product_id=product_id, problem=problem, **found, **values))
    return CertificateCopy(
        copy_of=certificate_id,
        exporter_id=exporter_id,
        form=row.form,
        office=row.office,
        destination=row.destination,
        consignee=row.consignee,
        vessel=row.vessel,
        port_of_discharge=row.port_of_discharge,
        items=items,
        problems=problems,
    )


def copied_item(item: Item, product: Product | None, *, problem: str | None) -> CopiedItem:
    """An item without its invoice."""
    return CopiedItem(
        product_id=item.product_id,
        description=product.description if product else item.description,
        criterion=claimed(product.criterion if product else item.criterion),
        hs_code=item.hs_code,
        marks=item.marks,
        packages=item.packages,
        package_kind=item.package_kind,
        quantity=item.quantity,
        unit=item.unit,
        gross_weight_kg=item.gross_weight_kg,
        fob=issuing.Fob(amount=item.fob_amount, currency=item.fob_currency),
        problem=problem,
        manufacturer=item.manufacturer,
        trade_mark=item.trade_mark,
    )


def listed(row: Mapping[str, Any]) -> ListedCertificate:
    """A certificate in a list."""
    return ListedCertificate(
        certificate_id=row["certificate_id"],
        exporter_id=row["exporter_id"],
        exporter_name=row["exporter_name"] or "",
        agent_id=row["agent_id"],
        form=row["form"],
        office=row["office"],
        destination=row["destination"],
        consignee=row["consignee"],
        departure_date=row["departure_date"],
        items=row["item_count"],
        status=row["status"],
        settled=row["settled"],
        waits_for=waits_for(
            row["status"], submission=row["submission"], settled=row["settled"], held_because=row["held_because"]
        ),
        reference=row["reference"],
        submitted_on=row["submitted_on"],
        since=row["status_since"],
        assigned_to=row["officer"],
        assigned_until=row["until"],
        last_message_by=row["last_message_by"],
        version=row["version"],
    )


def thread_message(message: Message) -> ThreadMessage:
    """A message about a certificate."""
    return ThreadMessage(
        message_id=message.message_id, by=message.side, user_id=message.user_id, at=message.at, text=message.text
    )
