"""The first page after the sign-in: what waits for this person, and what to do about it."""

from starlette.responses import Response

from services.portal.visit import Visit, page


async def show_home(visit: Visit) -> Response:
    """What waits for this person."""
    return visit.page("home.html")


routes = [page("/", show_home)]
