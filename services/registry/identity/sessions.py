"""Sessions: people see where they are signed in, and sign out, here or everywhere."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from services.registry.identity.domain.session import SessionNotFound
from services.registry.identity.store import attempts, links, sessions, signing_keys, users
from services.registry.identity.store.passkeys import delete_expired_challenges
from services.registry.identity.views import own_session
from shared.contracts.registry.identity import (
    ListSessions,
    RevokeSession,
    RevokeSessions,
    SessionEnded,
    Sessions,
    SessionsEnded,
)
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()

MAX_LISTED = 100
"""The most sessions in a list."""
SESSIONS_KEPT = timedelta(days=7)
"""How long a session that is over stays in the database, so that its old refresh tokens are recognised."""


class DeleteExpired(Task):
    """Delete the sessions, links, counters and challenges that have expired. Runs once a day."""

    kind: ClassVar[str] = "tidy_identity"
    every: ClassVar[timedelta | None] = timedelta(days=1)


@router.answers(RevokeSession)
async def revoke_session(command: RevokeSession, work: Work) -> SessionEnded:
    """A person ends this session, or another one of their own. Every service refuses its token from then on."""
    own, session_id = work.actor.must_have_session(), command.session_id or work.actor.must_have_session()
    session = await sessions.find_session(work, session_id)
    if session is not None and session.user_id == work.actor.must_have_id():
        await sessions.end_session(work, session)
    elif session_id == own:
        await sessions.deny(work, own)
    else:
        raise SessionNotFound("session_id")
    return SessionEnded(session_id=session_id)


@router.answers(RevokeSessions)
async def revoke_sessions(command: RevokeSessions, work: Work) -> SessionsEnded:
    """A person ends all their sessions."""
    return SessionsEnded(ended=await sessions.end_sessions_of(work, work.actor.must_have_id()))


@router.answers(ListSessions)
async def list_sessions(question: ListSessions, work: Work) -> Sessions:
    """Lists a person's open sessions."""
    user = await users.user_by_id(work, work.actor.must_have_id())
    not_ended = await sessions.sessions_of(work, user.user_id)
    still_open = [session for session in not_ended if not session.is_over(work.now, of_company=user.of_company)]
    return Sessions(sessions=tuple(own_session(session, work.actor) for session in still_open[:MAX_LISTED]))


@router.due(DeleteExpired)
async def delete_expired(task: DeleteExpired, work: Work) -> None:
    """Deletes expired rows once a day. If there are more, it runs again at once."""
    more = [
        await sessions.delete_sessions(work, work.now - SESSIONS_KEPT),
        await links.delete_expired_links(work),
        await attempts.delete_old_attempts(work),
        await delete_expired_challenges(work),
    ]
    if any(more):
        work.later(task, key=DeleteExpired.period_of(work.now).isoformat())


@router.reannounces("session", signing_keys.revoked_session_ids)
async def announce_revoked_session(session_id: UUID, work: Work) -> None:
    """Announces a session that was ended and whose last token has not expired yet."""
    work.announce(await signing_keys.revoked_session(work, session_id))
