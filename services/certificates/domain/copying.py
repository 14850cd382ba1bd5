"""What has become invalid since an earlier certificate, so that a copy of it cannot be submitted unchanged."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from services.certificates.domain.form import Form
from services.certificates.domain.product import Product, ProductNotFound, ProductStatus
from shared.refusals import Refused

PRODUCT_REFUSED = "product_refused"
"""The ministry has refused the product since. A product that is not yet examined has the code of its refusal."""


def problem_of(product: Product | None, exporter_id: UUID, form: Form | None, today: date) -> str | None:
    """The code of what is wrong with the product of an item, or None."""
    if product is None:
        return ProductNotFound.code
    if product.exporter_id == exporter_id and product.status is ProductStatus.REFUSED:
        return PRODUCT_REFUSED
    unsuitable = code_of_refusal(lambda: product.must_serve(exporter_id, "product_id", today))
    return unsuitable or (code_of_refusal(lambda: form.must_know(product.criterion, "product_id")) if form else None)


def code_of_refusal(rule: Callable[[], object]) -> str | None:
    """The code with which a rule refuses, or None if it does not."""
    try:
        rule()
    except Refused as refusal:
        return refusal.code
    return None
