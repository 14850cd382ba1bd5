"""Sessions: where one is signed in, and how one signs out, here or everywhere."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from services.registry.domain.session import SessionNotFound
from services.registry.store import keys, links, sessions, tries, users
from shared.contracts.registry.identity import (
    ListSessions,
    OwnSession,
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

SHOWN = 100
"""Sessions of a person that are listed."""
SESSIONS_KEPT = timedelta(days=7)
"""How long a session that is over is still known, so that its old refresh tokens are known for what they are."""


class Tidy(Task):
    """Forgets, once a day, sessions, links and wrong tries that are long over."""

    kind: ClassVar[str] = "tidy_identity"
    every: ClassVar[timedelta | None] = timedelta(days=1)


@router.answers(RevokeSession)
async def revoke_session(command: RevokeSession, work: Work) -> SessionEnded:
    """A person signs out, here or where they name; every service hears of it and refuses the token from then on."""
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
    """A person signs out everywhere."""
    return SessionsEnded(ended=await sessions.end_sessions_of(work, work.actor.must_have_id()))


@router.answers(ListSessions)
async def list_sessions(question: ListSessions, work: Work) -> Sessions:
    """Where am I signed in?"""
    user = await users.user_by_id(work, work.actor.must_have_id())
    open_ones = await sessions.sessions_of(work, user.user_id)
    return Sessions(
        sessions=tuple(
            OwnSession(
                session_id=session.session_id,
                opened_at=session.opened_at,
                refreshed_at=session.refreshed_at,
                until=session.until,
                address=session.address,
                this_one=session.session_id == work.actor.session_id,
            )
            for session in open_ones
            if not session.is_over(work.now, of_company=user.of_company)
        )[:SHOWN]
    )


@router.due(Tidy)
async def tidy(task: Tidy, work: Work) -> None:
    """What can matter to nobody any more is forgotten."""
    await sessions.forget_sessions(work, work.now - SESSIONS_KEPT)
    await links.forget_old_links(work)
    await tries.forget_old_tries(work)


@router.reannounces("session", keys.revoked_session_ids)
async def announce_revoked_session(session_id: UUID, work: Work) -> None:
    """A session is over, and its last token not yet expired."""
    work.announce(await keys.revoked_session(work, session_id))
