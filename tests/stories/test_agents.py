"""A forwarder acts for an exporter, on the complete system, until the exporter revokes the mandate."""

from dataclasses import replace
from time import monotonic

import pytest

from cli.demo.people import until
from shared.bus.client import AskRefused
from shared.contracts.certificates.issuing import GetCertificate, SubmitCertificate
from shared.contracts.fees import GetInvoice
from shared.contracts.gateway.transmissions import GetTransmission
from shared.contracts.index import contracts
from shared.contracts.messages import Request
from shared.contracts.registry.mandates import ActUnderMandate, ListApiKeys, RevokeApiKey
from shared.contracts.registry.registrations import SuspendRegistration
from tests.stories.agents import Agent
from tests.stories.conftest import RunningSystem, to
from tests.support.example_messages import example_of

pytestmark = pytest.mark.slow

UNDER_MANDATE = tuple(kind for kind in contracts() if issubclass(kind, Request) and kind.under_mandate)


async def codes_of(system: RunningSystem, token: str) -> set[str]:
    """The refusal codes of all requests that agents may send; `accepted` for one that is not refused."""
    found = set()
    for kind in UNDER_MANDATE:
        try:
            await system.portal.ask(example_of(kind), token=token)
            found.add("accepted")
        except AskRefused as refused:
            found.add(refused.refusal.code)
    return found


async def until_refused_everywhere(system: RunningSystem, token: str) -> float:
    """Waits until every service refuses the token; returns the seconds."""
    began = monotonic()

    async def look() -> bool | None:
        return True if await codes_of(system, token) == {"token_invalid"} else None

    await until(look, "every service to refuse the token", within=15)
    return monotonic() - began


@pytest.mark.parametrize("with_key", [False, True], ids=["in person", "a system with a key"])
async def test_an_agent_takes_a_consignment_to_its_number_and_sees_its_status(system: RunningSystem, with_key: bool) -> None:
    own = await system.journey(to("VN"))
    agent = await Agent.of(system, own)
    token = await agent.exchange(await agent.key()) if with_key else await agent.token()

    certificate_id = await agent.draft(token)
    submitted = await agent.submit(certificate_id, token)
    journey = replace(own, certificate_id=certificate_id)
    await system.decide(journey)
    issued = await journey.issued()

    assert submitted.agent_id == issued.agent_id == agent.company.exporter_id
    assert issued.agent_name == own.example.exporter_name
    seen = await system.portal.ask(GetCertificate(certificate_id=certificate_id), token=token)
    assert seen.reference == issued.reference
    assert (await system.portal.ask(GetInvoice(certificate_id=certificate_id), token=token)).settled

    async def look() -> bool | None:
        try:
            sent = await system.portal.ask(GetTransmission(certificate_id=certificate_id), token=token)
        except AskRefused:
            return None
        return True if sent.steps else None

    assert await until(look, "the agent to see how far the document is")
    with pytest.raises(AskRefused, match="certificate_begun_by_another"):
        await system.portal.ask(GetCertificate(certificate_id=own.certificate_id), token=token)


async def test_an_agent_sees_neither_price_nor_transmission_of_the_exporters_certificate(system: RunningSystem) -> None:
    own = await system.journey(to("VN"))
    agent = await Agent.of(system, own)
    token = await agent.token()
    await own.submit()
    await own.invoice()
    await system.decide(own)
    await own.issued()

    async def sent() -> bool | None:
        try:
            return bool(await own.exporter.person.ask(GetTransmission(certificate_id=own.certificate_id)))
        except AskRefused:
            return None

    await until(sent, "the exporter to see how far the document is")
    for question in (GetCertificate, GetInvoice, GetTransmission):
        with pytest.raises(AskRefused, match="certificate_begun_by_another"):
            await system.portal.ask(question(certificate_id=own.certificate_id), token=token)


async def test_a_revoked_mandate_is_refused_everywhere_within_seconds(system: RunningSystem) -> None:
    agent = await Agent.of(system, await system.journey(to("VN")))
    key = await agent.key()
    tokens = [await agent.token(), await agent.exchange(key)]
    certificate_id = await agent.draft(tokens[0])

    await agent.revoke()

    for token in tokens:
        print(f"\nrefused everywhere {await until_refused_everywhere(system, token):.2f} s after the mandate was revoked")
    with pytest.raises(AskRefused, match="api_key_invalid"):
        await agent.exchange(key)
    with pytest.raises(AskRefused, match="mandate_not_allowed_now"):
        await agent.company.person.ask(ActUnderMandate(mandate_id=agent.mandate_id))
    submission = SubmitCertificate(certificate_id=certificate_id)
    assert (await agent.journey.exporter.person.ask(submission)).status == "submitted"  # the draft is not lost


async def test_a_revoked_key_is_refused_everywhere_and_other_keys_work(system: RunningSystem) -> None:
    agent = await Agent.of(system, await system.journey(to("VN")))
    lost, other = await agent.key(), await agent.key()
    stolen, own = await agent.exchange(lost), await agent.exchange(other)
    listed = await agent.journey.exporter.person.ask(ListApiKeys(mandate_id=agent.mandate_id))
    (lost_id,) = [key.api_key_id for key in listed.api_keys if lost.endswith(key.end)]

    await agent.journey.exporter.person.ask(RevokeApiKey(api_key_id=lost_id))

    print(f"\nrefused everywhere {await until_refused_everywhere(system, stolen):.2f} s after the key was revoked")
    with pytest.raises(AskRefused, match="api_key_invalid"):
        await agent.exchange(lost)
    assert await agent.submit(await agent.draft(own), own)


async def test_while_registry_is_down_certificates_knows_all_mandates(system: RunningSystem) -> None:
    kept, revoked, suspended = [await Agent.of(system, await system.journey(to("VN"))) for _ in range(3)]
    tokens = {agent.mandate_id: await agent.token() for agent in (kept, revoked, suspended)}
    drafts = {agent.mandate_id: await agent.draft(tokens[agent.mandate_id]) for agent in (kept, revoked, suspended)}
    await revoked.revoke()
    await until_refused_everywhere(system, tokens[revoked.mandate_id])
    closed = SuspendRegistration(exporter_id=suspended.company.exporter_id, reason="The office is closed.")
    await system.ministry.registration_officer.ask(closed)
    await system.wait_for_fact("suspended", suspended.company)

    async def submit(agent: Agent) -> str:
        submission = SubmitCertificate(certificate_id=drafts[agent.mandate_id])
        try:
            return str((await system.portal.ask(submission, token=tokens[agent.mandate_id])).status)
        except AskRefused as refused:
            return refused.refusal.code

    await system.stack.stop("registry")
    try:
        assert not await system.answers("registry")
        assert await submit(kept) == "submitted"
        assert await submit(revoked) == "token_invalid"
        assert await submit(suspended) == "agent_not_registered"
    finally:
        await system.stack.start("registry")
        await system.stack.ready()
