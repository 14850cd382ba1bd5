"""Outages of partners: when a partner is out, what its exporters get, and the register of notices."""

import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import delete

from services.gateway import ledger_tables, outages
from services.gateway.handlers import router
from services.gateway.handlers.contingencies import ReconcileContingencies, announce_contingency
from services.gateway.handlers.outages import AnnounceOutages, announce_outages_of
from services.gateway.offices import OtherOffice
from services.gateway.outages import expired_before, is_out, kept_until, median_seconds, number_of, parts_of
from services.gateway.store import partner_by_country
from shared.contracts.certificates.sealing import ContingencyCopyPrinted
from shared.contracts.gateway.outages import (
    ContingencyIssued,
    GetContingency,
    IssueContingency,
    ListContingencies,
    PartnerOutageChanged,
)
from shared.contracts.gateway.partners import ListPartners
from shared.contracts.messages import Request
from shared.handling.actor import Actor, NotYours
from tests.support.service_under_test import a_person

from .builders import EXPORTER, Gateway, TwoGateways, a_documented_certificate, a_form

NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
SIGNATORY, OFFICER = a_person("signatory", organisation=EXPORTER), a_person("approver")


def test_a_partner_is_out_after_the_set_time_without_an_answer() -> None:
    almost = NOON + timedelta(hours=4) - timedelta(seconds=1)
    assert not is_out(False, NOON, almost, TODAY)
    assert is_out(False, NOON, almost + timedelta(seconds=1), TODAY)
    assert not is_out(True, NOON, NOON + timedelta(days=9), TODAY)


def test_messages_are_kept_for_three_years_also_those_of_a_leap_day() -> None:
    leap_day = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert kept_until(leap_day, TODAY) == datetime(2031, 2, 28, 12, tzinfo=UTC)
    assert expired_before(leap_day, TODAY) == datetime(2025, 2, 27, 12, tzinfo=UTC)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2100, 1, 1)))
def test_no_message_is_deleted_before_its_time(at: datetime) -> None:
    at = at.replace(tzinfo=UTC)
    assert not at < expired_before(kept_until(at, TODAY), TODAY)


def test_the_median_ignores_that_a_clock_was_wrong() -> None:
    times = [(NOON, NOON + timedelta(seconds=seconds)) for seconds in (60, -5, 600, 61)]
    assert median_seconds(times) == 60
    assert median_seconds([]) is None


@given(st.sampled_from(["notice", "print"]), st.integers(2020, 2099), st.integers(1, 10**9 - 1))
def test_a_number_has_its_kind_year_and_serial_number(kind: str, year: int, serial: int) -> None:
    assert parts_of(number_of("KH", kind, year, serial)) == (kind[0].upper(), year, serial)


async def ask(gateway: Gateway, request: Request, actor: Actor) -> Any:
    async with gateway.context.work(INVALID_SPAN) as work:
        work.act_as(actor)
        return await router.requests[type(request)](request, work)


async def run(gateway: Gateway, task: Any) -> None:
    async with gateway.context.work(INVALID_SPAN) as work:
        await router.tasks[type(task)](task, work)


async def an_outage(gateways: TwoGateways, **changes: Any) -> ContingencyIssued | Any:
    """A document for a partner that is out. Returns the event of the document."""
    gateways.kh.links["VN"].down = True
    event = a_documented_certificate(**changes)
    await gateways.kh.receive(event)
    for _ in range(3):
        await gateways.kh.run_due_tasks()
    async with gateways.kh.context.work(INVALID_SPAN) as work:
        partner = await partner_by_country(work, "VN")
        partner.since = work.now - timedelta(hours=5)
    await run(gateways.kh, AnnounceOutages())
    return event


async def outages_announced(gateway: Gateway) -> list[PartnerOutageChanged]:
    return await gateway.announced_of(PartnerOutageChanged)


async def test_a_partner_that_does_not_answer_for_long_is_out_until_it_answers(gateways: TwoGateways) -> None:
    event = await an_outage(gateways)
    await run(gateways.kh, AnnounceOutages())
    (began,) = await outages_announced(gateways.kh)
    state = await gateways.kh.state(event.certificate_id)
    listed = await ask(gateways.kh, ListPartners(), OFFICER)
    (vn,) = [each for each in listed.partners if each.country == "VN"]

    assert (began.country, began.ended_at, began.version) == ("VN", None, 1)
    assert state.out_since == began.since == vn.out_since
    assert "cannot be reached" in vn.last_error

    gateways.kh.links["VN"].down = False
    await gateways.run_until_idle()

    began, ended = await outages_announced(gateways.kh)
    assert (ended.since, ended.version) == (began.since, 2)
    assert ended.ended_at
    assert (await gateways.kh.state(event.certificate_id)).out_since is None
    listed = await ask(gateways.kh, ListPartners(), OFFICER)
    (vn,) = [each for each in listed.partners if each.country == "VN"]
    assert (vn.out_since, vn.measured) == (None, 1)
    assert vn.median_seconds is not None


async def test_a_short_outage_is_not_announced(gateways: TwoGateways, monkeypatch: pytest.MonkeyPatch) -> None:
    gateways.kh.links["VN"].down = True
    await gateways.kh.receive(a_documented_certificate())
    for _ in range(3):
        await gateways.kh.run_due_tasks()
    await run(gateways.kh, AnnounceOutages())
    assert await outages_announced(gateways.kh) == []

    monkeypatch.setattr(outages, "OUTAGE_RULES", [outages.OutageRule(date(2000, 1, 1), timedelta(0))])
    await run(gateways.kh, AnnounceOutages())
    assert len(await outages_announced(gateways.kh)) == 1


async def test_an_outage_whose_end_was_not_recorded_ends_later(gateways: TwoGateways) -> None:
    await an_outage(gateways)
    async with gateways.kh.context.work(INVALID_SPAN) as work:
        (await partner_by_country(work, "VN")).answers = True
    await run(gateways.kh, AnnounceOutages())
    assert [bool(each.ended_at) for each in await outages_announced(gateways.kh)] == [False, True]


async def test_an_exporter_gets_one_signed_notice_while_the_partner_is_out(gateways: TwoGateways) -> None:
    event = await an_outage(gateways)
    command = IssueContingency(certificate_id=event.certificate_id)

    first = await ask(gateways.kh, command, SIGNATORY)
    again = await ask(gateways.kh, IssueContingency(certificate_id=event.certificate_id), OFFICER)

    assert first.number == again.number == f"KH-N-{gateways.kh.context.clock.today().year}-000001"
    assert first == await ask(gateways.kh, GetContingency(certificate_id=event.certificate_id), SIGNATORY)
    (issued,) = await gateways.kh.announced_of(ContingencyIssued)
    public = load_der_public_key(b64decode(issued.public_key))
    key = ECKey.import_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    facts = json.loads(jws.deserialize_compact(issued.token, key, algorithms=["ES256"]).payload)
    assert facts == {
        "iss": "KH",
        "number": first.number,
        "certificate": "D2026-PNH-000123",
        "destination": "VN",
        "out_since": first.out_since.isoformat(),
        "issued_at": first.issued_at.isoformat(),
    }
    header, payload, signature = issued.token.split(".")
    other = urlsafe_b64encode(urlsafe_b64decode(payload + "==").replace(b"000123", b"000124")).decode().rstrip("=")
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(f"{header}.{other}.{signature}", key, algorithms=["ES256"])


async def test_nobody_gets_a_notice_unless_the_document_waits_for_a_partner_that_is_out(gateways: TwoGateways) -> None:
    gateways.kh.links["VN"].down = True
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    with pytest.raises(outages.PartnerNotOut):
        await ask(gateways.kh, IssueContingency(certificate_id=event.certificate_id), SIGNATORY)
    with pytest.raises(outages.ContingencyNotFound):
        await ask(gateways.kh, GetContingency(certificate_id=event.certificate_id), SIGNATORY)

    gateways.kh.links["VN"].down = False
    await gateways.run_until_idle()
    with pytest.raises(outages.NotWaiting):
        await ask(gateways.kh, IssueContingency(certificate_id=event.certificate_id), SIGNATORY)


async def test_another_company_gets_no_notice(gateways: TwoGateways) -> None:
    event = await an_outage(gateways)
    stranger = a_person("signatory", organisation=uuid4())
    command = IssueContingency(certificate_id=event.certificate_id)
    for request in (command, GetContingency(certificate_id=event.certificate_id)):
        with pytest.raises(NotYours):
            await ask(gateways.kh, request, stranger)
    with pytest.raises(OtherOffice):
        await ask(gateways.kh, command, a_person("reviewer", organisation="SHV"))


async def test_the_register_is_reconciled_when_the_partner_has_the_document(gateways: TwoGateways) -> None:
    event = await an_outage(gateways)
    await ask(gateways.kh, IssueContingency(certificate_id=event.certificate_id), SIGNATORY)
    await run(gateways.kh, ReconcileContingencies())
    (row,) = (await ask(gateways.kh, ListContingencies(open=True), OFFICER)).contingencies
    assert (row.code, row.reconciled_at, row.issued_by) == ("AS1", None, SIGNATORY.user_id)

    gateways.kh.links["VN"].down = False
    await gateways.run_until_idle()
    await run(gateways.kh, ReconcileContingencies())

    assert (await ask(gateways.kh, ListContingencies(open=True), OFFICER)).contingencies == ()
    (row,) = (await ask(gateways.kh, ListContingencies(), OFFICER)).contingencies
    assert row.code == "REC"
    assert row.reconciled_at


async def test_a_rejected_document_stays_open_in_the_register(gateways: TwoGateways) -> None:
    item = a_form().items[0].model_copy(update={"hs_code": "24021000"})
    event = await an_outage(gateways, form=a_form(items=(item,)))
    await ask(gateways.kh, IssueContingency(certificate_id=event.certificate_id), SIGNATORY)
    gateways.kh.links["VN"].down = False
    await gateways.run_until_idle()
    await run(gateways.kh, ReconcileContingencies())

    (row,) = (await ask(gateways.kh, ListContingencies(open=True), OFFICER)).contingencies
    assert (row.code, row.reconciled_at) == ("NOT", None)


async def test_a_restored_gateway_has_its_outages_and_its_register_and_gives_no_number_twice(gateways: TwoGateways) -> None:
    event = await an_outage(gateways)
    first = await ask(gateways.kh, IssueContingency(certificate_id=event.certificate_id), SIGNATORY)
    (issued,), (began,) = await gateways.kh.announced_of(ContingencyIssued), await outages_announced(gateways.kh)
    async with gateways.kh.context.work(INVALID_SPAN) as work:
        for table in (ledger_tables.contingencies, ledger_tables.contingency_numbers, ledger_tables.partner_outages):
            await work.session.execute(delete(table))

    async with gateways.kh.context.work(INVALID_SPAN) as work:
        for replayed in (issued, began, issued):
            await router.replay[type(replayed)](replayed, work)

    again = await ask(gateways.kh, GetContingency(certificate_id=event.certificate_id), SIGNATORY)
    assert again == first
    other = a_documented_certificate(a_form(reference="D2026-PNH-000124"))
    await gateways.kh.receive(other)
    second = await ask(gateways.kh, IssueContingency(certificate_id=other.certificate_id), SIGNATORY)
    assert second.number.endswith("-000002")


async def test_outages_and_notices_can_be_announced_again(gateways: TwoGateways) -> None:
    event = await an_outage(gateways)
    first = await ask(gateways.kh, IssueContingency(certificate_id=event.certificate_id), SIGNATORY)
    async with gateways.kh.context.work(INVALID_SPAN) as work:
        await announce_outages_of("VN", work)
        await announce_contingency(first.number, work)
    once, again = await gateways.kh.announced_of(ContingencyIssued)
    assert once == again
    assert len({each.version for each in await outages_announced(gateways.kh)}) == 1


async def test_a_print_of_the_certificate_enters_the_register_and_is_closed_with_the_notices(gateways: TwoGateways) -> None:
    event = await an_outage(gateways)
    await ask(gateways.kh, IssueContingency(certificate_id=event.certificate_id), SIGNATORY)
    printed = ContingencyCopyPrinted(
        number="PNH-2026-00001",
        certificate_id=event.certificate_id,
        reference=event.document.reference,
        destination="VN",
        printed_by=SIGNATORY.user_id,
        version=1,
        occurred_at=gateways.kh.context.clock.now(),
    )
    for _ in range(2):
        async with gateways.kh.context.work(INVALID_SPAN) as work:
            await router.events[ContingencyCopyPrinted](printed, work)

    listed = (await ask(gateways.kh, ListContingencies(open=True), OFFICER)).contingencies
    assert sorted((each.kind, each.number) for each in listed) == [
        ("notice", f"KH-N-{gateways.kh.context.clock.today().year}-000001"),
        ("print", "PNH-2026-00001"),
    ]

    gateways.kh.links["VN"].down = False
    await gateways.run_until_idle()
    await run(gateways.kh, ReconcileContingencies())
    assert (await ask(gateways.kh, ListContingencies(open=True), OFFICER)).contingencies == ()
