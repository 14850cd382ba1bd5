"""Mandates and their API keys."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from services.registry.identity.domain.secret_tokens import hashed
from services.registry.mandates.domain.api_key import ApiKey, ApiKeyIdTaken, ApiKeyNotFound
from services.registry.mandates.domain.mandate import Mandate, MandateIdTaken, MandateNotFound, Side, Status
from services.registry.mandates.tables import api_keys, mandates
from shared.handling.work import Work

MAX_LISTED = 100
"""The most API keys of a mandate in a list."""

once_granted = select(mandates.c.mandate_id).where(mandates.c.granted_at.is_not(None))


async def mandate_by_id(work: Work, mandate_id: UUID) -> Mandate:
    """The mandate with this id. Raises MandateNotFound."""
    found = await find_mandate(work, mandate_id)
    if found is None:
        raise MandateNotFound("mandate_id")
    return found


async def find_mandate(work: Work, mandate_id: UUID) -> Mandate | None:
    """The mandate with this id, or None."""
    return await work.session.get(Mandate, mandate_id, with_for_update=work.may_write)


async def mandate_must_be_new(work: Work, mandate_id: UUID) -> None:
    """Raises MandateIdTaken."""
    if await find_mandate(work, mandate_id) is not None:
        raise MandateIdTaken("mandate_id")


async def mandates_of(work: Work, company_id: UUID, after: UUID | None, limit: int) -> Sequence[Mandate]:
    """A page of the mandates of a company, as exporter or agent, by id."""
    page = select(Mandate).where(_party(company_id)).order_by(mandates.c.mandate_id).limit(limit)
    if after is not None:
        page = page.where(mandates.c.mandate_id > after)
    return (await work.session.scalars(page)).all()


async def count_wanted_mandates(work: Work, company_id: UUID) -> int:
    """The number of mandates that a company has proposed or accepted and that are not over."""
    granted = and_(mandates.c.status == Status.GRANTED, _party(company_id))
    own = (mandates.c.exporter_id, Side.EXPORTER), (mandates.c.agent_id, Side.AGENT)
    proposed = [and_(party == company_id, mandates.c.proposed_by == side) for party, side in own]
    wanted = or_(granted, and_(mandates.c.status == Status.PROPOSED, or_(*proposed)))
    counted = select(func.count()).select_from(mandates).where(wanted, mandates.c.valid_until >= work.today)
    return await work.session.scalar(counted) or 0


async def api_key_by_id(work: Work, api_key_id: UUID) -> ApiKey:
    """The API key with this id. Raises ApiKeyNotFound."""
    found = await find_api_key(work, api_key_id)
    if found is None:
        raise ApiKeyNotFound("api_key_id")
    return found


async def find_api_key(work: Work, api_key_id: UUID) -> ApiKey | None:
    """The API key with this id, or None."""
    return await work.session.get(ApiKey, api_key_id, with_for_update=work.may_write)


async def find_shown_api_key(work: Work, key: str) -> ApiKey | None:
    """The API key that a system shows, or None."""
    found = await work.session.scalar(select(api_keys.c.api_key_id).where(api_keys.c.key_hash == hashed(key)))
    return await find_api_key(work, found) if found else None


async def api_key_must_be_new(work: Work, api_key_id: UUID) -> None:
    """Raises ApiKeyIdTaken."""
    if await find_api_key(work, api_key_id) is not None:
        raise ApiKeyIdTaken("api_key_id")


async def api_keys_of(work: Work, mandate_id: UUID) -> Sequence[ApiKey]:
    """The valid API keys of a mandate, then the revoked ones, each the newest first."""
    keys = select(ApiKey).where(api_keys.c.mandate_id == mandate_id)
    valid_first = keys.order_by(api_keys.c.revoked_at.is_not(None), api_keys.c.made_at.desc())
    return (await work.session.scalars(valid_first.limit(MAX_LISTED))).all()


def _party(company_id: UUID) -> ColumnElement[bool]:
    return or_(mandates.c.exporter_id == company_id, mandates.c.agent_id == company_id)
