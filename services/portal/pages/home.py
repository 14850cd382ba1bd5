"""The first page after the sign-in: what waits for this person, and what to do about it."""

from starlette.responses import Response

from services.portal.browsers import Person
from services.portal.cards import Section, dashboard_of
from services.portal.certificate_words import status_of
from services.portal.company_words import CompanyWords
from services.portal.navigation import COMPANY, CUSTOMS, MINISTRY
from services.portal.page import page
from services.portal.pages import home_company, home_ministry
from services.portal.visit import Visit
from shared.contracts.roles import Role


async def show_home(visit: Visit) -> Response:
    """What waits for this person. Each card stands alone: if a service does not answer, the other cards are shown."""
    person = visit.someone
    dashboard = await dashboard_of(visit, sections_for(person))
    registering, last = dashboard.kept.get("registering"), dashboard.kept.get("last", ())
    return visit.page(
        "home.html",
        dashboard=dashboard,
        registering=registering,
        last=last,
        mandates=dashboard.kept.get("mandates", ()),
        to_copy=next((each for each in last if each.submitted_on), last[0] if last else None),
        files=person.has(Role.PREPARER, Role.SIGNATORY) and registering is None,
        words=CompanyWords(visit.language),
        status_of=lambda each: status_of(each.status, each.waits_for, visit.language.gettext),
        live=live_ids(person),
    )


def sections_for(person: Person) -> list[Section]:
    """The cards of each role. A person with several roles has the cards of all."""
    found: list[Section] = []
    if person.has(*COMPANY):
        found += home_company.SECTIONS
    if person.has(*MINISTRY, *CUSTOMS):
        found += home_ministry.sections_for(person)
    return found


def live_ids(person: Person) -> dict[str, str]:
    """What the page listens to: the company, or the office."""
    return {"ids": person.organisation} if person.has(*COMPANY) else {"office": person.organisation}


routes = [page("/", show_home)]
