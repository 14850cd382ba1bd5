"""Consistency: each service reports its facts as digests and keys, and `co audit` compares all services."""

import asyncio
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, SelectBase, String, Uuid, cast, func, select

from shared.contracts import operations
from shared.contracts.index import events_heard_by, events_of
from shared.database.tables import inbox, lost_keys, outbox
from shared.handling.router import Router
from shared.handling.work import Work
from shared.refusals import Refused

router = Router()

PART = 500
"""Keys that are read before other tasks get their turn."""


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
    return operations.Digest(
        service=work.service,
        heard_since=await work.session.scalar(select(func.min(inbox.c.received_at))),
        facts=tuple([await _digest_of(name, _keys_of(name, question.since, work), work) for name in names]),
    )


@router.answers(operations.ListKeys)
async def list_keys(question: operations.ListKeys, work: Work) -> operations.Keys:
    """Returns one page of the keys for which a fact is true."""
    keys = _keys_of(question.fact, question.since, work)
    found = await page_of(keys, question.after, question.limit, work, repeated=question.repeated)
    return _page(list(map(str, found)), question.limit)


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


async def _digest_of(name: str, keys: SelectBase, work: Work) -> operations.Fact:
    """Reads all keys. Meanwhile other tasks get their turn after each part of them."""
    (column,) = keys.subquery().c
    as_key = _dashed if isinstance(column.type, Uuid) else str
    counted, repeated, digest = 0, 0, 0
    former = twice = ""
    result = await work.session.stream(select(cast(column, String)).order_by(column))
    async for part in result.partitions(PART):
        for (found,) in part:
            if found != former:
                counted += 1
                digest ^= int.from_bytes(sha256(as_key(found).encode()).digest())
                former = found
            elif found != twice:
                repeated += 1
                twice = found
        await asyncio.sleep(0)
    return operations.Fact(name=name, count=counted, digest=f"{digest:064x}", repeated=repeated)


def _dashed(text: str) -> str:
    """An id as `str` writes it. SQLite stores it without dashes; to make an object of each would take most of the time."""
    return text if len(text) > 32 else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


async def page_of(keys: SelectBase, after: str, limit: int, work: Work, *, repeated: bool = False) -> list[Any]:
    """The keys after `after`, in ascending order, without duplicates. Raises KeyMalformed.

    `repeated`: only the keys that occur more than once.
    """
    (column,) = keys.subquery().c
    page = select(column).group_by(column).order_by(column).limit(limit)
    if after:
        page = page.where(column > _as_key(after, column))
    if repeated:
        page = page.having(func.count() > 1)
    return list(await work.session.scalars(page))


def _as_key(text: str, column: ColumnElement[Any]) -> object:
    try:
        return column.type.python_type(text)
    except ValueError:
        raise KeyMalformed("after") from None
