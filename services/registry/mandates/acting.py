"""An agent acts for an exporter: its people in their session, its systems with API keys. Both get tokens for the exporter."""

from datetime import datetime
from uuid import UUID

from services.registry.companies.domain.reminders import over_at
from services.registry.companies.store import find_registration
from services.registry.identity.domain.secret_tokens import hashed, new_token
from services.registry.identity.domain.session import SessionOver
from services.registry.identity.store import sessions
from services.registry.identity.tokens import token_of
from services.registry.mandates import store
from services.registry.mandates.domain.api_key import MAX_KEYS, PREFIX, SHOWN, ApiKey, ApiKeyInvalid, TooManyApiKeys
from services.registry.mandates.domain.mandate import Mandate, MandateNotAllowedNow, Side, must_be_registered
from services.registry.mandates.store import api_key_by_id, mandate_by_id
from services.registry.mandates.views import api_key_state
from shared.contracts.registry.mandates import (
    ActingToken,
    ActUnderMandate,
    ApiKeys,
    ApiKeyState,
    ExchangeApiKey,
    ListApiKeys,
    MadeApiKey,
    MakeApiKey,
    RevokeApiKey,
)
from shared.handling.actor import Actor, Mandated, NotYours
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


class NotTheAgent(NotYours):
    variant = "agent_only"


@router.answers(ActUnderMandate)
async def act_under_mandate(command: ActUnderMandate, work: Work) -> ActingToken:
    """A person of the agent gets a token to act for the exporter. It expires with their session."""
    mandate = await mandate_by_id(work, command.mandate_id)
    must_be_of_the_agent(mandate, work)
    session = await sessions.find_session(work, work.actor.must_have_session())
    if session is None or session.is_over(work.now, of_company=True):
        raise SessionOver()
    roles = mandate.roles_of(work.actor.roles, work.today)
    actor = acting(work.actor.must_have_id(), session.session_id, mandate, roles)
    return await acting_token(actor, mandate, min(session.until, over_at(mandate.valid_until, work.zone)), work)


@router.answers(ExchangeApiKey)
async def exchange_api_key(command: ExchangeApiKey, work: Work) -> ActingToken:
    """A system of the agent gets a token to act for the exporter. Attempts are not counted: a key is 256 random bits."""
    key = await store.find_shown_api_key(work, command.key)
    if key is None or key.revoked_at:
        raise ApiKeyInvalid("key")
    mandate = await mandate_by_id(work, key.mandate_id)
    try:
        roles = mandate.roles_of(frozenset(mandate.scope), work.today)
    except MandateNotAllowedNow:
        raise ApiKeyInvalid("key") from None
    key.last_used_at = work.now
    actor = acting(key.api_key_id, key.api_key_id, mandate, roles)
    return await acting_token(actor, mandate, over_at(mandate.valid_until, work.zone), work, key)


@router.answers(MakeApiKey)
async def make_api_key(command: MakeApiKey, work: Work) -> MadeApiKey:
    """The agent's administrator creates a key for one of its systems."""
    await store.api_key_must_be_new(work, command.api_key_id)  # first: every handler locks a key before its mandate
    mandate = await mandate_by_id(work, command.mandate_id)
    must_be_of_the_agent(mandate, work)
    mandate.roles_of(frozenset(mandate.scope), work.today)
    valid = [key for key in await store.api_keys_of(work, mandate.mandate_id) if not key.revoked_at]
    if len(valid) >= MAX_KEYS:
        raise TooManyApiKeys("mandate_id", most=MAX_KEYS)

    shown = f"{PREFIX}{new_token()}"
    key = ApiKey(
        api_key_id=command.api_key_id,
        mandate_id=mandate.mandate_id,
        name=command.name,
        key_hash=hashed(shown),
        end=shown[-SHOWN:],
        made_at=work.now,
        made_by=work.actor.must_have_id(),
    )

    work.session.add(key)
    return MadeApiKey(api_key_id=key.api_key_id, mandate_id=mandate.mandate_id, key=shown)


@router.answers(RevokeApiKey)
async def revoke_api_key(command: RevokeApiKey, work: Work) -> ApiKeyState:
    """Either company revokes a key. Its tokens are refused like those of a session that has ended."""
    key = await api_key_by_id(work, command.api_key_id)
    (await mandate_by_id(work, key.mandate_id)).side_of(work.actor.organisation)

    if key.revoke(work.now):
        await sessions.deny(work, key.api_key_id)

    return api_key_state(key)


@router.answers(ListApiKeys)
async def list_api_keys(question: ListApiKeys, work: Work) -> ApiKeys:
    """Lists the API keys of a mandate."""
    mandate = await mandate_by_id(work, question.mandate_id)
    mandate.side_of(work.actor.organisation)
    return ApiKeys(api_keys=[api_key_state(key) for key in await store.api_keys_of(work, mandate.mandate_id)])


def must_be_of_the_agent(mandate: Mandate, work: Work) -> None:
    """Raises NotYours for the exporter, and MandateNotFound for other companies."""
    if mandate.side_of(work.actor.organisation) is not Side.AGENT:
        raise NotTheAgent("mandate_id")


def acting(user_id: UUID, session_id: UUID, mandate: Mandate, roles: frozenset[str]) -> Actor:
    """An actor who acts for the exporter under a mandate."""
    under = Mandated(mandate.mandate_id, mandate.agent_id)
    exporter = str(mandate.exporter_id)
    return Actor(user_id=user_id, session_id=session_id, organisation=exporter, roles=roles, mandate=under)


async def acting_token(actor: Actor, mandate: Mandate, until: datetime, work: Work, key: ApiKey | None = None) -> ActingToken:
    """A token that expires at this instant at the latest. Raises AgentNotRegistered."""
    must_be_registered(await find_registration(work, mandate.agent_id), work.today)
    token, expires_at = token_of(actor, until, work)
    return ActingToken(
        api_key_id=key.api_key_id if key else None,
        mandate_id=mandate.mandate_id,
        exporter_id=mandate.exporter_id,
        roles=sorted(actor.roles),
        token=token,
        expires_at=expires_at,
    )
