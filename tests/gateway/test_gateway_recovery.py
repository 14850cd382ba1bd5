"""A gateway that comes back from an older copy is as far as it has announced, and sends nothing twice."""

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import delete, select

from services.gateway.handlers import announce_steps, take_up_step
from services.gateway.store import steps, transmissions
from tests.gateway.builders import Neighbours, a_documented_certificate


@pytest.mark.parametrize("forgotten", [("AS2", "REC"), ("REC",), ("AS1", "AS2", "REC")])
async def test_steps_that_were_announced_are_taken_up_again(neighbours: Neighbours, forgotten: tuple[str, ...]) -> None:
    event = a_documented_certificate()
    await neighbours.kh.hears(event)
    await neighbours.exchange_until_quiet()
    announced = await neighbours.kh.announced()
    assert [said.code for said in announced] == ["AS1", "AS2", "REC"]
    async with neighbours.kh.context.database.writing() as transaction:
        await transaction.session.execute(delete(steps).where(steps.c.code.in_(forgotten)))
        if "AS1" in forgotten:
            await transaction.session.execute(delete(transmissions))

    async with neighbours.kh.context.work(INVALID_SPAN) as work:
        await take_up_step(announced[-1], work)
    await neighbours.kh.hears(event)
    await neighbours.exchange_until_quiet()

    assert [step.code for step in (await neighbours.kh.answers(event.certificate_id)).steps] == ["AS1", "AS2", "REC"]
    assert await neighbours.kh.announced() == announced


async def test_every_step_is_announced_again_as_it_was(neighbours: Neighbours) -> None:
    event = a_documented_certificate()
    await neighbours.kh.hears(event)
    await neighbours.exchange_until_quiet()
    before = await neighbours.kh.announced()

    async with neighbours.kh.context.work(INVALID_SPAN) as work:
        for transmission_id in await work.session.scalars(select(transmissions.c.transmission_id)):
            await announce_steps(transmission_id, work)

    assert (await neighbours.kh.announced())[len(before) :] == before
