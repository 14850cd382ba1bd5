"""Imports registrations and accounts of the ministry's former system."""

from functools import partial
from itertools import groupby

from services.registry.companies import store as registrations
from services.registry.companies.applying import must_be_sound
from services.registry.companies.domain.importing import (
    FormerRegistration,
    imported_registration,
    imported_user,
    must_be_of_one_side,
    registration_differs,
    user_differs,
)
from services.registry.companies.domain.life_cycle import Act, Status
from services.registry.companies.domain.refusals import CompanyNotImported, FormerCompanyLost
from services.registry.companies.domain.registration import Registration
from services.registry.companies.expiring import schedule_expiry
from services.registry.companies.views import approved, given_particulars, standing, status_changed
from services.registry.identity.domain.user import User
from services.registry.identity.invitations import SendInvitation
from services.registry.identity.offices import Offices
from services.registry.identity.store import users
from shared.contracts.registry import particulars as contracts
from shared.contracts.registry.importing import (
    CheckRegistrationsImport,
    CheckUsersImport,
    Imported,
    ImportedPerson,
    ImportedRegistration,
    ImportedUser,
    ImportRegistrations,
    ImportUsers,
    RowOutcome,
    RowReport,
    compared,
    imported_id,
)
from shared.handling.router import Router
from shared.handling.row_by_row import import_each, import_together
from shared.handling.work import Work

router = Router()


@router.answers(ImportRegistrations)
async def import_registrations(command: ImportRegistrations, work: Work) -> Imported:
    """Imports companies with their people. Each company is imported whole or not at all."""
    import_row = partial(import_registration, invite=command.invite)
    return await import_each(command.registrations, import_row, work)


@router.answers(CheckRegistrationsImport)
async def check_registrations_import(question: CheckRegistrationsImport, work: Work) -> Imported:
    """Shows what an import of these companies would do."""
    return await import_each(question.registrations, import_registration, work)


@router.answers(ImportUsers)
async def import_users(command: ImportUsers, work: Work) -> Imported:
    """Imports people. The people of one company are imported together."""
    return await import_people(command, work, invite=command.invite)


@router.answers(CheckUsersImport)
async def check_users_import(question: CheckUsersImport, work: Work) -> Imported:
    """Shows what an import of these people would do."""
    return await import_people(question, work)


async def import_people(request: ImportUsers | CheckUsersImport, work: Work, *, invite: bool = False) -> Imported:
    """Imports people, company by company, and each officer alone."""
    import_row = partial(import_user, invite=invite)
    reports: dict[int, RowReport] = {}
    numbered = sorted(enumerate(request.users), key=lambda row: row[1].company_tax_number or f" {row[0]}")
    for _, rows in groupby(numbered, key=lambda row: row[1].company_tax_number or row[0]):
        group = dict(rows)
        reports |= zip(group, await import_together(list(group.values()), import_row, work), strict=True)
    return Imported(rows=[reports[number] for number in range(len(request.users))])


async def import_registration(row: ImportedRegistration, work: Work, *, invite: bool = False) -> RowReport:
    """Imports one company with its people; a question saves nothing."""
    former = FormerRegistration(
        status=Status(row.status), valid_from=row.valid_from, valid_until=row.valid_until, reason=row.reason
    )
    given = row.model_dump(include=set(contracts.Particulars.model_fields))
    given["contact_email"] = row.contact_email or (row.users[0].email if row.users else None)
    particulars = given_particulars(contracts.Particulars.model_validate(given))
    exporter_id = imported_id("exporter", work.country, row.former_id or row.tax_number)
    registration = imported_registration(exporter_id, particulars, row.tax_number, former)
    staff = [
        user_of(person, str(exporter_id), work, of_company=True, at=f"users.{number}.", invite=invite)
        for number, person in enumerate(row.users, start=1)
    ]

    if known := await registrations.find_registration(work, exporter_id):
        return await compare_registration(known, registration, staff, work)
    former.must_be_sound(work.today)
    must_be_sound(particulars, work)
    if await registrations.was_lost(work, exporter_id):
        raise FormerCompanyLost("former_id")
    await registrations.tax_number_must_be_free(work, row.tax_number)
    for number, user in enumerate(staff, start=1):
        await users.must_be_new(work, user, at=f"users.{number}.")
    if work.may_write:
        await save_registration(registration, staff, work)
    return RowReport(outcome=RowOutcome.IMPORTED, id=exporter_id)


async def compare_registration(known: Registration, row: Registration, staff: list[User], work: Work) -> RowReport:
    """Compares a row with the company that was imported before, and with its people."""
    differs = registration_differs(known, row)
    for number, user in enumerate(staff, start=1):
        there = await users.find_user(work, user.user_id)
        differs += [f"users.{number}.{name}" for name in (user_differs(there, user) if there else ["former_id"])]
    return compared(differs, row_id=known.exporter_id)


async def save_registration(registration: Registration, staff: list[User], work: Work) -> None:
    """Saves an imported registration with its history, announces it, and schedules its expiry."""
    work.session.add_all([registration, *staff])
    await work.session.flush()
    valid_from, valid_until = registration.validity
    details = {"valid_from": valid_from, "valid_until": valid_until, "remarks": registration.reason}
    await registrations.save_act(registration, Act.IMPORT, work, work.actor, **details)
    work.announce(approved(registration, work))
    if registration.status is not Status.EXPIRED:
        schedule_expiry(registration, work)
    if registration.standing_version > registration.approved_version:
        work.announce(standing(registration, work))
    work.announce(status_changed(registration, work))
    send_invitations(staff, work)


async def import_user(row: ImportedUser, work: Work, *, invite: bool = False) -> RowReport:
    """Imports one person; a question saves nothing."""
    must_be_of_one_side(row.office, row.company_tax_number)
    organisation = row.office or ""
    if row.company_tax_number:
        company = await registrations.find_by_tax_number(work, row.company_tax_number)
        if company is None:
            raise CompanyNotImported("company_tax_number")
        organisation = str(company)
    else:
        work.use(Offices).must_know(organisation, set(row.roles), work.today)
    user = user_of(row, organisation, work, of_company=row.company_tax_number is not None, invite=invite)

    if known := await users.find_user(work, user.user_id):
        return compared(user_differs(known, user), row_id=user.user_id)
    await users.must_be_new(work, user)
    if work.may_write:
        work.session.add(user)
        await work.session.flush()
        send_invitations([user], work)
    return RowReport(outcome=RowOutcome.IMPORTED, id=user.user_id)


def user_of(
    row: ImportedPerson | ImportedUser, organisation: str, work: Work, *, of_company: bool, at: str = "", invite: bool
) -> User:
    """The account that a row describes. `at` is the path before the field."""
    return imported_user(
        imported_id("user", work.country, row.former_id or row.email),
        name=row.name,
        email=row.email,
        organisation=organisation,
        roles=row.roles,
        of_company=of_company,
        invited=invite,
        at=at,
    )


def send_invitations(staff: list[User], work: Work) -> None:
    """Schedules the invitations of the people who are to be invited."""
    for user in staff:
        if user.is_invited:
            work.later(SendInvitation(user_id=user.user_id), key=user.user_id)
