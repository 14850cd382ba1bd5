"""What payers, cashiers and the portal see of invoices: references, payments, closings, lists, quotes and the tariff."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from services.fees import store
from services.fees.domain import CROCKFORD, Invoice, Line, beginning_of_reference, payment_reference_of
from services.fees.store import ATTEMPTS, invoices
from shared.contracts.certificates.issuing import CertificateSubmitted, SubmittedGoods
from shared.contracts.certificates.withdrawing import CertificateClosed
from shared.contracts.fees import (
    FeeSettled,
    GetInvoice,
    GetTariff,
    InvoiceChanged,
    InvoiceState,
    ListInvoices,
    QuotedGoods,
    QuoteFee,
)
from shared.contracts.registry.registrations import RegistrationApproved
from shared.handling.actor import Actor
from tests.fees.builders import CASHIER, a_payment, a_submission, submitted
from tests.fees.test_fees import an_invoice, assess
from tests.support.service_under_test import ServiceUnderTest, a_person, an_agent

RICE = [SubmittedGoods(hs_code="10063040", handicraft=False, quantity=Decimal(1), unit="TNE")]


def closed(service: ServiceUnderTest, certificate_id: UUID, submission: int = 1) -> CertificateClosed:
    return CertificateClosed(
        certificate_id=certificate_id, submission=submission, status="rejected", version=3, occurred_at=service.clock.now()
    )


def named(service: ServiceUnderTest, exporter_id: UUID, name: str, version: int = 1) -> RegistrationApproved:
    validity = {"valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}
    return RegistrationApproved(
        exporter_id=exporter_id, name=name, address="Road 4", version=version, occurred_at=service.clock.now(), **validity
    )


async def invoice_of(service: ServiceUnderTest, certificate_id: UUID) -> InvoiceState:
    state = await service.ask(GetInvoice(certificate_id=certificate_id), CASHIER)
    assert isinstance(state, InvoiceState)
    return state


async def listed(service: ServiceUnderTest, person: Actor = CASHIER, **filters: Any) -> list[UUID]:
    page = await service.ask(ListInvoices(**filters), person)
    return [invoice.certificate_id for invoice in page.invoices]


def test_the_payment_reference_follows_from_the_certificate_alone() -> None:
    certificate_id = UUID("00000000-0000-4000-8000-0000000000ce")
    assert payment_reference_of(certificate_id) == "CPBZA3DYZ2"
    assert payment_reference_of(certificate_id, 1) != payment_reference_of(certificate_id)


@given(st.uuids(), st.integers(0, ATTEMPTS - 1), st.integers(1, 11), st.booleans())
def test_any_beginning_of_a_shown_reference_is_found_as_people_type_it(
    certificate_id: UUID, attempt: int, length: int, lower: bool
) -> None:
    reference = payment_reference_of(certificate_id, attempt)
    invoice = Invoice(certificate_id=certificate_id, exporter_id=certificate_id, payment_reference=reference)
    shown = str(invoice.shown_reference)
    typed = shown[:length].lower() if lower else shown[:length]

    assert len(shown) == 11
    assert set(reference) <= set(CROCKFORD)
    assert reference.startswith(str(beginning_of_reference(typed)))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("7kq2m 9xt4f", "7KQ2M9XT4F"),
        ("oil", "011"),
        ("7KQ2M-9XT4F-1", None),
        ("Lucky", None),  # there is no U
        ("-", None),
        ("%_", None),
        ("អង្គរ", None),
        ("7", "7"),
    ],
)
def test_what_cannot_begin_a_reference_is_not_searched_as_one(typed: str, read: str | None) -> None:
    assert beginning_of_reference(typed) == read


def test_a_closed_invoice_is_opened_by_the_next_submission() -> None:
    invoice = an_invoice()
    assert (invoice.close(1), invoice.close(1), invoice.is_closed, invoice.version) == (True, False, True, 2)
    assess(invoice, 2, 86_000)
    assert not invoice.is_closed
    assert not invoice.close(1)  # late
    assert not invoice.is_closed


def test_a_closing_that_is_known_before_its_submission_closes_it() -> None:
    invoice = Invoice(certificate_id=uuid4(), exporter_id=uuid4(), closed_submission=2)
    assert not invoice.is_closed
    assess(invoice, 2, 86_000)
    assert invoice.is_closed
    invoice.assess(3, [Line("Certificate", 0, "tariff")], on=date(2026, 11, 23), at=invoice.assessed_at)
    assert not invoice.is_closed


async def test_an_invoice_says_what_the_payer_needs(service: ServiceUnderTest) -> None:
    event = await submitted(service)
    await service.receive(named(service, event.exporter_id, "Angkor Garment Co., Ltd.", version=2))
    await service.receive(named(service, event.exporter_id, "A former name", version=1))
    await service.ask(a_payment(event.certificate_id), CASHIER)

    invoice = await invoice_of(service, event.certificate_id)

    reference = payment_reference_of(event.certificate_id)
    assert invoice.payment_reference == f"{reference[:5]}-{reference[5:]}"
    assert (invoice.exporter_name, invoice.assessed_on, invoice.closed) == (
        "Angkor Garment Co., Ltd.",
        event.submitted_on,
        False,
    )
    (payment,) = invoice.payments
    assert (payment.slip_number, payment.amount_khr, payment.paid_on) == ("ACLEDA-1", 216_000, date(2026, 11, 23))
    assert payment.recorded_at == service.clock.now()


async def test_a_reference_that_another_certificate_has_is_not_given_again(service: ServiceUnderTest) -> None:
    event, other = a_submission(service), await submitted(service)
    async with service.work() as work:
        taken = payment_reference_of(event.certificate_id)
        await work.session.execute(
            update(invoices).where(invoices.c.certificate_id == other.certificate_id).values(payment_reference=taken)
        )
    await service.receive(event)

    second = payment_reference_of(event.certificate_id, 1)
    assert (await invoice_of(service, event.certificate_id)).payment_reference == f"{second[:5]}-{second[5:]}"


async def test_an_invoice_of_a_former_release_gets_its_reference_when_a_replica_starts(service: ServiceUnderTest) -> None:
    event = await submitted(service)
    async with service.work() as work:
        await work.session.execute(update(invoices).values(payment_reference=None))
    assert (await invoice_of(service, event.certificate_id)).payment_reference is None

    await service.start()

    assert await listed(service, search=payment_reference_of(event.certificate_id)) == [event.certificate_id]


async def test_the_same_slip_twice_for_one_certificate_is_refused_as_already_recorded(service: ServiceUnderTest) -> None:
    event = await submitted(service)
    await service.ask(a_payment(event.certificate_id), CASHIER)

    refused = await service.ask(a_payment(event.certificate_id), CASHIER)

    assert (refused.code, refused.fields, refused.values) == (
        "slip_already_recorded",
        ("slip_number",),
        {"slip": "ACLEDA-1"},
    )
    assert (await service.ask(a_payment(event.certificate_id, slip_number="OTHER-1"), CASHIER)).code == "fee_already_settled"
    assert (await invoice_of(service, event.certificate_id)).paid_khr == 216_000


async def test_a_closed_invoice_takes_no_payment_until_it_is_submitted_again(service: ServiceUnderTest) -> None:
    event = await submitted(service)
    await service.receive(closed(service, event.certificate_id))

    assert (await service.ask(a_payment(event.certificate_id), CASHIER)).code == "invoice_closed"
    assert (await invoice_of(service, event.certificate_id)).closed

    await service.receive(event.model_copy(update={"submission": 2}))
    assert (await service.ask(a_payment(event.certificate_id), CASHIER)).settled


async def test_a_closing_that_arrives_before_the_submission_counts(service: ServiceUnderTest) -> None:
    event = a_submission(service, submission=2)
    await service.receive(closed(service, event.certificate_id, 2))
    await service.receive(closed(service, event.certificate_id, 1))  # late
    await service.receive(event)

    assert (await invoice_of(service, event.certificate_id)).closed
    assert (await service.ask(a_payment(event.certificate_id), CASHIER)).code == "invoice_closed"


async def test_both_events_in_one_batch_close_the_invoice(service: ServiceUnderTest) -> None:
    event = a_submission(service)
    async with service.work() as work:
        for each in (event, closed(service, event.certificate_id)):
            await service.router.events[type(each)](each, work)
            await work.session.flush()

    assert (await invoice_of(service, event.certificate_id)).closed
    assert [change.version for change in await service.announced(InvoiceChanged)] == [1, 2]


async def test_each_change_of_an_invoice_is_announced_once(service: ServiceUnderTest) -> None:
    event = await submitted(service)
    await service.receive(event)
    await service.ask(a_payment(event.certificate_id), CASHIER)
    await service.receive(closed(service, event.certificate_id))
    await service.receive(closed(service, event.certificate_id))

    changes = await service.announced(InvoiceChanged)
    assert [(each.version, each.settled) for each in changes] == [(1, False), (2, True), (3, True)]

    keys, announce = service.router.reannouncing["invoice"]
    async with service.work() as work:
        for certificate_id in (await work.session.scalars(keys)).all():
            await announce(certificate_id, work)
    assert (await service.announced(InvoiceChanged))[3:] == [changes[-1]]


async def some_invoices(service: ServiceUnderTest, number: int, **changes: Any) -> list[CertificateSubmitted]:
    """Invoices, the oldest first."""
    events = []
    for _ in range(number):
        service.clock.instant += timedelta(seconds=1)
        events.append(await submitted(service, **changes))
    return events


def ids(events: Sequence[CertificateSubmitted]) -> list[UUID]:
    return [event.certificate_id for event in events]


async def test_invoices_are_listed_page_by_page_the_newest_first(service: ServiceUnderTest) -> None:
    newest_first = ids(await some_invoices(service, 5))[::-1]

    first = await service.ask(ListInvoices(limit=2), CASHIER)
    second = await service.ask(ListInvoices(limit=2, after=first.next), CASHIER)
    last = await service.ask(ListInvoices(limit=2, after=second.next), CASHIER)

    pages = [[invoice.certificate_id for invoice in page.invoices] for page in (first, second, last)]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    assert last.next is None
    assert (await service.ask(ListInvoices(limit=5), CASHIER)).next is None
    assert (await service.ask(ListInvoices(after="AAAA"), CASHIER)).code == "cursor_malformed"


async def test_a_cashier_finds_an_invoice_by_reference_or_exporter(service: ServiceUnderTest) -> None:
    angkor, other = await some_invoices(service, 2)
    await service.receive(named(service, angkor.exporter_id, "Angkor 100%_Cotton Co., Ltd."))
    await service.receive(named(service, other.exporter_id, "Société Générale"))
    reference = str((await invoice_of(service, other.certificate_id)).payment_reference)

    for search in (reference, reference.lower(), reference.replace("-", ""), reference[:7], reference[:5].lower()):
        assert await listed(service, search=search) == [other.certificate_id], search
    for search in ("angkor", "100%_c", "COTTON"):
        assert await listed(service, search=search) == [angkor.certificate_id], search
    assert await listed(service, search="Société") == [other.certificate_id]
    for nothing in ("%", "_ngkor", "អង្គរ", "'; --", "x" * 200, "\\", "-"):
        found = [angkor.certificate_id] if nothing == "%" else []
        assert await listed(service, search=nothing) == found, nothing


async def test_a_search_that_finds_many_invoices_shows_the_same(
    service: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FEW", 1)
    events = await some_invoices(service, 3)
    for event in events:
        await service.receive(named(service, event.exporter_id, "Angkor Garment"))
    newest_first = [event.certificate_id for event in reversed(events)]

    first = await service.ask(ListInvoices(search="angkor", limit=2), CASHIER)
    rest = await service.ask(ListInvoices(search="angkor", limit=2, after=first.next), CASHIER)
    assert [invoice.certificate_id for invoice in (*first.invoices, *rest.invoices)] == newest_first
    assert await listed(service, search="angkor garments") == []


async def test_paid_and_unpaid_invoices_are_listed_apart(service: ServiceUnderTest) -> None:
    (unpaid,) = await some_invoices(service, 1)
    (free,) = await some_invoices(service, 1, goods=RICE)

    assert await listed(service, settled=False) == [unpaid.certificate_id]
    assert await listed(service, settled=True) == [free.certificate_id]
    assert await listed(service) == [free.certificate_id, unpaid.certificate_id]


async def test_each_reader_lists_only_what_it_may_see(service: ServiceUnderTest) -> None:
    exporter_id, agent_id = uuid4(), uuid4()
    (own,) = await some_invoices(service, 1, exporter_id=exporter_id)
    (by_agent,) = await some_invoices(service, 1, exporter_id=exporter_id, agent_id=agent_id)
    (of_other,) = await some_invoices(service, 1)
    company, agent = a_person("preparer", organisation=exporter_id), an_agent(agent_id, exporter_id)

    for all_seen in (CASHIER, a_person("auditor")):
        assert await listed(service, all_seen) == ids([of_other, by_agent, own])
        assert await listed(service, all_seen, exporter_id=exporter_id) == ids([by_agent, own])
    assert await listed(service, company) == await listed(service, company, exporter_id=exporter_id) == ids([by_agent, own])
    assert await listed(service, agent) == ids([by_agent])
    assert (await service.ask(ListInvoices(exporter_id=of_other.exporter_id), company)).code == "not_yours"
    assert (await service.ask(ListInvoices(exporter_id=of_other.exporter_id), agent)).code == "not_yours"
    for officer in (a_person("approver"), a_person("administrator"), a_person("customs_viewer", organisation="KHPNH")):
        assert (await service.ask(ListInvoices(), officer)).code == "not_yours"
        assert (await service.ask(ListInvoices(exporter_id=exporter_id), officer)).code == "not_yours"


async def test_a_quote_is_what_the_invoice_will_say(service: ServiceUnderTest) -> None:
    goods = [QuotedGoods(hs_code="61091010", quantity=Decimal(5000), unit="PCS")]
    event = await submitted(service)

    quote = await service.ask(QuoteFee(goods=goods), a_person("preparer", organisation=uuid4()))

    invoice = await invoice_of(service, event.certificate_id)
    assert (quote.lines, quote.amount_khr) == (invoice.lines, invoice.amount_khr)
    assert (quote.on, quote.tariff_from) == (date(2026, 11, 23), date(2021, 5, 26))
    assert (await service.ask(QuoteFee(form="N", goods=goods), an_agent(uuid4(), uuid4()))).amount_khr == 142_000
    assert len(await service.announced(InvoiceChanged)) == 1
    assert await service.announced(FeeSettled) == []


@pytest.mark.parametrize("role", ["preparer", "approver", "administrator", "customs_viewer"])
async def test_every_signed_in_person_reads_the_tariff_of_a_day(service: ServiceUnderTest, role: str) -> None:
    tariff = await service.ask(GetTariff(), a_person(role))

    assert (tariff.valid_from, tariff.source) == (date(2021, 5, 26), "Joint Prakas 315")
    rows = {row.goods: row.amounts_khr for row in tariff.rows}
    assert rows["garments over 2000 PCS"] == {"N": 142_000, "*": 216_000}
    assert rows["handicraft"] == {"N": 0, "*": 0}
    assert len(rows) == 7


async def test_a_day_before_the_first_tariff_is_refused(service: ServiceUnderTest) -> None:
    for day in (date(2021, 5, 25), date(1, 1, 1)):
        refused = await service.ask(GetTariff(on=day), CASHIER)
        assert (refused.code, refused.fields, refused.values) == ("no_tariff_in_force", ("on",), {"day": str(day)})
    assert (await service.ask(GetTariff(on=date(9999, 12, 31)), CASHIER)).valid_from == date(2021, 5, 26)
