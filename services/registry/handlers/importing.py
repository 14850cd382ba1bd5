"""Import: the ministry moves from its former system. What comes over is announced and watched like any other."""

from functools import partial
from itertools import groupby

from services.registry.catalogue import Catalogue
from services.registry.domain.importing import (
    Former,
    account,
    id_of,
    must_be_of_one_side,
    registration_differs,
    taken_over,
    user_differs,
)
from services.registry.domain.registration import Act, CompanyNotImported, FormerCompanyLost, Registration, Status
from services.registry.domain.user import User
from services.registry.handlers.letters import SendInvitation
from services.registry.handlers.registering import must_be_sound
from services.registry.handlers.reminding import watch_the_year
from services.registry.row_by_row import take_together
from services.registry.store import registrations, users
from services.registry.store.registrations import note_act
from services.registry.views import approved, heard, standing
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
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ImportRegistrations)
async def import_registrations(command: ImportRegistrations, work: Work) -> Imported:
    """Companies come over with their people, each whole or not at all."""
    take = partial(take_registration, invite=command.invite)
    return Imported(rows=[(await take_together([row], take, work))[0] for row in command.registrations])


@router.answers(CheckRegistrationsImport)
async def check_registrations_import(question: CheckRegistrationsImport, work: Work) -> Imported:
    """What would become of these companies?"""
    return Imported(rows=[(await take_together([row], take_registration, work))[0] for row in question.registrations])


@router.answers(ImportUsers)
async def import_users(command: ImportUsers, work: Work) -> Imported:
    """People come over; those of one company together."""
    return await people(command, work, invite=command.invite)


@router.answers(CheckUsersImport)
async def check_users_import(question: CheckUsersImport, work: Work) -> Imported:
    """What would become of these people?"""
    return await people(question, work)


async def people(asked: ImportUsers | CheckUsersImport, work: Work, *, invite: bool = False) -> Imported:
    """What becomes of people, company by company; each officer alone."""
    take = partial(take_user, invite=invite)
    reports: dict[int, RowReport] = {}
    numbered = sorted(enumerate(asked.users), key=lambda row: row[1].company_tax_number or f" {row[0]}")
    for _, some in groupby(numbered, key=lambda row: row[1].company_tax_number or row[0]):
        group = dict(some)
        reports |= zip(group, await take_together(list(group.values()), take, work), strict=True)
    return Imported(rows=[reports[number] for number in range(len(asked.users))])


async def take_registration(row: ImportedRegistration, work: Work, *, invite: bool = False) -> RowReport:
    """One company with its people; what a question would take is only looked at."""
    former = Former(Status(row.status), row.valid_from, row.valid_until, row.reason)
    told = row.model_dump(include=set(contracts.Particulars.model_fields))
    told["contact_email"] = row.contact_email or (row.users[0].email if row.users else None)
    particulars = heard(contracts.Particulars.model_validate(told))
    exporter_id = id_of("exporter", work.country, row.former_id or row.tax_number)
    registration = taken_over(exporter_id, particulars, row.tax_number, former)
    staff = [
        user_of(person, str(exporter_id), work, of_company=True, at=f"users.{number}.", invite=invite)
        for number, person in enumerate(row.users, start=1)
    ]

    if known := await registrations.find_registration(work, exporter_id):
        differs = registration_differs(known, registration)
        for number, user in enumerate(staff, start=1):
            there = await users.find_user(work, user.user_id)
            differs += [f"users.{number}.{name}" for name in (user_differs(there, user) if there else ["former_id"])]
        return compared(differs, row_id=exporter_id)
    former.must_be_sound(work.today)
    must_be_sound(particulars, work)
    if await registrations.was_lost(work, exporter_id):
        raise FormerCompanyLost("former_id")
    await registrations.tax_number_must_be_free(work, row.tax_number)
    for number, user in enumerate(staff, start=1):
        await users.must_be_new(work, user, at=f"users.{number}.")
    if work.may_write:
        await keep(registration, staff, work)
    return RowReport(outcome=RowOutcome.IMPORTED, id=exporter_id)


async def keep(registration: Registration, staff: list[User], work: Work) -> None:
    """From now on it is a registration like any other: it has a history, certificates know it, its year is watched."""
    work.session.add_all([registration, *staff])
    await work.session.flush()
    valid_from, valid_until = registration.validity
    details = {"valid_from": valid_from, "valid_until": valid_until, "remarks": registration.reason}
    await note_act(registration, Act.IMPORT, work, work.actor, **details)
    work.announce(approved(registration, work))
    if registration.status is not Status.EXPIRED:
        watch_the_year(registration, work)
    if registration.standing_version > registration.approved_version:
        work.announce(standing(registration, work))
    invite_them(staff, work)


async def take_user(row: ImportedUser, work: Work, *, invite: bool = False) -> RowReport:
    """One person; what a question would take is only looked at."""
    must_be_of_one_side(row.office, row.company_tax_number)
    organisation = row.office or ""
    if row.company_tax_number:
        company = await registrations.find_by_tax_number(work, row.company_tax_number)
        if company is None:
            raise CompanyNotImported("company_tax_number")
        organisation = str(company)
    else:
        work.use(Catalogue).must_know_office(organisation, set(row.roles), work.today)
    user = user_of(row, organisation, work, of_company=row.company_tax_number is not None, invite=invite)

    if known := await users.find_user(work, user.user_id):
        return compared(user_differs(known, user), row_id=user.user_id)
    await users.must_be_new(work, user)
    if work.may_write:
        work.session.add(user)
        await work.session.flush()
        invite_them([user], work)
    return RowReport(outcome=RowOutcome.IMPORTED, id=user.user_id)


def user_of(
    row: ImportedPerson | ImportedUser, organisation: str, work: Work, *, of_company: bool, at: str = "", invite: bool
) -> User:
    """The account that a row asks for, with roles of its side only."""
    user_id = id_of("user", work.country, row.former_id or row.email)
    return account(user_id, row.name, row.email, organisation, row.roles, of_company=of_company, invited=invite, at=at)


def invite_them(staff: list[User], work: Work) -> None:
    """Whoever is invited gets a letter with a link."""
    for user in staff:
        if user.is_invited:
            work.later(SendInvitation(user_id=user.user_id), key=user.user_id)


def compared(differs: list[str], row_id: object) -> RowReport:
    """What is said of a row that came over before."""
    outcome = RowOutcome.DIFFERENT if differs else RowOutcome.UNCHANGED
    return RowReport(outcome=outcome, id=row_id, fields=differs)
