"""Tokens of users are refreshed during their work, and users sign in again after the end of a session."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cli.demo.accounts import AccountClient
from cli.demo.people import Person
from shared.contracts.registry.identity import ListSessions, RevokeSessions
from tests.stories.conftest import RunningSystem

pytestmark = pytest.mark.slow


async def another(system: RunningSystem) -> Person:
    """An officer with a new session for one test."""
    officer = system.ministry.approver.people[-1]
    return Person(system.portal, await AccountClient.begin(system.portal, officer.client.account))


def expire(person: Person) -> None:
    """Marks the token as expired in the client."""
    former = person.client.session
    person.client.session = former.model_copy(update={"expires_at": datetime.now(UTC) - timedelta(minutes=1)})


async def test_an_expiring_token_is_refreshed_once_for_all_waiting_requests(system: RunningSystem) -> None:
    person = await another(system)
    before = person.session
    expire(person)

    listed = await asyncio.gather(*(person.ask(ListSessions()) for _ in range(20)))

    assert all(each.sessions for each in listed)
    assert person.session.session_id == before.session_id
    assert person.session.refresh_token != before.refresh_token


async def test_after_a_lost_answer_the_refresh_is_repeated(system: RunningSystem) -> None:
    person = await another(system)
    before = person.session
    expire(person)
    await person.ask(ListSessions())
    person.client.session = before
    expire(person)

    assert (await person.ask(ListSessions())).sessions
    assert person.session.session_id == before.session_id


async def test_a_user_with_an_ended_session_signs_in_again_with_the_authenticator(system: RunningSystem) -> None:
    person = system.ministry.registration_officer.people[-1]
    elsewhere = await AccountClient.begin(system.portal, person.client.account)
    before = person.session.session_id
    await elsewhere.ask(RevokeSessions())

    assert (await person.ask(ListSessions())).sessions
    assert person.session.session_id != before
