"""What fees reacts to."""

from uuid import UUID

from services.fees import store
from services.fees.domain import Goods, Invoice, PaidInFuture
from services.fees.store import Slip, find_invoice, invoice_of, keep_slip
from services.fees.tariffs import Tariffs
from shared.contracts import fees as contracts
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.contracts.fees import FeeSettled, GetInvoice, InvoiceState, RecordPayment
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(CertificateSubmitted)
async def assess_fee_on_certificate_submitted(event: CertificateSubmitted, work: Work) -> None:
    """A submitted certificate owes a fee, by the tariff of that day; one that costs nothing is settled at once."""
    invoice = await find_invoice(work, event.certificate_id)
    if invoice is None:
        invoice = Invoice(event.certificate_id, event.exporter_id)
        work.session.add(invoice)
    goods = [Goods(item.hs_code, item.handicraft, item.quantity, item.unit) for item in event.goods]

    invoice.was_begun_by(event.agent_id)
    assessed = invoice.assess(event.submission, work.use(Tariffs).on(event.submitted_on).assess(event.form, goods))

    if assessed and invoice.settle():
        work.announce(settled(invoice, work))


@router.answers(RecordPayment)
async def record_payment(command: RecordPayment, work: Work) -> InvoiceState:
    """A cashier enters a payment against a bank slip."""
    if command.paid_on > work.today:
        raise PaidInFuture("", "paid_on")
    invoice = await invoice_of(work, command.certificate_id)

    invoice.pay(command.amount_khr)

    cashier_id = work.actor.must_have_id()
    slip = Slip(command.slip_number, command.certificate_id, command.amount_khr, command.paid_on, cashier_id, work.now)
    await keep_slip(work, slip)
    if invoice.settle():
        work.announce(settled(invoice, work))
    return state_of(invoice)


@router.answers(GetInvoice)
async def get_invoice(question: GetInvoice, work: Work) -> InvoiceState:
    """What does this certificate cost, and is it paid?"""
    invoice = await invoice_of(work, question.certificate_id)
    work.actor.may_read(invoice.exporter_id, "cashier", "auditor")
    work.actor.must_have_begun(invoice.agent_id)
    return state_of(invoice)


@router.reannounces("fee", store.settled)
async def announce_settlement(certificate_id: UUID, work: Work) -> None:
    """Nothing is owed for a certificate any more."""
    work.announce(settled(await invoice_of(work, certificate_id), work))


router.fact("assessed", store.assessed)
router.fact("settled", store.settled)
router.fact("once_settled", store.once_settled)
router.fact("unbalanced", store.unbalanced)


def settled(invoice: Invoice, work: Work) -> FeeSettled:
    """What certificates must know: nothing is owed for this submission."""
    return FeeSettled(
        certificate_id=invoice.certificate_id,
        submission=invoice.submission,
        version=invoice.version,
        occurred_at=work.now,
    )


def state_of(invoice: Invoice) -> InvoiceState:
    """An invoice as it is shown."""
    return InvoiceState(
        certificate_id=invoice.certificate_id,
        exporter_id=invoice.exporter_id,
        lines=[contracts.InvoiceLine(text=line.text, amount_khr=line.amount_khr, source=line.source) for line in invoice.lines],
        amount_khr=invoice.amount_khr,
        paid_khr=invoice.paid_khr,
        settled=invoice.is_settled,
        version=invoice.version,
    )
