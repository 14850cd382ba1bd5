"""The cost statement of a product: an exporter types it, sees the worksheet, and states it; yearly again as a renewal."""

from starlette.responses import Response

from services.portal.forms import FormInvalid
from services.portal.navigation import FILING
from services.portal.page import page
from services.portal.pages.origin import worksheet
from services.portal.settings import PREFIX
from services.portal.statements import FEWEST, MORE, ROW, StatementFields
from services.portal.visit import Visit
from shared.contracts.certificates.costs import GetProductCosts, ProductCosts, StatedCosts, StateProductCosts
from shared.contracts.certificates.lists import GetProduct
from shared.contracts.certificates.origin import AssessOrigin, OriginAssessment
from shared.contracts.certificates.products import ProductState

COSTS = "costs"
DATED_ROW = (*ROW, "basis", "priced_on")
NOT_READABLE = ("product_costs_not_stated", "outside_mandate", "not_yours", "role_required")


async def stated_costs(visit: Visit, product: ProductState, version: int | None = None) -> StatedCosts | None:
    """A cost statement of a product, without `version` the latest, if there is one and the person may read it."""
    if product.costs_version is None:
        return None
    question = GetProductCosts(product_id=product.product_id, version=version)
    found: StatedCosts | None = await visit.ask_or(None, question, *NOT_READABLE)
    return found


async def show_costs(visit: Visit) -> Response:
    """The form of the cost statement, filled in with the former one."""
    return await _page(visit, None)


async def state(visit: Visit) -> Response:
    """Adds rows, shows the worksheet without storing anything, or states the costs."""
    fields, then = StatementFields(visit.form, COSTS, DATED_ROW), visit.form.text("then")
    fields.arrange()
    if then == "rows":
        return await _page(visit, None, spare=MORE)
    product: ProductState = await visit.ask(GetProduct(product_id=visit.id("product_id")))
    try:
        command = visit.form.build(StateProductCosts, (COSTS,), product_id=product.product_id)
    except FormInvalid:
        fields.lay_on_rows()
        raise
    if then == "state":
        await visit.ask(command)
        return visit.go(f"{PREFIX}/products/{product.product_id}", done="costs")
    return await _page(visit, await _assessed(visit, product, command.costs))


async def _assessed(visit: Visit, product: ProductState, costs: ProductCosts) -> OriginAssessment:
    statement = costs.statement(hs=product.hs_code, goods=product.description)
    found: OriginAssessment = await visit.ask(AssessOrigin(form=costs.form, claim=product.box_8 or None, statement=statement))
    return found


async def _page(visit: Visit, found: OriginAssessment | None, spare: int = FEWEST) -> Response:
    product: ProductState = await visit.ask(GetProduct(product_id=visit.id("product_id")))
    stated = await stated_costs(visit, product)
    typed = bool(visit.form.fields)
    visit.form.defaults({COSTS: {"currency": "USD", "costed_on": visit.context.clock.today().isoformat()}})
    if stated is not None and not typed:
        visit.form.defaults({COSTS: stated.costs.model_dump(mode="json", exclude={"costed_on"}, exclude_none=True)})
        visit.form.defaults({"processes": ", ".join(stated.costs.processes)})
    known = len(stated.costs.materials) if stated is not None and not typed else 0
    return visit.page(
        "products/costs.html",
        product=product,
        renews=product.status not in ("registered", "refused"),
        address=f"{PREFIX}/products/{product.product_id}/costs",
        numbers=StatementFields(visit.form, COSTS, DATED_ROW).numbers(known, spare),
        at=COSTS,
        dated=True,
        **worksheet(visit, found),
    )


routes = [page("/products/{product_id:uuid}/costs", show_costs, state, roles=FILING)]
