"""A gateway whose database was restored from an older backup gets back its announced steps and sends nothing twice."""

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import delete, select

from services.gateway.handlers.sending import announce_steps, replay_step
from services.gateway.store import steps, transmissions
from tests.gateway.builders import TwoGateways, a_documented_certificate


@pytest.mark.parametrize("forgotten", [("AS2", "REC"), ("REC",), ("AS1", "AS2", "REC")])
async def test_announced_steps_are_replayed(gateways: TwoGateways, forgotten: tuple[str, ...]) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    announced = await gateways.kh.announced()
    assert [said.code for said in announced] == ["AS1", "AS2", "REC"]
    async with gateways.kh.context.database.writing() as transaction:
        await transaction.session.execute(delete(steps).where(steps.c.code.in_(forgotten)))
        if "AS1" in forgotten:
            await transaction.session.execute(delete(transmissions))

    async with gateways.kh.context.work(INVALID_SPAN) as work:
        await replay_step(announced[-1], work)
    await gateways.kh.receive(event)
    await gateways.run_until_idle()

    assert [step.code for step in (await gateways.kh.state(event.certificate_id)).steps] == ["AS1", "AS2", "REC"]
    assert await gateways.kh.announced() == announced


async def test_every_step_is_announced_again_unchanged(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    before = await gateways.kh.announced()

    async with gateways.kh.context.work(INVALID_SPAN) as work:
        for transmission_id in await work.session.scalars(select(transmissions.c.transmission_id)):
            await announce_steps(transmission_id, work)

    assert (await gateways.kh.announced())[len(before) :] == before
