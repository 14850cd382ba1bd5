"""The gateway notices whether a partner answers, and announces each change once."""

from datetime import UTC, datetime

from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import delete, select

from services.gateway.domain import FAILURES_IN_A_ROW, PartnerGateway
from services.gateway.handlers.observing import announce_partner, replay_partner
from services.gateway.store import partner_countries, partners
from shared.contracts.gateway.partners import PartnerObserved
from shared.database.tables import tasks

from .builders import Gateway, TwoGateways, a_documented_certificate, a_form, an_answer

NOON, LATER = datetime(2026, 3, 2, 5, 0, tzinfo=UTC), datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


async def states(gateway: Gateway) -> list[tuple[str, str, int]]:
    return [(event.country, event.state.value, event.version) for event in await gateway.announced_of(PartnerObserved)]


def test_a_partner_is_observed_only_when_its_state_changes() -> None:
    partner = PartnerGateway("VN", answers=False, since=NOON)
    assert partner.observe(answers=False, at=NOON)
    assert not partner.observe(answers=False, at=LATER)
    assert (partner.since, partner.version) == (NOON, 1)
    assert partner.observe(answers=True, at=LATER)
    assert (partner.answers, partner.since, partner.version) == (True, LATER, 2)


async def test_an_outage_is_announced_after_three_failures_in_a_row_and_its_end_at_once(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    gateways.kh.links["VN"].down = True
    await gateways.kh.receive(event)
    for attempt in range(1, 2 * FAILURES_IN_A_ROW + 1):
        await gateways.kh.run_due_tasks()
        assert len(await states(gateways.kh)) == (attempt >= FAILURES_IN_A_ROW)
    assert await states(gateways.kh) == [("VN", "down", 1)]
    waiting = await gateways.kh.state(event.certificate_id)
    assert (waiting.attempts, waiting.waits_because is not None) == (2 * FAILURES_IN_A_ROW, True)

    gateways.kh.links["VN"].down = False
    await gateways.run_until_idle()
    assert await states(gateways.kh) == [("VN", "down", 1), ("VN", "up", 2)]
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]
    assert await states(gateways.vn) == [("KH", "up", 1)]  # it has returned the response


async def test_a_single_failure_is_no_outage_and_success_resets_the_count(gateways: TwoGateways) -> None:
    line = gateways.kh.links["VN"]
    for serial in (1, 2):
        line.answers = [an_answer(503)] * (FAILURES_IN_A_ROW - 1)
        await gateways.kh.receive(a_documented_certificate(a_form(reference=f"D2026-PNH-{serial:06}")))
        await gateways.run_until_idle()
    assert await states(gateways.kh) == [("VN", "up", 1)]


async def test_a_partner_that_is_not_configured_has_no_state(gateways: TwoGateways) -> None:
    await gateways.kh.receive(a_documented_certificate(a_form(destination="TH")))
    for _ in range(FAILURES_IN_A_ROW):
        await gateways.kh.run_due_tasks()
    assert await states(gateways.kh) == []
    async with gateways.kh.database.reading() as session:
        assert (await session.scalars(select(tasks.c.attempts))).all() == [FAILURES_IN_A_ROW]


async def test_a_restored_gateway_gets_back_the_state_and_announces_it_again(gateways: TwoGateways) -> None:
    await gateways.kh.receive(a_documented_certificate())
    await gateways.run_until_idle()
    (before,) = await gateways.kh.announced_of(PartnerObserved)
    async with gateways.kh.database.writing() as transaction:
        await transaction.session.execute(delete(partners))

    async with gateways.kh.context.work(INVALID_SPAN) as work:
        await replay_partner(before.model_copy(update={"version": 2}), work)
        await replay_partner(before, work)  # older
        for country in (await work.session.scalars(partner_countries)).all():
            await announce_partner(country, work)
    assert (await gateways.kh.announced_of(PartnerObserved))[1:] == [before.model_copy(update={"version": 2})]
