"""Sessions and their refresh tokens. Only the hashes of the tokens are stored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from services.registry.identity.domain.secret_tokens import hashed, new_token
from services.registry.identity.domain.session import DENIED_FOR, RefreshToken, SessionRecord
from services.registry.identity.tables import refresh_tokens, sessions
from shared.contracts.registry.identity import SessionRevoked
from shared.handling.work import Work
from shared.operations.retention import MAX_DELETED
from shared.security.revocations import store_revoked_session


async def find_session(work: Work, session_id: UUID) -> SessionRecord | None:
    """The session with this id, or None."""
    return await work.session.get(SessionRecord, session_id, with_for_update=work.may_write)


async def sessions_of(work: Work, user_id: UUID) -> list[SessionRecord]:
    """The sessions of a person that were not ended, the newest first. Some may have expired."""
    not_ended = select(SessionRecord).where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
    return list(await work.session.scalars(not_ended.order_by(sessions.c.opened_at.desc())))


async def next_refresh_token(work: Work, session_id: UUID) -> str:
    """Saves the next refresh token of a session and returns it."""
    token = new_token()
    last = await work.session.scalar(select(func.max(refresh_tokens.c.number)).where(refresh_tokens.c.session_id == session_id))
    row = {"token_hash": hashed(token), "session_id": session_id, "number": (last or 0) + 1}
    await work.session.execute(insert(refresh_tokens).values(row))
    return token


async def session_of_token(work: Work, token: str) -> UUID | None:
    """The session that a refresh token belongs to, or None."""
    return await work.session.scalar(select(refresh_tokens.c.session_id).where(refresh_tokens.c.token_hash == hashed(token)))


async def refresh_token(work: Work, token: str) -> RefreshToken:
    """The stored state of a refresh token. The caller holds the lock of its session."""
    row = (await work.session.execute(select(refresh_tokens).where(refresh_tokens.c.token_hash == hashed(token)))).one()
    later = select(func.count()).where(
        refresh_tokens.c.session_id == row.session_id,
        refresh_tokens.c.number > row.number,
        refresh_tokens.c.used_at.is_not(None),
    )
    return RefreshToken(
        session_id=row.session_id,
        number=row.number,
        used_at=row.used_at,
        void=row.void,
        later_used=bool(await work.session.scalar(later)),
    )


async def use_refresh_token(work: Work, token: RefreshToken) -> None:
    """Saves the first use of a token. Later tokens, whose answers were lost, become void."""
    of_session = refresh_tokens.c.session_id == token.session_id
    this = update(refresh_tokens).where(of_session, refresh_tokens.c.number == token.number, refresh_tokens.c.used_at.is_(None))
    await work.session.execute(this.values(used_at=work.now))
    lost = update(refresh_tokens).where(of_session, refresh_tokens.c.number > token.number)
    await work.session.execute(lost.values(void=True))


async def deny(work: Work, session_id: UUID) -> None:
    """Revokes the tokens of a session: here at once, in the other services once they receive the event."""
    event = SessionRevoked(session_id=session_id, until=work.now + DENIED_FOR, version=1, occurred_at=work.now)
    await store_revoked_session(event, work)
    work.announce(event)


async def end_session(work: Work, session: SessionRecord) -> None:
    """Ends a session and revokes its tokens."""
    session.ended_at = work.now
    await deny(work, session.session_id)


async def end_sessions_of(work: Work, user_id: UUID) -> int:
    """Ends every session of a person. Returns how many were open."""
    open_sessions = await sessions_of(work, user_id)
    for session in open_sessions:
        await end_session(work, session)
    return len(open_sessions)


async def delete_sessions(work: Work, before: datetime) -> bool:
    """Deletes sessions that were over before an instant, with their tokens. Returns whether there may be more."""
    over = (sessions.c.until < before) | (sessions.c.ended_at < before)
    old = (await work.session.scalars(select(sessions.c.session_id).where(over).limit(MAX_DELETED))).all()
    await work.session.execute(delete(refresh_tokens).where(refresh_tokens.c.session_id.in_(old)))
    await work.session.execute(delete(sessions).where(sessions.c.session_id.in_(old)))
    return len(old) == MAX_DELETED
