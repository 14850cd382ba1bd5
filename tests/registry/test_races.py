"""Simultaneous attempts: what can be used once is used once, on SQLite and PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.registry.identity.domain.attempts import FREE_ATTEMPTS, FREE_ATTEMPTS_OF_ADDRESS
from shared.contracts.registry.identity import ListSessions, OpenSession, RefreshSession
from shared.contracts.registry.importing import ImportRegistrations
from shared.contracts.registry.mandates import AcceptMandate, ExchangeApiKey, MakeApiKey, MandateGranted, RevokeApiKey
from shared.contracts.registry.registrations import (
    GetRegistration,
    HandInRegistration,
    RefuseRegistration,
    RegistrationApproved,
)
from shared.contracts.registry.users import AcceptInvitation
from tests.conftest import Databases
from tests.registry.builders import OFFICER, an_application
from tests.registry.former import a_former_company
from tests.registry.parties import Parties, code_of
from tests.registry.people import (
    Human,
    a_registry,
    an_invitation,
    failed_attempts_from,
    mailbox,
    somebody_of_a_company,
    the_administrator,
)
from tests.support.service_under_test import ServiceUnderTest, a_person

pytestmark = pytest.mark.slow

OFFICE = "203.0.113.7"
"""The address that all of them share."""


@pytest.fixture
async def service(databases: Databases, tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_registry(tmp_path, database_url=databases.of("registry")) as service:
        yield service


def codes(answers: list[Any]) -> Counter[str]:
    return Counter(getattr(answer, "code", "let in") for answer in answers)


async def test_of_fifty_simultaneous_guesses_only_five_are_checked(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    for email in (human.email, "nobody@company.example"):
        guesses = (OpenSession(email=email, password=f"wrong {number}") for number in range(50))
        answers = codes(await asyncio.gather(*map(service.ask, guesses)))
        assert answers == {"sign_in_failed": FREE_ATTEMPTS, "sign_in_delayed": 50 - FREE_ATTEMPTS}


@pytest.mark.slow
async def test_a_hundred_people_behind_one_address_sign_in_at_once(service: ServiceUnderTest) -> None:
    office = [await somebody_of_a_company(service) for _ in range(100)]
    answers = await asyncio.gather(*(human.sign_in(address=OFFICE) for human in office))
    assert codes(answers) == {"let in": 100}
    assert await failed_attempts_from(service, OFFICE) == 0


async def test_right_passwords_among_simultaneous_guesses_forgive_no_guess(service: ServiceUnderTest) -> None:
    people = [await somebody_of_a_company(service) for _ in range(30)]
    right = [OpenSession(email=human.email, password=human.password, address=OFFICE) for human in people]
    wrong = [OpenSession(email=f"{n}@company.example", password="wrong", address=OFFICE) for n in range(90)]
    mixed = [command for four in zip(right, wrong[::3], wrong[1::3], wrong[2::3], strict=True) for command in four]

    answers = codes(await asyncio.gather(*map(service.ask, mixed)))

    assert set(answers) == {"let in", "sign_in_failed", "sign_in_delayed"}
    assert FREE_ATTEMPTS_OF_ADDRESS - 20 < answers["sign_in_failed"] <= FREE_ATTEMPTS_OF_ADDRESS
    assert await failed_attempts_from(service, OFFICE) == answers["sign_in_failed"]


async def test_of_ten_refused_companies_with_one_tax_number_one_takes_it(service: ServiceUnderTest) -> None:
    left = []
    for _ in range(10):
        left.append(an_application(tax_number="K997-999999"))
        await service.ask(left[-1])
        await service.ask(RefuseRegistration(exporter_id=left[-1].exporter_id, reason="Unreadable."), OFFICER)

    again = (
        service.ask(
            HandInRegistration(exporter_id=each.exporter_id), a_person("company_administrator", organisation=each.exporter_id)
        )
        for each in left
    )
    answers = codes(await asyncio.gather(*again))

    assert answers == {"let in": 1, "tax_number_taken": 9}


@pytest.mark.parametrize("field", ["tax_number", "email"])
async def test_of_ten_simultaneous_applications_with_the_same_key_nine_are_refused(
    service: ServiceUnderTest, field: str
) -> None:
    first = an_application()
    applications = (an_application(**{field: getattr(first, field)}) for _ in range(10))
    assert codes(await asyncio.gather(*map(service.ask, applications))) == {"let in": 1, f"{field}_taken": 9}


async def test_of_ten_simultaneous_sign_ins_with_the_same_code_one_succeeds(service: ServiceUnderTest) -> None:
    administrator = await the_administrator(service)
    account = {"email": administrator.email, "password": administrator.password, "code": administrator.code()}
    shown = OpenSession(**account, address=OFFICE)
    answers = codes(await asyncio.gather(*(service.ask(shown) for _ in range(10))))
    assert answers["let in"] == 1
    assert set(answers) <= {"let in", "second_factor_wrong", "sign_in_delayed"}


async def test_of_ten_simultaneous_commands_with_the_same_confirmation_one_succeeds(service: ServiceUnderTest) -> None:
    administrator = await the_administrator(service)
    invitation = an_invitation()
    confirmed = (await administrator.step_up(invitation)).token
    twins = [invitation.model_copy(update={"command_id": uuid4()}) for _ in range(10)]
    answers = codes(await asyncio.gather(*(administrator.ask(twin, confirmed) for twin in twins)))
    assert answers == {"let in": 1, "step_up_used": 9}


async def test_of_ten_people_who_follow_the_same_link_at_once_one_chooses_the_password(service: ServiceUnderTest) -> None:
    invitation = an_invitation()
    await service.ask(invitation, a_person("administrator"))
    await service.do_tasks()
    token = mailbox(service).link(invitation.email, "invitation")
    choices = [f"the passphrase of number {number}" for number in range(10)]
    answers = await asyncio.gather(*(service.ask(AcceptInvitation(token=token, password=choice)) for choice in choices))
    assert codes(list(answers))["let in"] == 1
    chosen = next(choice for choice, answer in zip(choices, answers, strict=True) if not hasattr(answer, "code"))
    assert (await Human(service, invitation.email, chosen).sign_in()).enrolling


async def test_the_same_choice_sent_five_times_at_once_is_one(service: ServiceUnderTest) -> None:
    invitation = an_invitation()
    await service.ask(invitation, a_person("administrator"))
    await service.do_tasks()
    accept = AcceptInvitation(token=mailbox(service).link(invitation.email, "invitation"), password="the passphrase of one")
    answers = await asyncio.gather(*(service.ask(accept) for _ in range(5)))
    assert codes(list(answers)) == {"let in": 5}
    assert (await Human(service, invitation.email, "the passphrase of one").sign_in()).enrolling


async def test_of_ten_pairs_given_for_the_same_refresh_token_at_once_only_the_last_is_good(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    assert human.session is not None
    shown = RefreshSession(refresh_token=human.session.refresh_token)
    pairs = [answer.session for answer in await asyncio.gather(*(service.ask(shown) for _ in range(10)))]
    assert len({pair.refresh_token for pair in pairs}) == 10

    ended = [(await service.ask(RefreshSession(refresh_token=pair.refresh_token))) for pair in pairs[:2]]

    assert any(getattr(answer, "session", None) is None for answer in ended)
    assert (await human.ask(ListSessions())).code == "token_invalid"


async def test_of_two_simultaneous_imports_each_company_is_imported_once(service: ServiceUnderTest) -> None:
    rows = [a_former_company() for _ in range(20)]
    others = [a_former_company(tax_number=row.tax_number) for row in rows[::2]]
    commands = [ImportRegistrations(registrations=some) for some in (rows, rows, others)]
    answers = await asyncio.gather(*(service.ask(command, a_person("administrator")) for command in commands))
    reports = [report for answer in answers for report in answer.rows]
    outcomes = Counter(report.outcome.value for report in reports)
    assert outcomes["imported"] == len(rows) == len(await service.announced(RegistrationApproved))
    codes_of_refused = {report.code for report in reports if report.outcome == "refused"}
    assert codes_of_refused <= {"tax_number_taken", "taken_meanwhile"}


async def test_of_ten_simultaneous_acceptances_of_a_mandate_one_succeeds(service: ServiceUnderTest, parties: Parties) -> None:
    proposal = parties.proposal()
    await parties.exporter.administrator.ask(proposal)
    twins = [AcceptMandate(mandate_id=proposal.mandate_id) for _ in range(10)]
    answers = codes(await asyncio.gather(*map(parties.agent.administrator.ask, twins)))
    assert answers == {"let in": 1, "mandate_not_allowed_now": 9}
    assert len(await service.announced(MandateGranted)) == 1


async def test_while_a_key_is_revoked_no_token_is_given_that_outlives_it(service: ServiceUnderTest, parties: Parties) -> None:
    key = await parties.key(await parties.mandate())
    revoke = parties.exporter.administrator.ask(RevokeApiKey(api_key_id=key.api_key_id))
    exchanges = [service.ask(ExchangeApiKey(key=key.key)) for _ in range(20)]
    *given, revoked = await asyncio.gather(*exchanges, revoke)
    assert revoked.revoked_at
    assert set(codes(list(given))) <= {"let in", "api_key_invalid"}
    for answer in given:
        if token := getattr(answer, "token", None):
            assert await code_of(service, token, GetRegistration(exporter_id=uuid4())) == "token_invalid"
    assert (await service.ask(ExchangeApiKey(key=key.key))).code == "api_key_invalid"


async def test_four_simultaneous_sign_ins_of_one_person_are_not_delayed(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    for _ in range(10):
        answers = await asyncio.gather(*(human.sign_in(address=OFFICE) for _ in range(FREE_ATTEMPTS - 1)))
        assert codes(answers) == {"let in": FREE_ATTEMPTS - 1}


async def test_making_using_and_revoking_a_key_at_once_causes_no_deadlock(service: ServiceUnderTest, parties: Parties) -> None:
    mandate_id = await parties.mandate()
    key = await parties.key(mandate_id)
    again = [MakeApiKey(api_key_id=key.api_key_id, mandate_id=mandate_id, name="Again") for _ in range(20)]
    made = map(parties.agent.administrator.ask, again)
    exchanges = (service.ask(ExchangeApiKey(key=key.key)) for _ in range(20))
    revoke = parties.exporter.administrator.ask(RevokeApiKey(api_key_id=key.api_key_id))
    answers = codes(await asyncio.gather(*(each for pair in zip(made, exchanges, strict=True) for each in pair), revoke))
    assert answers["api_key_id_taken"] == 20
    assert set(answers) <= {"api_key_id_taken", "let in", "api_key_invalid"}
