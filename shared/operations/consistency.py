"""Consistency: each service reports its facts as digests and keys, and `co audit` compares all services."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import URL, ColumnElement, NullPool, Select, SelectBase, String, Uuid, cast, create_engine, func, select

from shared.contracts import operations
from shared.contracts.index import events_heard_by, events_of
from shared.database.tables import inbox, lost_keys, outbox
from shared.handling.router import Router
from shared.handling.work import Work
from shared.refusals import Refused

router = Router()

PART = 500
"""Rows that are read before other tasks get their turn."""


class FactUnknown(Refused):
    code = "fact_not_vouched"


class KeyMalformed(Refused):
    code = "malformed_request"
    variant = "key"


@router.answers(operations.AskDigest)
async def ask_digest(question: operations.AskDigest, work: Work) -> operations.Digest:
    """Returns the digests of the facts that the question names, or of all facts."""
    facts = work.use(Router).facts
    names = question.facts or sorted((*facts, *_announced(work.service), *_received(work.service)))
    digests = {name: _Digest(_keys_of(name, question.since, work)) for name in names}
    await _read({digest.statement: digest.add for digest in digests.values()}, work)
    return operations.Digest(
        service=work.service,
        heard_since=await work.session.scalar(select(func.min(inbox.c.received_at))),
        facts=tuple(digest.fact(name) for name, digest in digests.items()),
    )


@router.answers(operations.ListKeys)
async def list_keys(question: operations.ListKeys, work: Work) -> operations.Keys:
    """Returns one page of the keys for which a fact is true."""
    keys = _keys_of(question.fact, question.since, work)
    found: list[Any] = []
    await _read({_page_of(keys, question.after, question.limit, repeated=question.repeated): found.extend}, work)
    return _page([str(key) for (key,) in found], question.limit)


@router.answers(operations.ListLostKeys)
async def list_lost_keys(question: operations.ListLostKeys, work: Work) -> operations.Keys:
    """Returns one page of the keys that this service has lost."""
    lost = select(lost_keys.c.key).where(lost_keys.c.fact == question.fact)
    return _page(await page_of(lost, question.after, question.limit, work), question.limit)


def _page(keys: list[str], limit: int) -> operations.Keys:
    return operations.Keys(keys=tuple(keys), next=keys[-1] if len(keys) == limit else None)


def _announced(service: str) -> dict[str, str]:
    return {operations.announced(event): event.subject for event in events_of(service)}


def _received(service: str) -> dict[str, str]:
    return {operations.heard(event): event.subject for event in events_heard_by(service)}


def _keys_of(fact: str, since: datetime | None, work: Work) -> SelectBase:
    if subject := _announced(work.service).get(fact):
        announced = select(outbox.c.event_id).where(outbox.c.subject == subject)
        return announced.where(outbox.c.recorded_at >= since) if since else announced
    if subject := _received(work.service).get(fact):
        return select(inbox.c.event_id).where(inbox.c.subject == subject)
    facts = work.use(Router).facts
    if fact not in facts:
        raise FactUnknown("fact")
    return facts[fact]


class _Digest:
    """The digest of the keys of a fact. They come in order."""

    def __init__(self, keys: SelectBase) -> None:
        (column,) = keys.subquery().c
        self.statement = select(cast(column, String)).order_by(column)
        self._as_key = _dashed if isinstance(column.type, Uuid) else str
        self._count = self._repeated = self._digest = 0
        self._former = self._twice = ""

    def add(self, rows: Iterable[Any]) -> None:
        """Adds the next keys."""
        for (found,) in rows:
            if found != self._former:
                self._count += 1
                self._digest ^= int.from_bytes(sha256(self._as_key(found).encode()).digest())
                self._former = found
            elif found != self._twice:
                self._repeated += 1
                self._twice = found

    def fact(self, name: str) -> operations.Fact:
        """The fact, after all keys were added."""
        return operations.Fact(name=name, count=self._count, digest=f"{self._digest:064x}", repeated=self._repeated)


def _dashed(text: str) -> str:
    """An id as `str` writes it. SQLite stores it without dashes; to make an object of each would take most of the time."""
    return text if len(text) > 32 else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


async def _read(statements: Mapping[Select[Any], Callable[[Sequence[Any]], None]], work: Work) -> None:
    """Hands the rows of statements that read very much to functions, in parts. Meanwhile other tasks get their turn."""
    bind = work.session.get_bind()
    if bind.dialect.name == "sqlite":  # it reads in the calling thread, and sorts all before the first row
        await asyncio.to_thread(_read_on_sqlite, statements, bind.engine.url.set(drivername="sqlite"))
        return
    for statement, take in statements.items():
        async for part in (await work.session.stream(statement)).partitions(PART):
            take(part)
            await asyncio.sleep(0)


def _read_on_sqlite(statements: Mapping[Select[Any], Callable[[Sequence[Any]], None]], url: URL) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")  # all statements read the same
        for statement, take in statements.items():
            for part in connection.execution_options(yield_per=PART).execute(statement).partitions():
                take(part)
        connection.exec_driver_sql("ROLLBACK")


async def page_of(keys: SelectBase, after: str, limit: int, work: Work) -> list[Any]:
    """The keys after `after`, in ascending order, without duplicates. Raises KeyMalformed."""
    return list(await work.session.scalars(_page_of(keys, after, limit)))


def _page_of(keys: SelectBase, after: str, limit: int, *, repeated: bool = False) -> Select[Any]:
    """`repeated`: only the keys that occur more than once."""
    (column,) = keys.subquery().c
    page = select(column).group_by(column).order_by(column).limit(limit)
    if after:
        page = page.where(column > _as_key(after, column))
    return page.having(func.count() > 1) if repeated else page


def _as_key(text: str, column: ColumnElement[Any]) -> object:
    try:
        return column.type.python_type(text)
    except ValueError:
        raise KeyMalformed("after") from None
