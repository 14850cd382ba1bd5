"""Sealing: every minute a service seals the new entries of its audit log. Operators read entries and seals (decision 0012)."""

from collections.abc import Iterator
from datetime import timedelta
from operator import eq, ge, lt
from typing import Any, ClassVar

import nkeys
from sqlalchemy import ColumnElement, Select, func, select, update

from shared.audit_log.seals import NO_FORMER, lines_of, sha256, statement_of
from shared.clock import MAX_CLOCK_SKEW
from shared.contracts.audit_log import Act, Acts, FindActs, ListActs, ListSeals, Seal, Seals
from shared.database.tables import audit_log, audit_seals
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

MAX_SEALED = 1000
"""Maximum entries of one seal."""
MAX_SEALS = 100
MAX_LINES = 8000
"""Maximum seals in one answer, and maximum lines of these seals."""

UNSEALED = audit_log.c.seal.is_(None)

router = Router()


class SealingKey:
    """The nkey of the service on the bus, which also signs its seals."""

    def __init__(self, key: nkeys.KeyPair) -> None:
        self._key = key
        self.public = key.public_key.decode()

    def sign(self, statement: str) -> str:
        """The signature of a statement, hexadecimal."""
        return bytes(self._key.sign(statement.encode())).hex()


class SealActs(Task):
    """Seals the entries since the last seal."""

    kind: ClassVar[str] = "seal"
    every: ClassVar[timedelta | None] = timedelta(minutes=1)


@router.due(SealActs)
async def seal(task: SealActs, work: Work) -> None:
    """Seals at most `MAX_SEALED` entries. If there are more, the task runs again at once."""
    former = await _last_seal(work)  # read first, so that no entry sealed by another replica is read as unsealed
    rows = (await work.session.execute(select(audit_log).where(UNSEALED).order_by(audit_log.c.id).limit(MAX_SEALED))).mappings()
    if acts := [Act(**row) for row in rows]:
        await _seal(acts, former, work)
    if len(acts) == MAX_SEALED:
        work.later(task, key=SealActs.period_of(work.now).isoformat())


async def _seal(acts: list[Act], former: Seal | None, work: Work) -> None:
    lines, key = lines_of(acts), work.use(SealingKey)
    unsigned = Seal(
        number=former.number + 1 if former else 1,
        at=work.now,
        former=sha256(statement_of(former, work.service, work.country)) if former else NO_FORMER,
        acts=len(acts),
        batch=sha256(lines),
        sealed=lines,
        key=key.public,
        signature="",
    )
    signature = key.sign(statement_of(unsigned, work.service, work.country))
    if await work.insert_new(audit_seals, [unsigned.model_dump() | {"signature": signature}]):
        ids = [act.id for act in acts]
        await work.session.execute(update(audit_log).where(audit_log.c.id.in_(ids)).values(seal=unsigned.number))
    # else another replica has just made the seal with this number; it covers these entries, or the next one will


@router.answers(ListSeals)
async def list_seals(question: ListSeals, work: Work) -> Seals:
    """Returns the seals after a number, and the number of unsealed entries."""
    following = select(audit_seals).where(audit_seals.c.number > question.after).order_by(audit_seals.c.number)
    found: list[Seal] = []
    lines = 0
    for row in (await work.session.execute(following.limit(MAX_SEALS))).mappings():
        lines += row["acts"]
        if found and lines > MAX_LINES:
            break
        found.append(Seal(**row))
    unsealed = await work.session.scalar(select(func.count()).select_from(audit_log).where(UNSEALED)) or 0
    last = found[-1].number if found else None
    return Seals(service=work.service, country=work.country, seals=tuple(found), unsealed=unsealed, next=last)


@router.answers(ListActs)
async def list_acts(question: ListActs, work: Work) -> Acts:
    """Returns the entries of a range of seals, in order."""
    under = audit_log.c.seal.between(question.first_seal, question.last_seal)
    page = select(audit_log).where(under).order_by(audit_log.c.id).limit(question.limit)
    if question.after is not None:
        page = page.where(audit_log.c.id > question.after)
    return await _page(page, question.limit, work)


@router.answers(FindActs)
async def find_acts(question: FindActs, work: Work) -> Acts:
    """Returns the entries of an actor, a subject or a time range, newest first."""
    filters = (
        (audit_log.c.actor, eq, question.actor),
        (audit_log.c.on_id, eq, question.on),
        (audit_log.c.at, ge, question.since),
        (audit_log.c.at, lt, question.until),
        (audit_log.c.id, lt, question.before),
    )
    conditions = [compare(column, value) for column, compare, value in filters if value is not None]
    page = select(audit_log).where(*conditions, *_between(question)).order_by(audit_log.c.id.desc()).limit(question.limit)
    return await _page(page, question.limit, work)


def _between(question: FindActs) -> Iterator[ColumnElement[bool]]:
    """The ids of a time range. Without them all entries are read: ids follow time, but for the clocks of replicas."""
    one = select(audit_log.c.id).limit(1)
    if question.since is not None:
        first = one.where(audit_log.c.at >= question.since - MAX_CLOCK_SKEW).order_by(audit_log.c.at)
        yield audit_log.c.id >= first.scalar_subquery()
    if question.until is not None:
        last = one.where(audit_log.c.at < question.until + MAX_CLOCK_SKEW).order_by(audit_log.c.at.desc())
        yield audit_log.c.id <= last.scalar_subquery()


async def _page(page: Select[Any], limit: int, work: Work) -> Acts:
    acts = tuple(Act(**row) for row in (await work.session.execute(page)).mappings())
    return Acts(acts=acts, next=acts[-1].id if len(acts) == limit else None)


async def _last_seal(work: Work) -> Seal | None:
    last = select(audit_seals).order_by(audit_seals.c.number.desc()).limit(1)
    row = (await work.session.execute(last)).mappings().first()
    return Seal(**row) if row else None
