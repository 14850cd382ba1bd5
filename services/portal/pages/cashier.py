"""The counter: a cashier finds an invoice, enters the bank slip, and prints the receipt."""

import asyncio

from starlette.responses import Response

from services.portal.navigation import AUDITORS, CASHIERS
from services.portal.page import page
from services.portal.pages.payments import owed, shown
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.contracts.fees import GetInvoice, Invoices, InvoiceState, ListInvoices, RecordPayment

COUNTER = f"{PREFIX}/cashier"
READERS = CASHIERS | AUDITORS
LAST = 10


async def show_cashier(visit: Visit) -> Response:
    """The search, with what was found; before it the unpaid invoices and the last paid ones."""
    search, after = visit.query("search"), visit.query("after") or None
    if search:
        question = visit.form.build(ListInvoices, [], search=search, after=after, limit=25)
        found: Invoices = await visit.ask(question)
        if len(found.invoices) == 1 and after is None and visit.someone.has(*CASHIERS):
            return visit.go(f"{COUNTER}/{found.invoices[0].certificate_id}")
        groups = [("found", found)]
    else:
        questions = {"owed": visit.form.build(ListInvoices, [], settled=False, after=after, limit=25)}
        if after is None:
            questions["paid"] = ListInvoices(settled=True, limit=LAST)
        groups = list(zip(questions, await asyncio.gather(*map(visit.ask, questions.values())), strict=True))
    last = groups[0][1]
    return visit.page(
        "cashier.html",
        search=search,
        groups=groups,
        next=visit.here(after=last.next) if last.next else None,
        first=visit.here(after=None) if after else None,
    )


async def show_invoice(visit: Visit) -> Response:
    """One invoice, with the form for the slip if something is owed. The amount is filled in."""
    invoice: InvoiceState = await visit.ask(GetInvoice(certificate_id=visit.id("certificate_id")))
    visit.form.defaults({"amount_khr": owed(invoice), "paid_on": visit.context.clock.today().isoformat(), "slip_number": ""})
    may_pay = visit.someone.has(*CASHIERS)
    return visit.page(
        "payments/invoice.html",
        **shown(invoice, visit.language.gettext("Counter"), COUNTER),
        owed=owed(invoice),
        counter=True,
        may_pay=may_pay,
    )


async def record_payment(visit: Visit) -> Response:
    """Records the slip, once: the button pressed twice or the page sent again pays nothing twice."""
    form, certificate_id = visit.form, visit.id("certificate_id")
    typed = {"slip_number": form.text("slip_number").upper()}
    amount = "".join(form.text("amount_khr").split()).replace(",", "")
    command = form.build(RecordPayment, ["paid_on"], certificate_id=certificate_id, amount_khr=amount or None, **typed)
    await visit.ask(command)
    return visit.go(f"{COUNTER}/{certificate_id}", done="paid")


async def show_receipt(visit: Visit) -> Response:
    """The receipt, to print."""
    invoice: InvoiceState = await visit.ask(GetInvoice(certificate_id=visit.id("certificate_id")))
    if not invoice.payments:
        return visit.go(f"{COUNTER}/{invoice.certificate_id}")
    return visit.page("receipt.html", **shown(invoice, visit.language.gettext("Counter"), COUNTER))


ONE = "/cashier/{certificate_id:uuid}"

routes = [
    page("/cashier", show_cashier, roles=READERS),
    page(ONE, show_invoice, record_payment, roles=READERS),
    page(f"{ONE}/receipt", show_receipt, roles=READERS),
]
