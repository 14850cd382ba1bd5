"""One-time links. Only the hash of what stands in them is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select, update

from services.registry.domain.session import LinkInvalid
from services.registry.store.tables import links
from shared.handling.work import Work

INVITATION, RESET = "invitation", "reset"
LASTS = {INVITATION: timedelta(days=7), RESET: timedelta(hours=1)}


def hashed(token: str) -> str:
    """What is kept of a token of 256 random bits: no salt or slow hash is needed against guessing."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """256 random bits, as 43 letters."""
    return secrets.token_urlsafe(32)


async def new_link(work: Work, user_id: UUID, purpose: str) -> str:
    """The token of a new link; a former one for the same purpose is void from now on."""
    token = new_token()
    await forget_links(work, user_id, purpose)
    row = {"token_hash": hashed(token), "purpose": purpose, "user_id": user_id, "made_at": work.now}
    await work.session.execute(insert(links).values(row | {"until": work.now + LASTS[purpose]}))
    return token


async def note_sent(work: Work, token: str) -> None:
    """The letter with this link was handed over."""
    await work.session.execute(update(links).where(links.c.token_hash == hashed(token)).values(sent_at=work.now))


async def link_sent_at(work: Work, user_id: UUID, purpose: str) -> datetime | None:
    """When the letter with the present link was handed over, or None."""
    mine = select(links.c.sent_at).where(links.c.user_id == user_id, links.c.purpose == purpose)
    return await work.session.scalar(mine)


async def whose_link(work: Work, token: str, purpose: str) -> UUID:
    """Whom a link is for, also where it was used already. Raises LinkInvalid."""
    found: UUID | None = await work.session.scalar(select(links.c.user_id).where(*_known(work, token, purpose)))
    if found is None:
        raise LinkInvalid("token")
    return found


async def use_link(work: Work, token: str, purpose: str) -> bool:
    """Uses a link, which can be done once, however many try at the same time; says whether this was the once."""
    unused = *_known(work, token, purpose), links.c.used_at.is_(None)
    used = update(links).where(*unused).values(used_at=work.now).returning(links.c.token_hash)
    return bool((await work.session.execute(used)).all())


async def forget_links(work: Work, user_id: UUID, purpose: str) -> None:
    """The links that a person was sent for this purpose are void."""
    await work.session.execute(delete(links).where(links.c.user_id == user_id, links.c.purpose == purpose))


def _known(work: Work, token: str, purpose: str) -> list[ColumnElement[bool]]:
    return [links.c.token_hash == hashed(token), links.c.purpose == purpose, links.c.until > work.now]


async def forget_old_links(work: Work) -> None:
    """Forgets links that nobody followed in time."""
    await work.session.execute(delete(links).where(links.c.until < work.now))
