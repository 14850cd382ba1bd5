"""What an auditor sees here, and what the operator shows them."""

from starlette.responses import Response

from services.portal.navigation import AUDITORS
from services.portal.page import page
from services.portal.visit import Visit


async def show_audit(visit: Visit) -> Response:
    """The lists and histories that an auditor reads."""
    return visit.page("audit.html")


routes = [page("/audit", show_audit, roles=AUDITORS)]
