"""The queries of the ledger run on both databases."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.serialization import Encoding

from services.gateway.handlers import router
from services.gateway.handlers.contingencies import ReconcileContingencies
from services.gateway.handlers.ledger import PruneMessages
from services.gateway.handlers.outages import AnnounceOutages
from services.gateway.ledger_store import (
    SAMPLE,
    contingencies_page,
    messages_page,
    messages_with_id,
    outage_of,
    reception_times,
    skip_numbers_up_to,
    store_messages,
)
from services.gateway.offices import Offices
from services.gateway.store import partner_by_country
from services.gateway.wire.evidence import evidence_of
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.messages import Envelope, Kind
from services.gateway.wire.partners import Partners
from services.gateway.wire.tls import Connections
from shared.contracts.gateway.outages import IssueContingency
from shared.contracts.gateway.partners import ListPartners
from tests.conftest import Databases
from tests.support.service_under_test import a_person, a_service_under_test

from .builders import EXPORTER, MAX_BYTES, a_partner, a_signer
from .test_gateway_lists import a_transmission

SIGNER = a_signer("KH")


async def test_the_queries_of_the_ledger_run_on_both_databases(databases: Databases, tmp_path: Path) -> None:
    partners = Partners({"VN": a_partner("VN", a_signer("VN"))})
    exchange = Exchange("KH", partners, SIGNER, Connections(None, None), MAX_BYTES)
    url = databases.of("gateway")
    async with a_service_under_test("gateway", router, tmp_path, exchange, Offices.load(), database_url=url) as gateway:
        waiting = uuid4()
        await a_transmission(gateway, 1, certificate_id=waiting)
        await a_transmission(gateway, 2, "AS1 AS2 REC")
        async with gateway.work() as work:
            partner = await partner_by_country(work, "VN")
            partner.observe(answers=False, at=work.now - timedelta(hours=5), problem="it cannot be reached")
        async with gateway.work() as work:
            await router.tasks[AnnounceOutages](AnnounceOutages(), work)
        async with gateway.work() as work:
            assert await outage_of(work, "VN")

        command = IssueContingency(certificate_id=waiting)
        first = await gateway.ask(command, a_person("signatory", organisation=EXPORTER))
        assert first.number.endswith("-000001")
        async with gateway.work() as work:
            await skip_numbers_up_to(work, "KH-N-2026-000005")
            await router.tasks[ReconcileContingencies](ReconcileContingencies(), work)
            rows, _ = await contingencies_page(work, True, None, 10)
            assert [row.code for row in rows] == ["AS1"]

        facts = {"kind": Kind.RECEIPT, "sender": "KH", "receiver": "VN", "reference": "D2026-PNH-000123", "number": 1}
        async with gateway.work() as work:
            envelope = Envelope(message_id=uuid4(), sent_at=work.now, **facts)
            evidence = evidence_of("VN", envelope, b"<a/>", SIGNER.certificate.public_bytes(Encoding.DER), ours=True)
            await store_messages(work, [evidence, evidence])
            await router.tasks[PruneMessages](PruneMessages(), work)
            for wanted in ({"reference": "D2026-PNH-000123", "partner": "VN"}, {"reference": None, "partner": "VN"}):
                rows, _ = await messages_page(work, **wanted, after=None, limit=10)
                assert len(rows) == len(await messages_with_id(work, envelope.message_id)) == 1
            assert len(await reception_times(work, "VN")) <= SAMPLE
        listed = await gateway.ask(ListPartners(), a_person("approver"))
        assert [each.out_since is not None for each in listed.partners if each.country == "VN"] == [True]
