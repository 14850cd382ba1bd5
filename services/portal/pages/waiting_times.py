"""How long certificates stay in each status, by destination: of the officer's office, or of all."""

from datetime import timedelta

from babel.dates import format_timedelta
from starlette.responses import Response

from services.portal.certificate_words import status_of
from services.portal.names import Names
from services.portal.navigation import AUDITORS, DECIDING
from services.portal.page import page
from services.portal.visit import Visit
from shared.contracts.certificates.times import ListStatusTimes, StatusTime, StatusTimes
from shared.contracts.fields import Office
from shared.web.languages import Language

WORKED_ON = ("submitted", "reviewed", "approved")
"""The statuses in which a certificate waits for the ministry, or for its fee."""


def duration(language: Language, seconds: int) -> str:
    """A duration in two significant parts at most, such as `3 days` or `5 hours`."""
    return format_timedelta(timedelta(seconds=max(seconds, 60)), granularity="minute", threshold=1.5, locale=language.code)


def by_status(times: tuple[StatusTime, ...]) -> dict[str, list[StatusTime]]:
    """The medians of each status: that of all destinations first."""
    found: dict[str, list[StatusTime]] = {}
    for each in times:
        found.setdefault(each.status, []).append(each)
    return found


async def show_waiting_times(visit: Visit) -> Response:
    """A table of the medians."""
    everywhere = visit.query("office") == "all"
    office = None if everywhere else visit.filter("office", Office) or visit.someone.organisation
    answer: StatusTimes = await visit.ask(ListStatusTimes(office=office))
    words = visit.language.gettext
    return visit.page(
        "waiting_times.html",
        rows=[(status_of(each[0].status, (), words), each) for each in by_status(answer.times).values()],
        names=Names(visit.language),
        office=office,
        duration=lambda seconds: duration(visit.language, seconds),
    )


routes = [page("/waiting-times", show_waiting_times, roles=DECIDING | AUDITORS)]
