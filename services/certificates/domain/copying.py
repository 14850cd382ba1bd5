"""What has become invalid since an earlier certificate, so that a copy of it cannot be submitted unchanged."""

from uuid import UUID

from services.certificates.domain.form import Form
from services.certificates.domain.product import Product, ProductNotFound, ProductStatus
from shared.refusals import Refused

PRODUCT_REFUSED = "product_refused"
"""The ministry has refused the product since. A product that is not yet examined has the code of its refusal."""


def problem_of(product: Product | None, exporter_id: UUID, form: Form | None) -> str | None:
    """The code of what is wrong with the product of an item today, or None."""
    if product is None:
        return ProductNotFound.code
    if product.exporter_id == exporter_id and product.status is ProductStatus.REFUSED:
        return PRODUCT_REFUSED
    try:
        product.must_serve(exporter_id, "product_id")
        if form is not None:
            form.must_know(product.criterion, "product_id")
    except Refused as refusal:
        return refusal.code
    return None
