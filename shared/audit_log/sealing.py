"""Each minute the acts of a service are sealed, and its operators may read acts and seals."""

from datetime import datetime, timedelta
from operator import eq, ge, lt
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import func, select, update

from shared.contracts.audit_log import Act, Acts, FindActs, ListActs, ListSeals, Seal, Seals
from shared.handling.router import Router
from shared.audit_log.seals import NO_FORMER, lines_of, sha256, statement_of
from shared.database.upserts import enqueue_tasks, insert_new
from shared.database.tables import trail, trail_seals
from shared.handling.task import Task
from shared.handling.work import Work

if TYPE_CHECKING:
    from shared.runtime.replica import Replica

MAX_SEALED = 1000
"""Acts under one seal."""
MAX_SEALS = 100
MAX_LINES = 8000
"""Seals, and lines of them, that travel in one message."""

UNSEALED = trail.c.seal.is_(None)


class SealActs(Task):
    """Seals what was done since the former seal."""

    kind: ClassVar[str] = "seal"


def sealing_of(replica: "Replica") -> Router:
    """The handlers by which every service seals its trail and shows it to its operators."""
    router = Router()

    @router.due(SealActs)
    async def seal(task: SealActs, work: Work) -> None:
        former = await _last_seal(work)  # before the acts: those that are sealed meanwhile are then not among them
        rows = (await work.session.execute(select(trail).where(UNSEALED).order_by(trail.c.id).limit(MAX_SEALED))).mappings()
        if acts := [Act(**row) for row in rows]:
            await _seal(acts, former, work)
        next_minute = work.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        await leave_sealing(work, work.now if len(acts) == MAX_SEALED else next_minute)

    async def _seal(acts: list[Act], former: Seal | None, work: Work) -> None:
        lines = lines_of(acts)
        unsigned = Seal(
            number=former.number + 1 if former else 1,
            at=work.now,
            former=sha256(statement_of(former, replica.name, work.country)) if former else NO_FORMER,
            acts=len(acts),
            batch=sha256(lines),
            sealed=lines,
            key=replica.key.public_key.decode(),
            signature="",
        )
        signature = replica.key.sign(statement_of(unsigned, replica.name, work.country).encode())
        row = unsigned.model_dump() | {"signature": signature.hex()}
        if (await work.session.execute(insert_new(work.dialect, trail_seals, [row]))).all():
            ids = [act.id for act in acts]
            await work.session.execute(update(trail).where(trail.c.id.in_(ids)).values(seal=unsigned.number))
        # else another replica has just set the seal of this number, and the acts are under it or wait for the next

    @router.answers(ListSeals)
    async def list_seals(question: ListSeals, work: Work) -> Seals:
        following = select(trail_seals).where(trail_seals.c.number > question.after).order_by(trail_seals.c.number)
        seals: list[Seal] = []
        lines = 0
        for row in (await work.session.execute(following.limit(MAX_SEALS))).mappings():
            lines += row["acts"]
            if seals and lines > MAX_LINES:
                break
            seals.append(Seal(**row))
        unsealed = await work.session.scalar(select(func.count()).select_from(trail).where(UNSEALED)) or 0
        return Seals(service=replica.name, country=work.country, seals=tuple(seals), unsealed=unsealed)

    @router.answers(ListActs)
    async def list_acts(question: ListActs, work: Work) -> Acts:
        under = trail.c.seal.between(question.first_seal, question.last_seal)
        page = select(trail).where(under).order_by(trail.c.id).limit(question.limit)
        if question.after is not None:
            page = page.where(trail.c.id > question.after)
        return Acts(acts=tuple(Act(**row) for row in (await work.session.execute(page)).mappings()))

    @router.answers(FindActs)
    async def find_acts(question: FindActs, work: Work) -> Acts:
        asked = (
            (trail.c.actor, eq, question.actor),
            (trail.c.on_id, eq, question.on),
            (trail.c.at, ge, question.since),
            (trail.c.at, lt, question.until),
            (trail.c.id, lt, question.before),
        )
        conditions = [is_so(column, value) for column, is_so, value in asked if value is not None]
        page = select(trail).where(*conditions).order_by(trail.c.id.desc()).limit(question.limit)
        return Acts(acts=tuple(Act(**row) for row in (await work.session.execute(page)).mappings()))

    return router


async def _last_seal(work: Work) -> Seal | None:
    last = select(trail_seals).order_by(trail_seals.c.number.desc()).limit(1)
    row = (await work.session.execute(last)).mappings().first()
    return Seal(**row) if row else None


async def leave_sealing(work: Work, due_at: datetime) -> None:
    """Leaves the sealing of a minute, once for all replicas. It follows from no act, so it continues no trace."""
    key = due_at.replace(second=0, microsecond=0).isoformat()
    row = {"kind": SealActs.kind, "key": key, "body": SealActs().model_dump_json(), "due_at": due_at, "scheduled": True}
    await work.session.execute(enqueue_tasks(work.dialect), [row])
