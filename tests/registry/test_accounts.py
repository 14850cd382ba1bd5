"""Accounts: invitations, roles, and the limits of an administrator's rights."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.registry.identity.domain.user import ALLOWED, MAX_COLLEAGUES, Act, Status, User
from services.registry.identity.tables import links, users
from shared.contracts.registry.identity import ListSessions, SessionRevoked
from shared.contracts.registry.registrations import ApproveRegistration
from shared.contracts.registry.users import (
    AcceptInvitation,
    AddUser,
    ChangeColleagueRoles,
    ChangeOfficerRoles,
    DeactivateColleague,
    DeactivateOfficer,
    InviteColleague,
    ListUsers,
    RemoveSecondFactor,
    RequestPasswordReset,
    TransferOfficer,
    UserStatus,
)
from shared.database.tables import outbox, tasks
from shared.refusals import Refused
from tests.registry.builders import OFFICER, apply_with_documents, registered
from tests.registry.people import (
    PASSPHRASE,
    an_invitation,
    an_officer,
    mailbox,
    somebody_of_a_company,
    the_administrator,
)
from tests.support.service_under_test import ServiceUnderTest, a_person

ADMINISTRATOR = a_person("administrator")


def test_the_contract_knows_every_status_of_an_account() -> None:
    assert {status.value for status in Status} == {status.value for status in UserStatus}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("act", [act for act in Act if act is not Act.SIGN_IN])
def test_an_account_allows_the_acts_of_the_table_and_no_others(status: Status, act: Act) -> None:
    user = User(
        user_id=uuid4(),
        name="A",
        email="a@b",
        password_hash="hash",
        organisation="PNH",
        roles=["reviewer"],
        status=status,
    )
    by = uuid4()
    do = {
        Act.INVITE_AGAIN: user.invited_again,
        Act.ACCEPT: lambda: user.accept("hash"),
        Act.RESET_PASSWORD: lambda: user.reset_password("hash"),
        Act.CHANGE_ROLES: lambda: user.change_roles({"approver"}, by=by),
        Act.TRANSFER: lambda: user.transfer("SVR", by=by),
        Act.DEACTIVATE: lambda: user.deactivate(by=by),
    }[act]
    if act in ALLOWED[status]:
        do()
    else:
        with pytest.raises(Refused, match="user_not_allowed_now"):
            do()


async def test_an_officer_is_invited_chooses_a_password_and_signs_in(service: ServiceUnderTest) -> None:
    administrator = await the_administrator(service)

    officer = await an_officer(service, administrator, "approver")

    assert officer.session is not None
    assert (officer.session.organisation, officer.session.roles) == ("PNH", ("approver",))
    assert not officer.session.enrolling


async def test_an_officer_belongs_to_a_known_office(service: ServiceUnderTest) -> None:
    administrator = await the_administrator(service)
    officer = await an_officer(service, administrator)
    for command in (an_invitation(office="XXX"), TransferOfficer(user_id=officer.session.user_id, office="XXX")):
        refused = await service.ask(command, ADMINISTRATOR)
        assert (refused.code, refused.fields) == ("office_unknown", ("office",))
        assert "PNH, SHV, SVR" in refused.detail
    of_customs = an_invitation(office="GDCE", roles=("customs_viewer",))
    assert (await service.ask(of_customs, ADMINISTRATOR)).status == "invited"


async def test_an_invitation_works_once_and_for_seven_days(service: ServiceUnderTest) -> None:
    used, late = an_invitation(), an_invitation()
    for invitation in (used, late):
        state = await service.ask(invitation, ADMINISTRATOR)
        assert (state.status, state.organisation) == ("invited", "PNH")
    await service.do_tasks()
    token, too_late = (mailbox(service).link(invitation.email, "invitation") for invitation in (used, late))
    assert token != too_late

    assert (await service.ask(AcceptInvitation(token=token, password=PASSPHRASE))).status == "active"
    again = await service.ask(AcceptInvitation(token=token, password="another password entirely"))
    service.clock.instant += timedelta(days=7, seconds=1)
    expired = await service.ask(AcceptInvitation(token=too_late, password=PASSPHRASE))

    assert (again.code, expired.code) == ("link_invalid", "link_invalid")
    assert (await service.ask(AcceptInvitation(token=token[::-1], password=PASSPHRASE))).code == "link_invalid"


async def test_an_accepted_invitation_can_be_sent_again_after_a_lost_answer(service: ServiceUnderTest) -> None:
    invitation = an_invitation()
    await service.ask(invitation, ADMINISTRATOR)
    await service.do_tasks()
    accept = AcceptInvitation(token=mailbox(service).link(invitation.email, "invitation"), password=PASSPHRASE)
    assert await service.ask(accept) == await service.ask(accept)


async def test_invited_again_the_link_before_is_void(service: ServiceUnderTest) -> None:
    invitation = an_invitation()
    await service.ask(invitation, ADMINISTRATOR)
    await service.do_tasks()
    first = mailbox(service).link(invitation.email, "invitation")
    again = invitation.model_copy(update={"command_id": uuid4()})
    await service.ask(again, ADMINISTRATOR)
    await service.do_tasks()
    assert mailbox(service).link(invitation.email, "invitation") == first  # it was sent a moment ago
    service.clock.instant += timedelta(minutes=2, seconds=1)
    await service.ask(again.model_copy(update={"command_id": uuid4()}), ADMINISTRATOR)
    await service.do_tasks()

    assert mailbox(service).link(invitation.email, "invitation") != first
    assert (await service.ask(AcceptInvitation(token=first, password=PASSPHRASE))).code == "link_invalid"


async def test_no_link_stands_in_a_table_a_task_or_an_event(service: ServiceUnderTest) -> None:
    invitation = an_invitation()
    await service.ask(invitation, ADMINISTRATOR)
    await service.do_tasks()
    token = str(mailbox(service).link(invitation.email, "invitation"))
    async with service.work() as work:
        kept = [str(row) for table in (links, users, tasks, outbox) for row in await work.session.execute(select(table))]
    assert len(kept) >= 3
    assert not [row for row in kept if token in row]


@pytest.mark.parametrize(
    ("roles", "code"),
    [
        (["signatory"], "roles_not_yours_to_give"),
        (["reviewer", "preparer"], "roles_not_yours_to_give"),
        (["customs_viewer", "reviewer"], "roles_not_yours_to_give"),
        (["administrator", "approver"], "roles_kept_apart"),
        (["auditor", "cashier"], "roles_kept_apart"),
    ],
)
async def test_an_administrator_gives_no_roles_of_another_side_and_no_incompatible_ones(
    service: ServiceUnderTest, roles: list[str], code: str
) -> None:
    assert (await service.ask(an_invitation(roles=roles), ADMINISTRATOR)).code == code


@pytest.mark.parametrize("role", ["approver", "administrator", "auditor", "customs_viewer"])
async def test_a_company_gives_no_role_of_the_ministry(service: ServiceUnderTest, role: str) -> None:
    company = a_person("company_administrator", organisation=uuid4())
    invite = InviteColleague(user_id=uuid4(), name="A", email="a@company.example", roles=[role])
    assert (await service.ask(invite, company)).code == "roles_not_yours_to_give"


async def test_a_company_that_is_not_registered_yet_cannot_invite_people(service: ServiceUnderTest) -> None:
    application = await apply_with_documents(service)
    boss = a_person("company_administrator", organisation=application.exporter_id)
    invite = InviteColleague(user_id=uuid4(), name="A", email="a@company.example", roles=["preparer"])
    assert (await service.ask(invite, boss)).code == "not_registered_yet"
    await service.ask(ApproveRegistration(exporter_id=application.exporter_id), OFFICER)
    assert (await service.ask(invite, boss)).status == "invited"


async def test_a_company_has_a_bounded_number_of_open_accounts(service: ServiceUnderTest) -> None:
    application = await registered(service)
    company = application.exporter_id
    async with service.work() as work:
        colleagues = [
            User(
                user_id=uuid4(),
                name="A",
                email=f"{number}@company.example",
                password_hash=None,
                organisation=str(company),
                roles=["preparer"],
            )
            for number in range(1, MAX_COLLEAGUES)  # besides the applicant
        ]
        work.session.add_all(colleagues)
    boss = a_person("company_administrator", organisation=company)
    one_more = InviteColleague(user_id=uuid4(), name="A", email="more@company.example", roles=["preparer"])
    assert (await service.ask(one_more, boss)).code == "too_many_colleagues"
    await service.ask(DeactivateColleague(user_id=colleagues[0].user_id), boss)
    assert (await service.ask(one_more, boss)).status == "invited"
    again = one_more.model_copy(update={"command_id": uuid4()})
    assert (await service.ask(again, boss)).status == "invited"


async def test_people_cannot_change_their_own_roles(service: ServiceUnderTest) -> None:
    administrator = await the_administrator(service)
    assert administrator.session is not None
    me = administrator.session.user_id
    for command in (
        ChangeOfficerRoles(user_id=me, roles=["approver"]),
        TransferOfficer(user_id=me, office="SVR"),
        DeactivateOfficer(user_id=me),
        RemoveSecondFactor(user_id=me),
    ):
        assert (await administrator.confirm(command)).code == "not_on_oneself"
    boss = await somebody_of_a_company(service)
    assert boss.session is not None
    promote = ChangeColleagueRoles(user_id=boss.session.user_id, roles=["signatory"])
    assert (await boss.ask(promote)).code == "not_on_oneself"


async def test_a_company_sees_and_changes_its_own_people_only(service: ServiceUnderTest) -> None:
    company = uuid4()
    boss = await somebody_of_a_company(service, company=company)
    colleague = await somebody_of_a_company(service, "preparer", company=company)
    stranger = await somebody_of_a_company(service)

    listed = await boss.ask(ListUsers())
    assert {user.email for user in listed.users} == {boss.email, colleague.email}
    for other in (stranger, await the_administrator(service)):
        assert other.session is not None
        for command in (
            ChangeColleagueRoles(user_id=other.session.user_id, roles=["preparer"]),
            DeactivateColleague(user_id=other.session.user_id),
        ):
            assert (await boss.ask(command)).code == "user_not_found"


async def test_an_administrator_of_the_ministry_sees_officers_and_touches_no_company(service: ServiceUnderTest) -> None:
    administrator, boss = await the_administrator(service), await somebody_of_a_company(service)
    assert boss.session is not None
    listed = await administrator.ask(ListUsers())
    assert [user.email for user in listed.users] == [administrator.email]
    assert (await administrator.confirm(DeactivateOfficer(user_id=boss.session.user_id))).code == "user_not_found"


@pytest.mark.parametrize(
    "change",
    [
        lambda user_id: ChangeOfficerRoles(user_id=user_id, roles=["reviewer"]),
        lambda user_id: TransferOfficer(user_id=user_id, office="SVR"),
        lambda user_id: DeactivateOfficer(user_id=user_id),
        lambda user_id: RemoveSecondFactor(user_id=user_id),
    ],
    ids=["other roles", "another office", "deactivated", "second factor lost"],
)
async def test_a_change_of_roles_ends_every_session_at_once(service: ServiceUnderTest, change: Any) -> None:
    administrator = await the_administrator(service)
    officer = await an_officer(service, administrator)
    assert officer.session is not None

    await administrator.confirm(change(officer.session.user_id))

    assert (await officer.ask(ListSessions())).code == "token_invalid"
    assert (await officer.refresh()).code == "session_over"
    assert officer.session.session_id in {event.session_id for event in await service.announced(SessionRevoked)}


async def test_a_deactivated_officer_cannot_come_back(service: ServiceUnderTest) -> None:
    administrator = await the_administrator(service)
    officer = await an_officer(service, administrator)
    assert officer.session is not None
    await administrator.confirm(DeactivateOfficer(user_id=officer.session.user_id))

    assert (await officer.sign_in()).code == "sign_in_failed"
    await service.ask(RequestPasswordReset(email=officer.email))
    await service.do_tasks()
    assert mailbox(service).link(officer.email, "reset") is None


async def test_an_officer_whose_second_factor_was_removed_sets_up_another(service: ServiceUnderTest) -> None:
    administrator = await the_administrator(service)
    officer = await an_officer(service, administrator)
    assert officer.session is not None
    state = await administrator.confirm(RemoveSecondFactor(user_id=officer.session.user_id))
    assert not state.has_second_factor

    officer.totp = None
    assert (await officer.sign_in()).enrolling
    await officer.enrol()
    assert officer.session.roles == ("approver",)


async def test_nobody_chooses_the_password_of_another_person(service: ServiceUnderTest) -> None:
    add = AddUser(user_id=uuid4(), name="A", email="a@b.example", password=PASSPHRASE, roles=["reviewer"], office="PNH")
    assert (await service.ask(add, ADMINISTRATOR)).code == "password_not_yours_to_choose"


async def test_the_same_invitation_is_one_account_and_another_under_its_id_is_refused(service: ServiceUnderTest) -> None:
    invitation = an_invitation()
    await service.ask(invitation, ADMINISTRATOR)
    other = an_invitation(user_id=invitation.user_id)
    same_mail = an_invitation(email=invitation.email)
    assert (await service.ask(other, ADMINISTRATOR)).code == "user_id_taken"
    assert (await service.ask(same_mail, ADMINISTRATOR)).code == "email_taken"
