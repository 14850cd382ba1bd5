"""Maps messages to the domain, field by field. A test checks that no field is lost."""

from collections.abc import Mapping
from uuid import UUID

from services.certificates.domain.boxes.sheet import Content
from services.certificates.domain.consignment import BoxRemark, Consignment, Exhibition, Invoice, InvoicingCompany, Item
from services.certificates.domain.exporter import Exporter, Mandate
from services.certificates.domain.form import Criterion
from services.certificates.domain.original import OriginalLine
from services.certificates.domain.product import Product
from shared.contracts.certificates import issuing, originals, products
from shared.contracts.certificates.checking import PartialConsignment
from shared.contracts.registry.mandates import MandateGranted
from shared.contracts.registry.registrations import RegistrationApproved


def criterion_of(claimed: products.ClaimedCriterion | products.Criterion) -> Criterion:
    """The origin criterion that an exporter claims for a product."""
    return Criterion(kind=claimed.kind, percentage=claimed.percentage)


def claimed(criterion: Criterion) -> products.Criterion:
    """An origin criterion as answers contain it."""
    return products.Criterion(kind=products.CriterionKind(criterion.kind), percentage=criterion.percentage)


def product_of(command: products.RegisterProduct) -> Product:
    """A product as its exporter registers it."""
    return Product(
        product_id=command.product_id,
        exporter_id=command.exporter_id,
        description=command.description,
        hs_code=command.hs_code,
        criterion=criterion_of(command.criterion),
        handicraft=command.handicraft,
    )


def item_of(wanted: issuing.Item, product: Product | None) -> Item:
    """One line of a consignment; the product gives description, criterion and handicraft. Without a product they are empty."""
    return Item(
        product_id=wanted.product_id,
        description=product.description if product else "",
        criterion=product.criterion if product else Criterion(""),
        handicraft=bool(product and product.handicraft),
        hs_code=wanted.hs_code,
        marks=wanted.marks,
        packages=wanted.packages,
        package_kind=wanted.package_kind,
        quantity=wanted.quantity,
        unit=wanted.unit,
        gross_weight_kg=wanted.gross_weight_kg,
        fob_amount=wanted.fob.amount,
        fob_currency=wanted.fob.currency,
        invoice_number=wanted.invoice_number,
        invoice_date=wanted.invoice_date,
        original=original_line_of(wanted.original) if wanted.original else None,
        manufacturer=wanted.manufacturer,
        trade_mark=wanted.trade_mark,
        more_invoices=[Invoice(number=each.number, date=each.date) for each in wanted.more_invoices],
    )


def original_line_of(wanted: originals.OriginalLine) -> OriginalLine:
    """The line of an original that covers an item."""
    return OriginalLine(country=wanted.country, reference=wanted.reference, issued_on=wanted.issued_on, line=wanted.line)


def company_of(wanted: issuing.InvoicingCompany | None) -> InvoicingCompany | None:
    """The company in a third country that has invoiced the goods."""
    return InvoicingCompany(name=wanted.name, country=wanted.country) if wanted else None


def exhibition_of(wanted: issuing.Exhibition | None) -> Exhibition | None:
    """The exhibition at which the goods were sold."""
    return Exhibition(name=wanted.name, address=wanted.address) if wanted else None


def content_filled_in(wanted: PartialConsignment, known: Mapping[UUID, Product]) -> Content:
    """The boxes of a draft that are filled in."""
    return Content(
        office=wanted.office,
        destination=wanted.destination,
        consignee_name=wanted.consignee.name,
        consignee_address=wanted.consignee.address,
        departure_date=wanted.transport.departure_date,
        vessel=wanted.transport.vessel,
        port_of_discharge=wanted.transport.port_of_discharge,
        route=wanted.transport.route,
        third_country_invoice=company_of(wanted.third_country_invoice),
        exhibition=exhibition_of(wanted.exhibition),
        items={number: item_of(item, known.get(item.product_id)) for number, item in enumerate(wanted.items, start=1) if item},
        count=len(wanted.items),
    )


def consignment_of(wanted: issuing.Consignment, known: Mapping[UUID, Product]) -> Consignment:
    """A consignment and its lines; `known` holds the products of the lines."""
    return Consignment(
        office=wanted.office,
        destination=wanted.destination,
        consignee_name=wanted.consignee.name,
        consignee_address=wanted.consignee.address,
        departure_date=wanted.transport.departure_date,
        vessel=wanted.transport.vessel,
        port_of_discharge=wanted.transport.port_of_discharge,
        items=[item_of(item, known.get(item.product_id)) for item in wanted.items],
        route=wanted.transport.route,
        third_country_invoice=company_of(wanted.third_country_invoice),
        exhibition=exhibition_of(wanted.exhibition),
    )


def remark_of(wanted: issuing.BoxRemark) -> BoxRemark:
    """What to correct in one box of the form."""
    return BoxRemark(box=wanted.box, item=wanted.item, text=wanted.text)


def exporter_of(event: RegistrationApproved) -> Exporter:
    """An exporter as the ministry registered it."""
    return Exporter(
        exporter_id=event.exporter_id,
        name=event.name,
        address=event.address,
        valid_from=event.valid_from,
        valid_until=event.valid_until,
        version=event.version,
    )


def mandate_of(event: MandateGranted) -> Mandate:
    """A mandate that both companies accepted."""
    return Mandate(
        mandate_id=event.mandate_id,
        exporter_id=event.exporter_id,
        agent_id=event.agent_id,
        valid_until=event.valid_until,
        version=event.version,
    )
