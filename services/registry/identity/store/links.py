"""One-time links. Only the hashes of their tokens are stored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select, update

from services.registry.identity.domain.link import LASTS, Purpose
from services.registry.identity.domain.secret_tokens import hashed, new_token
from services.registry.identity.domain.session import LinkInvalid
from services.registry.identity.tables import links
from shared.handling.work import Work
from shared.operations.retention import delete_oldest


async def new_link(work: Work, user_id: UUID, purpose: Purpose) -> str:
    """Saves a new link in place of a former one for the same purpose. Returns its token."""
    token = new_token()
    await delete_links(work, user_id, purpose)
    row = {"token_hash": hashed(token), "purpose": purpose, "user_id": user_id, "made_at": work.now}
    await work.session.execute(insert(links).values(row | {"until": work.now + LASTS[purpose]}))
    return token


async def save_sent(work: Work, token: str) -> None:
    """Saves that the mail server has taken the e-mail with this link."""
    await work.session.execute(update(links).where(links.c.token_hash == hashed(token)).values(sent_at=work.now))


async def link_sent_at(work: Work, user_id: UUID, purpose: Purpose) -> datetime | None:
    """When the e-mail with the present link was sent, or None."""
    present = select(links.c.sent_at).where(links.c.user_id == user_id, links.c.purpose == purpose)
    return await work.session.scalar(present)


async def user_of_link(work: Work, token: str, purpose: Purpose) -> UUID:
    """The person that a link was sent to, also after its use. Raises LinkInvalid."""
    found: UUID | None = await work.session.scalar(select(links.c.user_id).where(*_valid(work, token, purpose)))
    if found is None:
        raise LinkInvalid("token")
    return found


async def use_link(work: Work, token: str, purpose: Purpose) -> bool:
    """Uses a link. Returns False if it was used already; of simultaneous attempts one succeeds."""
    unused = *_valid(work, token, purpose), links.c.used_at.is_(None)
    used = update(links).where(*unused).values(used_at=work.now).returning(links.c.token_hash)
    return bool((await work.session.execute(used)).all())


async def delete_links(work: Work, user_id: UUID, purpose: Purpose) -> None:
    """Deletes the links of a person for this purpose."""
    await work.session.execute(delete(links).where(links.c.user_id == user_id, links.c.purpose == purpose))


async def delete_expired_links(work: Work) -> bool:
    """Deletes links that have expired. Returns whether there may be more."""
    return await delete_oldest(work, links, links.c.until, work.now)


def _valid(work: Work, token: str, purpose: Purpose) -> list[ColumnElement[bool]]:
    return [links.c.token_hash == hashed(token), links.c.purpose == purpose, links.c.until > work.now]
