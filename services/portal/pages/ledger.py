"""The ledger of messages: officers look a message up, see whether its signature is valid now, and save its XML."""

from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from services.portal.navigation import ADMINISTRATORS, AUDITORS, DECIDING
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.visit import NotForYou, Visit
from services.portal.wording import Wording
from shared.contracts.fields import Country, Cursor, Reference
from shared.contracts.gateway.ledger import (
    ExchangedMessage,
    ExchangedMessages,
    GetExchangedMessage,
    ListExchangedMessages,
    ReadExchangedMessage,
    Verdict,
)
from shared.contracts.messages import FileChunk

READERS = DECIDING | ADMINISTRATORS | AUDITORS
HERE = f"{PREFIX}/messages"
DIRECTIONS = {"sent": True, "received": False}
REFERENCE: TypeAdapter[str] = TypeAdapter(Reference)


async def show_messages(visit: Visit) -> Response:
    """The messages, newest first; or those of a certificate, of a partner, or with an id."""
    typed = visit.query("search")
    reference, message_id = search_for(typed)
    unknown = bool(typed) and not (reference or message_id)
    question = ListExchangedMessages(
        reference=reference,
        message_id=message_id,
        partner=visit.filter("partner", Country),
        after=visit.filter("after", Cursor),
        limit=50,
    )
    listed: ExchangedMessages = ExchangedMessages(messages=()) if unknown else await visit.ask(question)
    return visit.page(
        "messages.html",
        messages=listed.messages,
        search=typed,
        unknown=unknown,
        words=Wording(visit.language),
        direction_of=direction_of,
        next=visit.here(after=listed.next) if listed.next else None,
        first=visit.here(after=None) if visit.query("after") else None,
        address=HERE,
    )


def search_for(typed: str) -> tuple[str | None, UUID | None]:
    """What was typed: the reference of a certificate, or the id of a message. Neither if it is malformed."""
    try:
        return None, UUID(typed)
    except ValueError:
        pass
    try:
        return REFERENCE.validate_python(typed.upper().replace(" ", "")), None
    except ValidationError:
        return None, None


def direction_of(ours: bool) -> str:
    """The direction of a message in the address of its page."""
    return "sent" if ours else "received"


async def show_message(visit: Visit) -> Response:
    """One message. Its signature is verified now."""
    message: ExchangedMessage = await visit.ask(GetExchangedMessage(**_this(visit)))
    _ = visit.language.gettext
    verdicts = {
        Verdict.VALID: (_("Valid"), "good", _("The signature is valid, and nothing in the message was changed.")),
        Verdict.ALTERED: (_("Altered"), "bad", _("The stored message is not the one that was signed.")),
        Verdict.UNREADABLE: (_("Unreadable"), "bad", _("The stored message cannot be read.")),
    }
    return visit.page(
        "message.html",
        message=message,
        verdict=verdicts[message.verdict],
        words=Wording(visit.language),
        address=visit.request.url.path,
        list_address=HERE,
    )


async def save_message(visit: Visit) -> Response:
    """The XML of a message, as it was exchanged."""
    this = _this(visit)
    content, size = b"", 1
    while len(content) < size:
        part: FileChunk = await visit.ask(ReadExchangedMessage(**this, offset=len(content)))
        content, size = content + part.chunk, part.size
        if not part.chunk:
            break
    headers = {
        "content-disposition": f"attachment; filename={this['message_id']}.xml",
        "content-security-policy": "sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return Response(content, media_type="application/xml", headers=headers)


def _this(visit: Visit) -> dict[str, object]:
    partner, direction = visit.path("partner"), visit.path("direction")
    if direction not in DIRECTIONS or not (partner.isascii() and partner.isalpha() and partner.isupper() and len(partner) == 2):
        raise NotForYou
    return {"partner": partner, "ours": DIRECTIONS[direction], "message_id": visit.id("message_id")}


ONE = "/messages/{partner}/{direction}/{message_id:uuid}"
routes = [
    page("/messages", show_messages, roles=READERS),
    page(ONE, show_message, roles=READERS),
    page(f"{ONE}/xml", save_message, roles=READERS),
]
