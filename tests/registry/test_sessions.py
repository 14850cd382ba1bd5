"""Sessions: they are refreshed, listed and ended. A stolen refresh token ends its session."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import func, select

from services.registry.identity.domain.session import COMPANY_IDLE, COMPANY_LASTS, DENIED_FOR, OFFICER_IDLE, OFFICER_LASTS
from services.registry.identity.sessions import SESSIONS_KEPT
from services.registry.identity.signing_keys import SigningKey, SigningKeys
from services.registry.identity.tables import refresh_tokens, sessions
from shared.contracts.registry.identity import (
    ListSessions,
    RefreshSession,
    RevokeSession,
    RevokeSessions,
    SessionRevoked,
    SigningKeyPublished,
)
from shared.security.tokens import sign_token
from tests.registry.people import Human, a_registry, somebody_of_a_company, the_administrator
from tests.support.service_under_test import ServiceUnderTest, a_person


def jwt_header(token: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(urlsafe_b64decode(token.split(".")[0] + "=="))
    return header


@pytest.fixture
async def human(service: ServiceUnderTest) -> Human:
    return await somebody_of_a_company(service)


async def test_a_refresh_token_gives_the_next_pair_and_the_session_stays_the_same(
    service: ServiceUnderTest, human: Human
) -> None:
    first = human.session
    assert first is not None
    human.later(14 * 60)
    renewed = (await human.refresh()).session
    assert renewed.session_id == first.session_id
    assert (renewed.token, renewed.refresh_token) != (first.token, first.refresh_token)
    human.later(2 * 60)
    assert (await human.ask(ListSessions())).sessions
    human.session = first
    assert (await human.ask(ListSessions())).code == "token_expired"


async def test_a_refresh_token_that_was_used_ends_the_session_for_the_thief_and_for_the_owner(
    service: ServiceUnderTest, human: Human
) -> None:
    assert human.session is not None
    stolen = human.session.refresh_token
    await human.refresh()
    await human.refresh()

    assert (await service.ask(RefreshSession(refresh_token=stolen))).session is None

    assert (await human.refresh()).code == "session_over"
    assert (await human.ask(ListSessions())).code == "token_invalid"
    (event,) = await service.announced(SessionRevoked)
    assert (event.session_id, event.until) == (human.session.session_id, service.clock.now() + DENIED_FOR)


async def test_a_refresh_token_shown_again_after_half_a_minute_ends_the_session_even_if_the_next_was_never_used(
    service: ServiceUnderTest, human: Human
) -> None:
    assert human.session is not None
    first = human.session.refresh_token
    await human.refresh()
    human.later(31)
    assert (await service.ask(RefreshSession(refresh_token=first))).session is None


async def test_a_client_that_lost_the_answer_shows_the_same_token_again_and_stays_signed_in(
    service: ServiceUnderTest, human: Human
) -> None:
    assert human.session is not None
    first = human.session.refresh_token
    lost = [(await service.ask(RefreshSession(refresh_token=first))).session for _ in range(3)]
    human.later(20)
    assert (await human.refresh(first)).session
    assert (await human.refresh()).session
    assert (await human.ask(ListSessions())).sessions

    assert (await service.ask(RefreshSession(refresh_token=lost[0].refresh_token))).session is None  # it was not lost after all
    assert (await human.refresh()).code == "session_over"


async def test_an_unknown_refresh_token_ends_no_session(service: ServiceUnderTest, human: Human) -> None:
    assert (await service.ask(RefreshSession(refresh_token="x" * 43))).code == "session_over"
    assert (await human.refresh()).session


@pytest.mark.parametrize(
    ("officer", "stays", "idle"), [(True, OFFICER_LASTS, OFFICER_IDLE), (False, COMPANY_LASTS, COMPANY_IDLE)]
)
async def test_a_session_ends_when_it_is_not_used_and_when_it_expires(
    service: ServiceUnderTest, officer: bool, stays: timedelta, idle: timedelta
) -> None:
    human = await (the_administrator(service) if officer else somebody_of_a_company(service))
    human.later(idle.total_seconds() - 31)
    assert (await human.refresh()).session
    human.later(idle.total_seconds() + 1)
    assert (await human.refresh()).code == "session_over"

    begun = (await human.sign_in()).until - stays
    while service.clock.now() + idle / 2 < begun + stays:
        human.later(idle.total_seconds() / 2)
        assert (await human.refresh()).session
    human.later(idle.total_seconds() / 2)
    assert (await human.refresh()).code == "session_over"


async def test_people_see_their_sessions_and_end_another_one(service: ServiceUnderTest, human: Human) -> None:
    elsewhere = Human(service, human.email)
    await elsewhere.sign_in(address="203.0.113.7")
    listed = (await human.ask(ListSessions())).sessions
    assert {(session.address, session.this_one) for session in listed} == {("203.0.113.7", False), (None, True)}

    (other,) = (session for session in listed if not session.this_one)
    await human.ask(RevokeSession(session_id=other.session_id))

    assert (await elsewhere.ask(ListSessions())).code == "token_invalid"
    assert [session.this_one for session in (await human.ask(ListSessions())).sessions] == [True]


async def test_people_cannot_end_the_session_of_another_person(service: ServiceUnderTest, human: Human) -> None:
    other = await somebody_of_a_company(service)
    assert other.session is not None
    for session_id in (other.session.session_id, uuid4()):
        assert (await human.ask(RevokeSession(session_id=session_id))).code == "session_not_found"
    assert (await other.ask(ListSessions())).sessions


async def test_signing_out_ends_this_session_and_signing_out_everywhere_ends_all(
    service: ServiceUnderTest, human: Human
) -> None:
    others = [Human(service, human.email) for _ in range(3)]
    for other in others:
        await other.sign_in()

    await others[0].ask(RevokeSession())
    assert (await others[0].refresh()).code == "session_over"
    assert (await human.ask(ListSessions())).sessions
    assert (await human.ask(RevokeSessions())).ended == 3

    assert {(await each.ask(ListSessions())).code for each in (human, *others)} == {"token_invalid"}
    assert len(await service.announced(SessionRevoked)) == 4


async def test_signing_out_is_announced_even_for_a_session_that_is_unknown_here(service: ServiceUnderTest) -> None:
    person = a_person("preparer")
    await service.ask(RevokeSession(), person)
    (event,) = await service.announced(SessionRevoked)
    assert event.session_id == person.session_id


async def test_expired_rows_are_deleted(service: ServiceUnderTest, human: Human) -> None:
    await human.ask(RevokeSession())
    human.later((SESSIONS_KEPT + timedelta(days=2)).total_seconds())
    await service.do_tasks()
    async with service.work() as work:
        for table in (sessions, refresh_tokens):
            assert await work.session.scalar(select(func.count()).select_from(table)) == 0


async def test_a_change_of_keys_refuses_no_valid_token(tmp_path: Path) -> None:
    old, new = OKPKey.generate_key("Ed25519"), OKPKey.generate_key("Ed25519")
    async with a_registry(tmp_path, SigningKeys.of(old)) as service:
        human, begun = await somebody_of_a_company(service), service.clock.now()
        change = begun + timedelta(hours=1)
        retired = change + timedelta(hours=1)
        keys = SigningKeys(SigningKey(old, valid_until=retired), SigningKey(new, signs_from=change))
        service.context._tools[SigningKeys] = keys
        await service.start()  # like a replica with the new file

        tokens, signed_by = [], set()
        for _ in range(24):  # two hours, five minutes at a time
            assert human.session is not None
            tokens.append((human.session.token, human.session.expires_at))
            signed_by.add(jwt_header(human.session.token)["kid"])
            human.later(5 * 60)
            for token, expires_at in tokens:
                answer = await service.ask_raw(ListSessions, b"{}", token)
                assert (getattr(answer, "code", "let in") == "let in") is (
                    service.clock.now() <= expires_at + timedelta(seconds=5)
                )
            assert (await human.refresh()).session

        assert signed_by == {old.thumbprint(), new.thumbprint()}
        human.later(60)
        assert service.clock.now() > retired
        actor = a_person("preparer")
        from_old = sign_token(old, actor, audience="KH", now=service.clock.now(), lasts=timedelta(minutes=15))
        assert (await service.ask_raw(ListSessions, b"{}", from_old)).code == "token_invalid"
        last = {event.key_id: event.not_after for event in await service.announced(SigningKeyPublished)}
        assert last[old.thumbprint()] == retired


async def test_a_signing_key_is_published_once(service: ServiceUnderTest) -> None:
    await service.start()
    assert len(await service.announced(SigningKeyPublished)) == 1
