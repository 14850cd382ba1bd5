"""Who reads how far a document has come: its exporter, the agent that began it, the officers, and nobody else."""

from uuid import UUID, uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import delete

from services.gateway.handlers import take_up_step
from services.gateway.store import steps, transmissions
from shared.handling.actor import BegunByAnother, NotYours
from tests.support.service_under_test import a_person, an_agent

from .builders import EXPORTER, Gateway, Neighbours, a_documented_certificate, a_form

AGENT, OTHER = uuid4(), uuid4()


async def until_sent(gateway: Gateway, agent_id: UUID | None, serial: int = 123) -> UUID:
    """A certificate whose document is at the gateway."""
    form = a_form(reference=f"D2026-PNH-{serial:06}")
    event = a_documented_certificate(form, agent_id=agent_id)
    await gateway.hears(event)
    return event.certificate_id


async def test_an_agent_reads_the_way_of_what_it_began_and_of_nothing_else(neighbours: Neighbours) -> None:
    gateway, agent = neighbours.kh, an_agent(AGENT, EXPORTER)
    own, of_other, of_exporter = [
        await until_sent(gateway, agent_id, serial) for serial, agent_id in enumerate((AGENT, OTHER, None), start=1)
    ]

    assert [step.code for step in (await gateway.answers(own, agent)).steps] == ["AS1"]
    for certificate_id in (of_other, of_exporter):
        with pytest.raises(BegunByAnother, match="certificate_begun_by_another"):
            await gateway.answers(certificate_id, agent)
    with pytest.raises(NotYours):
        await gateway.answers(own, an_agent(AGENT, uuid4()))
    for certificate_id in (own, of_other, of_exporter):
        for reader in (a_person("signatory", organisation=EXPORTER), a_person("reviewer")):
            assert (await gateway.answers(certificate_id, reader)).steps


async def test_an_agent_that_was_not_named_at_first_is_learned_when_it_is_announced_again(neighbours: Neighbours) -> None:
    gateway, agent, event = neighbours.kh, an_agent(AGENT, EXPORTER), a_documented_certificate()
    await gateway.hears(event)
    await neighbours.exchange_until_quiet()
    with pytest.raises(BegunByAnother):
        await gateway.answers(event.certificate_id, agent)
    announced = await gateway.announced()

    await gateway.hears(event.model_copy(update={"agent_id": AGENT}))
    await gateway.hears(event)  # older news does not undo it

    assert [step.code for step in (await gateway.answers(event.certificate_id, agent)).steps] == ["AS1", "AS2", "REC"]
    assert await gateway.announced() == announced
    assert await gateway.tasks_left() == []


async def test_after_a_recovery_the_agent_still_reads_the_way(neighbours: Neighbours) -> None:
    gateway, event = neighbours.kh, a_documented_certificate(agent_id=AGENT)
    await gateway.hears(event)
    await neighbours.exchange_until_quiet()
    async with gateway.context.database.writing() as transaction:
        await transaction.session.execute(delete(steps))
        await transaction.session.execute(delete(transmissions))

    async with gateway.context.work(INVALID_SPAN) as work:
        await take_up_step((await gateway.announced())[-1], work)
    await gateway.hears(event)

    seen = await gateway.answers(event.certificate_id, an_agent(AGENT, EXPORTER))
    assert [step.code for step in seen.steps] == ["AS1", "AS2", "REC"]
