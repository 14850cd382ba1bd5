"""People work for hours: their tokens are refreshed as they go, and where a session is over they sign in again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cli.demo.accounts import Presence
from cli.demo.people import Person
from shared.contracts.registry.identity import ListSessions, RevokeSessions
from tests.stories.conftest import RunningSystem

pytestmark = pytest.mark.slow


async def another(system: RunningSystem) -> Person:
    """An officer in a session of their own, which a test may spoil."""
    officer = system.ministry.approver.people[-1]
    return Person(system.portal, await Presence.begin(system.portal, officer.presence.account))


def make_old(person: Person) -> None:
    """The token has expired as far as its owner knows."""
    former = person.presence.session
    person.presence.session = former.model_copy(update={"expires_at": datetime.now(UTC) - timedelta(minutes=1)})


async def test_a_token_that_ends_soon_is_refreshed_once_for_all_who_wait_for_it(system: RunningSystem) -> None:
    person = await another(system)
    before = person.session
    make_old(person)

    listed = await asyncio.gather(*(person.ask(ListSessions()) for _ in range(20)))

    assert all(each.sessions for each in listed)
    assert person.session.session_id == before.session_id
    assert person.session.refresh_token != before.refresh_token


async def test_whoever_lost_the_answer_to_a_refresh_asks_again_and_goes_on(system: RunningSystem) -> None:
    person = await another(system)
    before = person.session
    make_old(person)
    await person.ask(ListSessions())
    person.presence.session = before
    make_old(person)

    assert (await person.ask(ListSessions())).sessions
    assert person.session.session_id == before.session_id


async def test_whose_session_was_ended_elsewhere_signs_in_again_with_the_authenticator(system: RunningSystem) -> None:
    person = system.ministry.registration_officer.people[-1]
    elsewhere = await Presence.begin(system.portal, person.presence.account)
    before = person.session.session_id
    await elsewhere.ask(RevokeSessions())

    assert (await person.ask(ListSessions())).sessions
    assert person.session.session_id != before
