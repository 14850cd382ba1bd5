"""A person's own account, the language of e-mails, and the names that each person may learn."""

from email import message_from_bytes
from email.policy import default
from typing import Any
from uuid import uuid4

import pytest

from services.registry.identity.domain.user import User
from services.registry.mail.templates import LANGUAGES, EmailTemplates
from shared.contracts.registry.profiles import ChooseLanguage, GetProfile, NameUsers
from shared.contracts.registry.users import RequestPasswordReset
from tests.registry.builders import an_application
from tests.registry.people import (
    FIRST_EMAIL,
    FIRST_PASSWORD,
    Human,
    mailbox,
    somebody_of_a_company,
    the_administrator,
)
from tests.support.service_under_test import ServiceUnderTest, a_person, an_agent

KHMER_PART, ENGLISH_PART = "សូមបើកតំណនេះ", "Open this link"


def a_user(organisation: str, *roles: str) -> User:
    return User(
        user_id=uuid4(),
        name="ចាន់ ដារ៉ា",
        email="dara@company.example",
        password_hash=None,
        organisation=organisation,
        roles=list(roles),
    )


@pytest.mark.parametrize(
    ("organisation", "roles", "readers", "officer", "name"),
    [
        ("c-1", ["preparer"], {"c-1"}, False, "ចាន់ ដារ៉ា"),
        ("c-1", ["preparer"], {"c-2"}, False, None),
        ("c-1", ["preparer"], {"PNH"}, True, "ចាន់ ដារ៉ា"),
        ("PNH", ["approver"], {"c-1"}, False, "Officer of PNH"),
        ("SHV", ["approver"], {"PNH"}, True, "ចាន់ ដារ៉ា"),
        ("KHC", ["customs_viewer"], {"c-1"}, False, "Officer of KHC"),
    ],
)
def test_of_an_officer_a_company_learns_only_the_office(
    organisation: str, roles: list[str], readers: set[str], officer: bool, name: str | None
) -> None:
    assert a_user(organisation, *roles).name_for(readers, officer=officer) == name


async def test_each_person_learns_the_names_that_it_may(service: ServiceUnderTest) -> None:
    own, other = await somebody_of_a_company(service), await somebody_of_a_company(service)
    administrator = await the_administrator(service)
    profiles = [await human.ask(GetProfile()) for human in (own, other, administrator)]
    mine, theirs, officer = (profile.user_id for profile in profiles)
    company, of_other = profiles[0].organisation, profiles[1].organisation
    question = NameUsers(user_ids=(mine, theirs, officer, uuid4(), mine))

    everybody = {profile.user_id: profile.name for profile in profiles}
    for role in ("cashier", "registration_officer", "customs_viewer"):
        assert (await service.ask(question, a_person(role))).names == everybody
    assert (await own.ask(question)).names == {mine: "ចាន់ ដារ៉ា", officer: "Officer of PNH"}
    assert (await service.ask(question, an_agent(of_other, company))).names == {
        mine: "ចាន់ ដារ៉ា",
        theirs: "ចាន់ ដារ៉ា",
        officer: "Officer of PNH",
    }
    nobody = a_person(organisation=uuid4())
    assert (await service.ask(question, nobody)).names == {officer: "Officer of PNH"}


async def test_a_company_that_has_only_applied_sees_its_account(service: ServiceUnderTest) -> None:
    application = an_application()
    await service.ask(application)
    applicant = Human(service, application.email, application.password)
    await applicant.sign_in()

    profile = await applicant.ask(GetProfile())

    assert (profile.name, profile.email) == (application.administrator_name, application.email)
    assert (profile.organisation, profile.company_name) == (str(application.exporter_id), application.company_name)
    assert (profile.language, profile.has_second_factor) == ("en", False)
    assert "signatory" in profile.roles


async def test_an_officer_sees_the_account_before_and_after_the_second_factor(service: ServiceUnderTest) -> None:
    administrator = Human(service, FIRST_EMAIL, FIRST_PASSWORD)
    await administrator.sign_in()
    assert not (await administrator.ask(GetProfile())).has_second_factor
    await administrator.enrol()
    profile = await administrator.ask(GetProfile())
    assert (profile.organisation, profile.company_name, profile.has_second_factor) == ("PNH", None, True)


async def test_a_system_with_an_api_key_or_an_agent_has_no_account(service: ServiceUnderTest) -> None:
    assert (await service.ask(GetProfile(), a_person(organisation=uuid4()))).code == "user_not_found"
    assert (await service.ask(GetProfile(), an_agent(uuid4(), uuid4()))).code == "outside_mandate"
    assert (await service.ask(ChooseLanguage(language="km"), a_person())).code == "user_not_found"


async def test_a_person_chooses_the_language_of_the_e_mails(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    assert await reset_email(service, human, parts=(True, True))
    for language, parts in (("km", (True, False)), ("en", (False, True))):
        profile = await human.ask(ChooseLanguage(language=language))
        assert profile.language == (await human.ask(GetProfile())).language == language
        human.later(600)
        assert await reset_email(service, human, parts)


async def reset_email(service: ServiceUnderTest, human: Human, parts: tuple[bool, bool]) -> bool:
    """Whether the e-mail with the link has exactly these parts, Khmer and English."""
    for file in mailbox(service).folder.glob("reset-*.eml"):
        file.unlink()
    await service.ask(RequestPasswordReset(email=human.email))
    await service.do_tasks()
    (file,) = mailbox(service).folder.glob("reset-*.eml")
    text = message_from_bytes(file.read_bytes(), policy=default).get_content()
    return (KHMER_PART in text, ENGLISH_PART in text) == parts and mailbox(service).link(human.email, "reset") is not None


def test_every_e_mail_has_both_languages_with_the_same_links() -> None:
    templates = EmailTemplates.load()
    for name, texts in templates.texts.items():
        assert set(texts) == set(LANGUAGES), name
        for text in texts.values():
            assert ("{link}" in text["text"]) is (name in ("invitation", "reset")), name


async def test_a_language_that_is_not_offered_cannot_be_chosen(service: ServiceUnderTest) -> None:
    human: Any = await somebody_of_a_company(service)
    body = ChooseLanguage(language="km").model_dump_json().replace('"km"', '"fr"').encode()
    assert (await service.ask_raw(ChooseLanguage, body, human.session.token)).code == "malformed_request"
