"""The invoices and receipts of a company."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.portal.navigation import COMPANY
from services.portal.page import page
from services.portal.settings import PREFIX
from services.portal.visit import NotForYou, Visit
from shared.contracts.fees import GetInvoice, Invoices, InvoiceState, ListInvoices
from shared.contracts.fields import Cursor, Line

LIST = f"{PREFIX}/payments"
SHOWN = {"unpaid": False, "paid": True}
"""The choice of a list, and whether its invoices are settled."""


async def show_invoices(visit: Visit) -> Response:
    """The invoices of the company, newest first."""
    shown = visit.query("show")
    question = ListInvoices(
        exporter_id=visit.company,
        settled=SHOWN.get(shown),
        search=visit.filter("search", Line),
        after=visit.filter("after", Cursor),
    )
    answer: Invoices = await visit.ask(question)
    return visit.page(
        "payments/list.html",
        invoices=answer.invoices,
        next=visit.here(after=answer.next) if answer.next else None,
        shown=shown if shown in SHOWN else "",
    )


async def show_invoice(visit: Visit) -> Response:
    """One invoice: its lines, how to pay, and its payments."""
    invoice = await _invoice(visit)
    return visit.page(
        "payments/invoice.html", **shown(invoice, visit.language.gettext("Payments"), LIST), owed=owed(invoice), counter=False
    )


async def show_receipt(visit: Visit) -> Response:
    """The receipt of the payments of one invoice, to be printed."""
    invoice = await _invoice(visit)
    if not invoice.payments:
        raise NotForYou
    return visit.page("receipt.html", **shown(invoice, visit.language.gettext("Payments"), LIST))


def owed(invoice: InvoiceState) -> int:
    """What is still to be paid, in riel."""
    return max(0, invoice.amount_khr - invoice.paid_khr)


def shown(invoice: InvoiceState, title: str, above: str) -> dict[str, Any]:
    """What the pages of an invoice show. `title`, `above`: the page above, with its address."""
    return {"invoice": invoice, "above": (title, above), "address": f"{above}/{invoice.certificate_id}"}


async def _invoice(visit: Visit) -> InvoiceState:
    try:
        certificate_id: UUID = visit.id("certificate_id")
    except ValueError:
        raise NotForYou from None
    invoice: InvoiceState = await visit.ask(GetInvoice(certificate_id=certificate_id))
    return invoice


routes = [
    page("/payments", show_invoices, roles=COMPANY),
    page("/payments/{certificate_id}", show_invoice, roles=COMPANY),
    page("/payments/{certificate_id}/receipt", show_receipt, roles=COMPANY),
]
