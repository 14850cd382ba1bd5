"""The numbers of an office have no gap, also if many certificates are issued at the same time on PostgreSQL."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from services.certificates.handlers.issuing import IssueCertificate, issue_certificate
from tests.certificates.test_handlers import Trader
from tests.support.service_under_test import ServiceUnderTest

COUNT = 50


class Interrupted(Exception):
    """The replica ends before it commits."""


async def issue(service: ServiceUnderTest, certificate_id: UUID, *, interrupted: bool = False) -> None:
    """Issues a certificate in a transaction of its own."""
    try:
        async with service.work() as work:
            await issue_certificate(IssueCertificate(certificate_id=certificate_id), work)
            if interrupted:
                raise Interrupted
    except Interrupted:
        pass


async def test_fifty_issues_at_the_same_time_leave_no_gap_in_the_numbers_of_an_office(on_postgres: ServiceUnderTest) -> None:
    on_postgres.clock.instant = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    trader = await Trader(on_postgres).begin()
    ids = []
    for _ in range(COUNT):
        certificate_id = (await trader.submit()).certificate_id
        await trader.settle(certificate_id)
        await trader.approve(certificate_id)
        ids.append(certificate_id)

    await asyncio.gather(*(issue(on_postgres, each, interrupted=number % 3 == 0) for number, each in enumerate(ids)))
    first = {state.reference for state in [await trader.state(each) for each in ids] if state.reference}
    await asyncio.gather(*(issue(on_postgres, each) for each in ids))

    references = sorted([str((await trader.state(each)).reference) for each in ids])
    assert len(first) == COUNT - len(range(0, COUNT, 3))
    assert first == {f"D2026-PNH-{serial:06}" for serial in range(1, len(first) + 1)}
    assert references == [f"D2026-PNH-{serial:06}" for serial in range(1, COUNT + 1)]
