"""The handlers of fees."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.fees import store
from services.fees.domain import Goods, Invoice, Line, PaidInFuture
from services.fees.store import Slip, find_invoice, invoice_of, keep_slip
from services.fees.tariffs import Tariffs
from shared.contracts.certificates.issuing import CertificateSubmitted, SubmittedGoods
from shared.contracts.certificates.withdrawing import CertificateClosed
from shared.contracts.fees import (
    FeeQuote,
    FeeSettled,
    GetInvoice,
    GetTariff,
    InvoiceChanged,
    InvoiceLine,
    Invoices,
    InvoiceState,
    ListInvoices,
    Payment,
    QuotedGoods,
    QuoteFee,
    RecordPayment,
    Tariff,
    TariffRow,
)
from shared.contracts.registry.registrations import RegistrationApproved
from shared.handling.actor import Actor, NotYours
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(CertificateSubmitted)
async def assess_fee_on_certificate_submitted(event: CertificateSubmitted, work: Work) -> None:
    """A submitted certificate owes a fee by the tariff of that day. A certificate that costs nothing is settled at once."""
    invoice = await find_invoice(work, event.certificate_id)
    if invoice is None:
        reference = await store.free_reference(work, event.certificate_id)
        invoice = Invoice(certificate_id=event.certificate_id, exporter_id=event.exporter_id, payment_reference=reference)
        work.session.add(invoice)
    tariff = work.use(Tariffs).on(event.submitted_on)
    lines = tariff.assess(event.form, [goods_of(item) for item in event.goods])

    invoice.was_begun_by(event.agent_id)
    if not invoice.assess(event.submission, lines, on=event.submitted_on, at=event.occurred_at):
        return
    if invoice.settle():
        work.announce(settled(invoice, work))
    work.announce(changed(invoice, work))


@router.on(CertificateClosed)
async def close_invoice_on_certificate_closed(event: CertificateClosed, work: Work) -> None:
    """A withdrawn or rejected submission takes no payment. The event can arrive before that of the submission."""
    invoice = await find_invoice(work, event.certificate_id)

    if invoice and invoice.close(event.submission):
        work.announce(changed(invoice, work))

    await store.keep_closing(work, event.certificate_id, event.submission)


@router.on(RegistrationApproved)
async def keep_name_on_registration_approved(event: RegistrationApproved, work: Work) -> None:
    """The name of an exporter, by which a cashier finds its invoices."""
    await store.keep_name(work, event.exporter_id, event.name, event.version)


@router.answers(RecordPayment)
async def record_payment(command: RecordPayment, work: Work) -> InvoiceState:
    """A cashier enters a payment against a bank slip."""
    if command.paid_on > work.today:
        raise PaidInFuture("paid_on")
    invoice = await store.lock_for_payment(work, command.certificate_id)
    await store.slip_must_be_new(work, command.slip_number, command.certificate_id)

    invoice.pay(command.amount_khr)

    if invoice.settle():
        work.announce(settled(invoice, work))
    work.announce(changed(invoice, work))
    await keep_slip(work, slip_of(command, cashier_id=work.actor.must_have_id(), at=work.now))
    return await state_of(invoice, work)


@router.answers(GetInvoice)
async def get_invoice(question: GetInvoice, work: Work) -> InvoiceState:
    """What does this certificate cost, and is it paid?"""
    invoice = await invoice_of(work, question.certificate_id)
    work.actor.may_read(invoice.exporter_id, *question.read_by)
    work.actor.must_have_begun(invoice.agent_id)
    return await state_of(invoice, work)


@router.answers(ListInvoices)
async def list_invoices(question: ListInvoices, work: Work) -> Invoices:
    """Which invoices are there, newest first?"""
    found, following = await store.list_invoices(
        work,
        exporter_id=exporter_of(question, work.actor),
        agent_id=work.actor.agent_id,
        settled=question.settled,
        search=question.search,
        after=question.after,
        limit=question.limit,
    )
    return Invoices(invoices=await states_of(found, work), next=following)


@router.answers(QuoteFee)
async def quote_fee(question: QuoteFee, work: Work) -> FeeQuote:
    """What would a certificate with these goods cost today?"""
    tariff = work.use(Tariffs).on(work.today)
    lines = tariff.assess(question.form, [goods_of(item) for item in question.goods])
    amount = sum(line.amount_khr for line in lines)
    return FeeQuote(lines=shown(lines), amount_khr=amount, on=work.today, tariff_from=tariff.effective_from)


@router.answers(GetTariff)
async def get_tariff(question: GetTariff, work: Work) -> Tariff:
    """The tariff in force on a day, with its source."""
    tariff = work.use(Tariffs).asked_for(question.on or work.today)
    rows = [TariffRow(goods=goods, goods_km=khmer, amounts_khr=dict(fees)) for goods, khmer, fees in tariff.rows_in_words()]
    return Tariff(valid_from=tariff.effective_from, source=tariff.source, rows=rows)


@router.at_start
async def give_missing_references(work: Work) -> None:
    """Invoices of a former release get the payment reference that they lack."""
    await store.give_missing_references(work)


@router.reannounces("fee", store.settled)
async def announce_settlement(certificate_id: UUID, work: Work) -> None:
    """Announces again that the fee of a certificate is settled."""
    work.announce(settled(await invoice_of(work, certificate_id), work))


@router.reannounces("invoice", store.assessed)
async def announce_invoice(certificate_id: UUID, work: Work) -> None:
    """Announces again how an invoice stands."""
    work.announce(changed(await invoice_of(work, certificate_id), work))


router.fact("assessed", store.assessed)
router.fact("settled", store.settled)
router.fact("once_settled", store.once_settled)
router.fact("unbalanced", store.unbalanced)


def exporter_of(question: ListInvoices, actor: Actor) -> UUID | None:
    """The exporter whose invoices the actor lists, or None for those of all. Raises NotYours."""
    if question.exporter_id is None and actor.roles & question.read_by:
        return None
    try:
        exporter_id = question.exporter_id or UUID(actor.organisation)
    except ValueError:  # an office has no invoices
        raise NotYours() from None
    actor.may_read(exporter_id, *question.read_by)
    return exporter_id


def goods_of(item: SubmittedGoods | QuotedGoods) -> Goods:
    """What the tariff needs of one item."""
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


def changed(invoice: Invoice, work: Work) -> InvoiceChanged:
    """The event for the portal: the invoice is to be shown again."""
    return InvoiceChanged(
        certificate_id=invoice.certificate_id,
        settled=invoice.is_settled,
        version=invoice.version,
        occurred_at=work.now,
    )


async def state_of(invoice: Invoice, work: Work) -> InvoiceState:
    """An invoice as its exporter and the cashiers see it."""
    return (await states_of([invoice], work))[0]


async def states_of(invoices: Sequence[Invoice], work: Work) -> list[InvoiceState]:
    """Invoices as their exporters and the cashiers see them."""
    names = await store.names_of(work, {invoice.exporter_id for invoice in invoices})
    slips = await store.slips_of(work, [invoice.certificate_id for invoice in invoices])
    return [
        InvoiceState(
            certificate_id=invoice.certificate_id,
            payment_reference=invoice.shown_reference,
            exporter_id=invoice.exporter_id,
            exporter_name=names.get(invoice.exporter_id),
            assessed_on=invoice.assessed_on,
            closed=invoice.is_closed,
            payments=[paid(slip) for slip in slips[invoice.certificate_id]],
            lines=shown(invoice.lines),
            amount_khr=invoice.amount_khr,
            paid_khr=invoice.paid_khr,
            settled=invoice.is_settled,
            version=invoice.version,
        )
        for invoice in invoices
    ]


def shown(lines: Sequence[Line]) -> list[InvoiceLine]:
    """The lines of an invoice or a quote."""
    return [
        InvoiceLine(text=line.text, text_km=line.text_km or None, amount_khr=line.amount_khr, source=line.source)
        for line in lines
    ]


def paid(slip: Slip) -> Payment:
    """A payment as it is shown."""
    return Payment(amount_khr=slip.amount_khr, slip_number=slip.slip_number, paid_on=slip.paid_on, recorded_at=slip.recorded_at)
