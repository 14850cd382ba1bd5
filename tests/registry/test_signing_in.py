"""Signing in: passwords, second factors, and the delay of guessers."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from time import process_time
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.registry.identity.domain.attempts import FREE_ATTEMPTS, FREE_ATTEMPTS_OF_ADDRESS
from services.registry.identity.password_hashing import Passwords, Verdict
from services.registry.identity.tables import failed_attempts, users
from shared.contracts.registry.identity import ListSessions, OpenSession, Session
from shared.contracts.registry.users import ListUsers, RequestPasswordReset, ResetPassword
from tests.registry.people import (
    CHEAP,
    FIRST_EMAIL,
    FIRST_PASSWORD,
    PASSPHRASE,
    Human,
    a_registry,
    an_officer,
    failed_attempts_from,
    mailbox,
    somebody_of_a_company,
    the_administrator,
)
from tests.support.service_under_test import ServiceUnderTest

OFFICE = "203.0.113.7"
"""The address that several people share."""


async def guess(service: ServiceUnderTest, email: str, times: int) -> list[str]:
    """The answers to consecutive wrong passwords."""
    return [(await service.ask(OpenSession(email=email, password=f"wrong {number}"))).code for number in range(times)]


async def guess_at_another(service: ServiceUnderTest, number: int) -> str:
    """The answer to a wrong password for another account, from the office."""
    guessed = OpenSession(email=f"{number}@company.example", password="wrong", address=OFFICE)
    return str((await service.ask(guessed)).code)


async def test_a_person_who_signs_in_gets_a_token_for_15_minutes(service: ServiceUnderTest) -> None:
    company = uuid4()
    human = await somebody_of_a_company(service, company=company)
    session = human.session
    assert isinstance(session, Session)
    assert session.organisation == str(company)
    assert session.expires_at == service.clock.now() + timedelta(minutes=15)
    assert session.token.count(".") == 2


async def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    for _ in range(FREE_ATTEMPTS + 2):
        wrong = await service.ask(OpenSession(email=human.email, password="wrong"))
        unknown = await service.ask(OpenSession(email="nobody@company.example", password="wrong"))
        assert wrong == unknown


async def test_an_unknown_person_costs_as_much_as_a_known_one() -> None:
    passwords = Passwords()
    known = await passwords.hash(PASSPHRASE)
    took = {}
    for name, kept in (("known", known), ("unknown", None)):
        times = []
        for _ in range(7):
            began = process_time()  # of this process alone
            assert not (await passwords.verify(kept, "wrong")).right
            times.append(process_time() - began)
        took[name] = min(times)
    assert 0.6 < took["known"] / took["unknown"] < 1.7


async def test_passwords_are_kept_as_argon2id_and_stand_nowhere_else(
    service: ServiceUnderTest, caplog: pytest.LogCaptureFixture, spans: object
) -> None:
    with caplog.at_level(logging.DEBUG):
        human = await somebody_of_a_company(service)
        await service.ask(OpenSession(email=human.email, password="a wrong password of mine"))
    async with service.work() as work:
        kept = (await work.session.scalars(select(users.c.password_hash))).all()
    assert len(kept) == 2
    assert all(each and each.startswith("$argon2id$") and PASSPHRASE not in each for each in kept)
    exported = str([span.to_json() for span in spans.get_finished_spans()])  # type: ignore[attr-defined]
    for secret in (PASSPHRASE, "a wrong password of mine", human.session and human.session.refresh_token):
        assert str(secret) not in caplog.text + exported


async def test_a_hash_of_another_cost_is_replaced_at_the_next_sign_in(tmp_path: Path) -> None:
    async with a_registry(tmp_path, passwords=Passwords(memory_kib=128, passes=1)) as service:
        human = await somebody_of_a_company(service)
        cheap = await Passwords(memory_kib=64, passes=1).hash(PASSPHRASE)
        async with service.work() as work:
            await work.session.execute(users.update().where(users.c.email == human.email).values(password_hash=cheap))

        assert isinstance(await human.sign_in(), Session)

        async with service.work() as work:
            kept = await work.session.scalar(select(users.c.password_hash).where(users.c.email == human.email))
        assert "m=128" in kept
        assert isinstance(await human.sign_in(), Session)


async def test_after_five_wrong_passwords_sign_in_is_delayed_until_a_named_instant(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    assert await guess(service, human.email, FREE_ATTEMPTS) == ["sign_in_failed"] * FREE_ATTEMPTS

    refused = await human.sign_in()

    assert refused.code == "sign_in_delayed"
    assert f"{service.clock.now() + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}" in refused.detail
    human.later(61)
    assert isinstance(await human.sign_in(), Session)
    assert await guess(service, human.email, FREE_ATTEMPTS) == ["sign_in_failed"] * FREE_ATTEMPTS  # the counter started again


async def test_of_fifty_simultaneous_guesses_only_five_are_checked(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    answers = await asyncio.gather(*(service.ask(OpenSession(email=human.email, password=f"wrong {n}")) for n in range(50)))
    codes = [answer.code for answer in answers]
    assert (codes.count("sign_in_failed"), codes.count("sign_in_delayed")) == (FREE_ATTEMPTS, 50 - FREE_ATTEMPTS)
    async with service.work() as work:
        assert await work.session.scalar(select(failed_attempts.c.failures)) == FREE_ATTEMPTS


async def test_an_officer_with_the_authenticator_signs_in_during_a_delay(service: ServiceUnderTest) -> None:
    officer = await an_officer(service, await the_administrator(service))
    await guess(service, officer.email, FREE_ATTEMPTS + 1)

    assert (await officer.sign_in(code=None)).code == "sign_in_delayed"
    assert (await officer.sign_in(code="000000")).code == "sign_in_delayed"
    assert isinstance(await officer.sign_in(), Session)


async def test_codes_cannot_be_guessed_with_a_stolen_password_during_a_delay(service: ServiceUnderTest) -> None:
    officer = await an_officer(service, await the_administrator(service))
    await guess(service, officer.email, FREE_ATTEMPTS + 1)
    wrong = [
        f"{number:06}" for number in range(20) if f"{number:06}" not in (officer.code(-1), officer.code(), officer.code(1))
    ]

    codes = [(await officer.sign_in(code=code)).code for code in wrong[:FREE_ATTEMPTS]]

    assert codes == ["sign_in_delayed"] * FREE_ATTEMPTS
    assert (await officer.sign_in()).code == "sign_in_delayed"  # even a right code is refused
    officer.later(61)
    assert isinstance(await officer.sign_in(), Session)


async def test_a_guesser_without_the_password_uses_up_no_codes(service: ServiceUnderTest) -> None:
    officer = await an_officer(service, await the_administrator(service))
    await guess(service, officer.email, FREE_ATTEMPTS + 1)
    for number in range(2 * FREE_ATTEMPTS):
        assert (await officer.sign_in(code=f"{number:06}", password="a wrong guess of it")).code == "sign_in_delayed"
    assert isinstance(await officer.sign_in(), Session)


async def test_a_password_that_is_changed_during_a_sign_in_opens_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = Passwords(**CHEAP)
    async with a_registry(tmp_path, passwords=passwords) as service:
        human = await somebody_of_a_company(service)
        await service.ask(RequestPasswordReset(email=human.email))
        await service.do_tasks()
        another = ResetPassword(token=mailbox(service).link(human.email, "reset"), password="a wholly other passphrase")
        verify = passwords.verify

        async def slowly(password_hash: str | None, password: str) -> Verdict:
            monkeypatch.undo()
            verdict = await verify(password_hash, password)
            await service.ask(another)
            return verdict

        monkeypatch.setattr(passwords, "verify", slowly)
        assert (await human.sign_in()).code == "sign_in_failed"
        assert isinstance(await human.sign_in(password=another.password), Session)


async def test_a_session_continues_during_a_delay(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    await guess(service, human.email, FREE_ATTEMPTS + 1)
    assert (await human.refresh()).session


async def test_a_password_reset_ends_a_delay(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    await guess(service, human.email, FREE_ATTEMPTS + 1)
    await service.ask(RequestPasswordReset(email=human.email))
    await service.do_tasks()
    token = mailbox(service).link(human.email, "reset")
    await service.ask(ResetPassword(token=token, password="a wholly other passphrase"))
    assert isinstance(await human.sign_in(password="a wholly other passphrase"), Session)


async def test_an_address_that_guesses_at_many_accounts_is_delayed_too(service: ServiceUnderTest) -> None:
    for number in range(FREE_ATTEMPTS_OF_ADDRESS):
        assert await guess_at_another(service, number) == "sign_in_failed"
    human = await somebody_of_a_company(service)
    assert (await human.sign_in(address=OFFICE)).code == "sign_in_delayed"
    assert isinstance(await human.sign_in(address="198.51.100.9"), Session)


@pytest.mark.slow
async def test_right_sign_ins_from_one_address_are_never_delayed(service: ServiceUnderTest) -> None:
    office = [await somebody_of_a_company(service) for _ in range(10)]
    for number in range(200):
        service.clock.instant += timedelta(days=1) / 200
        assert isinstance(await office[number % len(office)].sign_in(address=OFFICE), Session)
    assert await failed_attempts_from(service, OFFICE) == 0


async def test_a_right_sign_in_forgives_no_guess_from_its_address(service: ServiceUnderTest) -> None:
    guesser, colleague = await somebody_of_a_company(service), await somebody_of_a_company(service)
    for number in range(FREE_ATTEMPTS_OF_ADDRESS - 1):
        assert await guess_at_another(service, number) == "sign_in_failed"
        assert isinstance(await guesser.sign_in(address=OFFICE), Session)
    assert isinstance(await colleague.sign_in(address=OFFICE), Session)  # the last right sign-in has caused no delay

    assert await guess_at_another(service, FREE_ATTEMPTS_OF_ADDRESS) == "sign_in_failed"

    assert (await guesser.sign_in(address=OFFICE)).code == "sign_in_delayed"
    guesser.later(61)
    assert isinstance(await guesser.sign_in(address=OFFICE), Session)
    assert await guess_at_another(service, FREE_ATTEMPTS_OF_ADDRESS + 1) == "sign_in_failed"
    guesser.later(61)
    assert (await guesser.sign_in(address=OFFICE)).code == "sign_in_delayed"  # for two minutes: all attempts are counted


async def test_an_officer_who_is_asked_for_a_code_has_not_guessed(service: ServiceUnderTest) -> None:
    officer = await an_officer(service, await the_administrator(service))
    for shown, code, counted in (
        (None, "second_factor_required", 0),
        ("000000", "second_factor_wrong", 1),
        (None, "second_factor_required", 1),
    ):
        assert (await officer.sign_in(code=shown, address=OFFICE)).code == code
        assert await failed_attempts_from(service, OFFICE) == counted
    assert isinstance(await officer.sign_in(address=OFFICE), Session)
    assert await failed_attempts_from(service, OFFICE) == 1


async def test_an_officer_without_a_second_factor_can_only_set_one_up(service: ServiceUnderTest) -> None:
    administrator = Human(service, FIRST_EMAIL, FIRST_PASSWORD)
    session = await administrator.sign_in()
    assert (session.enrolling, session.roles) == (True, ())
    for question in (ListUsers(), ListSessions()):
        assert (await administrator.ask(question)).code == "second_factor_missing"

    await administrator.enrol()

    assert (await administrator.ask(ListUsers())).users


async def test_the_first_administrator_is_appointed_once(service: ServiceUnderTest) -> None:
    await service.start()
    async with service.work() as work:
        assert (await work.session.scalars(select(users.c.email))).all() == [FIRST_EMAIL]
