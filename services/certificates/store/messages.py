"""Queries for the messages about certificates."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, insert, select

from services.certificates.domain.message import Message
from services.certificates.store.tables import certificate_messages as messages
from shared.database.paging import CursorMalformed
from shared.handling.work import Work


async def find_message(work: Work, message_id: UUID) -> Message | None:
    """The message, or None."""
    row = (await work.session.execute(select(messages).where(messages.c.message_id == message_id))).first()
    return None if row is None else Message(**row._mapping)


async def count_messages(work: Work, certificate_id: UUID) -> int:
    """The number of messages about a certificate. The certificate is locked, so nobody else adds one meanwhile."""
    last = select(func.max(messages.c.number)).where(messages.c.certificate_id == certificate_id)
    return await work.session.scalar(last) or 0


async def keep_message(work: Work, message: Message) -> None:
    """Keeps a message."""
    await work.session.execute(insert(messages).values(vars(message)))


async def find_last_message(work: Work, certificate_id: UUID) -> Message | None:
    """The last message about a certificate, or None."""
    found, _ = await messages_of(work, certificate_id, None, 1)
    return found[0] if found else None


async def messages_of(
    work: Work, certificate_id: UUID, before: UUID | None, limit: int
) -> tuple[Sequence[Message], UUID | None]:
    """The messages about a certificate before one of them, latest first, and the message to continue before.

    Raises CursorMalformed.
    """
    wanted = select(messages).where(messages.c.certificate_id == certificate_id)
    if before is not None:
        reached = await find_message(work, before)
        if reached is None or reached.certificate_id != certificate_id:
            raise CursorMalformed("before")
        wanted = wanted.where(messages.c.number < reached.number)
    rows = (await work.session.execute(wanted.order_by(messages.c.number.desc()).limit(limit + 1))).all()
    found = [Message(**row._mapping) for row in rows[:limit]]
    return found, found[-1].message_id if len(rows) > limit else None


with_messages = select(messages.c.certificate_id).distinct()
