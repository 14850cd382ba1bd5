"""The other members of the ASEAN Single Window: whether each answers, and what waits for it."""

from collections.abc import Callable
from datetime import timedelta

from babel.dates import format_timedelta
from starlette.responses import Response

from services.portal.navigation import ADMINISTRATORS, AUDITORS, CUSTOMS, DECIDING
from services.portal.page import page
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.gateway.partners import ListedPartner, ListPartners, Partners

LOOKING_UP = DECIDING | ADMINISTRATORS | AUDITORS
READERS = LOOKING_UP | CUSTOMS
EXPIRES_SOON = timedelta(days=30)


async def show_partners(visit: Visit) -> Response:
    """Every member in a row; those that do not answer first."""
    listed: Partners = await visit.ask(ListPartners())
    rows = sorted(listed.partners, key=_urgency)
    return visit.page(
        "partners.html",
        partners=rows,
        soon=visit.now.date() + EXPIRES_SOON,
        words=Wording(visit.language),
        next_step=lambda each: next_step(each, visit.language.gettext),
        lasted=lambda seconds: lasted(seconds, visit.language.code),
        may_look_up=visit.someone.has(*LOOKING_UP),
    )


def _urgency(each: ListedPartner) -> tuple[object, ...]:
    return each.out_since is None, each.state != "down", not each.problem, -each.waiting, each.country


def next_step(each: ListedPartner, _: Callable[[str], str]) -> str:
    """What an officer does about a partner."""
    if each.problem:
        return _("Correct its row in the partner directory.")
    if not each.configured:
        return _("Add its row to the partner directory.")
    if each.opens_on is None:
        return _("Nothing: the exchange opens later.")
    if each.out_since:
        return _("Call its contact. Exporters can take a notice for the buyer. Documents are sent by themselves.")
    if each.state == "down":
        return _("Wait: documents are sent again by themselves. Call its contact if it lasts.")
    return _("Wait for the answer of customs there.") if each.waiting else _("Nothing.")


def lasted(seconds: int, locale: str) -> str:
    """A duration in its largest unit."""
    return format_timedelta(timedelta(seconds=seconds), threshold=1.5, locale=locale)


routes = [page("/partners", show_partners, roles=READERS)]
