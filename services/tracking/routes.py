"""Every public address of tracking."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from services.tracking import informing, searching
from services.tracking.bulk import verify_bulk
from services.tracking.declarations import verify_declaration
from services.tracking.limits import Endpoint, limited
from services.tracking.live import show_events
from services.tracking.notices import show_notice
from services.tracking.verifying import verify
from shared.web.site import routes_below

ADDRESSES: dict[str, Endpoint] = {
    "/certificates/{reference}": searching.show_certificate,
    "/public-search/atiga": searching.search,
    "/": searching.show_home,
    "/certificates/{reference}/events": show_events,
    "/status": informing.show_status,
    "/partners": informing.show_partners,
    "/notices": show_notice,
    "/codes": informing.show_codes,
    "/help": informing.show_help,
    "/help/{guide}": informing.show_guide,
    "/contact": informing.show_contact,
    "/openapi.json": informing.show_document,
}

routes: Sequence[BaseRoute] = (
    *(Route(path, limited(endpoint)) for path, endpoint in ADDRESSES.items()),
    Route("/verify", limited(verify), methods=["GET", "POST"]),
    Route("/verify/declaration", limited(verify_declaration)),
    Route("/verify/bulk", limited(verify_bulk), methods=["POST"]),
    *routes_below(""),
)
