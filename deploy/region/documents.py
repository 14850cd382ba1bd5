"""Documents at random between the countries of a region, announced as the issuing authority of each country does it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import nkeys

from deploy.region.stack import Region
from shared.bus.connection import connect
from shared.bus.stream import STREAM
from shared.contracts.certificates.documents import CertificateDocumented, DocumentItem, FormD, Party
from shared.security.event_signatures import EventSigner

ANNOUNCER = "certificates"
AT_ONCE = 50
REFUSED_HS, ACCEPTED_HS = "24021000", ("61091010", "64039900", "10063040", "87120030", "85443013")
REFUSED_SHARE = 0.1
"""The share of documents with goods that the customs of `examples/region/customs.json` reject."""


def documents_between(countries: Sequence[str], count: int, seed: int, today: date) -> list[FormD]:
    """So many documents, each from one country to another. The same seed gives the same documents."""
    random = Random(seed)  # noqa: S311 - examples
    found = []
    for number in range(1, count + 1):
        sender, receiver = random.sample(list(countries), 2)
        hs_code = REFUSED_HS if random.random() < REFUSED_SHARE else random.choice(ACCEPTED_HS)
        found.append(_document(sender, receiver, hs_code, (seed + number) % 10**9, today))
    return found


async def announce(region: Region, documents: Sequence[FormD], seed: int, pause: float = 0.0) -> None:
    """Announces documents in the accounts of their countries. `pause`: seconds between the documents of one country."""
    random = Random(seed)  # noqa: S311 - ids of examples
    ids = [UUID(int=random.getrandbits(128), version=4) for _ in documents]
    of_country: dict[str, list[tuple[UUID, FormD]]] = {}
    for identity, document in zip(ids, documents, strict=True):
        of_country.setdefault(document.issuing_country, []).append((identity, document))
    await asyncio.gather(*(_announce(region, country, each, pause) for country, each in of_country.items()))


async def _announce(region: Region, country: str, documents: Sequence[tuple[UUID, FormD]], pause: float) -> None:
    seed = region.seed(ANNOUNCER, country)
    signer = EventSigner(nkeys.from_seed(seed.encode()))
    client = await connect(ANNOUNCER, region.nats_url, seed)
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(identity: UUID, document: FormD) -> None:
        event = CertificateDocumented(
            certificate_id=identity, exporter_id=identity, document=document, version=1, occurred_at=datetime.now(UTC)
        )
        body = event.model_dump_json().encode()
        headers: dict[str, Any] = signer.headers(event.subject, identity, body)
        async with slots:
            await client.jetstream(timeout=30).publish(event.subject, body, stream=STREAM, headers=headers)

    try:
        running = []
        for identity, document in documents:
            running.append(asyncio.create_task(one(identity, document)))
            await asyncio.sleep(pause)
        await asyncio.gather(*running)
    finally:
        await client.close()


def _document(sender: str, receiver: str, hs_code: str, serial: int, today: date) -> FormD:
    return FormD(
        reference=f"D{today.year}-{sender}-{serial:09}",
        issuing_country=sender,
        office=sender,
        issued_on=today,
        valid_until=today + timedelta(days=364),
        exporter=Party(name=f"Exporter of {sender}", address="1 Main Street", country=sender),
        consignee=Party(name=f"Importer of {receiver}", address="2 Port Road", country=receiver),
        destination=receiver,
        departure_date=today + timedelta(days=3),
        vessel="MV ASEAN 10",
        port_of_discharge="Main port",
        issued_retroactively=False,
        items=(
            DocumentItem(
                number=1,
                marks="N/M",
                packages=10,
                package_kind="cartons",
                description=f"Goods, made in {sender}",
                hs_code=hs_code,
                criterion="CTH",
                quantity=Decimal(100),
                unit="PCS",
                gross_weight_kg=Decimal(250),
                invoice_number=f"INV-{serial}",
                invoice_date=today,
            ),
        ),
    )
