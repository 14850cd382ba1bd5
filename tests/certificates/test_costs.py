"""Cost statements of products: the worksheet at once, approval for a year, renewal by rule or by an officer."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.certificates.domain.examination import CostsInFuture, CostsTooOld, ExaminationRules
from services.certificates.domain.form import Criterion
from services.certificates.domain.product import ApprovalNeedsReason, Product, ProductAlreadyDecided, ProductStatus
from services.certificates.origin_rules import rules_for, shipped_rules
from services.certificates.origin_views import assessment_of
from services.certificates.store.costs import findings_on
from services.certificates.store.products import product_by_id
from shared.clock import months_from
from shared.contracts.certificates.content import CertificateContent, GetCertificateContent, OriginFinding
from shared.contracts.certificates.costs import GetProductCosts, ProductCosts, StatedCosts, StateProductCosts
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import CertificateState, SubmitCertificate
from shared.contracts.certificates.lists import GetProduct, ListProducts, Products
from shared.contracts.certificates.products import ApproveProduct, ProductState, RefuseProduct
from shared.contracts.certificates.withdrawing import WithdrawCertificate
from shared.contracts.messages import Refusal
from tests.certificates.builders import OFFICER, TODAY
from tests.certificates.test_handlers import REVIEWER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person

RULES = ExaminationRules(effective_from=date(2020, 1, 1), valid_months=12, cost_data_months=6, renewal_by_rule=True)
LAST_DAY = date(2027, 11, 22)
"""The last day of an approval that is given on TODAY."""
FABRIC = {"description": "Knitted fabric of cotton", "hs": "600622", "origin": "CN"}


def a_product(**changes: Any) -> Product:
    defaults: dict[str, Any] = {"product_id": uuid4(), "exporter_id": uuid4(), "criterion": Criterion("CTH")}
    return Product(description="Shirts", hs_code="610910", handicraft=False, **defaults | changes)


def costs(fabric: str = "5.00", costed_on: str = "2026-10-01", **changes: Any) -> ProductCosts:
    """Shirts of imported fabric: FOB 12.50, of which by default 5.00 are fabric of China. The direct RVC is 60 %."""
    figures: dict[str, Any] = {
        "costed_on": costed_on,
        "fob": "12.50",
        "processes": ["cutting and assembly"],
        "labour": "3.60",
        "overhead": "1.50",
        "other": "0.50",
        "profit": "1.90",
        "materials": [FABRIC | {"value": fabric}],
    }
    return ProductCosts.model_validate(figures | changes)


async def state_costs(trader: Trader, figures: ProductCosts, **changes: Any) -> Any:
    command = StateProductCosts(product_id=changes.pop("product_id", trader.product_id), costs=figures)
    return await trader.service.ask(command, changes.pop("by", trader.person))


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 11, 23), 12, date(2027, 11, 23)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2027, 1, 15), -6, date(2026, 7, 15)),
        (date(2026, 12, 31), 0, date(2026, 12, 31)),
    ],
)
def test_months_end_on_the_last_day_of_a_shorter_month(day: date, months: int, later: date) -> None:
    assert months_from(day, months) == later


def test_figures_are_of_the_last_six_months() -> None:
    RULES.must_be_recent(date(2026, 5, 23), TODAY, "costs.costed_on")
    with pytest.raises(CostsTooOld):
        RULES.must_be_recent(date(2026, 5, 22), TODAY, "costs.costed_on")
    with pytest.raises(CostsInFuture):
        RULES.must_be_recent(date(2026, 11, 24), TODAY, "costs.costed_on")


def test_an_approval_is_valid_for_a_year() -> None:
    product = a_product()
    product.approve(OFFICER, None, TODAY, RULES)
    assert (product.status, product.valid_until) == (ProductStatus.APPROVED, LAST_DAY)


def test_an_officer_approves_against_the_worksheet_only_for_a_reason() -> None:
    product = a_product()
    product.state_costs(claim_met=False, unchanged=False, on=TODAY, rules=RULES)
    with pytest.raises(ApprovalNeedsReason):
        product.approve(OFFICER, None, TODAY, RULES)
    product.approve(OFFICER, "The rule for this product is CC.", TODAY, RULES)
    assert product.status is ProductStatus.APPROVED


@pytest.mark.parametrize(
    ("claim_met", "unchanged", "by_rule", "status"),
    [
        (True, True, True, ProductStatus.APPROVED),
        (True, False, True, ProductStatus.RENEWING),
        (False, True, True, ProductStatus.RENEWING),
        (True, True, False, ProductStatus.RENEWING),
    ],
)
def test_only_an_unchanged_renewal_that_meets_the_criterion_is_approved_by_rule(
    claim_met: bool, unchanged: bool, by_rule: bool, status: ProductStatus
) -> None:
    rules = ExaminationRules(effective_from=TODAY, valid_months=12, cost_data_months=6, renewal_by_rule=by_rule)
    product = a_product(status=ProductStatus.APPROVED, valid_until=TODAY, costs_version=1)
    product.state_costs(claim_met=claim_met, unchanged=unchanged, on=TODAY, rules=rules)
    assert product.status is status
    assert product.valid_until == (LAST_DAY if status is ProductStatus.APPROVED else TODAY)


def test_a_refused_renewal_leaves_the_former_approval_in_force() -> None:
    product = a_product(status=ProductStatus.RENEWING, valid_until=TODAY)
    product.refuse(OFFICER, "The fabric has no price.")
    assert (product.status, product.valid_until, product.reason) == (ProductStatus.APPROVED, TODAY, "The fabric has no price.")
    product.must_serve(product.exporter_id, "product_id", TODAY)


def test_a_refused_product_states_no_costs() -> None:
    with pytest.raises(ProductAlreadyDecided):
        a_product(status=ProductStatus.REFUSED).state_costs(claim_met=True, unchanged=False, on=TODAY, rules=RULES)


async def test_the_worksheet_is_made_at_once_and_read_by_its_exporter_and_officers(
    service: ServiceUnderTest, trader: Trader
) -> None:
    product_id = uuid4()
    await trader.register_product(product_id=product_id, criterion={"kind": "RVC", "percentage": "45"})
    state = await state_costs(trader, costs(), product_id=product_id)
    assert (state.status, state.costs_version, state.claim_met) == ("registered", 1, True)

    for person in (trader.person, REVIEWER, a_person("auditor")):
        stated: StatedCosts = await service.ask(GetProductCosts(product_id=product_id), person)
        assert stated.costs == costs()
        assert stated.claim_met
        assert stated.assessment.claim is not None
        assert {each.method: str(each.percent) for each in stated.assessment.worksheet.rvc}["direct"] == "60"


async def test_cost_statements_are_confidential(service: ServiceUnderTest, trader: Trader) -> None:
    await state_costs(trader, costs())
    stranger = a_person("preparer", organisation=uuid4())

    for question in (
        GetProductCosts(product_id=trader.product_id),
        StateProductCosts(product_id=trader.product_id, costs=costs()),
    ):
        refusal = await service.ask(question, stranger)
        assert (type(refusal), refusal.code) == (Refusal, "not_yours")
    cashier = await service.ask(GetProductCosts(product_id=trader.product_id), a_person("cashier"))
    assert cashier.code == "not_yours"


async def test_a_renewal_without_change_is_approved_by_rule_and_one_with_a_change_by_an_officer(
    service: ServiceUnderTest, trader: Trader
) -> None:
    first = await state_costs(trader, costs())
    assert first.status == "renewing"  # the product of this trader is approved already, without costs
    approved = await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)
    assert (approved.status, approved.valid_until) == ("approved", LAST_DAY)

    service.clock.instant += timedelta(days=300)
    renewed = await state_costs(trader, costs(costed_on="2027-09-01"))
    assert (renewed.status, renewed.costs_version) == ("approved", 2)
    assert renewed.valid_until > LAST_DAY

    changed = await state_costs(trader, costs("4.00", costed_on="2027-09-01"))
    assert (changed.status, changed.valid_until) == ("renewing", renewed.valid_until)
    waiting: Products = await service.ask(ListProducts(status="renewing"), REVIEWER)
    assert [each.product_id for each in waiting.products] == [trader.product_id]
    former: StatedCosts = await service.ask(GetProductCosts(product_id=trader.product_id, version=1), REVIEWER)
    assert former.costs == costs()

    refused: ProductState = await service.ask(RefuseProduct(product_id=trader.product_id, reason="No price."), REVIEWER)
    assert (refused.status, refused.reason) == ("approved", "No price.")


@pytest.mark.parametrize("refused", [False, True])
async def test_figures_that_no_officer_has_approved_are_not_approved_by_stating_them_again(
    service: ServiceUnderTest, trader: Trader, refused: bool
) -> None:
    await state_costs(trader, costs())
    await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)
    changed = await state_costs(trader, costs("4.00"))
    assert (changed.status, changed.claim_met) == ("renewing", True)
    if refused:
        await service.ask(RefuseProduct(product_id=trader.product_id, reason="No price."), REVIEWER)

    assert (await state_costs(trader, costs("4.00"))).status == "renewing"
    assert (await state_costs(trader, costs())).status == "approved"  # those of the approval


async def test_a_product_whose_approval_has_ended_serves_no_certificate_until_it_is_renewed(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await state_costs(trader, costs())
    await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)
    service.clock.instant += timedelta(days=366)

    refusal = await trader.draft()
    assert (refusal.code, refusal.fields) == ("product_expired", ("consignment.items.0.product_id",))
    await state_costs(trader, costs(costed_on="2027-11-01"))
    assert (await service.ask(GetProduct(product_id=trader.product_id), trader.person)).status == "approved"
    assert (await trader.draft()).status == "draft"


async def test_an_officer_gives_a_reason_against_the_worksheet(service: ServiceUnderTest, trader: Trader) -> None:
    stated = await state_costs(trader, costs("8.00", labour="0.60", overhead="0.50", other="0.50", profit="0.90"))
    assert stated.claim_met is False

    refusal = await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)
    assert (refusal.code, refusal.fields) == ("approval_needs_reason", ("reason",))
    approve = ApproveProduct(product_id=trader.product_id, reason="The fabric is of Viet Nam, with Form D.")
    assert (await service.ask(approve, REVIEWER)).status == "approved"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"costed_on": "2026-01-01"}, "costs_too_old", "costs.costed_on"),
        ({"costed_on": "2027-01-01"}, "costs_in_future", "costs.costed_on"),
        ({"fob": "0"}, "statement_fob_not_positive", "costs.fob"),
        ({"materials": [FABRIC | {"value": "12.51"}]}, "statement_materials_above_fob", "costs.materials"),
        ({"form": "ZZ"}, "origin_rules_unknown", "costs.form"),
    ],
)
async def test_faulty_costs_are_refused_and_nothing_is_stored(
    service: ServiceUnderTest, trader: Trader, changes: dict[str, Any], code: str, field: str
) -> None:
    refusal = await state_costs(trader, costs(**changes))
    assert (refusal.code, refusal.fields[0]) == (code, field)
    assert (await service.ask(GetProductCosts(product_id=trader.product_id), trader.person)).code == "product_costs_not_stated"


async def test_costs_are_in_no_event(service: ServiceUnderTest, trader: Trader) -> None:
    await state_costs(trader, costs("4.99"))
    await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)
    state = await trader.submit()
    await trader.settle(state.certificate_id)
    await trader.approve(state.certificate_id)
    await service.do_tasks()

    bodies = [event.model_dump_json() for event in await service.announced()]
    assert bodies
    assert not [body for body in bodies if "4.99" in body or "600622" in body]


OF_VIET_NAM = {"materials": [FABRIC | {"value": "5.00", "origin": "VN", "originating": True}]}


async def test_a_certificate_keeps_the_worksheet_and_the_rules_by_which_it_was_judged(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await state_costs(trader, costs(**OF_VIET_NAM))
    await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)
    draft = await trader.draft()
    assert (await finding(trader, draft)) is None

    state = await service.ask(SubmitCertificate(certificate_id=draft.certificate_id), trader.person)
    await state_costs(trader, costs("4.00"))
    await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)

    found = await finding(trader, state)
    assert found is not None
    assert (found.costs_version, found.box_13) == (1, ("Accumulation",))
    worksheet: StatedCosts = await service.ask(GetProductCosts(product_id=trader.product_id, version=1), REVIEWER)
    applied = worksheet.assessment.worksheet.rules
    assert found.rules == f"{applied.form} {applied.version}"

    await service.ask(WithdrawCertificate(certificate_id=state.certificate_id), trader.person)
    assert await finding(trader, state) is None
    again = await service.ask(SubmitCertificate(certificate_id=state.certificate_id), trader.person)
    assert await finding(trader, again) == OriginFinding(costs_version=2, rules=found.rules)


async def test_the_ticks_of_the_worksheet_stand_in_box_13(service: ServiceUnderTest, trader: Trader) -> None:
    await state_costs(trader, costs(**OF_VIET_NAM))
    await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)
    state = await trader.submit()
    await trader.settle(state.certificate_id)
    await trader.approve(state.certificate_id)
    await service.do_tasks()

    (event,) = await service.announced(CertificateDocumented)
    assert (event.document.accumulation, event.document.de_minimis) == (True, False)
    assert event.document.declared_on == TODAY


async def test_the_rules_of_another_form_give_no_ticks(service: ServiceUnderTest, trader: Trader) -> None:
    await state_costs(trader, costs(**OF_VIET_NAM))
    await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)
    async with service.work() as work:
        products = [await product_by_id(work, trader.product_id)]
        found = {form: (await findings_on(work, products, form))[trader.product_id].box_13 for form in ("D", "N")}

    assert found == {"D": ["Accumulation"], "N": []}


async def finding(trader: Trader, state: CertificateState) -> OriginFinding | None:
    content: CertificateContent = await trader.service.ask(
        GetCertificateContent(certificate_id=state.certificate_id), trader.person
    )
    return content.items[0].origin


FRAMES = {"description": "Bicycles without brakes", "hs": "871200", "origin": "CN"}
PARTS = {"description": "Frames", "hs": "871491", "origin": "CN"}


@pytest.mark.parametrize(
    ("claim", "materials", "ticks"),
    [
        ("60%", [PARTS | {"value": "120"}], ()),
        ("60%", [PARTS | {"value": "120"}, PARTS | {"value": "9", "origin": "VN", "originating": True}], ("Accumulation",)),
        ("CTH", [PARTS | {"value": "280"}], ()),
        ("CTH", [PARTS | {"value": "180"}, FRAMES | {"value": "20"}], ("De Minimis",)),
        ("PC 30%", [FRAMES | {"value": "210"}], ("Partial Cumulation",)),
    ],
)
def test_the_ticks_follow_from_the_claimed_criterion(
    claim: str, materials: list[dict[str, Any]], ticks: tuple[str, ...]
) -> None:
    statement = ProductCosts.model_validate({"costed_on": TODAY, "fob": "300", "materials": materials})
    goods = statement.statement(hs="871200", goods="Bicycles")
    found = assessment_of(goods, rules_for("D", TODAY, shipped_rules()), TODAY, claim).claim
    assert found is not None
    assert (found.met, found.box13) == (True, ticks)
