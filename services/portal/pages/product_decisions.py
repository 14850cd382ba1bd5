"""A reviewer decides whether a product originates under the claimed criterion, on the page of the product."""

from starlette.responses import Response

from services.portal.page import page
from services.portal.pages.products import show_product
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.contracts.certificates.products import ApproveProduct, RefuseProduct
from shared.contracts.roles import Role

REVIEWERS = frozenset({Role.REVIEWER})


async def approve(visit: Visit) -> Response:
    """The product originates."""
    await visit.ask(visit.form.build(ApproveProduct, ["reason"], product_id=visit.id("product_id")))
    return _back(visit, "approved")


async def refuse(visit: Visit) -> Response:
    """The product does not originate, for a reason."""
    await visit.ask(visit.form.build(RefuseProduct, ["reason"], product_id=visit.id("product_id")))
    return _back(visit, "refused")


def _back(visit: Visit, done: str) -> Response:
    return visit.go(f"{PREFIX}/products/{visit.id('product_id')}", done=done)


ONE = "/products/{product_id:uuid}"

routes = [
    page(f"{ONE}/approve", show_product, approve, roles=REVIEWERS),
    page(f"{ONE}/refuse", show_product, refuse, roles=REVIEWERS),
]
