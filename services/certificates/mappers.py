"""Maps messages to the domain, field by field. A test checks that no field is lost."""

from collections.abc import Mapping
from uuid import UUID

from services.certificates.domain.consignment import BoxRemark, Consignment, Item
from services.certificates.domain.exporter import Exporter, Mandate
from services.certificates.domain.form import Criterion
from services.certificates.domain.original import OriginalLine
from services.certificates.domain.product import Product
from shared.contracts.certificates import issuing, originals, products
from shared.contracts.registry.mandates import MandateGranted
from shared.contracts.registry.registrations import RegistrationApproved


def criterion_of(claimed: products.Criterion) -> Criterion:
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


def item_of(wanted: issuing.Item, product: Product) -> Item:
    """One line of a consignment; the product gives description, criterion and handicraft."""
    return Item(
        product_id=wanted.product_id,
        description=product.description,
        criterion=product.criterion,
        handicraft=product.handicraft,
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
    )


def original_line_of(wanted: originals.OriginalLine) -> OriginalLine:
    """The line of an original that covers an item."""
    return OriginalLine(country=wanted.country, reference=wanted.reference, issued_on=wanted.issued_on, line=wanted.line)


def consignment_of(wanted: issuing.Consignment, known: Mapping[UUID, Product]) -> Consignment:
    """A consignment and its lines; `known` holds the product of every line."""
    return Consignment(
        office=wanted.office,
        destination=wanted.destination,
        consignee_name=wanted.consignee.name,
        consignee_address=wanted.consignee.address,
        departure_date=wanted.transport.departure_date,
        vessel=wanted.transport.vessel,
        port_of_discharge=wanted.transport.port_of_discharge,
        items=[item_of(item, known[item.product_id]) for item in wanted.items],
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
