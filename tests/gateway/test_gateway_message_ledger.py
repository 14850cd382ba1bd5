"""The ledger of messages: each exchanged message is found, and its signature is verified again when it is looked up."""

import asyncio
import shutil
import subprocess
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import insert, select, update

from services.gateway.handlers import ledger, router
from services.gateway.handlers.ledger import PruneMessages
from services.gateway.ledger_tables import messages
from services.gateway.outages import MessageNotFound, kept_until
from services.gateway.store import transmissions
from services.gateway.wire.evidence import signer_of, text_of
from shared.contracts.fields import MAX_CHUNK
from shared.contracts.gateway.ledger import (
    ExchangedMessage,
    GetExchangedMessage,
    ListedMessage,
    ListExchangedMessages,
    ReadExchangedMessage,
    Verdict,
)

from .builders import Gateway, TwoGateways, a_documented_certificate, a_form, a_partner, a_signer
from .test_gateway_outages import OFFICER, ask, run

REFERENCE = "D2026-PNH-000123"


async def listed(gateway: Gateway, **wanted: Any) -> tuple[ListedMessage, ...]:
    answer = await ask(gateway, ListExchangedMessages(**wanted), OFFICER)
    found: tuple[ListedMessage, ...] = answer.messages
    return found


async def looked_up(gateway: Gateway, message: ListedMessage) -> ExchangedMessage:
    same = {"partner": message.partner, "ours": message.ours, "message_id": message.message_id}
    found: ExchangedMessage = await ask(gateway, GetExchangedMessage(**same), OFFICER)
    return found


async def xml_of(gateway: Gateway, message: ListedMessage) -> bytes:
    same = {"partner": message.partner, "ours": message.ours, "message_id": message.message_id}
    xml, size = b"", 1
    while len(xml) < size:
        chunk = await ask(gateway, ReadExchangedMessage(**same, offset=len(xml)), OFFICER)
        xml, size = xml + chunk.chunk, chunk.size
    return xml


async def an_exchange(gateways: TwoGateways) -> None:
    await gateways.kh.receive(a_documented_certificate())
    await gateways.run_until_idle()


async def change(gateway: Gateway, message_id: UUID, **values: Any) -> None:
    async with gateway.context.work(INVALID_SPAN) as work:
        await work.session.execute(update(messages).where(messages.c.message_id == message_id).values(**values))


async def test_both_sides_keep_each_message_and_each_receipt_that_they_got(gateways: TwoGateways) -> None:
    await an_exchange(gateways)
    ours = {(each.kind, each.ours): each for each in await listed(gateways.kh, reference=REFERENCE)}
    theirs = {(each.kind, each.ours): each for each in await listed(gateways.vn, reference=REFERENCE)}

    assert set(ours) == {("Document", True), ("Receipt", False), ("Acknowledgement", False)}
    assert set(theirs) == {("Document", False), ("Acknowledgement", True), ("Receipt", False)}
    assert ours["Document", True].message_id == theirs["Document", False].message_id
    assert {each.outcome for each in (*ours.values(), *theirs.values())} == {"accepted"}
    sent, received = await xml_of(gateways.kh, ours["Document", True]), await xml_of(gateways.vn, theirs["Document", False])
    assert sent == received


async def test_each_signature_is_verified_when_the_message_is_looked_up(gateways: TwoGateways) -> None:
    await an_exchange(gateways)
    for message in await listed(gateways.kh):
        found = await looked_up(gateways.kh, message)
        assert found.verdict is Verdict.VALID
        assert found.signer
        assert found.signer.pinned
        assert found.signer.subject == f"CN=Gateway of {'KH' if message.ours else 'VN'}"
        assert found.kept_until == kept_until(message.at, datetime.now(UTC).date())
        assert found.size == len(await xml_of(gateways.kh, message))


async def test_an_altered_message_is_found_out(gateways: TwoGateways) -> None:
    await an_exchange(gateways)
    (document,) = [each for each in await listed(gateways.kh) if each.kind == "Document"]
    xml = (await xml_of(gateways.kh, document)).replace(b"Cotton", b"Velvet")
    await change(gateways.kh, document.message_id, compressed=zlib.compress(xml), size=len(xml))
    assert (await looked_up(gateways.kh, document)).verdict is Verdict.ALTERED

    await change(gateways.kh, document.message_id, compressed=b"no zlib")
    assert (await looked_up(gateways.kh, document)).verdict is Verdict.UNREADABLE
    with pytest.raises(MessageNotFound):
        await xml_of(gateways.kh, document)


async def test_a_row_about_another_certificate_than_its_message_is_found_out(gateways: TwoGateways) -> None:
    await an_exchange(gateways)
    (document,) = [each for each in await listed(gateways.kh) if each.kind == "Document"]
    await change(gateways.kh, document.message_id, number=2)
    assert (await looked_up(gateways.kh, document)).verdict is Verdict.ALTERED


async def test_a_message_stays_valid_after_its_partner_has_a_new_certificate(gateways: TwoGateways) -> None:
    await an_exchange(gateways)
    rows = dict(gateways.kh.exchange.partners.rows)
    rows["VN"] = a_partner("VN", a_signer("VN"))
    object.__setattr__(gateways.kh.exchange.partners, "rows", rows)
    (answer,) = [each for each in await listed(gateways.kh) if each.kind == "Acknowledgement"]
    found = await looked_up(gateways.kh, answer)
    assert found.verdict is Verdict.VALID
    assert found.signer
    assert not found.signer.pinned


async def test_a_refused_message_is_kept_with_its_reason(gateways: TwoGateways) -> None:
    await gateways.kh.receive(a_documented_certificate())
    await gateways.kh.run_due_tasks()
    await gateways.kh.receive(a_documented_certificate(a_form(destination="TH", reference="D2026-PNH-000999")))
    async with gateways.kh.context.work(INVALID_SPAN) as work:
        same = transmissions.c.reference == "D2026-PNH-000999"
        await work.session.execute(update(transmissions).where(same).values(destination="VN"))
    await gateways.kh.run_due_tasks()

    (refused,) = await listed(gateways.vn, reference="D2026-PNH-000999")
    assert refused.outcome == "wrong_destination"
    sent = await listed(gateways.kh, reference="D2026-PNH-000999")
    assert [each.outcome for each in sent if each.ours] == ["wrong_destination"]


async def test_a_message_is_found_by_its_id_its_certificate_and_its_partner(gateways: TwoGateways) -> None:
    await an_exchange(gateways)
    (document,) = [each for each in await listed(gateways.kh) if each.kind == "Document"]
    assert await listed(gateways.kh, message_id=document.message_id) == (document,)
    assert await listed(gateways.kh, message_id=uuid4()) == ()
    assert await listed(gateways.kh, reference="D2026-PNH-000777") == ()
    assert len(await listed(gateways.kh, partner="VN")) == len(await listed(gateways.kh)) == 3
    assert await listed(gateways.kh, partner="TH") == ()
    with pytest.raises(MessageNotFound):
        await ask(gateways.kh, GetExchangedMessage(partner="TH", ours=True, message_id=document.message_id), OFFICER)


@pytest.mark.parametrize("wanted", [{}, {"partner": "VN"}, {"reference": REFERENCE}], ids=str)
async def test_the_list_continues_page_by_page(gateways: TwoGateways, wanted: dict[str, str]) -> None:
    await an_exchange(gateways)
    first = await ask(gateways.kh, ListExchangedMessages(**wanted, limit=2), OFFICER)
    second = await ask(gateways.kh, ListExchangedMessages(**wanted, limit=2, after=first.next), OFFICER)
    assert (len(first.messages), len(second.messages), second.next) == (2, 1, None)
    assert len({each.message_id for each in (*first.messages, *second.messages)}) == 3


async def test_messages_are_deleted_when_their_time_is_over_and_not_before(gateways: TwoGateways) -> None:
    await an_exchange(gateways)
    now = gateways.kh.context.clock.today()
    times = [datetime(now.year - 3, 1, 1, tzinfo=UTC) - timedelta(days=40), datetime.now(UTC) - timedelta(days=3 * 365 - 5)]
    for message, at in zip(await listed(gateways.kh), times, strict=False):
        await change(gateways.kh, message.message_id, at=at)
    await run(gateways.kh, PruneMessages())
    assert len(await listed(gateways.kh)) == 2


async def test_many_expired_messages_are_deleted_in_parts(gateways: TwoGateways) -> None:
    old = datetime(2001, 1, 1, tzinfo=UTC)
    row = {
        "partner": "VN",
        "direction": "sent",
        "kind": "Receipt",
        "reference": REFERENCE,
        "number": 1,
        "sent_at": old,
        "at": old,
    }
    row |= {"outcome": "accepted", "size": 1, "compressed": b"", "certificate": b""}
    async with gateways.kh.context.work(INVALID_SPAN) as work:
        await work.session.execute(insert(messages), [{**row, "message_id": uuid4()} for _ in range(150)])
    await run(gateways.kh, PruneMessages())
    assert await gateways.kh.tasks_left() == ["prune_messages"]
    await gateways.kh.run_due_tasks()
    async with gateways.kh.database.reading() as session:
        assert (await session.execute(select(messages.c.message_id))).all() == []


async def test_a_large_message_is_read_in_chunks(gateways: TwoGateways, monkeypatch: pytest.MonkeyPatch) -> None:
    await an_exchange(gateways)
    monkeypatch.setattr(ledger, "MAX_CHUNK", 1000)
    assert MAX_CHUNK > 1000
    (document,) = [each for each in await listed(gateways.kh) if each.kind == "Document"]
    assert len(await xml_of(gateways.kh, document)) > 2000


@pytest.mark.skipif(not shutil.which("xmlsec1"), reason="needs xmlsec1")
async def test_xmlsec1_verifies_a_message_from_the_ledger(gateways: TwoGateways, tmp_path: Path) -> None:
    await an_exchange(gateways)
    (answer,) = [each for each in await listed(gateways.kh) if each.kind == "Acknowledgement"]
    message, certificate = tmp_path / "message.xml", tmp_path / "vn.pem"
    message.write_bytes(await xml_of(gateways.kh, answer))
    pinned = gateways.kh.exchange.partners.rows["VN"].signing_certificates[0]
    certificate.write_bytes(pinned.public_bytes(Encoding.PEM))
    arguments = ["xmlsec1", "--verify", "--trusted-pem", str(certificate), str(message)]
    verified = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, check=False)
    assert verified.returncode == 0, verified.stderr


def test_a_stored_message_is_never_longer_than_its_row_says() -> None:
    assert len(text_of(zlib.compress(b"x" * 10_000_000), 100)) == 100
    assert signer_of(b"no certificate", pinned=False) is None


def test_the_ledger_is_not_for_companies_and_customs() -> None:
    for kind in (ListExchangedMessages, GetExchangedMessage, ReadExchangedMessage):
        assert {str(role) for role in kind.asked_by} == {"reviewer", "approver", "administrator", "auditor"}
        assert kind in router.requests
