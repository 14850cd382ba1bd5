"""The audit log: every command once, in its own transaction, and every later change is found."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import nkeys
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, text, update

from cli.seal_check import Chain, Checkpoint, Verification
from shared.audit_log import sealing
from shared.audit_log.log import address_in
from shared.audit_log.seals import lines_of, sha256, statement_of
from shared.bus.client import AskRefused
from shared.contracts.audit_log import Act, FindActs, Seal
from shared.contracts.index import contracts
from shared.contracts.messages import Command
from shared.contracts.operations import DiscardDeadLetter
from shared.database.tables import audit_log, audit_seals, tasks
from shared.database.upserts import enqueue_tasks
from shared.handling.actor import Mandated
from tests.conftest import eventually
from tests.support.plumbing_stack import PlumbingStack, Running, a_cashier, a_payment


async def a_replica(stack: PlumbingStack) -> Running:
    """A service early in a minute, which has nothing left to seal."""
    walked, stack.clock.ahead = stack.clock.ahead, timedelta()  # a replica starts only where clocks agree
    running = await stack.replica()
    stack.clock.ahead = walked + timedelta(seconds=65 - stack.clock.now().second)
    running.replica.context.something_due.set()

    async def waits_for_the_next_minute() -> bool:
        return all(row.due_at > stack.clock.now() for row in await stack.rows(tasks) if row.kind == "seal")

    await eventually(waits_for_the_next_minute)
    return running


async def acts_done(stack: PlumbingStack, *, times: int = 1) -> None:
    asker = await stack.asker()
    for _ in range(times):
        await asker.ask(a_payment(), token=stack.token())


async def seal(stack: PlumbingStack, running: Running) -> None:
    """The minute passes."""
    stack.clock.ahead += timedelta(seconds=61)
    running.replica.context.something_due.set()
    await eventually(lambda: all_sealed(stack), within=20)


async def all_sealed(stack: PlumbingStack) -> bool:
    return all(row.seal is not None for row in await stack.rows(audit_log))


async def a_sealed_trail(stack: PlumbingStack, *, seals: int = 3, acts: int = 2) -> Running:
    """A service whose trail has some seals, with some acts under each: acts 1 and 2 under seal 1, and so on."""
    running = await a_replica(stack)
    for _ in range(seals):
        await acts_done(stack, times=acts)
        await seal(stack, running)
    return running


async def proof_of(stack: PlumbingStack, saved: Checkpoint | None = None) -> Verification:
    """What an operator finds who knows the service's public key from the configuration of the bus."""
    keys = frozenset({stack.bus.secrets.public_key("KH", stack.service)})
    chain = Chain(await stack.asker("operator"), stack.service, keys)
    return await chain.verify({f"KH/{stack.service}": saved} if saved else {})


async def execute(stack: PlumbingStack, *statements: str) -> None:
    async with stack.database.writing() as transaction:
        for statement in statements:
            await transaction.session.execute(text(statement))


async def test_an_act_says_who_what_when_from_where_on_what_and_how_it_ended(stack: PlumbingStack) -> None:
    await stack.replica()
    cashier, command, before = a_cashier(), a_payment(), stack.clock.now()

    await (await stack.asker()).ask(command, token=stack.token(cashier), from_where="2001:DB8::0001")

    (row,) = await stack.rows(audit_log)
    assert before <= row.at <= stack.clock.now()
    assert row._asdict() | {"at": None, "seal": None} == {
        "id": row.id,
        "at": None,
        "actor": str(cashier.user_id),
        "session": cashier.session_id,
        "organisation": "PNH",
        "roles": "cashier",
        "act": "RecordPayment",
        "on_noun": "certificate",
        "on_id": str(command.certificate_id),
        "command_id": command.command_id,
        "from_where": "2001:db8::1",
        "outcome": "done",
        "seal": None,
    }
    assert command.slip_number not in str(row)


async def test_a_refused_act_is_in_the_trail_and_changed_nothing(stack: PlumbingStack) -> None:
    await stack.replica()
    auditor = a_cashier(roles=frozenset({"auditor"}))

    with pytest.raises(AskRefused, match="role_required"):
        await (await stack.asker()).ask(a_payment(), token=stack.token(auditor))

    (row,) = await stack.rows(audit_log)
    assert (row.actor, row.roles, row.act, row.outcome) == (str(auditor.user_id), "auditor", "RecordPayment", "role_required")
    assert await stack.effects() == []


async def test_what_an_agent_does_names_the_agent_and_for_whom(stack: PlumbingStack) -> None:
    await stack.replica()
    exporter, under = uuid4(), Mandated(uuid4(), uuid4())
    agent = a_cashier(organisation=str(exporter), mandate=under)

    with pytest.raises(AskRefused, match="outside_mandate"):
        await (await stack.asker()).ask(a_payment(), token=stack.token(agent))

    (row,) = await stack.rows(audit_log)
    assert (row.actor, row.organisation) == (str(agent.user_id), f"{under.agent_id} for {exporter}")
    assert row.outcome == "outside_mandate"


async def test_a_refusal_is_answered_also_where_the_trail_cannot_take_it(
    stack: PlumbingStack, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    await stack.replica()
    await execute(stack, "DROP TABLE trail")

    with pytest.raises(AskRefused, match="role_required"):
        await (await stack.asker()).ask(a_payment(), token=stack.token(a_cashier(roles=frozenset())))

    assert [
        line["outcome"] for line in logged() if line["message"] == "a refused command could not be recorded in the audit log"
    ] == ["role_required"]


async def test_an_act_that_the_trail_cannot_take_is_not_done(stack: PlumbingStack) -> None:
    await stack.replica()
    await execute(stack, "DROP TABLE trail")

    with pytest.raises(AskRefused, match="internal_error"):
        await (await stack.asker()).ask(a_payment(), token=stack.token())

    assert await stack.effects() == []


async def test_a_repeated_command_is_one_act(stack: PlumbingStack) -> None:
    await stack.replica()
    asker, token, command = await stack.asker(), stack.token(), a_payment()

    for _ in range(3):
        await asker.ask(command, token=token)

    assert len(await stack.rows(audit_log)) == 1


@pytest.mark.slow
async def test_two_hundred_acts_at_once_are_two_hundred_rows(stack: PlumbingStack) -> None:
    await stack.replica()
    asker, token = await stack.asker(patience=30), stack.token()
    commands = [a_payment(slip_number=f"SLIP-{number}") for number in range(200)]

    await asyncio.gather(*(asker.ask(command, token=token) for command in commands))

    assert sorted(row.command_id for row in await stack.rows(audit_log)) == sorted(command.command_id for command in commands)


async def test_the_operator_and_those_whom_nobody_knows_are_in_the_trail_too(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    with pytest.raises(AskRefused):
        await (await sqlite_stack.asker("operator")).ask(DiscardDeadLetter(id=7, because="a try"), service="fees")
    with pytest.raises(AskRefused):
        await (await sqlite_stack.asker()).ask(a_payment())

    rows = await sqlite_stack.rows(audit_log)

    assert [(row.actor, row.act, row.on_noun, row.outcome) for row in rows] == [
        ("operator", "DiscardDeadLetter", "dead_letter", "dead_letter_not_found"),
        ("anonymous", "RecordPayment", "certificate", "not_signed_in"),
    ]
    assert rows[0].on_id == "7"


async def test_acts_are_found_by_who_on_what_and_when_the_newest_first(stack: PlumbingStack) -> None:
    await stack.replica()
    asker, operator = await stack.asker(), await stack.asker("operator")
    cashier, payments, before = a_cashier(), [a_payment() for _ in range(4)], stack.clock.now()
    for payment in payments:
        await asker.ask(payment, token=stack.token(cashier if payment is not payments[2] else a_cashier()))

    async def found(**asked: Any) -> list[int]:
        acts = (await operator.ask(FindActs(**asked), service="fees")).acts
        return [[payment.command_id for payment in payments].index(act.command_id) for act in acts]

    assert await found() == [3, 2, 1, 0]
    assert await found(actor=str(cashier.user_id)) == [3, 1, 0]
    assert await found(on=str(payments[1].certificate_id)) == [1]
    assert await found(since=before, until=stack.clock.now(), limit=2) == [3, 2]
    assert await found(until=before) == []
    assert await found(since=stack.clock.now() + timedelta(days=1)) == []
    assert await found(since=before - timedelta(days=1), until=stack.clock.now() + timedelta(days=1)) == [3, 2, 1, 0]
    assert await found(before=(await stack.rows(audit_log))[2].id) == [1, 0]


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8::0001", "2001:db8::1"),
        (None, None),
        ("", None),
        ("192.0.2.7, 10.0.0.1", None),
        ("fe80::1%Sok Chan", None),
        ("localhost", None),
        ("1" * 10_000, None),
    ],
)
def test_from_where_is_an_address_or_nothing(header: str | None, address: str | None) -> None:
    assert address_in(header) == address


OF_ONESELF = {
    "BeginPasskey",
    "ChooseLanguage",
    "ConfirmSecondFactor",
    "EnrolSecondFactor",
    "GiveStepUp",
    "RefreshSession",
    "RenewRecoveryCodes",
    "RevokeSessions",
}
OF_MANY = {"ImportCertificates", "ImportProducts", "ImportRegistrations", "ImportUsers"}
NAMELESS = OF_ONESELF | OF_MANY | {"RequestPasswordReset"}
"""On nobody but who asks; on each row of a file; and the last tells nobody whether an address is known, the trail neither."""


def test_every_command_names_what_it_is_on_or_its_answer_does() -> None:
    commands = [contract for contract in contracts() if issubclass(contract, Command) and contract.audited]

    assert {command.__name__ for command in commands if not (command.about or command.answer.about)} == NAMELESS


async def test_acts_are_sealed_each_minute_and_what_is_sealed_holds(stack: PlumbingStack) -> None:
    running = await a_sealed_trail(stack)
    await acts_done(stack)

    proof = await proof_of(stack)

    assert (proof.differences, proof.seals, proof.acts, proof.unsealed) == ([], 3, 6, 1)
    assert proof.last
    assert proof.last.number == 3
    await seal(stack, running)
    assert (await proof_of(stack)).acts == 7


async def test_the_seals_can_be_computed_again_from_the_page_in_the_documentation(stack: PlumbingStack) -> None:
    """What `docs/operations.md` says, with no line of ours: plain rows, JSON, SHA-256, Ed25519."""
    await a_sealed_trail(stack)
    public_key = Ed25519PublicKey.from_public_bytes(base64.b32decode(stack.bus.secrets.public_key("KH", "fees"))[1:33])

    def form(fields: dict[str, Any]) -> bytes:
        plain = {
            name: value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            if isinstance(value, datetime)
            else value
            if value is None or isinstance(value, int)
            else str(value)
            for name, value in fields.items()
        }
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    former = "0" * 64
    for row in await stack.rows(audit_seals):
        acts = [act._asdict() for act in await stack.rows(audit_log) if act.seal == row.number]
        for act in acts:
            del act["seal"]
        lines = "".join(f"{act['id']} {hashlib.sha256(form(act)).hexdigest()}\n" for act in acts)
        statement = row._asdict() | {"service": "fees", "country": "KH"}
        sealed, signature = statement.pop("sealed"), statement.pop("signature")
        assert (sealed, row.batch) == (lines, hashlib.sha256(lines.encode()).hexdigest())
        assert row.former == former
        public_key.verify(bytes.fromhex(signature), form(statement))
        former = hashlib.sha256(form(statement)).hexdigest()
    assert former != "0" * 64


INSERT = """
    INSERT INTO trail (id, at, actor, act, command_id, outcome, seal)
    SELECT {id}, at, 'somebody', act, command_id, outcome, {seal} FROM trail WHERE id = 3
"""
TAMPERED = {
    "an outcome is changed": (["UPDATE trail SET outcome = 'refused' WHERE id = 3"], ["act 3 was changed since seal 2"]),
    "a person is changed": (["UPDATE trail SET actor = 'operator' WHERE id = 5"], ["act 5 was changed since seal 3"]),
    "an act is removed": (["DELETE FROM trail WHERE id = 4"], ["act 4 was removed: seal 2 names it"]),
    "an act is inserted": ([INSERT.format(id=99, seal=2)], ["act 99 was inserted: seal 2 does not name it"]),
    "an act is inserted below all": ([INSERT.format(id=-1, seal=1)], ["act -1 was inserted: seal 1 does not name it"]),
    "an act is inserted under no seal": ([INSERT.format(id=99, seal=-5)], ["act 99 refers to seal -5, which does not exist"]),
    "an act is moved": (
        ["UPDATE trail SET seal = 3 WHERE id = 3"],
        ["act 3 was removed: seal 2 names it", "act 3 was inserted: seal 3 does not name it"],
    ),
    "a seal is taken off": (["UPDATE trail SET seal = NULL WHERE id = 3"], ["act 3 was removed: seal 2 names it"]),
    "a seal is removed": (
        ["DELETE FROM trail_seals WHERE number = 2"],
        ["seal 3 follows seal 1: the seals between them are missing", "act 3, 4 refers to seal 2, which does not exist"],
    ),
    "a seal is removed with its acts": (
        ["DELETE FROM trail_seals WHERE number = 2", "DELETE FROM trail WHERE seal = 2"],
        ["seal 3 follows seal 1: the seals between them are missing"],
    ),
    "the last seal is removed": (
        ["DELETE FROM trail_seals WHERE number = 3"],
        ["act 5, 6 refers to seal 3, which does not exist"],
    ),
    "all seals are removed": (
        ["DELETE FROM trail_seals"],
        [
            "act 1, 2 refers to seal 1, which does not exist",
            "act 3, 4 refers to seal 2, which does not exist",
            "act 5, 6 refers to seal 3, which does not exist",
        ],
    ),
    "two seals are swapped": (
        [
            "UPDATE trail_seals SET number = 99 WHERE number = 2",
            "UPDATE trail_seals SET number = 2 WHERE number = 3",
            "UPDATE trail_seals SET number = 3 WHERE number = 99",
            "UPDATE trail SET seal = 5 - seal WHERE seal > 1",
        ],
        [
            "seal 2 does not contain the hash of seal 1",
            "seal 2 was changed: its signature is not valid",
            "seal 3 does not contain the hash of seal 2",
            "seal 3 was changed: its signature is not valid",
        ],
    ),
    "the lines of a seal are changed": (
        ["UPDATE trail_seals SET sealed = '' WHERE number = 2"],
        [
            "seal 2 was changed: its lines differ from the sealed lines, so any of its 2 acts may be wrong",
            "act 3 was inserted: seal 2 does not name it",
            "act 4 was inserted: seal 2 does not name it",
        ],
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_it_is_found_and_named_when(stack: PlumbingStack, what: str) -> None:
    await a_sealed_trail(stack)
    statements, doubts = TAMPERED[what]

    await execute(stack, *statements)

    assert (await proof_of(stack)).differences == doubts


async def seal_again(stack: PlumbingStack, key: nkeys.KeyPair, number: int) -> None:
    """Changes an act and computes its seal and all later ones again, as somebody with this key could."""
    async with stack.database.writing() as transaction:
        session = transaction.session
        first = select(audit_log.c.id).where(audit_log.c.seal == number).limit(1).scalar_subquery()
        await session.execute(update(audit_log).where(audit_log.c.id == first).values(actor="operator"))
        former = "0" * 64
        for row in (await session.execute(select(audit_seals).order_by(audit_seals.c.number))).mappings().all():
            if row["number"] >= number:
                under = select(audit_log).where(audit_log.c.seal == row["number"]).order_by(audit_log.c.id)
                lines = lines_of([Act(**act) for act in (await session.execute(under)).mappings()])
                forged = {"former": former, "sealed": lines, "batch": sha256(lines), "key": key.public_key.decode()}
                statement = statement_of(Seal(**{**row, **forged}), stack.service, "KH")
                forged["signature"] = key.sign(statement.encode()).hex()
                await session.execute(update(audit_seals).where(audit_seals.c.number == row["number"]).values(forged))
            else:
                statement = statement_of(Seal(**row), stack.service, "KH")
            former = sha256(statement)


async def test_seals_of_another_key_are_found(stack: PlumbingStack) -> None:
    await a_sealed_trail(stack)
    other = nkeys.from_seed(stack.bus.seed_file("gateway").read_bytes())

    await seal_again(stack, other, 2)

    name = other.public_key.decode()
    assert (await proof_of(stack)).differences == [
        f"seal {number} is signed by a key that is not of this service: {name}" for number in (2, 3)
    ]


async def test_a_history_rewritten_with_a_stolen_key_is_found_by_who_kept_a_checkpoint(stack: PlumbingStack) -> None:
    await a_sealed_trail(stack)
    kept = (await proof_of(stack)).last
    assert kept is not None

    await seal_again(stack, nkeys.from_seed(stack.bus.seed_file("fees").read_bytes()), 2)

    assert (await proof_of(stack)).differences == []
    (doubt,) = (await proof_of(stack, kept)).differences
    assert doubt.startswith("seal 3 differs from the checkpoint of ")


async def test_a_tail_that_was_cut_off_is_found_by_who_kept_a_checkpoint(stack: PlumbingStack) -> None:
    running = await a_sealed_trail(stack)
    kept = (await proof_of(stack)).last
    assert (await proof_of(stack, kept)).differences == []

    await execute(stack, "DELETE FROM trail WHERE seal = 3", "DELETE FROM trail_seals WHERE number = 3")

    assert (await proof_of(stack)).differences == []
    (doubt,) = (await proof_of(stack, kept)).differences
    assert re.fullmatch(r"seal 3 of the checkpoint of [0-9-]+ is missing, and every seal after seal 2", doubt)
    await acts_done(stack)
    await seal(stack, running)
    (doubt,) = (await proof_of(stack, kept)).differences
    assert doubt.startswith("seal 3 differs from the checkpoint of ")


async def test_replicas_that_seal_at_the_same_time_make_one_chain(
    stack: PlumbingStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "MAX_SEALED", 5)
    replicas = [await stack.replica(), await stack.replica()]
    asker, token = await stack.asker(patience=30), stack.token()

    async def leave_many() -> None:
        row = {"kind": "seal", "body": "{}", "due_at": stack.clock.now(), "scheduled": False}
        async with stack.database.writing() as transaction:
            rows = [row | {"key": str(uuid4())} for _ in range(20)]
            await enqueue_tasks(transaction.session, rows)
        for running in replicas:
            running.replica.context.something_due.set()

    for _ in range(4):
        await asyncio.gather(*(asker.ask(a_payment(), token=token) for _ in range(20)), leave_many())

    await seal(stack, replicas[0])
    proof = await proof_of(stack)
    assert (proof.differences, proof.acts, proof.unsealed) == ([], 80, 0)
    assert proof.seals >= 16


async def test_what_a_crash_left_unsealed_is_sealed_by_the_next_replica(stack: PlumbingStack) -> None:
    running = await a_replica(stack)
    await acts_done(stack, times=3)
    await running.stop()
    assert not await all_sealed(stack)

    stack.clock.ahead = timedelta()
    await stack.replica()

    await eventually(lambda: all_sealed(stack))
    proof = await proof_of(stack)
    assert (proof.differences, proof.acts) == ([], 3)


async def test_an_act_that_was_committed_late_is_under_the_next_seal(stack: PlumbingStack) -> None:
    running = await a_replica(stack)
    await acts_done(stack, times=3)
    await execute(stack, "UPDATE trail SET seal = 0 WHERE id = 1")  # as if its transaction were not committed yet
    await seal(stack, running)

    await execute(stack, "UPDATE trail SET seal = NULL WHERE id = 1")
    await seal(stack, running)

    assert [(row.id, row.seal) for row in await stack.rows(audit_log)] == [(1, 2), (2, 1), (3, 1)]
    assert (await proof_of(stack)).differences == []
