"""API keys of mandates: shown once, stored as hashes, exchanged for tokens, revoked by either side."""

from uuid import uuid4

import pytest

from services.registry.mandates.domain.api_key import MAX_KEYS
from services.registry.mandates.tables import api_keys
from shared.contracts.registry.identity import SessionRevoked
from shared.contracts.registry.mandates import (
    ActingToken,
    ExchangeApiKey,
    ListApiKeys,
    MadeApiKey,
    MakeApiKey,
    RevokeApiKey,
    RevokeMandate,
)
from shared.contracts.registry.registrations import GetRegistration
from shared.handling.actor import Mandated
from tests.registry.parties import Parties, actor_of, code_of
from tests.support.service_under_test import ServiceUnderTest


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(service: ServiceUnderTest, parties: Parties) -> None:
    mandate_id = await parties.mandate()
    made = await parties.key(mandate_id)
    async with service.context.database.reading() as session:
        (row,) = (await session.execute(api_keys.select())).mappings().all()
    assert made.key.removeprefix("cok_") not in str(dict(row))
    again = MakeApiKey(api_key_id=made.api_key_id, mandate_id=mandate_id, name="Warehouse system")
    assert (await parties.agent.administrator.ask(again)).code == "api_key_id_taken"
    for company in (parties.exporter, parties.agent):
        (listed,) = (await company.administrator.ask(ListApiKeys(mandate_id=mandate_id))).api_keys
        assert (listed.name, listed.end, listed.last_used_at) == ("Warehouse system", made.key[-4:], None)


async def test_a_key_is_exchanged_for_tokens_that_name_the_key(service: ServiceUnderTest, parties: Parties) -> None:
    mandate_id = await parties.mandate(scope=("signatory",))
    made = await parties.key(mandate_id)
    given = await service.ask(ExchangeApiKey(key=made.key))
    assert isinstance(given, ActingToken)
    actor = await actor_of(service, given.token)
    assert (actor.user_id, actor.session_id, actor.roles) == (made.api_key_id, made.api_key_id, {"signatory"})
    assert actor.mandate == Mandated(mandate_id, parties.agent.company_id)
    (listed,) = (await parties.agent.administrator.ask(ListApiKeys(mandate_id=mandate_id))).api_keys
    assert listed.last_used_at == service.clock.now()


@pytest.mark.parametrize("who", ["exporter", "agent"])
async def test_a_key_that_either_side_revokes_gives_no_token_any_more(
    service: ServiceUnderTest, parties: Parties, who: str
) -> None:
    mandate_id = await parties.mandate()
    made, other = await parties.key(mandate_id), await parties.key(mandate_id, "Customs broker's system")
    tokens = [(await service.ask(ExchangeApiKey(key=key.key))).token for key in (made, other)]
    company = parties.exporter if who == "exporter" else parties.agent

    revoked = await company.administrator.ask(RevokeApiKey(api_key_id=made.api_key_id))
    again = await company.administrator.ask(RevokeApiKey(api_key_id=made.api_key_id))

    assert revoked.revoked_at == again.revoked_at == service.clock.now()
    assert [announced.session_id for announced in await service.announced(SessionRevoked)] == [made.api_key_id]
    assert (await service.ask(ExchangeApiKey(key=made.key))).code == "api_key_invalid"
    of_another = GetRegistration(exporter_id=uuid4())
    assert [await code_of(service, token, of_another) for token in tokens] == ["token_invalid", "outside_mandate"]
    assert isinstance(await service.ask(ExchangeApiKey(key=other.key)), ActingToken)


@pytest.mark.parametrize("guess", ["cok_" + "A" * 43, "cok_" + "-" * 43])
async def test_a_guessed_key_is_refused_without_a_reason(service: ServiceUnderTest, parties: Parties, guess: str) -> None:
    await parties.key(await parties.mandate())
    assert (await service.ask(ExchangeApiKey(key=guess))).code == "api_key_invalid"


@pytest.mark.parametrize("text", ["", "cok_", "cok_" + "A" * 42, "cok_" + "A" * 10_000, "' OR 1=1 --", "cok_" + "ក" * 43])
async def test_what_is_no_key_is_refused_with_its_field(service: ServiceUnderTest, text: str) -> None:
    refusal = await service.ask_raw(ExchangeApiKey, ExchangeApiKey.model_construct(key=text).model_dump_json().encode(), None)
    assert (refusal.code, refusal.fields) == ("malformed_request", ("key",))
    assert len(text) < 5 or text not in refusal.detail


async def test_a_mandate_has_so_many_keys_and_no_more(parties: Parties) -> None:
    mandate_id = await parties.mandate()
    made = [await parties.key(mandate_id, f"System {number}") for number in range(MAX_KEYS)]
    one_more = MakeApiKey(api_key_id=uuid4(), mandate_id=mandate_id, name="One more")
    assert (await parties.agent.administrator.ask(one_more)).code == "too_many_api_keys"
    await parties.exporter.administrator.ask(RevokeApiKey(api_key_id=made[0].api_key_id))
    assert isinstance(await parties.agent.administrator.ask(one_more), MadeApiKey)


async def test_a_key_for_what_is_over_is_not_made(parties: Parties) -> None:
    mandate_id = await parties.mandate()
    await parties.exporter.administrator.ask(RevokeMandate(mandate_id=mandate_id))
    key = MakeApiKey(api_key_id=uuid4(), mandate_id=mandate_id, name="Late")
    assert (await parties.agent.administrator.ask(key)).code == "mandate_not_allowed_now"
    assert (await parties.exporter.administrator.ask(key)).code == "not_yours"


async def test_keys_in_force_are_not_hidden_behind_those_that_were_revoked(
    parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter sees the key in use, however many keys the agent makes and revokes."""
    monkeypatch.setattr("services.registry.mandates.store.MAX_LISTED", 3)
    mandate_id = await parties.mandate()
    used = await parties.key(mandate_id)
    for _ in range(4):
        made = await parties.key(mandate_id)
        await parties.agent.administrator.ask(RevokeApiKey(api_key_id=made.api_key_id))
    listed = (await parties.exporter.administrator.ask(ListApiKeys(mandate_id=mandate_id))).api_keys
    assert listed[0].api_key_id == used.api_key_id
    assert [key.revoked_at is None for key in listed] == [True, False, False]


async def test_a_key_with_the_id_of_a_person_is_not_taken_for_that_person(service: ServiceUnderTest, parties: Parties) -> None:
    """The maker of a key chooses its id. The audit log must not show its acts as those of another person."""
    mandate_id = await parties.mandate()
    victim = parties.exporter.administrator.session
    assert victim
    key = MakeApiKey(api_key_id=victim.user_id, mandate_id=mandate_id, name="Not me")
    made = await parties.agent.administrator.ask(key)
    person = await actor_of(service, victim.token)
    system = await actor_of(service, (await service.ask(ExchangeApiKey(key=made.key))).token)
    assert (person.name, system.name) == (str(victim.user_id), f"api-key:{victim.user_id}")
