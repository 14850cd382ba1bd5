"""Replay: a service publishes stored events again, or announces the present state of its nouns."""

from sqlalchemy import update

from shared.contracts import operations
from shared.database.tables import outbox
from shared.handling.router import Router
from shared.handling.work import Work
from shared.operations.consistency import page_of
from shared.refusals import Refused

router = Router()


class NounNotOwned(Refused):
    code = "noun_not_owned"


@router.answers(operations.Republish)
async def republish(command: operations.Republish, work: Work) -> operations.Republished:
    """Marks events of the outbox as unsent."""
    unsent = update(outbox).where(outbox.c.event_id.in_(command.event_ids)).values(sent_at=None, claimed_until=None)
    return operations.Republished(republished=len((await work.session.execute(unsent.returning(outbox.c.id))).all()))


@router.answers(operations.Reannounce)
async def reannounce(command: operations.Reannounce, work: Work) -> operations.Reannounced:
    """Announces the present state of one page of a noun."""
    reannouncing = work.use(Router).reannouncing
    if command.noun not in reannouncing:
        raise NounNotOwned("noun")
    keys, announce = reannouncing[command.noun]
    page = await page_of(keys, command.after, command.limit, work)
    for key in page:
        await announce(key, work)
    following = str(page[-1]) if len(page) == command.limit else None
    return operations.Reannounced(announced=len(work.announced), go_on_after=following, next=following)
