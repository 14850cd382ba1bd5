"""Mandates: one company proposes, the other accepts, and either may end it; the others hear of what counts."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from services.registry.catalogue import Catalogue
from services.registry.domain.mandate import (
    MOST_MANDATES,
    Mandate,
    MandateWithOneself,
    NotAParty,
    Side,
    TooManyMandates,
    may_propose,
    must_be_registered,
    must_end_in_time,
)
from services.registry.domain.reminders import over_at
from services.registry.store import mandates
from services.registry.store.mandates import mandate_by_id
from services.registry.store.registrations import find_registration
from services.registry.views import READERS
from shared.contracts.registry.mandates import (
    AcceptMandate,
    ListMandates,
    MandateGranted,
    MandateRevoked,
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
    """One of two companies proposes that the one acts for the other."""
    own = UUID(work.actor.organisation)
    may_propose(await find_registration(work, own), work.today)  # first of all: a stranger learns nothing of tax numbers
    await mandates.mandate_must_be_new(work, command.mandate_id)
    must_end_in_time(command.valid_until, work.today, work.use(Catalogue).longest_mandate(work.today))
    exporter_id = await mandates.company_with(work, command.exporter_tax_number, "exporter_tax_number")
    agent_id = await mandates.company_with(work, command.agent_tax_number, "agent_tax_number")
    if own not in (exporter_id, agent_id):
        raise NotAParty("exporter_tax_number", "agent_tax_number")
    if exporter_id == agent_id:
        raise MandateWithOneself("agent_tax_number")
    side = Side.EXPORTER if own == exporter_id else Side.AGENT
    await must_have_room(own, f"{side}_tax_number", work)

    scope = sorted({role.value for role in command.scope})
    mandate = Mandate(command.mandate_id, exporter_id, agent_id, scope, command.valid_until, side)

    work.session.add(mandate)
    return await state_of(mandate, work)


@router.answers(AcceptMandate)
async def accept_mandate(command: AcceptMandate, work: Work) -> MandateState:
    """The other company accepts; from now on the agent may act."""
    mandate = await mandate_by_id(work, command.mandate_id)
    side = mandate.side_of(work.actor.organisation)
    must_be_registered(await find_registration(work, mandate.agent_id), work.today)
    await must_have_room(mandate.exporter_id if side is Side.EXPORTER else mandate.agent_id, "mandate_id", work)

    mandate.accept(side, work.now, work.today)

    work.announce(granted(mandate, work))
    return await state_of(mandate, work)


@router.answers(RevokeMandate)
async def revoke_mandate(command: RevokeMandate, work: Work) -> MandateState:
    """Either company ends it; tokens that were given under it are refused everywhere as soon as it is heard."""
    mandate = await mandate_by_id(work, command.mandate_id)
    mandate.side_of(work.actor.organisation)

    if mandate.revoke(command.reason, work.now, work.today):
        event = revoked(mandate, work)
        await store_revoked_mandate(event, work)
        work.announce(event)

    return await state_of(mandate, work)


@router.answers(ListMandates)
async def list_mandates(question: ListMandates, work: Work) -> Mandates:
    """Who may act for this company, and for whom may it act?"""
    work.actor.may_read(question.company_id, *READERS)
    page = await mandates.mandates_of(work, question.company_id, question.after, question.limit)
    names = await mandates.names_of(work, {party for mandate in page for party in (mandate.exporter_id, mandate.agent_id)})
    return Mandates(mandates=[shown(mandate, names, work) for mandate in page])


async def must_have_room(company_id: UUID, field: str, work: Work) -> None:
    """Raises TooManyMandates for a company that has said yes to as many as one can have."""
    if await mandates.count_wanted_mandates(work, company_id) >= MOST_MANDATES:
        raise TooManyMandates(field)


def granted(mandate: Mandate, work: Work) -> MandateGranted:
    """What certificates must know of a mandate."""
    return MandateGranted(
        mandate_id=mandate.mandate_id,
        exporter_id=mandate.exporter_id,
        agent_id=mandate.agent_id,
        scope=mandate.scope,
        valid_until=mandate.valid_until,
        version=mandate.granted_version,
        occurred_at=work.now,
    )


def revoked(mandate: Mandate, work: Work) -> MandateRevoked:
    """What everybody must know: it is denied for as long as it would have lasted, and a day for clocks that differ."""
    until = over_at(mandate.valid_until, work.zone) + timedelta(days=1)
    return MandateRevoked(mandate_id=mandate.mandate_id, until=until, version=mandate.version, occurred_at=work.now)


async def state_of(mandate: Mandate, work: Work) -> MandateState:
    """A mandate as its companies see it."""
    return shown(mandate, await mandates.names_of(work, {mandate.exporter_id, mandate.agent_id}), work)


def shown(mandate: Mandate, names: Mapping[UUID, str], work: Work) -> MandateState:
    """The same, with the names of companies at hand."""
    return MandateState(
        mandate_id=mandate.mandate_id,
        exporter_id=mandate.exporter_id,
        exporter_name=names.get(mandate.exporter_id, ""),
        agent_id=mandate.agent_id,
        agent_name=names.get(mandate.agent_id, ""),
        scope=mandate.scope,
        valid_until=mandate.valid_until,
        status=mandate.standing(work.today),
        waits_for=mandate.waits_for(work.today),
        granted_at=mandate.granted_at,
        revoked_at=mandate.revoked_at,
        reason=mandate.reason,
        version=mandate.version,
    )
