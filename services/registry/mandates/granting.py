"""One company proposes a mandate, the other accepts it, and either may revoke it."""

from uuid import UUID

from services.registry.companies.domain.refusals import CompanyUnknown
from services.registry.companies.store import find_by_tax_number, find_registration, names_of
from services.registry.mandates import store
from services.registry.mandates.domain.mandate import (
    MAX_MANDATES,
    Mandate,
    MandateWithOneself,
    NotAParty,
    Side,
    TooManyMandates,
    may_propose,
    must_be_registered,
    must_end_in_time,
)
from services.registry.mandates.reference_data import MandateLimits
from services.registry.mandates.store import mandate_by_id
from services.registry.mandates.views import granted, mandate_state, revoked
from shared.contracts.registry.mandates import (
    AcceptMandate,
    ListMandates,
    Mandates,
    MandateState,
    ProposeMandate,
    RevokeMandate,
)
from shared.handling.router import Router
from shared.handling.work import Work
from shared.security.revocations import store_revoked_mandate

router = Router()


@router.answers(ProposeMandate)
async def propose_mandate(command: ProposeMandate, work: Work) -> MandateState:
    """One of two companies proposes that the agent acts for the exporter."""
    own = UUID(work.actor.organisation)
    may_propose(await find_registration(work, own), work.today)  # first, so that a stranger learns nothing of tax numbers
    await store.mandate_must_be_new(work, command.mandate_id)
    must_end_in_time(command.valid_until, work.today, work.use(MandateLimits).longest_days(work.today))
    exporter_id = await company_with(command.exporter_tax_number, "exporter_tax_number", work)
    agent_id = await company_with(command.agent_tax_number, "agent_tax_number", work)
    if own not in (exporter_id, agent_id):
        raise NotAParty("exporter_tax_number", "agent_tax_number")
    if exporter_id == agent_id:
        raise MandateWithOneself("agent_tax_number")
    side = Side.EXPORTER if own == exporter_id else Side.AGENT
    await must_have_room(own, f"{side}_tax_number", work)

    mandate = Mandate(
        mandate_id=command.mandate_id,
        exporter_id=exporter_id,
        agent_id=agent_id,
        scope=sorted({role.value for role in command.scope}),
        valid_until=command.valid_until,
        proposed_by=side,
    )

    work.session.add(mandate)
    return await state_of(mandate, work)


@router.answers(AcceptMandate)
async def accept_mandate(command: AcceptMandate, work: Work) -> MandateState:
    """The other company accepts a mandate. From now on the agent may act."""
    mandate = await mandate_by_id(work, command.mandate_id)
    side = mandate.side_of(work.actor.organisation)
    must_be_registered(await find_registration(work, mandate.agent_id), work.today)
    await must_have_room(mandate.exporter_id if side is Side.EXPORTER else mandate.agent_id, "mandate_id", work)

    mandate.accept(side, work.now, work.today)

    work.announce(granted(mandate, work))
    return await state_of(mandate, work)


@router.answers(RevokeMandate)
async def revoke_mandate(command: RevokeMandate, work: Work) -> MandateState:
    """Either company revokes a mandate. Every service refuses its tokens once it receives the event."""
    mandate = await mandate_by_id(work, command.mandate_id)
    mandate.side_of(work.actor.organisation)

    if mandate.revoke(command.reason, work.now, work.today):
        event = revoked(mandate, work)
        await store_revoked_mandate(event, work)
        work.announce(event)

    return await state_of(mandate, work)


@router.answers(ListMandates)
async def list_mandates(question: ListMandates, work: Work) -> Mandates:
    """Lists the mandates of a company, as exporter or agent."""
    work.actor.may_read(question.company_id, *question.read_by)
    page = await store.mandates_of(work, question.company_id, question.after, question.limit)
    names = await names_of(work, {party for mandate in page for party in (mandate.exporter_id, mandate.agent_id)})
    following = page[-1].mandate_id if len(page) == question.limit else None
    return Mandates(mandates=[mandate_state(mandate, names, work) for mandate in page], next=following)


async def company_with(tax_number: str, field: str, work: Work) -> UUID:
    """The company with this tax number. Raises CompanyUnknown, with the field."""
    found = await find_by_tax_number(work, tax_number)
    if found is None:
        raise CompanyUnknown(field)
    return found


async def must_have_room(company_id: UUID, field: str, work: Work) -> None:
    """Raises TooManyMandates."""
    if await store.count_wanted_mandates(work, company_id) >= MAX_MANDATES:
        raise TooManyMandates(field)


async def state_of(mandate: Mandate, work: Work) -> MandateState:
    """A mandate as shown to its companies."""
    return mandate_state(mandate, await names_of(work, {mandate.exporter_id, mandate.agent_id}), work)
