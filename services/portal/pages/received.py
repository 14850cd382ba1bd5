"""Documents that partners have sent to the customs of this country, and the decision of customs on the preference."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from services.portal.document_words import DocumentWords
from services.portal.names import Names
from services.portal.navigation import AUDITORS, CUSTOMS
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from services.portal.wording import Wording
from shared.contracts.gateway.received import (
    MAX_DENIED,
    DecideReceivedDocument,
    DenialReasons,
    GetReceivedDocument,
    ListDenialReasons,
    ListReceivedDocuments,
    ReceivedContent,
    ReceivedDocuments,
    RequestRetransmission,
)
from shared.contracts.gateway.transmissions import NEXT_CODES, StatusCode
from shared.contracts.gateway.verification import AskVerification
from shared.contracts.roles import Role

READERS = CUSTOMS | AUDITORS
OUTCOMES = UTILISED, IN_PART, DENIED = "utilised", "in_part", "denied"
UTL, UTP, DEN = StatusCode.UTL, StatusCode.UTP, StatusCode.DEN


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
        kind_of=lambda each: named_kind(visit, each.kind_name),
        may_request=visit.someone.has(Role.CUSTOMS_OFFICER),
        origins=[each for each in Names(visit.language).partners() if each[0] != visit.settings.country],
    )


async def request(visit: Visit) -> Response:
    """Customs request a document that they do not have."""
    await visit.ask(visit.form.build(RequestRetransmission, ["origin", "reference", "remarks"]))
    return visit.go(f"{PREFIX}/received", done="requested")


async def show_document(visit: Visit) -> Response:
    """One document with its boxes, a page of its items, and the decision."""
    content: ReceivedContent = await visit.ask(
        visit.form.build(GetReceivedDocument, [], **_this(visit), after=visit.query("after") or 0)
    )
    known: DenialReasons = await visit.ask(ListDenialReasons())
    reasons = {each.code: each.text.get(visit.language.code, each.text["en"]) for each in known.reasons}
    words = Wording(visit.language)
    named = DocumentWords(words)
    columns, lines = named.table(content.lines)
    return visit.page(
        "received_document.html",
        content=content,
        address=_address(visit),
        may_decide=visit.someone.has(Role.CUSTOMS_OFFICER) and content.can_be_decided and _can_be_decided(content),
        may_ask=visit.someone.has(Role.CUSTOMS_OFFICER) and content.can_be_verified,
        kind_name=named_kind(visit, content.kind_name),
        label_of=named.label,
        value_of=named.value,
        columns=columns,
        lines=lines,
        reasons=reasons,
        reason_of=lambda code: reasons.get(code, code),
        words=words,
        list_address=f"{PREFIX}/received",
        next=visit.here(after=str(content.next)) if content.next else None,
        first=visit.here(after=None) if visit.query("after") else None,
    )


async def decide(visit: Visit) -> Response:
    """Customs utilise the document, in full or in part, or deny it."""
    form, _ = visit.form, visit.language.gettext
    outcome = form.text("outcome")
    if outcome not in OUTCOMES:
        form.fail("outcome", _("Choose one of the list."))
    if outcome != UTILISED and not form.text("reason"):
        form.fail("reason", _("Choose why the preference is denied."))
    denied = items_in(form.text("items")) if outcome == IN_PART else ()
    if outcome == IN_PART and not denied:
        form.fail("items", _("Type the numbers of the items, such as 2, 5-7."))
    form.must_be_valid()
    taken = ["declaration", "remarks"] + (["reason"] if outcome != UTILISED else [])
    decisions = int(form.text("decisions")) if form.text("decisions").isdecimal() else 0
    await visit.ask(form.build(DecideReceivedDocument, taken, **_this(visit), denied=denied, decisions=decisions))
    return visit.go(_address(visit), done=outcome)


async def ask(visit: Visit) -> Response:
    """Customs ask the issuing authority to verify the certificate."""
    form, _ = visit.form, visit.language.gettext
    items = items_in(form.text("asked_items")) if form.text("asked_items") else ()
    if form.text("asked_items") and not items:
        form.fail("asked_items", _("Type the numbers of the items, such as 2, 5-7."))
        form.must_be_valid()
    case_id = form.command_id("verification")
    command = form.build(AskVerification, ["reason", "question"], **_this(visit), items=items, case_id=case_id)
    await visit.ask(command)
    return visit.go(_address(visit), done="asked")


def items_in(text: str) -> tuple[int, ...]:
    """The numbers of items in a text such as `2, 5-7`; empty if it is malformed or names more than 2,000."""
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        last = last or first
        if not (first.isdecimal() and last.isdecimal()) or max(len(first), len(last)) > 6 or int(first) > int(last):
            return ()
        if int(last) - int(first) >= MAX_DENIED:
            return ()
        found.update(range(int(first), int(last) + 1))
    return tuple(sorted(found)) if len(found) <= MAX_DENIED else ()


def named_kind(visit: Visit, names: Mapping[str, str]) -> str:
    """The name of a kind of document in the language of the person; empty if the gateway did not send it."""
    return names.get(visit.language.code) or names.get("en", "")


def _can_be_decided(content: ReceivedContent) -> bool:
    """Whether customs can still decide: after a denial it can be re-assessed once (Rule 30)."""
    reached = {each.code for each in content.decisions}
    return content.code is not None and bool({UTL, UTP, DEN} & NEXT_CODES[content.code] - reached)


def _this(visit: Visit) -> dict[str, Any]:
    return {"origin": visit.path("origin"), "reference": visit.path("reference")}


def _address(visit: Visit) -> str:
    return f"{PREFIX}/received/{visit.path('origin')}/{visit.path('reference')}"


routes = [
    page("/received", show_received, roles=READERS),
    page("/received/request", show_received, request, roles=frozenset({Role.CUSTOMS_OFFICER})),
    page("/received/{origin}/{reference}", show_document, roles=READERS),
    page("/received/{origin}/{reference}/ask", show_document, ask, roles=frozenset({Role.CUSTOMS_OFFICER})),
    page("/received/{origin}/{reference}/decide", show_document, decide, roles=frozenset({Role.CUSTOMS_OFFICER})),
]
