"""Sessions and their refresh tokens, of which only the hashes are kept."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from services.registry.domain.session import ANSWER_LOST_WITHIN, DENIED_FOR, SessionRecord
from services.registry.store.links import hashed, new_token
from services.registry.store.tables import refresh_tokens, sessions
from shared.contracts.registry.identity import SessionRevoked
from shared.handling.work import Work
from shared.security.revocations import store_revoked_session


@dataclass(frozen=True)
class Shown:
    """A refresh token that was shown: the how manieth of its session, whether it was good, and whether it is still."""

    session_id: UUID
    number: int
    used_at: datetime | None
    void: bool
    later_used: bool

    def is_good(self, now: datetime) -> bool:
        """Whether the next pair is given for it: it was never used; or just now, and the answer was lost on its way, since
        nobody has used what was given for it. See `docs/decisions/0013`."""
        if self.void or self.later_used:
            return False
        return self.used_at is None or now - self.used_at <= ANSWER_LOST_WITHIN


async def find_session(work: Work, session_id: UUID) -> SessionRecord | None:
    """The session with this id, or None."""
    return await work.session.get(SessionRecord, session_id, with_for_update=work.may_write)


async def sessions_of(work: Work, user_id: UUID) -> list[SessionRecord]:
    """The sessions of a person that have not ended, the newest first; some may have lasted their time."""
    open_ones = select(SessionRecord).where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
    return list(await work.session.scalars(open_ones.order_by(sessions.c.opened_at.desc())))


async def next_refresh_token(work: Work, session_id: UUID) -> str:
    """Another refresh token of a session."""
    token = new_token()
    last = await work.session.scalar(select(func.max(refresh_tokens.c.number)).where(refresh_tokens.c.session_id == session_id))
    row = {"token_hash": hashed(token), "session_id": session_id, "number": (last or 0) + 1}
    await work.session.execute(insert(refresh_tokens).values(row))
    return token


async def session_of_token(work: Work, token: str) -> UUID | None:
    """The session that a refresh token belongs to, or None."""
    return await work.session.scalar(select(refresh_tokens.c.session_id).where(refresh_tokens.c.token_hash == hashed(token)))


async def shown(work: Work, token: str) -> Shown:
    """What is known of a refresh token; to be asked while its session is locked."""
    mine = (await work.session.execute(select(refresh_tokens).where(refresh_tokens.c.token_hash == hashed(token)))).one()
    later = select(func.count()).where(
        refresh_tokens.c.session_id == mine.session_id,
        refresh_tokens.c.number > mine.number,
        refresh_tokens.c.used_at.is_not(None),
    )
    return Shown(mine.session_id, mine.number, mine.used_at, mine.void, bool(await work.session.scalar(later)))


async def use_refresh_token(work: Work, token: Shown) -> None:
    """The token was used now, if it was not before; what was given for it then, and got lost, is void."""
    of_session = refresh_tokens.c.session_id == token.session_id
    this = update(refresh_tokens).where(of_session, refresh_tokens.c.number == token.number, refresh_tokens.c.used_at.is_(None))
    await work.session.execute(this.values(used_at=work.now))
    lost = update(refresh_tokens).where(of_session, refresh_tokens.c.number > token.number)
    await work.session.execute(lost.values(void=True))


async def deny(work: Work, session_id: UUID) -> None:
    """The tokens of a session are refused: here at once, and everywhere as soon as it is heard."""
    event = SessionRevoked(session_id=session_id, until=work.now + DENIED_FOR, version=1, occurred_at=work.now)
    await store_revoked_session(event, work)
    work.announce(event)


async def end_session(work: Work, session: SessionRecord) -> None:
    """The session is over."""
    session.ended_at = work.now
    await deny(work, session.session_id)


async def end_sessions_of(work: Work, user_id: UUID) -> int:
    """Every session of a person is over. Returns how many were open."""
    open_ones = await sessions_of(work, user_id)
    for session in open_ones:
        await end_session(work, session)
    return len(open_ones)


async def forget_sessions(work: Work, before: datetime) -> None:
    """Forgets sessions that were over before an instant."""
    old = select(sessions.c.session_id).where((sessions.c.until < before) | (sessions.c.ended_at < before))
    await work.session.execute(delete(refresh_tokens).where(refresh_tokens.c.session_id.in_(old)))
    await work.session.execute(delete(sessions).where((sessions.c.until < before) | (sessions.c.ended_at < before)))
