"""One page with every component, for designers and for the browser tests."""

from datetime import timedelta

from starlette.responses import Response

from services.portal.page import page
from services.portal.visit import Visit


async def show_styleguide(visit: Visit) -> Response:
    """Every component with example texts."""
    visit.form.defaults({"name": "Angkor Rice Mills Co., Ltd.", "destination": "MY", "kind": "b"})
    visit.form.fail("amount", "Type a number, such as 1250.50.")
    entries = [
        {"title": "REC", "text": "Ready for clearance.", "at": visit.now, "where": "Malaysia", "kind": "now"},
        {
            "title": "AS2",
            "text": "At the gateway of Malaysia.",
            "at": visit.now - timedelta(hours=1),
            "where": "Malaysia",
            "kind": "",
        },
        {"title": "NOT", "text": "Rejected.", "at": visit.now - timedelta(days=1), "where": "Malaysia", "kind": "bad"},
    ]
    return visit.page("styleguide.html", entries=entries, status=299)


routes = [page("/styleguide", show_styleguide, signed_in=False)]
