"""A transmission is read by its exporter, the agent that drafted the certificate, and officers only."""

from uuid import UUID, uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import delete

from services.gateway.handlers.sending import replay_step
from services.gateway.store import steps, transmissions
from shared.handling.actor import BegunByAnother, NotYours
from tests.support.service_under_test import a_person, an_agent

from .builders import EXPORTER, Gateway, TwoGateways, a_documented_certificate, a_form

AGENT, OTHER = uuid4(), uuid4()


async def a_sent_document(gateway: Gateway, agent_id: UUID | None, serial: int = 123) -> UUID:
    """A certificate whose document is at the gateway."""
    form = a_form(reference=f"D2026-PNH-{serial:06}")
    event = a_documented_certificate(form, agent_id=agent_id)
    await gateway.receive(event)
    return event.certificate_id


async def test_an_agent_reads_only_transmissions_of_certificates_that_it_drafted(gateways: TwoGateways) -> None:
    gateway, agent = gateways.kh, an_agent(AGENT, EXPORTER)
    own, of_other, of_exporter = [
        await a_sent_document(gateway, agent_id, serial) for serial, agent_id in enumerate((AGENT, OTHER, None), start=1)
    ]

    assert [step.code for step in (await gateway.state(own, agent)).steps] == ["AS1"]
    for certificate_id in (of_other, of_exporter):
        with pytest.raises(BegunByAnother, match="certificate_begun_by_another"):
            await gateway.state(certificate_id, agent)
    with pytest.raises(NotYours):
        await gateway.state(own, an_agent(AGENT, uuid4()))
    for certificate_id in (own, of_other, of_exporter):
        for reader in (a_person("signatory", organisation=EXPORTER), a_person("reviewer")):
            assert (await gateway.state(certificate_id, reader)).steps


async def test_an_agent_missing_in_the_first_event_is_stored_from_the_second(gateways: TwoGateways) -> None:
    gateway, agent, event = gateways.kh, an_agent(AGENT, EXPORTER), a_documented_certificate()
    await gateway.receive(event)
    await gateways.run_until_idle()
    with pytest.raises(BegunByAnother):
        await gateway.state(event.certificate_id, agent)
    announced = await gateway.announced()

    await gateway.receive(event.model_copy(update={"agent_id": AGENT}))
    await gateway.receive(event)  # the older event does not overwrite it

    assert [step.code for step in (await gateway.state(event.certificate_id, agent)).steps] == ["AS1", "AS2", "REC"]
    assert await gateway.announced() == announced
    assert await gateway.tasks_left() == []


async def test_after_a_recovery_the_agent_can_still_read_the_transmission(gateways: TwoGateways) -> None:
    gateway, event = gateways.kh, a_documented_certificate(agent_id=AGENT)
    await gateway.receive(event)
    await gateways.run_until_idle()
    async with gateway.context.database.writing() as transaction:
        await transaction.session.execute(delete(steps))
        await transaction.session.execute(delete(transmissions))

    async with gateway.context.work(INVALID_SPAN) as work:
        await replay_step((await gateway.announced())[-1], work)
    await gateway.receive(event)

    seen = await gateway.state(event.certificate_id, an_agent(AGENT, EXPORTER))
    assert [step.code for step in seen.steps] == ["AS1", "AS2", "REC"]
