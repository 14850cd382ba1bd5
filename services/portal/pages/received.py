"""Documents that partners have sent to the customs of this country."""

from starlette.responses import Response

from services.portal.navigation import AUDITORS, CUSTOMS
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.gateway.received import GetReceivedDocument, ListReceivedDocuments, ReceivedContent, ReceivedDocuments

READERS = CUSTOMS | AUDITORS


async def show_received(visit: Visit) -> Response:
    """The documents, newest first."""
    search, after = visit.query("search"), visit.query("after") or None
    question = visit.form.build(ListReceivedDocuments, [], search=search.upper() or None, after=after, limit=50)
    listed: ReceivedDocuments = await visit.ask(question)
    return visit.page(
        "received.html",
        documents=listed.documents,
        search=search,
        next=visit.here(after=listed.next) if listed.next else None,
        first=visit.here(after=None) if after else None,
        words=Wording(visit.language),
    )


async def show_document(visit: Visit) -> Response:
    """One document with its boxes, and a page of its items."""
    this = {"origin": visit.path("origin"), "reference": visit.path("reference"), "after": visit.query("after") or 0}
    content: ReceivedContent = await visit.ask(visit.form.build(GetReceivedDocument, [], **this))
    return visit.page(
        "received_document.html",
        content=content,
        words=Wording(visit.language),
        list_address=f"{PREFIX}/received",
        next=visit.here(after=str(content.next)) if content.next else None,
        first=visit.here(after=None) if visit.query("after") else None,
    )


routes = [
    page("/received", show_received, roles=READERS),
    page("/received/{origin}/{reference}", show_document, roles=READERS),
]
