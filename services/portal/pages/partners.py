"""The other members of the ASEAN Single Window: whether each answers, and what waits for it."""

from datetime import timedelta

from starlette.responses import Response

from services.portal.navigation import ADMINISTRATORS, AUDITORS, CUSTOMS, DECIDING
from services.portal.page import page
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.gateway.partners import ListPartners, Partners

READERS = DECIDING | ADMINISTRATORS | AUDITORS | CUSTOMS
EXPIRES_SOON = timedelta(days=30)


async def show_partners(visit: Visit) -> Response:
    """Every member in a row; those that do not answer first."""
    listed: Partners = await visit.ask(ListPartners())
    rows = sorted(listed.partners, key=lambda each: (each.state != "down", not each.problem, -each.waiting, each.country))
    return visit.page(
        "partners.html",
        partners=rows,
        soon=visit.now.date() + EXPIRES_SOON,
        words=Wording(visit.language),
    )


routes = [page("/partners", show_partners, roles=READERS)]
