"""A service whose database is older than what it has announced changes nothing until an operator has confirmed."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert

from deploy.nats.stream import deliver_for_recovery
from shared.bus.client import AskRefused
from shared.contracts import operations
from shared.contracts.fees import FeeSettled, GetInvoice
from shared.database.tables import inbox, outbox, recoveries
from shared.handling.router import Router
from shared.handling.work import Work
from tests.conftest import eventually
from tests.support.plumbing_stack import PlumbingStack, Running, a_payment, a_router, a_submission, keep


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


async def ask(stack: PlumbingStack, request: Any) -> Any:
    return await (await stack.asker("operator")).ask(request, service="fees")


async def read_back(stack: PlumbingStack) -> int | None:
    state: operations.Recovery = await ask(stack, operations.AskRecovery())
    return state.read_back


async def an_older_database(stack: PlumbingStack, count: int = 3) -> tuple[list[str], str]:
    """A service announces, hears, and is then given a database that knows nothing of it; what it announced and heard."""
    running = await stack.replica()
    asker = await stack.asker()
    payments = [a_payment(slip_number=f"SLIP-{number}") for number in range(count)]
    for payment in payments:
        await asker.ask(payment, token=stack.token())
    submission = a_submission()
    await stack.publish(submission)

    async def done() -> bool:
        sent = [row.sent_at for row in await stack.rows(outbox)]
        return len(sent) == count and all(sent) and len(await stack.effects()) == count + 1

    await eventually(done)
    await running.stop()
    async with stack.database.writing() as transaction:
        for table in (outbox, inbox):
            await transaction.session.execute(table.delete())
    return [str(payment.certificate_id) for payment in payments], str(submission.certificate_id)


async def restarted(stack: PlumbingStack) -> Running:
    running = await stack.replica(a_recovering_router(), ready=False)

    async def says_so() -> bool:
        return any("run `co recover fees`" in problem for problem in await running.replica.problems())

    await eventually(says_so)
    return running


async def test_it_notices_by_itself_refuses_commands_and_answers_questions(stack: PlumbingStack) -> None:
    await an_older_database(stack)

    await restarted(stack)

    state: operations.Recovery = await ask(stack, operations.AskRecovery())
    assert state.recovering
    assert "evt.fee.settled.v1" in (state.because or "")
    asker = await stack.asker()
    with pytest.raises(AskRefused, match="service_recovering"):
        await asker.ask(a_payment(), token=stack.token())
    assert await asker.ask(GetInvoice(certificate_id=a_payment().certificate_id), token=stack.token())


async def test_it_reads_its_events_back_hears_others_again_and_works_once_confirmed(stack: PlumbingStack) -> None:
    announced, submitted = await an_older_database(stack)
    await restarted(stack)
    with pytest.raises(AskRefused, match="recovery_not_compared"):
        await ask(stack, operations.LearnLostKeys(fact="kept", keys=("x",)))
    state: operations.Recovery = await ask(stack, operations.AskRecovery())
    assert state.began_at

    operator = await stack.client("operator")
    await deliver_for_recovery(operator.jetstream(), "fees", state.began_at)

    await eventually(lambda: read_back(stack), within=15)
    assert await read_back(stack) == len(announced)
    assert sorted((await stack.effects())[4:7]) == sorted(f"announced {key}" for key in announced)
    assert len(await stack.rows(outbox)) == len(announced)
    await eventually(lambda: _heard_twice(stack, submitted))
    with pytest.raises(AskRefused, match="recovery_not_compared"):
        await ask(stack, operations.ConfirmRecovery())
    await ask(stack, operations.LearnLostKeys(fact="kept", keys=("lost-1", "lost-2")))
    assert (await ask(stack, operations.LearnLostKeys(fact="kept", keys=("lost-2",)))).learned == 0
    assert (await ask(stack, operations.ListLostKeys(fact="kept"))).keys == ("lost-1", "lost-2")
    assert not (await ask(stack, operations.ConfirmRecovery())).recovering

    async def works() -> bool:
        return (await ask(stack, operations.AskHealth())).ready

    await eventually(works)
    await (await stack.asker()).ask(a_payment(slip_number="SLIP-NEW"), token=stack.token())
    assert "SLIP-NEW" in await stack.effects()
    assert {"learnt lost-1", "learnt lost-2"} <= set(await stack.effects())


async def _heard_twice(stack: PlumbingStack, submitted: str) -> bool:
    return (await stack.effects()).count(submitted) == 2


async def test_it_still_recovers_after_a_restart_in_the_midst_of_it(sqlite_stack: PlumbingStack) -> None:
    await an_older_database(sqlite_stack)
    running = await restarted(sqlite_stack)
    await running.stop()

    await restarted(sqlite_stack)

    assert len(await sqlite_stack.rows(recoveries)) == 1


async def test_a_consumer_of_a_former_recovery_is_not_mistaken_for_this_one(sqlite_stack: PlumbingStack) -> None:
    announced, _ = await an_older_database(sqlite_stack)
    running = await restarted(sqlite_stack)
    state: operations.Recovery = await ask(sqlite_stack, operations.AskRecovery())
    assert state.began_at
    operator = await sqlite_stack.client("operator")
    await deliver_for_recovery(operator.jetstream(), "fees", state.began_at.replace(year=2020))
    await running.stop()
    await restarted(sqlite_stack)
    assert await read_back(sqlite_stack) is None

    await deliver_for_recovery(operator.jetstream(), "fees", state.began_at)

    await eventually(lambda: read_back(sqlite_stack), within=15)
    assert await read_back(sqlite_stack) == len(announced)


async def test_a_service_in_good_times_is_not_in_recovery(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()

    assert not (await ask(sqlite_stack, operations.AskRecovery())).recovering
    for command in (operations.ConfirmRecovery(), operations.LearnLostKeys(fact="kept", keys=())):
        with pytest.raises(AskRefused, match="not_recovering"):
            await ask(sqlite_stack, command)


async def test_a_recovery_that_is_noted_in_the_database_is_heeded(sqlite_stack: PlumbingStack) -> None:
    async with sqlite_stack.database.writing() as transaction:
        row = {"because": "It was restored from a copy.", "began_at": sqlite_stack.clock.now()}
        await transaction.session.execute(insert(recoveries).values(row))

    await restarted(sqlite_stack)

    assert (await ask(sqlite_stack, operations.AskRecovery())).because == "It was restored from a copy."
