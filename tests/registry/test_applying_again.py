"""Only the applicant can send an application again. Everybody else is refused, because its id is in use."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from services.registry.identity.domain.attempts import FREE_ATTEMPTS
from services.registry.identity.domain.user import Status
from services.registry.identity.password_hashing import Passwords, Verdict
from services.registry.identity.tables import users
from shared.contracts.registry.identity import OpenSession, Session
from shared.contracts.registry.registrations import ApplyForRegistration, RegistrationState
from shared.contracts.registry.users import RequestPasswordReset, ResetPassword
from tests.conftest import Databases
from tests.registry.builders import an_application, registered
from tests.registry.people import (
    FIRST_EMAIL,
    FIRST_PASSWORD,
    Human,
    a_registry,
    mailbox,
    somebody_of_a_company,
)
from tests.support.service_under_test import ServiceUnderTest


@dataclass
class Verified:
    """Records, for each verified password, whether it was compared with a stored hash."""

    passwords: Passwords
    noted: list[bool] = field(default_factory=list)

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        self.noted.append(password_hash is not None)
        return await Passwords.verify(self.passwords, password_hash, password)

    def since(self) -> list[bool]:
        """The records since the last call."""
        noted, self.noted = self.noted, []
        return noted


@pytest.fixture
async def service(databases: Databases, tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_registry(tmp_path, database_url=databases.of("registry")) as service:
        yield service


@pytest.fixture
def verified(service: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch) -> Verified:
    passwords = service.context.use(Passwords)
    verified = Verified(passwords)
    monkeypatch.setattr(passwords, "verify", verified.verify)
    return verified


async def again(service: ServiceUnderTest, application: ApplyForRegistration, **changes: Any) -> Any:
    """The answer to the same application with these changes."""
    return await service.ask(application.model_copy(update={"command_id": uuid4()} | changes))


async def what_a_stranger_hears(service: ServiceUnderTest, application: ApplyForRegistration, verified: Verified) -> Any:
    """The refusal of a stranger who knows only the id. The password was hashed, and compared with no stored hash."""
    verified.since()
    refused = await again(service, application, email=f"{uuid4().hex}@stranger.example")
    assert (refused.code, refused.fields) == ("tax_number_taken", ("exporter_id",))
    assert verified.since() == [False]
    return refused


async def test_a_registration_is_not_read_with_an_address_and_any_password(
    service: ServiceUnderTest, verified: Verified
) -> None:
    application = await registered(service)
    stranger = await what_a_stranger_hears(service, application, verified)

    assert await again(service, application, password="any password at all") == stranger
    assert verified.since() == [True]


async def test_the_applicant_gets_the_present_state_at_each_repetition(service: ServiceUnderTest) -> None:
    application = await registered(service)
    for _ in range(2 * FREE_ATTEMPTS):
        state = await again(service, application)
        assert isinstance(state, RegistrationState)
        assert (state.exporter_id, state.status) == (application.exporter_id, "active")
    assert isinstance(await Human(service, application.email, application.password).sign_in(), Session)


async def test_an_application_sent_ten_times_at_once_is_one(service: ServiceUnderTest) -> None:
    application = an_application()
    answers = await asyncio.gather(*(again(service, application) for _ in range(10)))
    assert {type(answer) for answer in answers} == {RegistrationState}


async def test_guesses_by_applying_count_like_those_by_signing_in(service: ServiceUnderTest, verified: Verified) -> None:
    application = await registered(service)
    stranger = await what_a_stranger_hears(service, application, verified)
    guesses = [await again(service, application, password=f"the guess number {number}") for number in range(FREE_ATTEMPTS)]
    assert guesses == [stranger] * FREE_ATTEMPTS

    assert await again(service, application) == stranger  # during the delay the right one is not compared either
    assert verified.since() == [True] * FREE_ATTEMPTS + [False]
    owner = Human(service, application.email, application.password)
    assert (await owner.sign_in()).code == "sign_in_delayed"
    owner.later(61)
    assert isinstance(await owner.sign_in(), Session)


async def test_guesses_by_signing_in_close_this_way_too(service: ServiceUnderTest, verified: Verified) -> None:
    application = await registered(service)
    stranger = await what_a_stranger_hears(service, application, verified)
    for number in range(FREE_ATTEMPTS):
        await service.ask(OpenSession(email=application.email, password=f"wrong {number}"))
    verified.since()

    assert await again(service, application) == stranger
    assert verified.since() == [False]


async def test_right_passwords_among_guesses_forgive_no_guess(service: ServiceUnderTest) -> None:
    application = await registered(service)
    for number in range(FREE_ATTEMPTS - 1):
        await again(service, application, password=f"the guess number {number}")
        assert isinstance(await again(service, application), RegistrationState)

    await again(service, application, password="one guess more")
    assert (await Human(service, application.email, application.password).sign_in()).code == "sign_in_delayed"


async def test_fifty_guesses_at_once_are_compared_five_times(service: ServiceUnderTest, verified: Verified) -> None:
    application = await registered(service)
    stranger = await what_a_stranger_hears(service, application, verified)
    answers = await asyncio.gather(*(again(service, application, password=f"the guess number {n}") for n in range(50)))
    assert list(answers) == [stranger] * 50
    assert sorted(verified.since()) == [False] * 45 + [True] * FREE_ATTEMPTS


async def test_guesses_at_an_unknown_address_count_as_much(service: ServiceUnderTest) -> None:
    application = await registered(service)
    for number in range(FREE_ATTEMPTS):
        await again(service, application, email="nobody@stranger.example", password=f"the guess number {number}")
    signed_in = await service.ask(OpenSession(email="nobody@stranger.example", password="wrong"))
    assert signed_in.code == "sign_in_delayed"


@pytest.mark.parametrize("who", ["a colleague", "an officer", "a person of another company", "deactivated", "invited"])
async def test_anybody_else_hears_what_a_stranger_hears_whatever_they_know(
    service: ServiceUnderTest, verified: Verified, who: str
) -> None:
    application = await registered(service)
    stranger = await what_a_stranger_hears(service, application, verified)
    account = {"email": application.email, "password": application.password}
    match who:
        case "a colleague":
            colleague = await somebody_of_a_company(service, company=application.exporter_id)
            account = {"email": colleague.email, "password": colleague.password}
        case "an officer":
            account = {"email": FIRST_EMAIL, "password": FIRST_PASSWORD}
        case "a person of another company":
            other = await registered(service)
            account = {"email": other.email, "password": other.password}
        case "deactivated" | "invited":
            async with service.work() as work:
                mine = users.c.email == application.email
                await work.session.execute(update(users).where(mine).values(status=Status(who)))
    verified.since()

    assert await again(service, application, **account) == stranger
    assert verified.since() == [False]


async def test_a_second_factor_is_not_passed_by(service: ServiceUnderTest, verified: Verified) -> None:
    application = await registered(service)
    stranger = await what_a_stranger_hears(service, application, verified)
    owner = Human(service, application.email, application.password)
    await owner.sign_in()
    await owner.enrol()
    verified.since()

    assert await again(service, application) == stranger
    assert verified.since() == [False]


async def test_a_password_that_was_replaced_is_no_password_any_more(service: ServiceUnderTest, verified: Verified) -> None:
    application = await registered(service)
    stranger = await what_a_stranger_hears(service, application, verified)
    await service.ask(RequestPasswordReset(email=application.email))
    await service.do_tasks()
    another = "a wholly other passphrase"
    await service.ask(ResetPassword(token=mailbox(service).link(application.email, "reset"), password=another))

    assert await again(service, application) == stranger
    assert isinstance(await again(service, application, password=another), RegistrationState)
