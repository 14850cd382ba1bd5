"""Rows of a former system: products and certificates, with defaults. A test names only the values it is about."""

from typing import Any

from shared.contracts.certificates.importing import FormerItem, ImportedCertificate, ImportedProduct


def a_former_product(**changes: Any) -> ImportedProduct:
    """A product that was approved in the former system. It needs a company."""
    row = {
        "former_id": "P-1",
        "description": "T-shirts, knitted, of cotton",
        "hs_code": "610910",
        "criterion": {"kind": "RVC", "percentage": "45"},
    }
    return ImportedProduct.model_validate(row | changes)


def a_former_item(**changes: Any) -> FormerItem:
    """An item of that product."""
    row = {
        "product_former_id": "P-1",
        "hs_code": "61091010",
        "marks": "SAT / 1-100",
        "packages": 100,
        "package_kind": "cartons",
        "quantity": "5000",
        "unit": "PCS",
        "gross_weight_kg": "1250.5",
        "fob": {"amount": "18750.00", "currency": "USD"},
    }
    return FormerItem.model_validate(row | changes)


def a_former_certificate(**changes: Any) -> ImportedCertificate:
    """A certificate that was issued by the former system. It needs a company."""
    row = {
        "reference": "KH-D-2026-004711",
        "issued_on": "2026-05-04",
        "office": "PNH",
        "destination": "VN",
        "consignee": {"name": "Saigon Apparel", "address": "Ho Chi Minh City"},
        "vessel": "MEKONG STAR",
        "port_of_discharge": "CAT LAI",
        "items": [a_former_item()],
    }
    return ImportedCertificate.model_validate(row | changes)
