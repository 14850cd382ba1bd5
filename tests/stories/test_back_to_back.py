"""A document of another member arrives, and goods that came with it are exported again on back-to-back certificates."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import nkeys
import pytest

from cli.demo.consignment import Journey
from cli.demo.journeys import ZONE
from cli.demo.people import until
from shared.bus.client import AskRefused
from shared.bus.connection import connect
from shared.contracts.certificates.documents import CertificateDocumented, DocumentItem, FormD, Party
from shared.contracts.certificates.issuing import Consignment, ReviseCertificate
from shared.contracts.certificates.originals import GetOriginal, OriginalLine, OriginalState
from shared.security.event_signatures import EventSigner
from tests.stories.conftest import RunningSystem, to

ORIGIN, ANNOUNCER = "VN", "certificates"


def a_vietnamese_document(quantity: Decimal, unit: str, hs_code: str, today: date) -> FormD:
    """A Form D of Viet Nam for goods to Cambodia."""
    item = DocumentItem(
        number=1,
        marks="N/M",
        packages=10,
        package_kind="cartons",
        description="Goods, made in Viet Nam",
        hs_code=hs_code,
        criterion="CTH",
        quantity=quantity,
        unit=unit,
        gross_weight_kg=Decimal(250),
        invoice_number="VN-1",
        invoice_date=today,
    )
    return FormD(
        reference=f"D{today.year}-HN-{uuid4().int % 10**9:09}",
        issuing_country=ORIGIN,
        office="HN",
        issued_on=today,
        valid_until=today + timedelta(days=100),
        exporter=Party(name="Exporter of Viet Nam", address="1 Main Street", country=ORIGIN),
        consignee=Party(name="Importer of Cambodia", address="2 Port Road"),
        destination="KH",
        departure_date=today,
        vessel="MV ASEAN 10",
        port_of_discharge="Sihanoukville",
        issued_retroactively=False,
        items=(item,),
    )


async def send_from_viet_nam(system: RunningSystem, document: FormD) -> None:
    """The issuing authority of Viet Nam gives a document to its gateway, which sends it to Cambodia."""
    seed = system.stack.seed(ANNOUNCER, ORIGIN)
    identity = uuid4()
    event = CertificateDocumented(
        certificate_id=identity, exporter_id=identity, document=document, version=1, occurred_at=datetime.now(UTC)
    )
    body = event.model_dump_json().encode()
    client = await connect(ANNOUNCER, system.stack.nats_url, seed)
    signer = EventSigner(nkeys.from_seed(seed.strip().encode()))
    await client.jetstream().publish(event.subject, body, headers=signer.headers(event.subject, uuid4(), body))
    await client.close()


async def based_on(journey: Journey, document: FormD, quantity: Decimal, today: date) -> None:
    """The draft of a journey has one item, which the document covers."""
    plain = journey.example.consignment(journey.products, today)
    (line,) = document.items
    original = OriginalLine(
        country=document.issuing_country, reference=document.reference, issued_on=document.issued_on, line=line.number
    )
    item = plain.items[0].model_copy(update={"quantity": quantity, "unit": line.unit, "original": original})
    consignment = Consignment.model_validate(plain.model_copy(update={"items": (item,)}).model_dump())
    await journey.exporter.person.ask(ReviseCertificate(certificate_id=journey.certificate_id, consignment=consignment))


async def test_goods_of_a_received_document_are_exported_again_up_to_its_quantity(system: RunningSystem) -> None:
    today, example = datetime.now(ZONE).date(), to("MY")
    journey, second = await system.journey(example), await system.journey(example)
    item = example.consignment(journey.products, today).items[0]
    document = a_vietnamese_document(Decimal(1000), item.unit, item.hs_code, today)
    question = GetOriginal(country=ORIGIN, reference=document.reference, issued_on=today)

    await send_from_viet_nam(system, document)
    original: OriginalState = await journey.exporter.person.ask_while_refused("original_not_found", question)
    assert (original.lines[0].remaining, original.usable, original.on_paper) == (1000, True, False)

    await based_on(journey, document, Decimal(600), today)
    await journey.submit()
    await system.decide(journey)
    state = await journey.issued()
    assert state.valid_until == document.valid_until, "it expires with its original"

    await based_on(second, document, Decimal("400.5"), today)
    with pytest.raises(AskRefused) as refused:
        await second.submit()
    assert refused.value.refusal.code == "original_exceeded"
    assert refused.value.refusal.values["remaining"] == "400"
    await based_on(second, document, Decimal(400), today)
    assert (await second.submit()).status == "submitted"

    async def used_up() -> OriginalState | None:
        seen: OriginalState = await system.ministry.reviewer.ask(question)
        return seen if seen.lines[0].remaining == 0 else None

    seen = await until(used_up, "the original to be used up")
    assert {(use.quantity, use.final) for use in seen.uses} == {(600, True), (400, False)}
