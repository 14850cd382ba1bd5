"""Mandates: companies propose, accept and revoke them, and people of an agent choose for whom they act."""

from uuid import UUID

from starlette.responses import Response

from services.portal.acting import act_for, act_for_oneself, must_administer, oneself, own_company
from services.portal.forms import FormInvalid
from services.portal.navigation import COMPANY
from services.portal.page import page
from services.portal.pages.company import HERE, company_page, registration_of
from services.portal.settings import PREFIX
from services.portal.visit import NotForYou, Visit
from shared.bus.client import AskRefused
from shared.contracts.registry.mandates import (
    AGENT_ROLES,
    AcceptMandate,
    ActUnderMandate,
    ApiKeys,
    ListApiKeys,
    ListMandates,
    Mandates,
    MandateState,
    MandateStatus,
    ProposeMandate,
    RevokeMandate,
    Side,
)
from shared.contracts.roles import Role

LIST = f"{HERE}/mandates"
PAGE = 100
SCOPE = (Role.PREPARER, Role.SIGNATORY)


async def mandates_of(visit: Visit) -> Mandates:
    """One page of the mandates of the person's own company."""
    try:
        after = UUID(visit.query("after"))
    except ValueError:
        after = None
    answer: Mandates = await visit.ask(ListMandates(company_id=own_company(visit), after=after, limit=PAGE))
    return answer


def side_of(visit: Visit, mandate: MandateState) -> Side:
    """Which side of a mandate the person's own company is."""
    return Side.EXPORTER if mandate.exporter_id == own_company(visit) else Side.AGENT


async def show_mandates(visit: Visit) -> Response:
    """The mandates of the company, as exporter and as agent."""
    answer = await mandates_of(visit)
    return company_page(
        visit,
        "company/mandates.html",
        mandates=answer.mandates,
        next=visit.here(after=str(answer.next)) if answer.next else None,
        company=own_company(visit),
        administers=oneself(visit).has(Role.COMPANY_ADMINISTRATOR),
    )


async def show_propose(visit: Visit) -> Response:
    """The form to propose a mandate."""
    must_administer(visit)
    state = await registration_of(visit)
    return company_page(visit, "company/propose.html", tax_number=state.tax_number, scope=SCOPE)


async def propose(visit: Visit) -> Response:
    """Proposes a mandate. The other company must accept it."""
    must_administer(visit)
    own = (await registration_of(visit)).tax_number
    mine, other = "exporter_tax_number", "agent_tax_number"
    if visit.form.text("side") == Side.AGENT:
        mine, other = other, mine
    numbers = {mine: own, other: visit.form.text("other").upper()}
    mandate_id, scope = visit.form.command_id("mandate"), visit.form.texts("scope[]")
    try:
        await visit.ask(visit.form.build(ProposeMandate, ["valid_until"], mandate_id=mandate_id, scope=scope, **numbers))
    except FormInvalid:
        visit.form.errors = [("other" if field == other else field, sentence) for field, sentence in visit.form.errors]
        raise
    except AskRefused as refused:
        visit.form.refuse(refused.refusal, at="other")
        raise FormInvalid from None
    return visit.go(LIST, done="proposed")


async def show_mandate(visit: Visit) -> Response:
    """One mandate: what it allows, whose turn it is, and the API keys of the agent."""
    mandate = await mandate_of(visit)
    administers = oneself(visit).has(Role.COMPANY_ADMINISTRATOR)
    keys: ApiKeys | None = None
    if administers and mandate.status in (MandateStatus.GRANTED, MandateStatus.REVOKED, MandateStatus.ENDED):
        keys = await visit.ask(ListApiKeys(mandate_id=mandate.mandate_id))
    shown = visit.sealed.get("api_key") or {}
    return company_page(
        visit,
        "company/mandate.html",
        mandate=mandate,
        side=side_of(visit, mandate),
        administers=administers,
        may_act=may_act(visit, mandate),
        keys=keys.api_keys if keys else (),
        made=shown if shown.get("mandate_id") == str(mandate.mandate_id) else None,
    )


async def decide_mandate(visit: Visit) -> Response:
    """Accepts or revokes a mandate."""
    must_administer(visit)
    mandate = await mandate_of(visit)
    if visit.form.text("act") == "accept":
        command_id = visit.form.command_id("accept")
        await visit.ask(AcceptMandate(mandate_id=mandate.mandate_id, command_id=command_id))
        return visit.go(f"{LIST}/{mandate.mandate_id}", done="accepted")
    await visit.ask(visit.form.build(RevokeMandate, ["reason"], mandate_id=mandate.mandate_id))
    return visit.go(LIST, done="revoked")


async def mandate_of(visit: Visit) -> MandateState:
    """The mandate of the address. Raises NotForYou if the company has no such mandate."""
    after = None
    for _ in range(20):
        answer: Mandates = await visit.ask(ListMandates(company_id=own_company(visit), after=after, limit=PAGE))
        for mandate in answer.mandates:
            if str(mandate.mandate_id) == visit.path("mandate_id"):
                return mandate
        after = answer.next
        if after is None:
            break
    raise NotForYou


def may_act(visit: Visit, mandate: MandateState) -> bool:
    """Whether the person may act for the exporter of this mandate."""
    granted = mandate.status is MandateStatus.GRANTED and side_of(visit, mandate) is Side.AGENT
    return granted and oneself(visit).has(*AGENT_ROLES.intersection(mandate.scope))


async def show_acting(visit: Visit) -> Response:
    """For whom the person can act."""
    answer = await mandates_of(visit)
    return company_page(
        visit,
        "company/acting.html",
        mandates=[mandate for mandate in answer.mandates if may_act(visit, mandate)],
        next=visit.here(after=str(answer.next)) if answer.next else None,
    )


async def choose_acting(visit: Visit) -> Response:
    """From now on the person acts for this exporter, or for their own company again."""
    chosen = visit.form.text("mandate_id")
    if not chosen:
        await act_for_oneself(visit)
        return visit.go(f"{PREFIX}/")
    command = visit.form.build(ActUnderMandate, ["mandate_id"])
    mandate = next((each for each in (await mandates_of(visit)).mandates if str(each.mandate_id) == chosen), None)
    if mandate is None:
        raise NotForYou
    await act_for(visit, command, mandate.exporter_name)
    return visit.go(f"{PREFIX}/")


routes = [
    page("/company/mandates", show_mandates, roles=COMPANY),
    page("/company/mandates/new", show_propose, propose, roles=COMPANY),
    page("/company/mandates/{mandate_id}", show_mandate, decide_mandate, roles=COMPANY),
    page("/company/acting", show_acting, choose_acting, roles=COMPANY),
]
