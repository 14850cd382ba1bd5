"""A reviewer decides whether a product originates under the claimed criterion."""

from starlette.responses import Response

from services.portal.navigation import DECIDING
from services.portal.settings import PREFIX
from services.portal.visit import Visit, page
from shared.contracts.certificates.lists import GetProduct
from shared.contracts.certificates.products import ApproveProduct, ProductState, RefuseProduct
from shared.contracts.roles import Role

REVIEWERS = frozenset({Role.REVIEWER})


async def show_product_decision(visit: Visit) -> Response:
    """The product and the decision on it."""
    product: ProductState = await visit.ask(GetProduct(product_id=visit.id("product_id")))
    return visit.page("product_to_decide.html", product=product)


async def approve(visit: Visit) -> Response:
    """The product originates."""
    await visit.ask(visit.form.build(ApproveProduct, [], product_id=visit.id("product_id")))
    return _back(visit, "approved")


async def refuse(visit: Visit) -> Response:
    """The product does not originate, for a reason."""
    await visit.ask(visit.form.build(RefuseProduct, ["reason"], product_id=visit.id("product_id")))
    return _back(visit, "refused")


def _back(visit: Visit, done: str) -> Response:
    return visit.go(f"{PREFIX}/products/{visit.id('product_id')}/decision", done=done)


ONE = "/products/{product_id:uuid}"

routes = [
    page(f"{ONE}/decision", show_product_decision, roles=DECIDING),
    page(f"{ONE}/approve", show_product_decision, approve, roles=REVIEWERS),
    page(f"{ONE}/refuse", show_product_decision, refuse, roles=REVIEWERS),
]
