"""Documents of the partner countries for our customs. The demo announces them, because no certificates service runs there."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import nkeys

from cli.demo.sign_ins import SignIns
from shared.bus.connection import connect
from shared.bus.stream import STREAM
from shared.contracts.certificates.documents import CertificateDocumented, DocumentItem, FormD, Party
from shared.security.event_signatures import EventSigner

DATA = json.loads(Path(__file__).with_name("data").joinpath("received.json").read_text())
ANNOUNCER = "certificates"


async def announce_documents(nats_url: str, seeds: Mapping[str, str], home: str, sign_ins: SignIns, today: date) -> None:
    """Announces the documents of each partner. Its gateway sends them to ours. `seeds`: of the announcer, by country."""
    await asyncio.gather(*(_announce(nats_url, country, seed, home, sign_ins, today) for country, seed in seeds.items()))


async def _announce(nats_url: str, country: str, seed: str, home: str, sign_ins: SignIns, today: date) -> None:
    signer = EventSigner(nkeys.from_seed(seed.encode()))
    client = await connect(ANNOUNCER, nats_url, seed)
    try:
        for number, row in enumerate(row for row in DATA if row["from"] == country):
            event_id = sign_ins.id_of(f"document {country} {number}")
            event = CertificateDocumented(
                certificate_id=event_id,
                exporter_id=sign_ins.id_of(f"exporter {row['exporter']}"),
                document=_document(row, number, home, today),
                version=1,
                occurred_at=datetime.now(UTC),
            )
            body = event.model_dump_json().encode()
            headers: dict[str, Any] = signer.headers(event.subject, event_id, body)
            await client.jetstream().publish(event.subject, body, stream=STREAM, headers=headers)
    finally:
        await client.close()


def _document(row: dict[str, Any], number: int, home: str, today: date) -> FormD:
    issued_on = today - timedelta(days=1)
    return FormD(
        reference=f"D{today.year}-{row['office']}-{4100 + number:06}",
        issuing_country=row["from"],
        office=row["office"],
        issued_on=issued_on,
        valid_until=issued_on + timedelta(days=364),
        exporter=Party(name=row["exporter"], address=row["address"], country=row["from"]),
        consignee=Party(name=row["consignee"], address=row["consignee_address"], country=home),
        destination=home,
        departure_date=today,
        vessel=row["vessel"],
        port_of_discharge=row["port"],
        issued_retroactively=False,
        items=(DocumentItem(number=1, **row["item"], invoice_date=today - timedelta(days=3)),),
    )
