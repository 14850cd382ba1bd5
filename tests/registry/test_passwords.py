"""Passwords: their owners choose them, they are hard to guess, and a link that works once replaces them."""

from datetime import timedelta

import pytest

from services.registry.identity.domain.password import must_be_hard_to_guess
from services.registry.mail.transport import Email, Mailer, MailFolder
from shared.contracts.registry.identity import ListSessions
from shared.contracts.registry.users import AcceptInvitation, RequestPasswordReset, ResetPassword
from shared.refusals import Refused, Unavailable
from tests.registry.people import PASSPHRASE, Human, an_invitation, mailbox, somebody_of_a_company
from tests.support.service_under_test import ServiceUnderTest, a_person

ADMINISTRATOR = a_person("administrator")


class FailsOnce:
    """A mail server that fails once."""

    def __init__(self, folder: MailFolder) -> None:
        self.attempts = 0
        self._folder = folder

    async def send(self, email: Email) -> None:
        self.attempts += 1
        if self.attempts == 1:
            raise Unavailable("the mail server is away")
        await self._folder.send(email)


async def test_an_email_that_could_not_be_sent_is_retried(service: ServiceUnderTest) -> None:
    human, folder = await somebody_of_a_company(service), mailbox(service).folder
    transport = FailsOnce(MailFolder(folder, "registry@ministry.example"))
    service.context._tools[Mailer] = Mailer(transport)
    await service.ask(RequestPasswordReset(email=human.email))
    await service.do_tasks()
    assert mailbox(service).link(human.email, "reset") is None

    service.clock.instant += timedelta(seconds=1)
    await service.do_tasks()

    assert mailbox(service).link(human.email, "reset")
    assert transport.attempts == 2


async def test_a_forgotten_password_is_replaced_by_a_link_that_works_once_and_ends_every_session(
    service: ServiceUnderTest,
) -> None:
    human = await somebody_of_a_company(service)
    known, unknown = [await service.ask(RequestPasswordReset(email=email)) for email in (human.email, "nobody@company.example")]
    await service.do_tasks()
    token = mailbox(service).link(human.email, "reset")

    await service.ask(ResetPassword(token=token, password="a wholly other passphrase"))

    assert known == unknown
    assert mailbox(service).link("nobody@company.example", "reset") is None
    assert (await human.ask(ListSessions())).code == "token_invalid"
    assert (await human.sign_in()).code == "sign_in_failed"
    assert (await human.sign_in(password="a wholly other passphrase")).session_id
    assert (await service.ask(ResetPassword(token=token, password="and yet another passphrase"))).code == "link_invalid"


async def test_a_link_for_another_password_lasts_an_hour_and_is_no_invitation(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    await service.ask(RequestPasswordReset(email=human.email))
    await service.do_tasks()
    token = mailbox(service).link(human.email, "reset")
    assert (await service.ask(AcceptInvitation(token=token, password=PASSPHRASE))).code == "link_invalid"
    human.later(3601)
    assert (await service.ask(ResetPassword(token=token, password=PASSPHRASE))).code == "link_invalid"


async def test_a_stranger_cannot_fill_a_mailbox_with_links(service: ServiceUnderTest) -> None:
    human = await somebody_of_a_company(service)
    for _ in range(5):
        await service.ask(RequestPasswordReset(email=human.email))
        await service.do_tasks()
    assert len(list(mailbox(service).folder.glob("reset-*"))) == 1


@pytest.mark.parametrize("password", ["password1234", "Administrator1", "aaaaaaaaaaaa", "abcdefghijklmnop", "123456789012345"])
def test_a_common_password_is_refused(password: str) -> None:
    with pytest.raises(Refused, match="password_too_common"):
        must_be_hard_to_guess(password, "Sok Vanna", "vanna@ministry.example")


@pytest.mark.parametrize("password", ["sok.vanna.ministry", "Vanna@ministry", "សុខវណ្ណា-សុខវណ្ណា"])
def test_a_password_of_ones_own_name_is_refused(password: str) -> None:
    with pytest.raises(Refused, match="password_tells_who_you_are"):
        must_be_hard_to_guess(password, "Sok Vanna សុខវណ្ណា", "vanna@ministry.example")


@pytest.mark.parametrize(
    "password", [PASSPHRASE, "ផ្លែស្វាយទុំធ្លាក់ពីលើដើម", "7c9e6679-7425-40de-944b-e07fc1f90ae7", "🥭" * 3 + " mango rain"]
)
async def test_any_other_password_of_any_letters_is_good(service: ServiceUnderTest, password: str) -> None:
    must_be_hard_to_guess(password, "Sok Vanna", "vanna@ministry.example")
    invitation = an_invitation()
    await service.ask(invitation, ADMINISTRATOR)
    await service.do_tasks()
    await service.ask(AcceptInvitation(token=mailbox(service).link(invitation.email, "invitation"), password=password))
    assert (await Human(service, invitation.email, password).sign_in()).enrolling
