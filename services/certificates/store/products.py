"""Queries for products."""

from typing import Any
from unicodedata import normalize
from uuid import UUID

from sqlalchemy import bindparam, event, select

from services.certificates.domain.product import Product, ProductNotFound
from services.certificates.store.tables import products
from shared.handling.work import Work

LISTED_AS = 40
"""Characters by which products are sorted: the cursor of a page contains them."""

_BY_IDS = select(Product).where(products.c.product_id.in_(bindparam("product_ids", expanding=True)))


async def product_by_id(work: Work, product_id: UUID) -> Product:
    """The product. Raises ProductNotFound."""
    return require_product(await find_product(work, product_id), product_id, "product_id")


def require_product(found: Product | None, product_id: UUID, field: str) -> Product:
    """The product found. Raises ProductNotFound, naming the field of the request."""
    if found is None:
        raise ProductNotFound(field, product=product_id)
    return found


async def find_product(work: Work, product_id: UUID) -> Product | None:
    """The product, or None."""
    return await work.session.get(Product, product_id, with_for_update=work.may_write)


async def products_by_ids(work: Work, product_ids: set[UUID]) -> dict[UUID, Product]:
    """The products with these ids that exist, not locked."""
    found = await work.session.scalars(_BY_IDS, {"product_ids": list(product_ids)})
    return {product.product_id: product for product in found}


@event.listens_for(Product, "before_insert")
def describe_product(mapper: Any, connection: Any, product: Any) -> None:
    """Sets the columns that lists search and sort by."""
    product.search = product.description.lower()
    product.listed_as = listed_as(product.description)


def listed_as(description: str) -> str:
    """The beginning of a description, for sorting: lower case, without accents and control characters."""
    plain = "".join(c for c in normalize("NFKD", description.lower()) if " " <= c <= "~")
    return plain[:LISTED_AS]
