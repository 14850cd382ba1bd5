"""The lists of the gateway: who sees which transmissions and received documents, page by page."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, update

from services.gateway import listing
from services.gateway.handlers import router
from services.gateway.handlers.sending import TransmitDocument
from services.gateway.kinds import DocumentKinds
from services.gateway.store import inbound_documents, steps, transmissions
from shared.contracts.gateway.received import GetReceivedDocument, ListReceivedDocuments
from shared.contracts.gateway.transmissions import ListTransmissions
from shared.database.tables import dead_letters, tasks
from shared.handling.actor import Actor
from tests.support.service_under_test import ServiceUnderTest, a_person, a_service_under_test, an_agent

from .builders import EXPORTER, a_form, an_item

AGENT, OTHER_EXPORTER = uuid4(), uuid4()
NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
OFFICER, SIGNATORY = a_person("reviewer"), a_person("signatory", organisation=EXPORTER)
CUSTOMS = a_person("customs_viewer", organisation="KH")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test("gateway", router, tmp_path, DocumentKinds.load()) as service:
        yield service


async def a_transmission(gateway: ServiceUnderTest, serial: int, codes: str = "AS1", **changes: Any) -> UUID:
    transmission_id, began_at = uuid4(), NOON + timedelta(hours=serial)
    values = {
        "transmission_id": transmission_id,
        "certificate_id": uuid4(),
        "exporter_id": EXPORTER,
        "reference": f"D2026-PNH-{serial:06}",
        "destination": "VN",
        "number": 1,
        "document": "{}",
        "began_at": began_at,
        "answered": not codes.endswith(("AS1", "AS2")),
    }
    reached = [
        {"transmission_id": transmission_id, "position": n, "code": code, "at": began_at, "country": "VN", "reasons": []}
        for n, code in enumerate(codes.split(), start=1)
    ]
    async with gateway.work() as work:
        await work.session.execute(insert(transmissions).values(values | changes))
        await work.session.execute(insert(steps), reached)
    return transmission_id


async def a_received_document(gateway: ServiceUnderTest, serial: int, **changes: Any) -> None:
    form = changes.pop("form", a_form(reference=f"D2026-HN-{serial:06}", issuing_country="VN", destination="KH"))
    values = {
        "document_id": uuid4(),
        "sender": "VN",
        "reference": form.reference,
        "number": 1,
        "document": form.model_dump_json(),
        "message": b"<signed/>",
        "received_at": NOON + timedelta(minutes=serial),
        "reasons": [],
        "valid_until": form.valid_until,
    }
    async with gateway.work() as work:
        await work.session.execute(insert(inbound_documents).values(values | changes))


async def serials(gateway: ServiceUnderTest, person: Actor, **question: Any) -> list[int]:
    answer = await gateway.ask(ListTransmissions(**question), person)
    return [int(each.reference[-6:]) for each in answer.transmissions]


async def test_transmissions_are_listed_newest_first_and_each_once_over_pages(gateway: ServiceUnderTest) -> None:
    for serial in range(1, 6):
        await a_transmission(gateway, serial, "AS1 AS2 REC" if serial == 5 else "AS1")
    seen, after = [], None
    for size in (2, 2, 1):
        page = await gateway.ask(ListTransmissions(after=after, limit=2), OFFICER)
        assert len(page.transmissions) == size
        seen += [int(each.reference[-6:]) for each in page.transmissions]
        after = page.next
    assert (seen, after) == ([5, 4, 3, 2, 1], None)
    newest = (await gateway.ask(ListTransmissions(limit=1), OFFICER)).transmissions[0]
    assert (newest.code, newest.at, newest.waits_because) == ("REC", NOON + timedelta(hours=5), None)


async def test_a_company_lists_its_own_and_an_agent_those_that_it_drafted(gateway: ServiceUnderTest) -> None:
    await a_transmission(gateway, 1)
    await a_transmission(gateway, 2, exporter_id=OTHER_EXPORTER)
    await a_transmission(gateway, 3, agent_id=AGENT)

    assert await serials(gateway, SIGNATORY) == [3, 1]
    assert await serials(gateway, SIGNATORY, exporter_id=EXPORTER) == [3, 1]
    assert await serials(gateway, an_agent(AGENT, EXPORTER)) == [3]
    assert await serials(gateway, OFFICER) == [3, 2, 1]
    assert await serials(gateway, OFFICER, exporter_id=OTHER_EXPORTER) == [2]
    assert (await gateway.ask(ListTransmissions(exporter_id=OTHER_EXPORTER), SIGNATORY)).code == "not_yours"


@pytest.mark.parametrize("role", ["cashier", "customs_viewer", "registration_officer"])
async def test_a_role_without_transmissions_lists_none(gateway: ServiceUnderTest, role: str) -> None:
    assert (await gateway.ask(ListTransmissions(), a_person(role))).code == "not_yours"
    assert (await gateway.ask(ListTransmissions())).code == "not_signed_in"


async def test_transmissions_are_filtered_by_destination_and_by_a_missing_decision(gateway: ServiceUnderTest) -> None:
    for serial, codes in enumerate(("AS1", "AS1 AS2", "AS1 AS2 REC", "AS1 NOT"), start=1):
        await a_transmission(gateway, serial, codes)
    await a_transmission(gateway, 9, destination="TH")
    async with gateway.work() as work:  # as a replica of the former release leaves it
        await work.session.execute(update(transmissions).values(answered=False))

    assert await serials(gateway, OFFICER, open=True) == [9, 2, 1]
    assert await serials(gateway, OFFICER, destination="TH") == [9]
    assert await serials(gateway, OFFICER, destination="TH", exporter_id=OTHER_EXPORTER) == []


async def test_a_list_says_why_a_transmission_waits(gateway: ServiceUnderTest) -> None:
    waiting, dead = await a_transmission(gateway, 1), await a_transmission(gateway, 2)
    reason = "the gateway of Viet Nam (VN) cannot be reached (ConnectError)"
    async with gateway.work() as work:
        row = {"kind": TransmitDocument.kind, "key": str(waiting), "body": "{}", "due_at": NOON, "last_error": reason}
        await work.session.execute(insert(tasks).values(row))
        letter = {"kind": "task", "name": TransmitDocument.kind, "key": str(dead), "body": b"", "error": "x", "died_at": NOON}
        await work.session.execute(insert(dead_letters).values(letter))

    shown = (await gateway.ask(ListTransmissions(), SIGNATORY)).transmissions
    assert [each.waits_because for each in shown] == ["it cannot be sent; an operator of the gateway must check it", reason]


async def test_a_cursor_that_is_no_cursor_is_refused(gateway: ServiceUnderTest) -> None:
    for request in (ListTransmissions(after="nonsense"), ListReceivedDocuments(after="nonsense")):
        person = OFFICER if isinstance(request, ListTransmissions) else CUSTOMS
        assert (await gateway.ask(request, person)).code == "cursor_malformed"


async def test_received_documents_are_listed_newest_first_with_the_decision(gateway: ServiceUnderTest) -> None:
    await a_received_document(gateway, 1)
    await a_received_document(gateway, 2, decided_at=NOON)
    await a_received_document(gateway, 3, decided_at=NOON, reasons=[{"code": "restricted_goods", "detail": "no"}])
    await a_received_document(gateway, 4, sender="TH")

    first = await gateway.ask(ListReceivedDocuments(limit=3), CUSTOMS)
    assert [(each.reference[-1], each.origin, each.code) for each in first.documents] == [
        ("4", "TH", None),
        ("3", "VN", "NOT"),
        ("2", "VN", "REC"),
    ]
    rest = await gateway.ask(ListReceivedDocuments(limit=3, after=first.next), a_person("auditor"))
    assert [each.reference for each in rest.documents] == ["D2026-HN-000001"]
    assert (rest.next, str(rest.documents[0].valid_until)) == (None, "2027-03-02")


@pytest.mark.parametrize(
    ("search", "found"), [("d2026-hn-00000", 2), ("D2026-HN-000002", 1), ("%", 0), ("_2026", 0), ("ក", 0), ("'; DROP", 0)]
)
async def test_received_documents_are_found_by_the_beginning_of_a_reference(
    gateway: ServiceUnderTest, search: str, found: int
) -> None:
    await a_received_document(gateway, 1)
    await a_received_document(gateway, 2)
    answer = await gateway.ask(ListReceivedDocuments(search=search, origin="VN"), CUSTOMS)
    assert len(answer.documents) == found


async def test_a_search_that_finds_many_documents_shows_the_same(
    gateway: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FEW", 1)
    for serial in range(1, 4):
        await a_received_document(gateway, serial)
    first = await gateway.ask(ListReceivedDocuments(search="D2026-HN", limit=2), CUSTOMS)
    rest = await gateway.ask(ListReceivedDocuments(search="D2026-HN", limit=2, after=first.next), CUSTOMS)
    assert [each.reference[-1] for each in (*first.documents, *rest.documents)] == ["3", "2", "1"]


async def test_a_received_document_is_read_page_by_page_as_it_was_received_last(gateway: ServiceUnderTest) -> None:
    items = tuple(an_item(number) for number in range(1, 6))
    form = a_form(reference="D2026-HN-000007", issuing_country="VN", destination="KH", items=items)
    await a_received_document(gateway, 7)
    await a_received_document(gateway, 7, number=2, form=form)

    question = GetReceivedDocument(origin="VN", reference=form.reference, after=2, limit=2)
    part = await gateway.ask(question, CUSTOMS)
    assert ([item.number for item in part.document.items], part.items, part.next, part.number) == ([3, 4], 5, 4, 2)
    assert part.document.consignee == form.consignee
    last = await gateway.ask(question.model_copy(update={"after": 4}), CUSTOMS)
    assert ([item.number for item in last.document.items], last.next) == ([5], None)
    other = await gateway.ask(question.model_copy(update={"origin": "TH"}), CUSTOMS)
    assert (other.code, other.fields) == ("document_not_received", ("reference",))


@pytest.mark.parametrize(
    "person", [SIGNATORY, OFFICER, a_person("administrator")], ids=["company", "reviewer", "administrator"]
)
async def test_only_customs_and_auditors_see_received_documents(gateway: ServiceUnderTest, person: Actor) -> None:
    for request in (ListReceivedDocuments(), GetReceivedDocument(origin="VN", reference="D2026-HN-000007")):
        assert (await gateway.ask(request, person)).code == "role_required"
