"""Objects of certificates with defaults. A test names only the values it is about."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from services.certificates.domain.boxes.sheet import Content, Sheet
from services.certificates.domain.certificate import Certificate
from services.certificates.domain.consignment import Consignment, Item
from services.certificates.domain.exporter import Exporter
from services.certificates.domain.form import Criterion, Form
from services.certificates.domain.life_cycle import Status
from services.certificates.domain.product import Product, ProductStatus
from services.certificates.reference_data import ReferenceData

TODAY = date(2026, 11, 23)
OFFICER, SECOND_OFFICER = uuid4(), uuid4()


def a_form(**changes: Any) -> Form:
    """Form D as ATIGA has it."""
    defaults: dict[str, Any] = {
        "name": "D",
        "agreement": "ATIGA",
        "effective_from": date(2020, 6, 1),
        "members": frozenset({"KH", "VN", "SG", "ID", "LA", "MY"}),
        "criteria": frozenset({"WO", "RVC", "CC", "CTH", "CTSH", "SP"}),
        "fob_shown_with_rvc_for": frozenset({"ID", "KH", "LA"}),
        "thresholds": {"RVC": Decimal(40)},
        "required": frozenset({"manufacturer"}),
    }
    return Form(**defaults | changes)


def page_texts() -> Mapping[str, Any]:
    """The texts of the page of Form D."""
    return ReferenceData.load().form("D", TODAY).page


def an_item(**changes: Any) -> Item:
    """One line of a consignment."""
    defaults: dict[str, Any] = {
        "product_id": uuid4(),
        "description": "T-shirts, knitted, of cotton",
        "criterion": Criterion("RVC", Decimal("45")),
        "handicraft": False,
        "hs_code": "61091010",
        "marks": "SAT / 1-100",
        "packages": 100,
        "package_kind": "cartons",
        "quantity": Decimal("5000"),
        "unit": "PCS",
        "gross_weight_kg": Decimal("1250.5"),
        "fob_amount": Decimal("18750.00"),
        "fob_currency": "USD",
        "invoice_number": "INV-1",
        "invoice_date": TODAY - timedelta(days=2),
        "manufacturer": "Angkor Garment Co., Ltd.",
    }
    return Item(**defaults | changes)


def a_consignment(**changes: Any) -> Consignment:
    """A consignment to Viet Nam that leaves in two days."""
    defaults: dict[str, Any] = {
        "office": "PNH",
        "destination": "VN",
        "consignee_name": "Saigon Apparel Trading Co., Ltd.",
        "consignee_address": "12 Le Loi, Ho Chi Minh City",
        "departure_date": TODAY + timedelta(days=2),
        "vessel": "MEKONG STAR",
        "port_of_discharge": "CAT LAI",
        "items": [an_item()],
    }
    return Consignment(**defaults | changes)


def an_exporter(exporter_id: UUID | None = None, **changes: Any) -> Exporter:
    """An exporter registered for this year."""
    defaults: dict[str, Any] = {
        "name": "Angkor Garment Co., Ltd.",
        "address": "Phnom Penh",
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2027, 1, 1),
        "version": 1,
    }
    return Exporter(exporter_id=exporter_id or uuid4(), **defaults | changes)


def a_product(item: Item, exporter_id: UUID, **changes: Any) -> Product:
    """The approved product of an item."""
    defaults: dict[str, Any] = {
        "product_id": item.product_id,
        "exporter_id": exporter_id,
        "description": item.description,
        "hs_code": item.hs_code[:6],
        "criterion": item.criterion,
        "handicraft": item.handicraft,
        "status": ProductStatus.APPROVED,
    }
    return Product(**defaults | changes)


def a_sheet(consignment: Consignment | None = None, **changes: Any) -> Sheet:
    """A consignment of a registered exporter, with approved products."""
    consignment, exporter_id = consignment or a_consignment(), uuid4()
    defaults: dict[str, Any] = {
        "content": Content.of(consignment),
        "form": a_form(),
        "origin": "KH",
        "on": TODAY,
        "exporter_id": exporter_id,
        "exporter": an_exporter(exporter_id),
        "offices": {"PNH", "SVR"},
        "products": {item.product_id: a_product(item, exporter_id) for item in consignment.items},
    }
    return Sheet(**defaults | changes)


def a_certificate(status: Status = Status.DRAFT, **consignment: Any) -> Certificate:
    """A certificate in a status, reached by the acts that lead there."""
    certificate = Certificate(certificate_id=uuid4(), exporter_id=uuid4(), form="D", consignment=a_consignment(**consignment))
    acts = {
        Status.DRAFT: [],
        Status.SUBMITTED: ["submit"],
        Status.RETURNED: ["submit", "return"],
        Status.REVIEWED: ["submit", "review"],
        Status.APPROVED: ["submit", "review", "approve"],
        Status.ISSUED: ["submit", "review", "approve", "issue"],
        Status.CANCELLED: ["submit", "review", "approve", "issue", "cancel"],
        Status.REJECTED: ["submit", "reject"],
        Status.WITHDRAWN: ["submit", "withdraw"],
        Status.DISCARDED: ["discard"],
    }[status]
    for act in acts:
        do(certificate, act)
    return certificate


def do(certificate: Certificate, act: str, on: date = TODAY) -> None:
    """Does one act by its name."""
    match act:
        case "revise":
            certificate.revise(a_consignment())
        case "discard":
            certificate.discard()
        case "withdraw":
            certificate.withdraw()
        case "submit":
            certificate.submit(on, a_sheet(certificate.consignment, on=on))
        case "return":
            certificate.return_for_correction("Box 6 is incomplete.")
        case "review":
            certificate.review(OFFICER, "In order.")
        case "approve":
            certificate.approve(SECOND_OFFICER)
        case "reject":
            certificate.reject("The goods do not originate.")
        case "hold":
            certificate.hold("exporter_suspended")
        case "issue":
            certificate.issue("D2026-PNH-000001", on, a_form())
        case "cancel":
            certificate.cancel("issued_in_error", on)
