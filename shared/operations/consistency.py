"""What a service vouches for, so that an audit can compare it with what others say; and saying it once more."""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, SelectBase, func, select, update

from shared.contracts import operations
from shared.contracts.index import events_heard_by, events_of
from shared.refusals import Refused
from shared.handling.router import Router
from shared.database.tables import inbox, lost_keys, outbox
from shared.handling.work import Work

if TYPE_CHECKING:
    from shared.runtime.replica import Replica


class FactUnknown(Refused):
    """This service does not vouch for that fact."""

    code = "fact_not_vouched"


class NounNotOwned(Refused):
    """This service does not announce that noun."""

    code = "noun_not_owned"


class KeyMalformed(Refused):
    """This is not such a key."""

    code = "malformed_request"


def consistency_of(replica: "Replica") -> Router:
    """The handlers by which every service answers the audit and announces again."""
    router = Router()
    announced = {operations.announced(event): event.subject for event in events_of(replica.name)}
    heard = {operations.heard(event): event.subject for event in events_heard_by(replica.name)}

    def keys_of(fact: str, since: datetime | None) -> SelectBase:
        if fact in announced:
            mine = select(outbox.c.event_id).where(outbox.c.subject == announced[fact])
            return mine.where(outbox.c.recorded_at >= since) if since else mine
        if fact in heard:
            return select(inbox.c.event_id).where(inbox.c.subject == heard[fact])
        if fact in replica.router.facts:
            return replica.router.facts[fact]
        raise FactUnknown("", "fact")

    @router.answers(operations.AskDigest)
    async def ask_digest(question: operations.AskDigest, work: Work) -> operations.Digest:
        names = question.facts or sorted((*replica.router.facts, *announced, *heard))
        return operations.Digest(
            service=replica.name,
            heard_since=await work.session.scalar(select(func.min(inbox.c.received_at))),
            facts=tuple([await _digest_of(name, keys_of(name, question.since), work) for name in names]),
        )

    @router.answers(operations.ListKeys)
    async def list_keys(question: operations.ListKeys, work: Work) -> operations.Keys:
        keys = keys_of(question.fact, question.since)
        found = await _page(keys, question.after, question.limit, work, repeated=question.repeated)
        return operations.Keys(keys=tuple(map(str, found)))

    @router.answers(operations.ListLostKeys)
    async def list_lost_keys(question: operations.ListLostKeys, work: Work) -> operations.Keys:
        lost = select(lost_keys.c.key).where(lost_keys.c.fact == question.fact)
        return operations.Keys(keys=tuple(await _page(lost, question.after, question.limit, work)))

    @router.answers(operations.Republish)
    async def republish(command: operations.Republish, work: Work) -> operations.Republished:
        anew = update(outbox).where(outbox.c.event_id.in_(command.event_ids)).values(sent_at=None, claimed_until=None)
        return operations.Republished(republished=len((await work.session.execute(anew.returning(outbox.c.id))).all()))

    @router.answers(operations.Reannounce)
    async def reannounce(command: operations.Reannounce, work: Work) -> operations.Reannounced:
        if command.noun not in replica.router.reannouncing:
            raise NounNotOwned("", "noun")
        keys, announce = replica.router.reannouncing[command.noun]
        page = await _page(keys, command.after, command.limit, work)
        for key in page:
            await announce(key, work)
        return operations.Reannounced(announced=len(work.announced), go_on_after=str(page[-1]) if len(page) == command.limit else None)

    return router


async def _digest_of(name: str, keys: SelectBase, work: Work) -> operations.Fact:
    (column,) = keys.subquery().c
    count, repeated, digest = 0, 0, 0
    former: str | None = None
    already = False
    async for found in await work.session.stream_scalars(select(column).order_by(column)):
        key = str(found)
        if key != former:
            count += 1
            digest ^= int.from_bytes(hashlib.sha256(key.encode()).digest())
            already = False
        elif not already:
            repeated += 1
            already = True
        former = key
    return operations.Fact(name=name, count=count, digest=f"{digest:064x}", repeated=repeated)


async def _page(keys: SelectBase, after: str, limit: int, work: Work, *, repeated: bool = False) -> list[Any]:
    """The keys that follow `after`, in order, each once; or only those that come more than once."""
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
        raise KeyMalformed("", "after") from None
