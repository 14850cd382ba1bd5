"""The price of a certificate and its settlement."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fees.domain import AlreadySettled, AmountDiffers, Goods, Invoice, Line
from services.fees.tariffs import Tariffs
from shared.contracts.certificates.issuing import SubmittedGoods
from shared.contracts.fees import FeeSettled, GetInvoice
from shared.dated import NothingInForce
from tests.fees.builders import CASHIER, a_payment, a_submission
from tests.support.service_under_test import ServiceUnderTest, a_person, an_agent

KHMER = re.compile("[\u1780-\u17ff]")
TARIFF = Tariffs.load().on(date(2026, 11, 23))


def some_goods(hs_code: str = "61091010", quantity: int | str = 5000, unit: str = "PCS", handicraft: bool = False) -> Goods:
    return Goods(hs_code=hs_code, handicraft=handicraft, quantity=Decimal(quantity), unit=unit)


def fee_of(*goods: Goods, form: str = "D") -> int:
    return sum(line.amount_khr for line in TARIFF.assess(form, goods))


@pytest.mark.parametrize(
    ("goods", "form_d", "form_n"),
    [
        (some_goods(quantity=2000), 86_000, 67_000),
        (some_goods(quantity="2000.000001"), 216_000, 142_000),
        (some_goods(quantity=167, unit="DZN"), 216_000, 142_000),
        (some_goods(quantity=166, unit="DZN"), 86_000, 67_000),
        (some_goods("64039990", 200, "PRS"), 86_000, 67_000),
        (some_goods("64039990", 201, "PRS"), 216_000, 142_000),
        (some_goods("10063040", 100, "TNE"), 0, 0),
        (some_goods("87120030", 1), 216_000, 142_000),
        (some_goods("61091010", 9000, handicraft=True), 0, 0),
        (some_goods("61091010", 10, "KGM"), 216_000, 142_000),
    ],
)
def test_the_fee_is_that_of_joint_prakas_315(goods: Goods, form_d: int, form_n: int) -> None:
    assert (fee_of(goods), fee_of(goods, form="N")) == (form_d, form_n)


def test_quantities_of_a_class_are_summed() -> None:
    assert fee_of(some_goods("61091010", 1500), some_goods("62052010", 501)) == 216_000


def test_one_fee_per_certificate_the_highest_that_applies() -> None:
    assert fee_of(some_goods("10063040", 1, "TNE"), some_goods("64039990", 100, "PRS")) == 86_000


def test_every_invoice_shows_the_abolished_export_management_fee() -> None:
    line = TARIFF.assess("D", [some_goods()])[-1]
    assert (line.amount_khr, line.source) == (0, "Joint Announcement 1217")
    assert "EMF" in line.text


def test_every_line_and_every_row_is_in_khmer_too() -> None:
    texts = [line.text_km for line in TARIFF.assess("D", [some_goods()])] + [khmer for _, khmer, _ in TARIFF.rows_in_words()]
    assert all(KHMER.search(text) for text in texts)
    assert not any(name in text for text in texts for name in ("garments", "goods", "charged"))


def test_before_the_first_tariff_there_is_none() -> None:
    with pytest.raises(NothingInForce):
        Tariffs.load().on(date(2021, 5, 25))


@given(
    st.lists(st.builds(some_goods, st.sampled_from(["61", "64", "10", "87"]), st.integers(1, 10**9)), min_size=1, max_size=5)
)
def test_a_fee_is_never_more_than_the_upper_row(goods: list[Goods]) -> None:
    assert fee_of(*goods) in {0, 86_000, 216_000}


def an_invoice(amount: int = 86_000) -> Invoice:
    invoice = Invoice(certificate_id=uuid4(), exporter_id=uuid4())
    assess(invoice, 1, amount)
    return invoice


def assess(invoice: Invoice, submission: int, amount: int) -> bool:
    lines = [Line("Certificate", amount, "tariff")]
    return invoice.assess(submission, lines, on=date(2026, 11, 23), at=datetime(2026, 11, 23, 3, tzinfo=UTC))


def test_a_payment_of_the_amount_owed_settles_once() -> None:
    invoice = an_invoice()
    invoice.pay(86_000)
    assert (invoice.settle(), invoice.settle(), invoice.is_settled) == (True, False, True)


@pytest.mark.parametrize("amount", [1, 85_999, 86_001])
def test_another_amount_is_refused(amount: int) -> None:
    with pytest.raises(AmountDiffers):
        an_invoice().pay(amount)


def test_a_settled_invoice_cannot_be_paid_again() -> None:
    invoice = an_invoice()
    invoice.pay(86_000)
    invoice.settle()
    with pytest.raises(AlreadySettled):
        invoice.pay(86_000)


def test_a_later_submission_that_costs_more_owes_the_difference() -> None:
    invoice = an_invoice()
    invoice.pay(86_000)
    invoice.settle()
    assess(invoice, 2, 216_000)
    assert (invoice.settle(), invoice.owed_khr) == (False, 130_000)


def test_a_later_submission_at_the_same_price_is_settled_by_the_former_payment() -> None:
    invoice = an_invoice()
    invoice.pay(86_000)
    invoice.settle()
    assess(invoice, 2, 86_000)
    assert invoice.settle()


def test_an_event_of_an_older_submission_changes_nothing() -> None:
    invoice = an_invoice()
    assess(invoice, 2, 216_000)
    assert not assess(invoice, 1, 0)
    assert invoice.amount_khr == 216_000


async def test_a_certificate_without_a_fee_is_settled_at_once(service: ServiceUnderTest) -> None:
    rice = [SubmittedGoods(hs_code="10063040", handicraft=False, quantity=Decimal(1), unit="TNE")]
    event = a_submission(service, goods=rice)
    await service.receive(event)

    (settled,) = await service.announced(FeeSettled)
    assert (settled.certificate_id, settled.submission) == (event.certificate_id, 1)


async def test_a_payment_settles_the_fee(service: ServiceUnderTest) -> None:
    event = a_submission(service)
    await service.receive(event)
    assert await service.announced(FeeSettled) == []

    invoice = await service.ask(a_payment(event.certificate_id), CASHIER)

    assert (invoice.paid_khr, invoice.settled) == (216_000, True)
    assert len(await service.announced(FeeSettled)) == 1


async def test_a_slip_is_entered_once(service: ServiceUnderTest) -> None:
    first, second = a_submission(service), a_submission(service)
    await service.receive(first)
    await service.receive(second)
    await service.ask(a_payment(first.certificate_id), CASHIER)

    refused = await service.ask(a_payment(second.certificate_id), CASHIER)

    assert (refused.code, refused.fields) == ("slip_already_used", ("slip_number",))
    assert (await service.ask(GetInvoice(certificate_id=second.certificate_id), CASHIER)).paid_khr == 0


async def test_an_exporter_reads_only_its_own_invoice(service: ServiceUnderTest) -> None:
    event = a_submission(service)
    await service.receive(event)
    owner, stranger = a_person(organisation=event.exporter_id), a_person(organisation=uuid4())

    assert (await service.ask(GetInvoice(certificate_id=event.certificate_id), owner)).amount_khr == 216_000
    assert (await service.ask(GetInvoice(certificate_id=event.certificate_id), stranger)).code == "not_yours"


async def test_an_agent_reads_only_the_invoices_of_certificates_that_it_drafted(service: ServiceUnderTest) -> None:
    exporter_id, agent_id, other_id = uuid4(), uuid4(), uuid4()
    own = a_submission(service, exporter_id=exporter_id, agent_id=agent_id)
    of_other = a_submission(service, exporter_id=exporter_id, agent_id=other_id)
    of_exporter = a_submission(service, exporter_id=exporter_id)
    for event in (own, of_other, of_exporter):
        await service.receive(event)
    agent = an_agent(agent_id, exporter_id)

    assert (await service.ask(GetInvoice(certificate_id=own.certificate_id), agent)).amount_khr == 216_000
    for event in (of_other, of_exporter):
        refused = await service.ask(GetInvoice(certificate_id=event.certificate_id), agent)
        assert (refused.code, refused.fields) == ("certificate_begun_by_another", ("certificate_id",))
    elsewhere = an_agent(agent_id, uuid4())
    assert (await service.ask(GetInvoice(certificate_id=own.certificate_id), elsewhere)).code == "not_yours"
    for event in (own, of_other, of_exporter):
        for reader in (a_person("signatory", organisation=exporter_id), CASHIER):
            assert (await service.ask(GetInvoice(certificate_id=event.certificate_id), reader)).amount_khr == 216_000


async def test_an_agent_missing_in_the_first_event_is_kept_from_the_second(service: ServiceUnderTest) -> None:
    agent_id = uuid4()
    event = a_submission(service)
    await service.receive(event)
    agent, question = an_agent(agent_id, event.exporter_id), GetInvoice(certificate_id=event.certificate_id)
    assert (await service.ask(question, agent)).code == "certificate_begun_by_another"
    before = await service.ask(question, CASHIER)

    await service.receive(event.model_copy(update={"agent_id": agent_id}))
    await service.receive(event)  # the older event does not overwrite it

    assert await service.ask(question, agent) == before
    assert await service.announced(FeeSettled) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_khr": 86_000}, "payment_amount_differs"),
        ({"paid_on": date(2026, 11, 24)}, "payment_in_future"),
        ({"certificate_id": uuid4()}, "invoice_not_found"),
    ],
)
async def test_a_wrong_payment_is_refused_and_nothing_changes(
    service: ServiceUnderTest, changes: dict[str, Any], code: str
) -> None:
    event = a_submission(service)
    await service.receive(event)
    payment = a_payment(event.certificate_id).model_copy(update=changes)

    assert (await service.ask(payment, CASHIER)).code == code
    assert (await service.ask(GetInvoice(certificate_id=event.certificate_id), CASHIER)).paid_khr == 0
    assert await service.announced(FeeSettled) == []


async def test_only_a_cashier_enters_payments(service: ServiceUnderTest) -> None:
    event = a_submission(service)
    await service.receive(event)
    assert (await service.ask(a_payment(event.certificate_id), a_person("approver"))).code == "role_required"


async def test_the_legal_date_is_that_of_phnom_penh(service: ServiceUnderTest) -> None:
    event = a_submission(service)
    await service.receive(event)
    service.clock.instant = service.clock.instant.replace(month=12, day=31, hour=17, minute=30)

    invoice = await service.ask(a_payment(event.certificate_id, paid_on=date(2027, 1, 1)), CASHIER)

    assert invoice.settled
    assert service.clock.today() - service.clock.instant.date() == timedelta(days=1)
