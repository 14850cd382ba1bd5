"""A service whose database is older than what it has announced changes nothing until an operator has confirmed."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert

from shared.bus.client import AskRefused
from shared.bus.stream import deliver_for_recovery
from shared.contracts import operations
from shared.contracts.fees import FeeSettled, GetInvoice
from shared.database.tables import inbox, outbox, recoveries
from shared.handling.router import Router
from shared.handling.work import Work
from tests.conftest import eventually
from tests.shared.replicas import House, Running, a_payment, a_router, a_submission, keep


def a_recovering_router() -> Router:
    router = a_router()

    @router.on_replay(FeeSettled)
    async def remember(event: FeeSettled, work: Work) -> None:
        await keep(work, f"announced {event.certificate_id}")

    @router.on_lost_keys("kept")
    async def learn(keys: Sequence[str], work: Work) -> None:
        for key in keys:
            await keep(work, f"learnt {key}")

    return router


async def ask(house: House, request: Any) -> Any:
    return await (await house.asker("operator")).ask(request, service="fees")


async def read_back(house: House) -> int | None:
    state: operations.Recovery = await ask(house, operations.AskRecovery())
    return state.read_back


async def an_older_database(house: House, count: int = 3) -> tuple[list[str], str]:
    """A service announces, hears, and is then given a database that knows nothing of it; what it announced and heard."""
    running = await house.replica()
    asker = await house.asker()
    payments = [a_payment(slip_number=f"SLIP-{number}") for number in range(count)]
    for payment in payments:
        await asker.ask(payment, token=house.token())
    submission = a_submission()
    await house.publish(submission)

    async def done() -> bool:
        sent = [row.sent_at for row in await house.rows(outbox)]
        return len(sent) == count and all(sent) and len(await house.effects()) == count + 1

    await eventually(done)
    await running.stop()
    async with house.database.writing() as transaction:
        for table in (outbox, inbox):
            await transaction.session.execute(table.delete())
    return [str(payment.certificate_id) for payment in payments], str(submission.certificate_id)


async def restarted(house: House) -> Running:
    running = await house.replica(a_recovering_router(), ready=False)

    async def says_so() -> bool:
        return any("run `co recover fees`" in problem for problem in await running.replica.problems())

    await eventually(says_so)
    return running


async def test_it_notices_by_itself_refuses_commands_and_answers_questions(house: House) -> None:
    await an_older_database(house)

    await restarted(house)

    state: operations.Recovery = await ask(house, operations.AskRecovery())
    assert state.recovering
    assert "evt.fee.settled.v1" in (state.because or "")
    asker = await house.asker()
    with pytest.raises(AskRefused, match="service_recovering"):
        await asker.ask(a_payment(), token=house.token())
    assert await asker.ask(GetInvoice(certificate_id=a_payment().certificate_id), token=house.token())


async def test_it_reads_its_events_back_hears_others_again_and_works_once_confirmed(house: House) -> None:
    announced, submitted = await an_older_database(house)
    await restarted(house)
    with pytest.raises(AskRefused, match="recovery_not_compared"):
        await ask(house, operations.LearnLostKeys(fact="kept", keys=("x",)))
    state: operations.Recovery = await ask(house, operations.AskRecovery())
    assert state.began_at

    operator = await house.client("operator")
    await deliver_for_recovery(operator.jetstream(), "fees", state.began_at)

    await eventually(lambda: read_back(house), within=15)
    assert await read_back(house) == len(announced)
    assert sorted((await house.effects())[4:7]) == sorted(f"announced {key}" for key in announced)
    assert len(await house.rows(outbox)) == len(announced)
    await eventually(lambda: _heard_twice(house, submitted))
    with pytest.raises(AskRefused, match="recovery_not_compared"):
        await ask(house, operations.ConfirmRecovery())
    await ask(house, operations.LearnLostKeys(fact="kept", keys=("lost-1", "lost-2")))
    assert (await ask(house, operations.LearnLostKeys(fact="kept", keys=("lost-2",)))).learned == 0
    assert (await ask(house, operations.ListLostKeys(fact="kept"))).keys == ("lost-1", "lost-2")
    assert not (await ask(house, operations.ConfirmRecovery())).recovering

    async def works() -> bool:
        return (await ask(house, operations.AskHealth())).ready

    await eventually(works)
    await (await house.asker()).ask(a_payment(slip_number="SLIP-NEW"), token=house.token())
    assert "SLIP-NEW" in await house.effects()
    assert {"learnt lost-1", "learnt lost-2"} <= set(await house.effects())


async def _heard_twice(house: House, submitted: str) -> bool:
    return (await house.effects()).count(submitted) == 2


async def test_it_still_recovers_after_a_restart_in_the_midst_of_it(sqlite_house: House) -> None:
    await an_older_database(sqlite_house)
    running = await restarted(sqlite_house)
    await running.stop()

    await restarted(sqlite_house)

    assert len(await sqlite_house.rows(recoveries)) == 1


async def test_a_consumer_of_a_former_recovery_is_not_mistaken_for_this_one(sqlite_house: House) -> None:
    announced, _ = await an_older_database(sqlite_house)
    running = await restarted(sqlite_house)
    state: operations.Recovery = await ask(sqlite_house, operations.AskRecovery())
    assert state.began_at
    operator = await sqlite_house.client("operator")
    await deliver_for_recovery(operator.jetstream(), "fees", state.began_at.replace(year=2020))
    await running.stop()
    await restarted(sqlite_house)
    assert await read_back(sqlite_house) is None

    await deliver_for_recovery(operator.jetstream(), "fees", state.began_at)

    await eventually(lambda: read_back(sqlite_house), within=15)
    assert await read_back(sqlite_house) == len(announced)


async def test_a_service_in_good_times_is_not_in_recovery(sqlite_house: House) -> None:
    await sqlite_house.replica()

    assert not (await ask(sqlite_house, operations.AskRecovery())).recovering
    for command in (operations.ConfirmRecovery(), operations.LearnLostKeys(fact="kept", keys=())):
        with pytest.raises(AskRefused, match="not_recovering"):
            await ask(sqlite_house, command)


async def test_a_recovery_that_is_noted_in_the_database_is_heeded(sqlite_house: House) -> None:
    async with sqlite_house.database.writing() as transaction:
        row = {"because": "It was restored from a copy.", "began_at": sqlite_house.clock.now()}
        await transaction.session.execute(insert(recoveries).values(row))

    await restarted(sqlite_house)

    assert (await ask(sqlite_house, operations.AskRecovery())).because == "It was restored from a copy."
