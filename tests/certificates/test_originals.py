"""Back-to-back certificates: originals are received or entered, reserved at submission, and used up at issue."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.certificates.handlers import router
from services.certificates.store.originals import received_originals
from services.certificates.store.tables import original_uses
from shared.contracts.certificates.content import GetCertificateContent
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import (
    RejectCertificate,
    ReturnCertificate,
    ReviseCertificate,
    SubmitCertificate,
)
from shared.contracts.certificates.originals import EnterOriginal, GetOriginal
from shared.contracts.certificates.withdrawing import DiscardCertificate, WithdrawCertificate
from shared.contracts.gateway.originals import ReceivedDocumentChanged
from shared.contracts.messages import Refusal
from tests.certificates.test_handlers import APPROVER, REVIEWER, STRANGER, Trader
from tests.support.service_under_test import ServiceUnderTest

ORIGINAL: dict[str, Any] = {"country": "TH", "reference": "D2026-BKK-000001", "issued_on": date(2026, 3, 2)}
PAPER: dict[str, Any] = {
    "country": "LA",
    "reference": "VTE 2026/0815",
    "issued_on": date(2026, 9, 1),
    "valid_until": date(2027, 9, 1),
    "consignee": "Angkor Trading",
    "lines": ({"number": 4, "hs_code": "610910", "description": "T-shirts", "quantity": "5000", "unit": "PCS"},),
}


async def receive(service: ServiceUnderTest, quantity: str = "8000", version: int = 1000, **changes: Any) -> None:
    """The gateway announces an original of Thailand."""
    item = {"number": 1, "hs_code": "610910", "description": "T-shirts", "quantity": quantity, "unit": "PCS"}
    defaults: dict[str, Any] = {
        **ORIGINAL,
        "document_id": uuid4(),
        "valid_until": date(2027, 3, 2),
        "consignee": "Angkor Trading",
        "usable": True,
        "items": (item,),
        "version": version,
        "occurred_at": service.clock.now(),
    }
    await service.receive(ReceivedDocumentChanged(**defaults | changes))


def items(trader: Trader, *quantities: str, unit: str = "PCS", **original: Any) -> list[dict[str, Any]]:
    """Items that are covered by line 1 of the original."""
    (item,) = trader.consignment()["items"]
    line = {**ORIGINAL, "line": 1, **original}
    return [{**item, "quantity": each, "unit": unit, "original": line} for each in quantities]


async def remaining(service: ServiceUnderTest, line: int = 1, **which: Any) -> Decimal:
    """What an officer sees as the remainder of a line."""
    state = await service.ask(GetOriginal(**{"country": "TH", "reference": ORIGINAL["reference"], **which}), REVIEWER)
    (found,) = (each for each in state.lines if each.number == line)
    return Decimal(found.remaining)


async def test_a_submission_reserves_and_the_issue_uses_up(service: ServiceUnderTest, trader: Trader) -> None:
    await receive(service)
    submitted = await trader.submit(items=items(trader, "5000"))
    assert await remaining(service) == 3000
    await trader.settle(submitted.certificate_id)
    await trader.approve(submitted.certificate_id)
    await service.do_tasks()

    state = await trader.state(submitted.certificate_id)
    assert (state.status, state.valid_until) == ("issued", date(2027, 3, 2))
    (documented,) = await service.announced(CertificateDocumented)
    (original,) = documented.document.originals
    assert original.model_dump() == {"reference": "D2026-BKK-000001", "country": "TH", "issued_on": date(2026, 3, 2)}
    assert documented.document.items[0].description == (
        "T-shirts, knitted, of cotton\nManufacturer: Angkor Garment Co., Ltd.\n"
        "Back-to-back: original D2026-BKK-000001 of 2026-03-02, TH, item 1"
    )
    seen = await service.ask(GetOriginal(**ORIGINAL), REVIEWER)
    (use,) = seen.uses
    assert (use.certificate_id, use.item, use.quantity, use.final) == (submitted.certificate_id, 1, 5000, True)
    assert await remaining(service) == 3000


async def test_a_certificate_that_takes_too_much_is_refused_with_what_is_left(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await receive(service)
    await trader.submit(items=items(trader, "5000"))
    refusal = await trader.submit(items=items(trader, "1000", "2000.000001"))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fields) == ("original_exceeded", ("consignment.items.1.quantity",))
    assert refusal.values == {"item": "2", "remaining": "2000", "unit": "PCS"}
    assert await remaining(service) == 3000, "the first item was not kept"
    assert (await trader.submit(items=items(trader, "1000", "2000"))).status == "submitted"
    assert await remaining(service) == 0


@pytest.mark.parametrize("end", ["withdraw", "return", "reject", "discard"])
async def test_each_end_gives_back_exactly_what_was_taken(service: ServiceUnderTest, trader: Trader, end: str) -> None:
    await receive(service)
    certificate_id = (await trader.submit(items=items(trader, "0.1", "0.2"))).certificate_id
    assert await remaining(service) == Decimal("7999.7")
    match end:
        case "withdraw":
            await service.ask(WithdrawCertificate(certificate_id=certificate_id), trader.person)
        case "return":
            await service.ask(ReturnCertificate(certificate_id=certificate_id, remarks="Box 6."), REVIEWER)
        case "reject":
            await service.ask(RejectCertificate(certificate_id=certificate_id, reason="No."), REVIEWER)
        case "discard":
            await service.ask(WithdrawCertificate(certificate_id=certificate_id), trader.person)
            await service.ask(DiscardCertificate(certificate_id=certificate_id), trader.person)
    assert await remaining(service) == 8000
    async with service.work() as work:
        assert (await work.session.execute(select(original_uses))).all() == []


async def test_a_returned_certificate_takes_again_what_it_needs_then(service: ServiceUnderTest, trader: Trader) -> None:
    await receive(service)
    certificate_id = (await trader.submit(items=items(trader, "5000"))).certificate_id
    await service.ask(ReturnCertificate(certificate_id=certificate_id, remarks="Box 9."), REVIEWER)
    corrected = trader.consignment(items=items(trader, "8000"))
    await service.ask(ReviseCertificate(certificate_id=certificate_id, consignment=corrected), trader.person)
    await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    assert await remaining(service) == 0


@pytest.mark.parametrize(
    ("original", "code", "field"),
    [
        ({"reference": "D2026-BKK-000002"}, "original_not_found", "consignment.items.0.original.reference"),
        ({"issued_on": date(2026, 3, 3)}, "original_not_found", "consignment.items.0.original.reference"),
        ({"line": 2}, "original_line_unknown", "consignment.items.0.original.line"),
        ({"unit": "DZN"}, "original_unit_differs", "consignment.items.0.unit"),
    ],
)
async def test_an_item_that_its_original_does_not_cover_is_refused(
    service: ServiceUnderTest, trader: Trader, original: dict[str, Any], code: str, field: str
) -> None:
    await receive(service)
    refusal = await trader.submit(items=items(trader, "5000", **original))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fields) == (code, (field,))
    assert refusal.detail != code
    assert await remaining(service) == 8000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_until": date(2026, 11, 22)}, "original_expired"),
        ({"usable": False}, "original_not_usable"),
        ({"based_on": ({"country": "KH", "reference": "D2026-PNH-000001"},)}, "original_circular"),
        ({"based_on": ({"country": "VN", "reference": "D2026-HN-000001"},)}, "original_circular"),
        ({"items": ({"number": 1, "hs_code": "61", "description": "", "quantity": "1E+20", "unit": "PCS", "denied": True},)},
         "original_line_denied"),
    ],
)  # fmt: skip
async def test_an_original_that_cannot_be_used_is_refused(
    service: ServiceUnderTest, trader: Trader, changes: dict[str, Any], code: str
) -> None:
    await receive(service, **changes)
    refusal = await trader.submit(items=items(trader, "5000"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


async def test_an_original_that_expires_before_the_issue_holds_the_certificate(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await receive(service, valid_until=date(2026, 11, 23))
    certificate_id = (await trader.submit(items=items(trader, "5000"))).certificate_id
    await trader.approve(certificate_id)
    service.clock.instant += timedelta(days=1)
    await trader.settle(certificate_id)
    await service.do_tasks()
    assert (await trader.state(certificate_id)).waits_for == ("original_expired",)
    rejected = await service.ask(RejectCertificate(certificate_id=certificate_id, reason="Expired."), REVIEWER)
    assert rejected.status == "rejected"
    assert await remaining(service) == 8000


async def test_a_held_certificate_is_issued_when_its_original_is_usable_again(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await receive(service)
    certificate_id = (await trader.submit(items=items(trader, "5000"))).certificate_id
    await trader.approve(certificate_id)
    await receive(service, version=1001, usable=False)
    await trader.settle(certificate_id)
    await service.do_tasks()
    assert (await trader.state(certificate_id)).waits_for == ("original_not_usable",)
    await receive(service, version=1002)
    await service.do_tasks()
    assert (await trader.state(certificate_id)).status == "issued"


async def test_an_older_state_changes_nothing_and_a_newer_one_keeps_what_was_taken(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await receive(service, version=1001)
    await trader.submit(items=items(trader, "5000"))
    await receive(service, "1", version=1000)
    assert await remaining(service) == 3000
    await receive(service, "9000", version=2000)
    assert await remaining(service) == 4000
    await receive(service, "4000", version=3000)
    assert await remaining(service) == 0
    await receive(service, version=4000, items=())
    assert await remaining(service) == 0
    assert (await trader.submit(items=items(trader, "1"))).code == "original_line_denied"  # type: ignore[attr-defined]
    async with service.work() as work:
        assert list(await work.session.scalars(received_originals)) == ["TH/D2026-BKK-000001"]


async def test_a_company_learns_of_an_original_only_with_its_exact_date(service: ServiceUnderTest, trader: Trader) -> None:
    await receive(service)
    await trader.submit(items=items(trader, "5000"))
    seen = await service.ask(GetOriginal(**ORIGINAL), trader.person)
    assert (seen.lines[0].remaining, seen.consignee, seen.uses) == (3000, None, ())
    for wrong in ({"issued_on": None}, {"issued_on": date(2026, 3, 1)}, {"reference": "D2026-BKK-000009"}):
        assert (await service.ask(GetOriginal(**ORIGINAL | wrong), STRANGER)).code == "original_not_found"
    officer = await service.ask(GetOriginal(**ORIGINAL | {"issued_on": None}), APPROVER)
    assert (officer.consignee, len(officer.uses), officer.uses[0].final) == ("Angkor Trading", 1, False)


async def test_the_content_of_a_certificate_shows_the_named_line_of_its_original(
    service: ServiceUnderTest, trader: Trader
) -> None:
    two = [{"number": n, "hs_code": "610910", "description": "T", "quantity": "8000", "unit": "PCS"} for n in (1, 2)]
    await receive(service, items=two)
    certificate_id = (await trader.submit(items=items(trader, "5000"))).certificate_id
    question = GetCertificateContent(certificate_id=certificate_id)
    for person, consignee in ((trader.person, None), (REVIEWER, "Angkor Trading")):
        content = await service.ask(question, person)
        assert content.consignment.items[0].original.model_dump() == {**ORIGINAL, "line": 1}
        (original,) = content.originals
        assert [(line.number, line.remaining) for line in original.lines] == [(1, 3000)]
        assert (original.consignee, original.uses) == (consignee, ())
    draft = await trader.draft(items=items(trader, "1", issued_on=date(2026, 1, 1)))
    guessed = await service.ask(GetCertificateContent(certificate_id=draft.certificate_id), trader.person)
    assert guessed.originals == (), "a guessed date shows nothing"


async def test_an_officer_enters_a_paper_original_and_corrects_it_until_it_is_used(
    service: ServiceUnderTest, trader: Trader
) -> None:
    assert (await service.ask(EnterOriginal(**PAPER), trader.person)).code == "role_required"
    entered = await service.ask(EnterOriginal(**PAPER), REVIEWER)
    assert (entered.on_paper, entered.usable, entered.lines[0].remaining) == (True, True, 5000)
    more = {"lines": ({**PAPER["lines"][0], "quantity": "6000"},)}
    assert (await service.ask(EnterOriginal(**PAPER | more), APPROVER)).lines[0].remaining == 6000
    covered = items(trader, "5000", **{name: PAPER[name] for name in ("country", "reference", "issued_on")}, line=4)
    assert (await trader.submit(items=covered)).status == "submitted"
    assert (await service.ask(EnterOriginal(**PAPER), REVIEWER)).code == "original_in_use"
    assert await remaining(service, 4, country="LA", reference=PAPER["reference"]) == 1000


async def test_a_paper_original_that_arrives_later_keeps_what_was_taken(service: ServiceUnderTest, trader: Trader) -> None:
    await service.ask(EnterOriginal(**PAPER | {"lines": ({**PAPER["lines"][0], "number": 1},)}), REVIEWER)
    name = {each: PAPER[each] for each in ("country", "reference", "issued_on")}
    await trader.submit(items=items(trader, "5000", **name))
    await receive(service, **name, valid_until=date(2027, 9, 1))
    assert await remaining(service, country="LA", reference=PAPER["reference"]) == 3000
    assert (await service.ask(EnterOriginal(**PAPER), REVIEWER)).code == "original_received_already"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"country": "KH"}, "original_circular"),
        ({"country": "CN"}, "original_not_from_member"),
        ({"issued_on": date(2026, 12, 1)}, "original_dates_wrong"),
        ({"lines": PAPER["lines"] * 2}, "original_line_twice"),
    ],
)
async def test_an_impossible_paper_original_is_refused(service: ServiceUnderTest, changes: dict[str, Any], code: str) -> None:
    assert (await service.ask(EnterOriginal(**PAPER | changes), REVIEWER)).code == code


async def test_a_certificate_with_too_many_originals_is_refused(service: ServiceUnderTest, trader: Trader) -> None:
    many = [items(trader, "1", reference=f"D2026-BKK-{each:06}")[0] for each in range(51)]
    assert (await trader.draft(items=many)).code == "too_many_originals"


async def test_a_restored_database_takes_again_what_an_issued_certificate_has_used(
    service: ServiceUnderTest, trader: Trader
) -> None:
    certificate_id = (await trader.draft(items=items(trader, "5000"))).certificate_id
    lost = await an_event_of_the_issue(service, certificate_id, trader)
    async with service.work() as work:
        await router.replay[CertificateDocumented](lost, work)
    await receive(service)  # announced again after the restore
    assert await remaining(service) == 3000


async def an_event_of_the_issue(service: ServiceUnderTest, certificate_id: UUID, trader: Trader) -> CertificateDocumented:
    other = Trader(service)
    await other.begin()
    issued = (await other.submit()).certificate_id
    await other.settle(issued)
    await other.approve(issued)
    await service.do_tasks()
    (event,) = await service.announced(CertificateDocumented)
    document = event.document.model_copy(update={"reference": "D2026-PNH-000009"})
    return event.model_copy(
        update={
            "certificate_id": certificate_id,
            "exporter_id": trader.exporter_id,
            "document": document,
            "occurred_at": datetime(2026, 11, 23, 4, tzinfo=UTC),
        }
    )
