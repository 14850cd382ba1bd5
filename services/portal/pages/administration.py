"""Officers: who works where with which roles. Each change binds, so it is confirmed first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.portal.navigation import ADMINISTRATORS, AUDITORS
from services.portal.page import page
from services.portal.pages.confirming import confirm_first
from services.portal.reference_data import OFFICES
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.messages import Command
from shared.contracts.registry.users import (
    ChangeOfficerRoles,
    DeactivateOfficer,
    InviteOfficer,
    ListedUser,
    ListUsers,
    RemoveSecondFactor,
    TransferOfficer,
    Users,
    UserStatus,
)
from shared.contracts.roles import Role

OFFICERS = f"{PREFIX}/officers"
READERS = ADMINISTRATORS | AUDITORS
GIVEN = (
    Role.REGISTRATION_OFFICER,
    Role.REVIEWER,
    Role.APPROVER,
    Role.CASHIER,
    Role.ADMINISTRATOR,
    Role.AUDITOR,
    Role.CUSTOMS_VIEWER,
    Role.CUSTOMS_OFFICER,
)
"""The roles that an administrator can give."""


async def show_officers(visit: Visit) -> Response:
    """The officers, and the offices."""
    after = visit.query("after") or None
    listed: Users = await visit.ask(visit.form.build(ListUsers, [], after=after, limit=100))
    return visit.page(
        "officers.html",
        users=listed.users,
        offices=OFFICES,
        words=Wording(visit.language),
        next=visit.here(after=str(listed.next)) if listed.next else None,
        first=visit.here(after=None) if after else None,
        may_change=visit.someone.has(*ADMINISTRATORS),
    )


async def show_invite(visit: Visit) -> Response:
    """The form for a new officer."""
    visit.form.defaults({"office": visit.someone.organisation})
    return visit.page("officer_invite.html", offices=_offices(visit), roles=_roles(visit))


async def invite(visit: Visit) -> Response:
    """Invites an officer."""
    command = visit.form.build(
        InviteOfficer, ["name", "email", "office"], user_id=visit.form.command_id("user"), roles=visit.form.texts("roles")
    )
    return await confirm_first(visit, [(command, command.name, OFFICERS)], OFFICERS, "invited")


async def show_officer(visit: Visit) -> Response:
    """One officer, and what an administrator can change."""
    officer = await _officer(visit)
    visit.form.defaults({"office": officer.organisation})
    return visit.page(
        "officer.html",
        officer=officer,
        words=Wording(visit.language),
        offices=_offices(visit),
        roles=_roles(visit),
        address=address_of(officer.user_id),
        may_change=_may_change(visit, officer),
        chosen=visit.form.texts("roles") or [role.value for role in officer.roles],
    )


def address_of(user_id: UUID) -> str:
    """The address of an officer."""
    return f"{OFFICERS}/{user_id}"


async def change_roles(visit: Visit) -> Response:
    """Changes the roles of an officer."""
    return await _confirm(visit, ChangeOfficerRoles, "roles-changed", roles=visit.form.texts("roles"))


async def transfer(visit: Visit) -> Response:
    """Transfers an officer to another office."""
    return await _confirm(visit, TransferOfficer, "transferred", only=["office"])


async def deactivate(visit: Visit) -> Response:
    """Deactivates the account of an officer."""
    return await _confirm(visit, DeactivateOfficer, "deactivated")


async def remove_second_factor(visit: Visit) -> Response:
    """Removes the lost second factor of an officer."""
    return await _confirm(visit, RemoveSecondFactor, "second-factor-removed")


async def _confirm(visit: Visit, kind: type[Command], done: str, *, only: Sequence[str] = (), **values: Any) -> Response:
    officer = await _officer(visit)
    command = visit.form.build(kind, list(only), user_id=officer.user_id, **values)
    about = f"{officer.name}, {Wording(visit.language).office(officer.organisation)}"
    return await confirm_first(visit, [(command, about, address_of(officer.user_id))], address_of(officer.user_id), done)


async def _officer(visit: Visit) -> ListedUser:
    """The officer of the address. Accounts are listed by id, so it is the first after the id before."""
    user_id = visit.id("user_id")
    before = UUID(int=user_id.int - 1) if user_id.int else None
    listed: Users = await visit.ask(ListUsers(after=before, limit=1))
    if not listed.users or listed.users[0].user_id != user_id:
        raise HTTPException(404)
    return listed.users[0]


def _may_change(visit: Visit, officer: ListedUser) -> bool:
    """Whether the page offers changes. The service decides whether it accepts them."""
    administrator, person = visit.someone.has(*ADMINISTRATORS), visit.someone
    return administrator and officer.user_id != person.user_id and officer.status is not UserStatus.DEACTIVATED


def _offices(visit: Visit) -> list[tuple[str, str]]:
    words = Wording(visit.language)
    return [(office.code, words.office(office.code)) for office in OFFICES]


def _roles(visit: Visit) -> list[tuple[str, str]]:
    words = Wording(visit.language)
    return [(role.value, words.role(role)) for role in GIVEN]


ONE = "/officers/{user_id:uuid}"

routes = [
    page("/officers", show_officers, roles=READERS),
    page("/officers/invite", show_invite, invite, roles=ADMINISTRATORS),
    page(ONE, show_officer, roles=READERS),
    page(f"{ONE}/roles", show_officer, change_roles, roles=ADMINISTRATORS),
    page(f"{ONE}/transfer", show_officer, transfer, roles=ADMINISTRATORS),
    page(f"{ONE}/deactivate", show_officer, deactivate, roles=ADMINISTRATORS),
    page(f"{ONE}/second-factor", show_officer, remove_second_factor, roles=ADMINISTRATORS),
]
