"""The handlers of fees."""

from datetime import datetime
from uuid import UUID

from services.fees import store
from services.fees.domain import Goods, Invoice, PaidInFuture
from services.fees.store import Slip, find_invoice, invoice_of, keep_slip
from services.fees.tariffs import Tariffs
from shared.contracts import fees as contracts
from shared.contracts.certificates.issuing import CertificateSubmitted, SubmittedGoods
from shared.contracts.fees import FeeSettled, GetInvoice, InvoiceState, RecordPayment
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(CertificateSubmitted)
async def assess_fee_on_certificate_submitted(event: CertificateSubmitted, work: Work) -> None:
    """A submitted certificate owes a fee by the tariff of that day. A certificate that costs nothing is settled at once."""
    invoice = await find_invoice(work, event.certificate_id)
    if invoice is None:
        invoice = Invoice(certificate_id=event.certificate_id, exporter_id=event.exporter_id)
        work.session.add(invoice)
    goods = [goods_of(item) for item in event.goods]

    invoice.was_begun_by(event.agent_id)
    assessed = invoice.assess(event.submission, work.use(Tariffs).on(event.submitted_on).assess(event.form, goods))

    if assessed and invoice.settle():
        work.announce(settled(invoice, work))


@router.answers(RecordPayment)
async def record_payment(command: RecordPayment, work: Work) -> InvoiceState:
    """A cashier enters a payment against a bank slip."""
    if command.paid_on > work.today:
        raise PaidInFuture("paid_on")
    invoice = await invoice_of(work, command.certificate_id)

    invoice.pay(command.amount_khr)

    await keep_slip(work, slip_of(command, cashier_id=work.actor.must_have_id(), at=work.now))
    if invoice.settle():
        work.announce(settled(invoice, work))
    return state_of(invoice)


@router.answers(GetInvoice)
async def get_invoice(question: GetInvoice, work: Work) -> InvoiceState:
    """What does this certificate cost, and is it paid?"""
    invoice = await invoice_of(work, question.certificate_id)
    work.actor.may_read(invoice.exporter_id, *question.read_by)
    work.actor.must_have_begun(invoice.agent_id)
    return state_of(invoice)


@router.reannounces("fee", store.settled)
async def announce_settlement(certificate_id: UUID, work: Work) -> None:
    """Announces again that the fee of a certificate is settled."""
    work.announce(settled(await invoice_of(work, certificate_id), work))


router.fact("assessed", store.assessed)
router.fact("settled", store.settled)
router.fact("once_settled", store.once_settled)
router.fact("unbalanced", store.unbalanced)


def goods_of(item: SubmittedGoods) -> Goods:
    """What the tariff needs of one item of a submission."""
    return Goods(hs_code=item.hs_code, handicraft=item.handicraft, quantity=item.quantity, unit=item.unit)


def slip_of(command: RecordPayment, *, cashier_id: UUID, at: datetime) -> Slip:
    """The bank slip that a cashier enters."""
    return Slip(
        slip_number=command.slip_number,
        certificate_id=command.certificate_id,
        amount_khr=command.amount_khr,
        paid_on=command.paid_on,
        cashier_id=cashier_id,
        recorded_at=at,
    )


def settled(invoice: Invoice, work: Work) -> FeeSettled:
    """The event for certificates: this submission is settled."""
    return FeeSettled(
        certificate_id=invoice.certificate_id,
        submission=invoice.submission,
        version=invoice.version,
        occurred_at=work.now,
    )


def state_of(invoice: Invoice) -> InvoiceState:
    """An invoice as its exporter and the cashiers see it."""
    return InvoiceState(
        certificate_id=invoice.certificate_id,
        exporter_id=invoice.exporter_id,
        lines=[contracts.InvoiceLine(text=line.text, amount_khr=line.amount_khr, source=line.source) for line in invoice.lines],
        amount_khr=invoice.amount_khr,
        paid_khr=invoice.paid_khr,
        settled=invoice.is_settled,
        version=invoice.version,
    )
