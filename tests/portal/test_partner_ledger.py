"""Outages in the portal: the notice for the buyer and its register, and the ledger of messages for officers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import insert, update

from services.gateway.domain import Step
from services.gateway.handlers.contingencies import ReconcileContingencies, reconcile_contingencies
from services.gateway.handlers.outages import AnnounceOutages, announce_outages
from services.gateway.handlers.sending import advance
from services.gateway.ledger_store import store_messages
from services.gateway.ledger_tables import messages
from services.gateway.store import partners, transmissions_of
from services.gateway.wire import xml
from services.gateway.wire.evidence import evidence_of
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.messages import Acknowledgement, Envelope, Kind
from services.portal.pages.contingencies import texts
from services.portal.pages.ledger import search_for
from services.portal.pages.partners import lasted, next_step
from shared.contracts.gateway.partners import ListedPartner, PartnerState
from tests.registry.people import Human
from tests.support.portal import System, a_system

from .test_certificates import an_issued_certificate

pytestmark = pytest.mark.slow

REFERENCE = "D2026-PNH-000123"


@pytest_asyncio.fixture(loop_scope="module")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with a_system(tmp_path) as running:
        yield running


async def an_outage(system: System) -> None:
    """Malaysia is out since five hours ago."""
    gateway = system.services["gateway"]
    row = {"country": "MY", "answers": False, "since": gateway.clock.now() - timedelta(hours=5), "version": 1}
    async with gateway.work() as work:
        await work.session.execute(
            insert(partners).values(row | {"problem": "it cannot be reached", "problem_at": row["since"]})
        )
        await announce_outages(AnnounceOutages(), work)


async def reach(system: System, certificate_id: UUID, *codes: str) -> None:
    gateway = system.services["gateway"]
    async with gateway.work() as work:
        (transmission,) = await transmissions_of(work, certificate_id)
        for code in codes:
            advance(transmission, Step(code, gateway.clock.now(), "MY"), work)


async def a_waiting_certificate(system: System) -> tuple[Human, UUID]:
    exporter, certificate_id = await an_issued_certificate(system)
    await an_outage(system)
    return exporter, certificate_id


async def test_an_exporter_takes_a_notice_in_both_languages_while_the_partner_is_out(system: System) -> None:
    exporter, certificate_id = await a_waiting_certificate(system)
    company, here = await system.signed_in(exporter), f"/certificates/{certificate_id}"
    assert "Malaysia is out since" in await company.get(here)

    notice = await company.send(f"{here}/notice/issue")

    assert company.path.endswith(f"{here}/notice")
    number = f"KH-N-{system.registry.clock.now().year}-000001"
    words = texts()
    for expected in (
        number,
        words["title"]["en"],
        words["title"]["km"],
        words["sentences"][0]["km"],
        "Malaysia (MY)",
        "/notices",
    ):
        assert expected in notice, expected
    assert company.page.xpath("//*[local-name()='svg']")
    await company.get(here)
    assert number in await company.send(f"{here}/notice/issue")


async def test_no_notice_is_offered_unless_the_document_waits_for_a_partner_that_is_out(system: System) -> None:
    exporter, certificate_id = await an_issued_certificate(system)
    company, here = await system.signed_in(exporter), f"/certificates/{certificate_id}"
    assert "is out since" not in await company.get(here)
    assert "No notice or print of this certificate was issued." in await company.get(f"{here}/notice")

    await an_outage(system)
    await reach(system, certificate_id, "AS2")
    assert "is out since" not in await company.get(here)


async def test_officers_see_in_the_register_when_a_notice_is_reconciled(system: System) -> None:
    exporter, certificate_id = await a_waiting_certificate(system)
    company, here = await system.signed_in(exporter), f"/certificates/{certificate_id}"
    await company.get(here)
    await company.send(f"{here}/notice/issue")
    approver = await system.signed_in(await system.officer("approver"))

    assert "Malaysia" in await approver.get("/contingencies")
    assert "AS1" in approver.text

    await reach(system, certificate_id, "AS2", "REC")
    async with system.services["gateway"].work() as work:
        await reconcile_contingencies(ReconcileContingencies(), work)
    assert "There is no notice here." in await approver.get("/contingencies")
    assert "REC" in await approver.get("/contingencies?show=all")
    assert "so this notice is not needed any more" in await company.get(f"{here}/notice")


async def test_officers_see_that_a_partner_is_out_and_what_to_do(system: System) -> None:
    await a_waiting_certificate(system)
    approver = await system.signed_in(await system.officer("approver"))
    page = await approver.get("/partners")
    assert "it cannot be reached" in page
    assert "Messages with partners" in page
    customs = await system.signed_in(await system.officer("customs_viewer"))
    assert "Messages with partners" not in await customs.get("/partners")


async def a_message(system: System, reference: str = REFERENCE) -> UUID:
    """A message that this gateway has sent, in the ledger."""
    gateway, message_id = system.services["gateway"], uuid4()
    signer, now = gateway.context.use(Exchange).signer, gateway.clock.now()
    facts = {"kind": Kind.ACKNOWLEDGEMENT, "sender": "KH", "receiver": "VN", "sent_at": now, "number": 1}
    envelope = Envelope(message_id=message_id, reference=reference, **facts)
    signed = signer.sign(xml.write_message(envelope, Acknowledgement(received_at=now, available_at=now)))
    certificate = signer.certificate.public_bytes(Encoding.DER)
    async with gateway.work() as work:
        await store_messages(work, [evidence_of("VN", envelope, signed, certificate, ours=True)])
    return message_id


async def test_an_officer_looks_a_message_up_and_its_signature_is_verified(system: System) -> None:
    message_id = await a_message(system)
    await a_message(system, "D2026-PNH-000124")
    auditor = await system.signed_in(await system.officer("auditor"))

    assert (await auditor.get("/messages")).count("to Viet Nam") == 2
    for typed in (REFERENCE.lower(), str(message_id)):
        assert (await auditor.get(f"/messages?search={typed}")).count("to Viet Nam") == 1
    assert "This is neither a reference nor the id of a message." in await auditor.get("/messages?search=nine")
    assert "There is no message here." in await auditor.get("/messages?search=D2026-PNH-000999")

    page = await auditor.get(f"/messages/VN/sent/{message_id}")
    assert "The signature is valid" in page
    assert "CN=Gateway of KH" in page
    saved = await auditor.http.get(f"/portal/messages/VN/sent/{message_id}/xml")
    assert saved.headers["content-type"] == "application/xml"
    assert str(message_id).encode() in saved.content

    async with system.services["gateway"].work() as work:
        await work.session.execute(update(messages).where(messages.c.message_id == message_id).values(compressed=b""))
    assert "Unreadable" in await auditor.get(f"/messages/VN/sent/{message_id}")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/messages/VN/sent/{UUID(int=1)}", 404),
        (f"/messages/VN/received/{UUID(int=1)}/xml", 404),
        (f"/messages/VN/elsewhere/{UUID(int=1)}", 403),
        (f"/messages/vn/sent/{UUID(int=1)}", 403),
    ],
)
async def test_a_message_that_is_not_there_is_not_found(system: System, path: str, status: int) -> None:
    auditor = await system.signed_in(await system.officer("auditor"))
    await auditor.get(path)
    assert auditor.response
    assert auditor.response.status_code == status


async def test_companies_and_customs_do_not_read_the_ledger(system: System) -> None:
    message_id = await a_message(system)
    for human in (await system.exporter(), await system.officer("customs_officer")):
        browser = await system.signed_in(human)
        for path in ("/messages", f"/messages/VN/sent/{message_id}", f"/messages/VN/sent/{message_id}/xml", "/contingencies"):
            assert (await browser.http.get(f"/portal{path}")).status_code == 403, path


def test_a_search_is_for_a_reference_or_for_an_id() -> None:
    message_id = uuid4()
    assert search_for(f"{message_id}".upper()) == (None, message_id)
    assert search_for("d2026-pnh-000123") == (REFERENCE, None)
    assert search_for("x" * 200) == search_for("") == (None, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"problem": "two rows"}, "Correct its row in the partner directory."),
        ({"configured": False}, "Add its row to the partner directory."),
        ({"opens_on": None}, "Nothing: the exchange opens later."),
        ({"out_since": "2026-03-02T05:00:00Z"}, "Call its contact. Exporters can take a notice"),
        ({"state": PartnerState.DOWN}, "Wait: documents are sent again by themselves."),
        ({"waiting": 3}, "Wait for the answer of customs there."),
        ({}, "Nothing."),
    ],
)
def test_the_next_step_about_a_partner(changes: dict[str, object], expected: str) -> None:
    values = {"country": "VN", "configured": True, "opens_on": "2019-12-30", "state": "up"}
    assert next_step(ListedPartner.model_validate(values | changes), str).startswith(expected)


def test_a_duration_is_said_in_its_largest_unit() -> None:
    assert lasted(42, "en") == "42 seconds"
    assert lasted(5400, "en") == "2 hours"
