"""Companies and people of a former system are imported once, each company whole or not at all."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from services.registry.companies.tables import registration_acts, registrations
from services.registry.identity.tables import users
from shared.contracts.messages import Refusal
from shared.contracts.registry.identity import OpenSession
from shared.contracts.registry.importing import (
    CheckRegistrationsImport,
    CheckUsersImport,
    Imported,
    ImportedRegistration,
    ImportedUser,
    ImportRegistrations,
    ImportUsers,
    RowReport,
)
from shared.contracts.registry.registration_history import GetRegistrationHistory
from shared.contracts.registry.registrations import (
    GetRegistration,
    RegistrationApproved,
    RegistrationExpired,
    RegistrationSuspended,
    ReinstateRegistration,
    RenewRegistration,
)
from shared.contracts.registry.users import RequestPasswordReset, ResetPassword
from shared.database.tables import audit_log, outbox, tasks
from shared.handling.actor import Actor
from tests.registry.builders import OFFICER, an_application
from tests.registry.former import a_former_company, a_former_person, a_former_user
from tests.registry.people import PASSPHRASE, mailbox
from tests.support.service_under_test import ServiceUnderTest, a_person

ADMINISTRATOR = a_person("administrator")


async def companies(service: ServiceUnderTest, *rows: ImportedRegistration, **options: Any) -> tuple[RowReport, ...]:
    answer = await service.ask(ImportRegistrations(registrations=rows, **options), ADMINISTRATOR)
    assert isinstance(answer, Imported), answer
    return answer.rows


async def people(service: ServiceUnderTest, *rows: ImportedUser, **options: Any) -> tuple[RowReport, ...]:
    answer = await service.ask(ImportUsers(users=rows, **options), ADMINISTRATOR)
    assert isinstance(answer, Imported), answer
    return answer.rows


async def kept(service: ServiceUnderTest) -> list[int]:
    """The number of rows in each table that an import writes to."""
    async with service.work() as work:
        tables = (registrations, registration_acts, users, outbox, tasks)
        return [await work.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def of(row: RowReport) -> Actor:
    return a_person("company_administrator", "signatory", organisation=str(row.id))


async def test_an_imported_company_is_a_registration_like_any_other(service: ServiceUnderTest) -> None:
    former = a_former_company()

    (row,) = await companies(service, former)

    assert row.outcome == "imported"
    state = await service.ask(GetRegistration(exporter_id=row.id), OFFICER)
    assert (state.status, state.tax_number, state.company_name) == ("active", former.tax_number, former.company_name)
    assert (state.valid_from, state.valid_until) == (former.valid_from, former.valid_until)
    assert state.particulars.representative.name_km == "ចាន់ ដារ៉ា"
    (announced,) = await service.announced(RegistrationApproved)
    assert (announced.exporter_id, announced.valid_until, announced.version) == (row.id, former.valid_until, 1)
    assert announced.address.endswith("Khan Pur SenChey, Phnom Penh")
    async with service.work() as work:
        due = (await work.session.scalars(select(tasks.c.kind).where(tasks.c.key.startswith(str(row.id))))).all()
    assert sorted(due) == ["expire_registration", *["remind_of_expiry"] * 5]


async def test_the_audit_log_and_the_history_name_the_administrator_who_imported(service: ServiceUnderTest) -> None:
    (row,) = await companies(service, a_former_company())

    (act,) = (await service.ask(GetRegistrationHistory(exporter_id=row.id), OFFICER)).acts
    assert (act.act, act.user_id, str(act.valid_until)) == ("import", ADMINISTRATOR.user_id, "2027-03-14")
    async with service.work() as work:
        done = (await work.session.execute(select(audit_log.c.act, audit_log.c.actor))).all()
    assert ("ImportRegistrations", str(ADMINISTRATOR.user_id)) in [tuple(each) for each in done]


async def test_a_suspended_or_expired_company_is_imported_as_such_and_can_go_on(service: ServiceUnderTest) -> None:
    suspended, expired = await companies(
        service,
        a_former_company(status="suspended", reason="The factory was closed."),
        a_former_company(status="expired", valid_until="2026-11-22"),
    )

    assert [event.exporter_id for event in await service.announced(RegistrationSuspended)] == [suspended.id]
    assert [event.exporter_id for event in await service.announced(RegistrationExpired)] == [expired.id]
    state = await service.ask(ReinstateRegistration(exporter_id=suspended.id, reason="It was opened again."), OFFICER)
    assert state.status == "active"
    asked = await service.ask(RenewRegistration(exporter_id=expired.id), of(expired))
    assert asked.renewal.status == "applied"
    assert "photo" in asked.lacks
    await service.do_tasks()
    assert len(await service.announced(RegistrationExpired)) == 1


async def test_an_imported_year_is_reminded_of_and_ends(service: ServiceUnderTest) -> None:
    (row,) = await companies(service, a_former_company())
    service.clock.instant = datetime(2027, 3, 14, 17, 30, tzinfo=UTC)  # half past midnight of the 15th in Phnom Penh

    await service.do_tasks()

    assert (await service.ask(GetRegistration(exporter_id=row.id), OFFICER)).status == "expired"
    assert [event.exporter_id for event in await service.announced(RegistrationExpired)] == [row.id]


async def test_a_repeated_import_changes_nothing(service: ServiceUnderTest) -> None:
    rows = [
        a_former_company(),
        a_former_company(former_id=None, status="suspended", reason="Closed."),
        a_former_company(status="expired", valid_until="2026-11-22", contact_email=None, users=[]),
    ]
    first = await companies(service, *rows, invite=True)
    before = await kept(service)

    again = await companies(service, *rows, invite=True)

    assert [row.outcome for row in again] == ["unchanged"] * 3
    assert [row.id for row in again] == [row.id for row in first]
    assert await kept(service) == before


async def test_a_changed_row_is_reported_and_changes_nothing(service: ServiceUnderTest) -> None:
    former, person = a_former_company(), a_former_user()
    (company,), (user,) = await companies(service, former), await people(service, person)
    before = await kept(service)
    colleague = {**former.users[0].model_dump(), "name": "Another"}
    changed = a_former_company(**former.model_dump() | {"company_name": "Angkor Ltd.", "users": [colleague, a_former_person()]})

    (row,) = await companies(service, changed)
    (other,) = await people(service, person.model_copy(update={"office": "SHV", "email": "new@ministry.example"}))

    assert (row.outcome, row.id) == ("different", company.id)
    assert row.fields == ("company_name", "users.1.name", "users.2.former_id")
    assert (other.outcome, other.id, other.fields) == ("different", user.id, ("email", "office"))
    assert await kept(service) == before


async def test_a_file_of_last_year_still_says_what_is_different_when_its_days_have_passed(service: ServiceUnderTest) -> None:
    former = a_former_company()
    await companies(service, former)
    service.clock.instant += timedelta(days=200)
    await service.do_tasks()

    (row,) = await companies(service, former)

    assert (row.outcome, row.fields) == ("different", ("status",))


UNSOUND: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({"valid_from": "2027-03-15"}, "validity_unsound", ("valid_from", "valid_until")),
    ({"valid_from": "1889-01-01"}, "validity_unsound", ("valid_from",)),
    ({"valid_until": "2062-03-14"}, "validity_unsound", ("valid_until",)),
    ({"valid_until": "2026-11-22"}, "status_unsound", ("status", "valid_until")),
    ({"status": "expired"}, "status_unsound", ("status", "valid_until")),
    ({"status": "suspended"}, "reason_missing", ("reason",)),
    ({"company_name": "ក្រុមហ៊ុន អង្គរ"}, "latin_letters_needed", ("company_name",)),
    ({"address": "ផ្លូវជាតិលេខ៤"}, "latin_letters_needed", ("address",)),
    ({"district": "9999"}, "district_unknown", ("district",)),
    (
        {"representative": {"name": "A", "position": "B", "born_on": "2026-11-24"}},
        "birthday_in_future",
        ("representative.born_on",),
    ),
    ({"users": [a_former_person(), a_former_person(roles=["approver"])]}, "roles_not_yours_to_give", ("users.2.roles",)),
    ({"users": [a_former_person(email="taken@company.example")]}, "email_taken", ("users.1.email",)),
    ({"users": [a_former_person(former_id="U-TAKEN")]}, "user_id_taken", ("users.1.former_id",)),
    ({"tax_number": "K000-TAKEN"}, "tax_number_taken", ("tax_number",)),
]


@pytest.mark.parametrize(("changes", "code", "fields"), UNSOUND, ids=[f"{code}-{fields[0]}" for _, code, fields in UNSOUND])
async def test_a_wrong_company_is_refused_whole_and_blocks_no_other(
    service: ServiceUnderTest, changes: dict[str, Any], code: str, fields: tuple[str, ...]
) -> None:
    await service.ask(an_application(email="taken@company.example", tax_number="K000-TAKEN"))
    await companies(service, a_former_company(users=[a_former_person(former_id="U-TAKEN")]))
    wrong = a_former_company(**changes)
    sound_before, sound_after = a_former_company(), a_former_company()
    checked = await service.ask(CheckRegistrationsImport(registrations=[wrong]), ADMINISTRATOR)
    approved = len(await service.announced(RegistrationApproved))

    first, refused, last = await companies(service, sound_before, wrong, sound_after)

    assert (refused.outcome, refused.code, refused.fields) == ("refused", code, fields)
    assert str(refused.detail).endswith(".")
    assert checked.rows == (refused,)
    assert (first.outcome, last.outcome) == ("imported", "imported")
    assert len(await service.announced(RegistrationApproved)) == approved + 2
    async with service.work() as work:
        emails = {user.email for user in wrong.users} - {"taken@company.example"}
        there = (await work.session.scalars(select(users.c.email).where(users.c.email.in_(emails)))).all()
    assert there == []


async def test_of_two_rows_with_the_same_key_one_is_imported_and_one_refused(service: ServiceUnderTest) -> None:
    one = a_former_company()
    other = a_former_company(tax_number=one.tax_number)
    third = a_former_company(users=[a_former_person(email=one.users[0].email)])

    rows = await companies(service, one, other, third)

    assert [(row.outcome, row.code) for row in rows] == [
        ("imported", None),
        ("refused", "tax_number_taken"),
        ("refused", "email_taken"),
    ]


async def test_a_dry_run_reports_on_every_row_and_saves_nothing(service: ServiceUnderTest) -> None:
    known = a_former_company()
    await companies(service, known)
    before = await kept(service)
    rows = (known, a_former_company(), a_former_company(status="expired"))

    checked = await service.ask(CheckRegistrationsImport(registrations=rows), ADMINISTRATOR)
    checked_users = await service.ask(CheckUsersImport(users=[a_former_user(), a_former_user(office="XXX")]), ADMINISTRATOR)

    assert [row.outcome for row in checked.rows] == ["unchanged", "imported", "refused"]
    assert [row.code for row in checked_users.rows] == [None, "office_unknown"]
    assert await kept(service) == before
    assert [row.id for row in await companies(service, *rows)] == [row.id for row in checked.rows]


async def test_people_of_offices_customs_and_companies_are_imported(service: ServiceUnderTest) -> None:
    company = a_former_company()
    (exporter,) = await companies(service, company)
    officer = a_former_user(roles=["reviewer", "approver"], office="SHV")
    viewer = a_former_user(roles=["customs_viewer"], office="GDCE")
    colleague = a_former_user(roles=["preparer"], company_tax_number=company.tax_number)

    rows = await people(service, colleague, officer, viewer)

    assert [row.outcome for row in rows] == ["imported"] * 3
    async with service.work() as work:
        found = (await work.session.execute(select(users).where(users.c.user_id.in_([row.id for row in rows])))).all()
    organisations = {user.email: (user.organisation, user.password_hash, user.status) for user in found}
    assert organisations == {
        colleague.email: (str(exporter.id), None, "active"),
        officer.email: ("SHV", None, "active"),
        viewer.email: ("GDCE", None, "active"),
    }


WRONG_PEOPLE: list[tuple[dict[str, Any], str, str]] = [
    ({"roles": ["preparer"]}, "roles_not_yours_to_give", "roles"),
    ({"roles": ["administrator", "approver"]}, "roles_kept_apart", "roles"),
    ({"office": "XXX"}, "office_unknown", "office"),
    ({"office": None}, "organisation_unclear", "office"),
    ({"company_tax_number": "K000-000000", "office": "PNH"}, "organisation_unclear", "office"),
    ({"company_tax_number": "K000-000000", "roles": ["preparer"]}, "company_unknown", "company_tax_number"),
    ({"email": "administrator@ministry.example"}, "email_taken", "email"),
]


@pytest.mark.parametrize(("changes", "code", "field"), WRONG_PEOPLE, ids=[code for _, code, _ in WRONG_PEOPLE])
async def test_an_officer_in_error_is_refused_and_holds_no_other_up(
    service: ServiceUnderTest, changes: dict[str, Any], code: str, field: str
) -> None:
    wrong, sound = await people(service, a_former_user(**changes), a_former_user())

    assert (wrong.outcome, wrong.code, wrong.fields[0]) == ("refused", code, field)
    assert sound.outcome == "imported"


async def test_the_people_of_a_company_are_imported_together_or_not_at_all(service: ServiceUnderTest) -> None:
    first, second = a_former_company(), a_former_company()
    await companies(service, first, second)
    mine = {"roles": ["preparer"], "company_tax_number": first.tax_number}
    others = {"roles": ["signatory"], "company_tax_number": second.tax_number}
    before = await kept(service)
    rows = (
        a_former_user(**mine),
        a_former_user(**others),
        a_former_user(**mine | {"roles": ["cashier"]}),
        a_former_user(**mine | {"email": first.users[0].email}),
        a_former_user(**others),
    )

    reports = await people(service, *rows, invite=True)

    assert [row.code for row in reports] == ["colleague_refused", None, "roles_not_yours_to_give", "email_taken", None]
    added = [now - then for now, then in zip(await kept(service), before, strict=True)]
    assert added == [0, 0, 2, 0, 2]  # two people, and an invitation for each


async def test_a_person_without_an_invitation_chooses_a_password_by_a_reset(service: ServiceUnderTest) -> None:
    former = a_former_company()
    await companies(service, former)
    email = former.users[0].email
    assert (await service.ask(OpenSession(email=email, password=PASSPHRASE))).code == "sign_in_failed"
    await service.do_tasks()
    assert mailbox(service).link(email, "invitation") is None

    await service.ask(RequestPasswordReset(email=email))
    await service.do_tasks()
    await service.ask(ResetPassword(token=mailbox(service).link(email, "reset"), password=PASSPHRASE))

    session = await service.ask(OpenSession(email=email, password=PASSPHRASE))
    assert session.roles == ("company_administrator", "signatory")


async def test_an_imported_person_is_invited_once(service: ServiceUnderTest) -> None:
    former, officer = a_former_company(), a_former_user()
    for _ in range(2):
        await companies(service, former, invite=True)
        await people(service, officer, invite=True)
        await service.do_tasks()

    invitations = [*mailbox(service).folder.glob("invitation-*.eml")]
    assert len(invitations) == 2
    assert mailbox(service).link(former.users[0].email, "invitation")
    assert mailbox(service).link(officer.email, "invitation")


async def test_a_command_sent_again_gets_the_same_answer_and_acts_once(service: ServiceUnderTest) -> None:
    command = ImportRegistrations(registrations=[a_former_company(), a_former_company(status="expired")])
    confirmed = service.step_up_of(ADMINISTRATOR, command)
    token, body = service.token_of(ADMINISTRATOR), command.model_dump_json().encode()

    first = await service.ask_raw(ImportRegistrations, body, token, confirmed)

    assert await service.ask_raw(ImportRegistrations, body, token, confirmed) == first
    assert len(await service.announced(RegistrationApproved)) == 1


@pytest.mark.parametrize("rows", [0, 101])
async def test_a_command_has_one_row_and_at_most_a_hundred(service: ServiceUnderTest, rows: int) -> None:
    row = a_former_user().model_dump_json()
    body = f'{{"command_id":"{uuid4()}","users":[{",".join([row] * rows)}]}}'

    answer = await service.ask_raw(ImportUsers, body.encode(), service.token_of(ADMINISTRATOR))

    assert isinstance(answer, Refusal)
    assert (answer.code, answer.fields) == ("malformed_request", ("users",))
