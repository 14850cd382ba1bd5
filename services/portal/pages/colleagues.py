"""The people of a company: invited, with their roles, and closed accounts."""

from uuid import UUID

from starlette.responses import Response

from services.portal.acting import must_administer
from services.portal.company_words import COMPANY_ROLES
from services.portal.navigation import COMPANY
from services.portal.page import page
from services.portal.pages.company import HERE, company_page
from services.portal.visit import NotForYou, Visit
from shared.contracts.registry.users import (
    ChangeColleagueRoles,
    DeactivateColleague,
    InviteColleague,
    ListedUser,
    ListUsers,
    Users,
    UserStatus,
)

LIST = f"{HERE}/colleagues"
PAGE = 500
"""A company has fewer accounts than this (`too_many_colleagues`)."""


async def show_colleagues(visit: Visit) -> Response:
    """Everybody with an account, and the form to invite a colleague."""
    must_administer(visit)
    answer: Users = await visit.ask(ListUsers(limit=PAGE))
    order = {UserStatus.ACTIVE: 0, UserStatus.INVITED: 1, UserStatus.DEACTIVATED: 2}
    people = sorted(answer.users, key=lambda user: (order[user.status], user.name))
    return company_page(visit, "company/colleagues.html", people=people, roles=COMPANY_ROLES)


async def invite(visit: Visit) -> Response:
    """Invites a colleague by e-mail."""
    must_administer(visit)
    user_id = visit.form.command_id("user")
    await visit.ask(visit.form.build(InviteColleague, ["name", "email"], user_id=user_id, roles=visit.form.texts("roles[]")))
    return visit.go(LIST, done="invited")


async def show_colleague(visit: Visit) -> Response:
    """One colleague: roles, and closing the account."""
    must_administer(visit)
    return company_page(visit, "company/colleague.html", user=await _colleague(visit), roles=COMPANY_ROLES)


async def change_colleague(visit: Visit) -> Response:
    """Changes the roles of a colleague, sends the invitation again, or closes the account."""
    must_administer(visit)
    user, act = await _colleague(visit), visit.form.text("act")
    if act == "deactivate":
        await visit.ask(DeactivateColleague(user_id=user.user_id, command_id=visit.form.command_id(act)))
        return visit.go(LIST, done="deactivated")
    if act == "invite":
        await visit.ask(
            InviteColleague(
                user_id=user.user_id,
                name=user.name,
                email=user.email,
                roles=user.roles,
                command_id=visit.form.command_id(act),
            )
        )
        return visit.go(LIST, done="invited")
    await visit.ask(visit.form.build(ChangeColleagueRoles, [], user_id=user.user_id, roles=visit.form.texts("roles[]")))
    return visit.go(LIST, done="changed")


async def _colleague(visit: Visit) -> ListedUser:
    try:
        user_id: UUID = visit.id("user_id")
    except ValueError:
        raise NotForYou from None
    answer: Users = await visit.ask(ListUsers(limit=PAGE))
    found = next((user for user in answer.users if user.user_id == user_id), None)
    if found is None:
        raise NotForYou
    return found


routes = [
    page("/company/colleagues", show_colleagues, invite, roles=COMPANY),
    page("/company/colleagues/{user_id}", show_colleague, change_colleague, roles=COMPANY),
]
