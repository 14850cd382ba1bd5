"""An application that is sent again is answered for the applicant alone: everybody else hears that its id is in use."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from services.registry.domain.session import FREE_TRIES
from services.registry.domain.user import Status
from services.registry.passwords import Passwords, Verdict
from services.registry.store.tables import users
from shared.contracts.registry.identity import OpenSession, Session
from shared.contracts.registry.registrations import ApplyForRegistration, RegistrationState
from shared.contracts.registry.users import RequestPasswordReset, ResetPassword
from tests.conftest import Databases
from tests.desk import Desk
from tests.registry.builders import an_application, registered
from tests.registry.people import (
    FIRST_EMAIL,
    FIRST_PASSWORD,
    Human,
    a_registry,
    mailbox,
    somebody_of_a_company,
)


@dataclass
class Verified:
    """Notes, for each password that was verified, whether it was compared with anybody's."""

    passwords: Passwords
    noted: list[bool] = field(default_factory=list)

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        self.noted.append(password_hash is not None)
        return await Passwords.verify(self.passwords, password_hash, password)

    def since(self) -> list[bool]:
        """What was noted since this was asked last."""
        noted, self.noted = self.noted, []
        return noted


@pytest.fixture
async def desk(databases: Databases, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_registry(tmp_path, database_url=databases.of("registry")) as desk:
        yield desk


@pytest.fixture
def verified(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Verified:
    passwords = desk.context.use(Passwords)
    verified = Verified(passwords)
    monkeypatch.setattr(passwords, "verify", verified.verify)
    return verified


async def again(desk: Desk, application: ApplyForRegistration, **changes: Any) -> Any:
    """The answer to the application when it is sent once more, with these changes."""
    return await desk.ask(application.model_copy(update={"command_id": uuid4()} | changes))


async def what_a_stranger_hears(desk: Desk, application: ApplyForRegistration, verified: Verified) -> Any:
    """The refusal for somebody who knows only the id of a company. Their password was hashed, and compared with nobody's."""
    verified.since()
    refused = await again(desk, application, email=f"{uuid4().hex}@stranger.example")
    assert (refused.code, refused.fields) == ("tax_number_taken", ("exporter_id",))
    assert verified.since() == [False]
    return refused


async def test_a_registration_is_not_read_with_an_address_and_any_password(desk: Desk, verified: Verified) -> None:
    application = await registered(desk)
    stranger = await what_a_stranger_hears(desk, application, verified)

    assert await again(desk, application, password="any password at all") == stranger
    assert verified.since() == [True]


async def test_who_applied_gets_the_present_state_however_often_they_ask(desk: Desk) -> None:
    application = await registered(desk)
    for _ in range(2 * FREE_TRIES):
        state = await again(desk, application)
        assert isinstance(state, RegistrationState)
        assert (state.exporter_id, state.status) == (application.exporter_id, "active")
    assert isinstance(await Human(desk, application.email, application.password).sign_in(), Session)


async def test_an_application_sent_ten_times_at_once_is_one(desk: Desk) -> None:
    application = an_application()
    answers = await asyncio.gather(*(again(desk, application) for _ in range(10)))
    assert {type(answer) for answer in answers} == {RegistrationState}


async def test_guesses_by_applying_count_like_those_by_signing_in(desk: Desk, verified: Verified) -> None:
    application = await registered(desk)
    stranger = await what_a_stranger_hears(desk, application, verified)
    guesses = [await again(desk, application, password=f"the guess number {number}") for number in range(FREE_TRIES)]
    assert guesses == [stranger] * FREE_TRIES

    assert await again(desk, application) == stranger  # the right one is not compared any more
    assert verified.since() == [True] * FREE_TRIES + [False]
    owner = Human(desk, application.email, application.password)
    assert (await owner.sign_in()).code == "sign_in_delayed"
    owner.later(61)
    assert isinstance(await owner.sign_in(), Session)


async def test_guesses_by_signing_in_close_this_way_too(desk: Desk, verified: Verified) -> None:
    application = await registered(desk)
    stranger = await what_a_stranger_hears(desk, application, verified)
    for number in range(FREE_TRIES):
        await desk.ask(OpenSession(email=application.email, password=f"wrong {number}"))
    verified.since()

    assert await again(desk, application) == stranger
    assert verified.since() == [False]


async def test_right_passwords_among_guesses_wash_none_of_them_away(desk: Desk) -> None:
    application = await registered(desk)
    for number in range(FREE_TRIES - 1):
        await again(desk, application, password=f"the guess number {number}")
        assert isinstance(await again(desk, application), RegistrationState)

    await again(desk, application, password="one guess more")
    assert (await Human(desk, application.email, application.password).sign_in()).code == "sign_in_delayed"


async def test_fifty_guesses_at_once_are_compared_five_times(desk: Desk, verified: Verified) -> None:
    application = await registered(desk)
    stranger = await what_a_stranger_hears(desk, application, verified)
    answers = await asyncio.gather(*(again(desk, application, password=f"the guess number {n}") for n in range(50)))
    assert list(answers) == [stranger] * 50
    assert sorted(verified.since()) == [False] * 45 + [True] * FREE_TRIES


async def test_guesses_at_an_unknown_address_count_as_much(desk: Desk) -> None:
    application = await registered(desk)
    for number in range(FREE_TRIES):
        await again(desk, application, email="nobody@stranger.example", password=f"the guess number {number}")
    signed_in = await desk.ask(OpenSession(email="nobody@stranger.example", password="wrong"))
    assert signed_in.code == "sign_in_delayed"


@pytest.mark.parametrize("who", ["a colleague", "an officer", "a person of another company", "deactivated", "invited"])
async def test_anybody_else_hears_what_a_stranger_hears_whatever_they_know(desk: Desk, verified: Verified, who: str) -> None:
    application = await registered(desk)
    stranger = await what_a_stranger_hears(desk, application, verified)
    account = {"email": application.email, "password": application.password}
    match who:
        case "a colleague":
            colleague = await somebody_of_a_company(desk, company=application.exporter_id)
            account = {"email": colleague.email, "password": colleague.password}
        case "an officer":
            account = {"email": FIRST_EMAIL, "password": FIRST_PASSWORD}
        case "a person of another company":
            other = await registered(desk)
            account = {"email": other.email, "password": other.password}
        case "deactivated" | "invited":
            async with desk.work() as work:
                mine = users.c.email == application.email
                await work.session.execute(update(users).where(mine).values(status=Status(who)))
    verified.since()

    assert await again(desk, application, **account) == stranger
    assert verified.since() == [False]


async def test_a_second_factor_is_not_passed_by(desk: Desk, verified: Verified) -> None:
    application = await registered(desk)
    stranger = await what_a_stranger_hears(desk, application, verified)
    owner = Human(desk, application.email, application.password)
    await owner.sign_in()
    await owner.enrol()
    verified.since()

    assert await again(desk, application) == stranger
    assert verified.since() == [False]


async def test_a_password_that_was_replaced_is_no_password_any_more(desk: Desk, verified: Verified) -> None:
    application = await registered(desk)
    stranger = await what_a_stranger_hears(desk, application, verified)
    await desk.ask(RequestPasswordReset(email=application.email))
    await desk.do_tasks()
    another = "a wholly other passphrase"
    await desk.ask(ResetPassword(token=mailbox(desk).link(application.email, "reset"), password=another))

    assert await again(desk, application) == stranger
    assert isinstance(await again(desk, application, password=another), RegistrationState)
