"""An exporter states the costs of a product. The worksheet is made at once, and stored with the statement."""

from datetime import date

from services.certificates.domain.product import Product
from services.certificates.handlers.agents import agent_acting_for
from services.certificates.origin_rules import rules_for
from services.certificates.origin_views import assessment_of
from services.certificates.reference_data import ReferenceData
from services.certificates.store.costs import CostsRow, find_costs, keep_costs
from services.certificates.store.origin_rules import known_rules
from services.certificates.store.products import product_by_id
from services.certificates.views import product_state
from shared.contracts.certificates.costs import GetProductCosts, ProductCosts, StatedCosts, StateProductCosts
from shared.contracts.certificates.origin import OriginAssessment
from shared.contracts.certificates.products import ProductState
from shared.handling.router import Router
from shared.handling.work import Work
from shared.refusals import Refused

router = Router()


class ProductCostsNotStated(Refused):
    code = "product_costs_not_stated"


@router.answers(StateProductCosts)
async def state_product_costs(command: StateProductCosts, work: Work) -> ProductState:
    """The exporter states the costs of a product, or renews its approval."""
    product = await product_by_id(work, command.product_id)
    await agent_acting_for(product.exporter_id, work)
    rules = work.use(ReferenceData).examination(work.today)
    rules.must_be_recent(command.costs.costed_on, work.today, "costs.costed_on")

    assessment = await assessed(product, command.costs, work)
    version = product.approved_costs_version
    approved = await find_costs(work, product.product_id, version) if version else None
    claim_met = assessment.claim is not None and assessment.claim.met
    product.state_costs(claim_met=claim_met, unchanged=_is_same(approved, command.costs), on=work.today, rules=rules)

    row = CostsRow(
        product_id=product.product_id,
        version=product.costs_version or 1,
        costs=command.costs.model_dump_json(),
        assessment=assessment.model_dump_json(),
        claim_met=claim_met,
        rules=f"{assessment.worksheet.rules.form} {assessment.worksheet.rules.version}",
        box_13=list(assessment.claim.box13) if assessment.claim else [],
        stated_at=work.now,
        stated_by=work.actor.user_id,
    )
    await keep_costs(work, row)
    return product_state(product)


@router.answers(GetProductCosts)
async def get_product_costs(question: GetProductCosts, work: Work) -> StatedCosts:
    """What was stated about the costs of this product, and what follows for its origin?"""
    product = await product_by_id(work, question.product_id)
    work.actor.may_read(product.exporter_id, *question.read_by)
    version = question.version or product.costs_version
    row = await find_costs(work, product.product_id, version) if version else None
    if row is None:
        raise ProductCostsNotStated("product_id", product=product.description)
    return StatedCosts(
        product_id=row.product_id,
        version=row.version,
        costs=ProductCosts.model_validate_json(row.costs),
        assessment=OriginAssessment.model_validate_json(row.assessment),
        claim_met=row.claim_met,
        stated_at=row.stated_at,
        stated_by=row.stated_by,
    )


async def assessed(product: Product, costs: ProductCosts, work: Work) -> OriginAssessment:
    """The worksheet of a product by the rules in force today, with the verdict on its criterion."""
    stated = costs.statement(hs=product.hs_code, goods=product.description)
    rules = rules_for(costs.form, work.today, await known_rules(work), "costs.form")
    return assessment_of(stated, rules, work.today, product.criterion.box_8, at="costs.")


def _is_same(approved: CostsRow | None, costs: ProductCosts) -> bool:
    """Whether a statement has the figures of the approved one. Days do not matter."""
    if approved is None:
        return False
    return _without_days(ProductCosts.model_validate_json(approved.costs)) == _without_days(costs)


def _without_days(costs: ProductCosts) -> ProductCosts:
    materials = tuple(material.model_copy(update={"priced_on": None}) for material in costs.materials)
    return costs.model_copy(update={"costed_on": date.min, "materials": materials})
