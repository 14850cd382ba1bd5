"""A certificate is issued on the complete system; its document is fetched, and everybody can check it."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.commands.certificate import check
from cli.demo.consignment import Journey
from cli.demo.journeys import ZONE
from cli.demo.people import Exporter, until
from shared.contracts.certificates.sealing import (
    CertificateCredential,
    CertificateDocument,
    GetCertificateCredential,
    GetCertificateDocument,
)
from tests.stories.conftest import RunningSystem, to


async def test_a_sealed_document_is_checked_by_everybody(system: RunningSystem, tmp_path: Path) -> None:
    example, today = to("VN"), datetime.now(ZONE).date()
    exporter = await Exporter.register(system.portal, system.ministry, example)
    journey = await Journey.begin(example, exporter, system.ministry, today)
    await journey.submit()
    await system.decide(journey)
    reference = (await journey.issued()).reference
    assert reference

    question = GetCertificateDocument(certificate_id=journey.certificate_id)
    document: CertificateDocument = await exporter.person.ask_while_refused("document_not_ready", question)
    data: CertificateCredential = await exporter.person.ask(GetCertificateCredential(certificate_id=journey.certificate_id))
    assert len(document.chunk) == document.size

    async def verdict(**query: str) -> Any:
        answer = await system.web.get("/verify", params=query, headers={"accept": "application/json"})
        return answer.json()

    async def known() -> bool:
        return bool((await verdict(reference=reference, code=data.code))["verdict"] == "valid")

    await until(known, "the public check to know the seal")
    assert (await verdict(q=data.summary))["document"]["exporter"] == json.loads(data.document)["exporter"]["name"]
    assert (await verdict(reference=reference, code="AAAA-AAAA-AAAA"))["reason"] == "code_wrong"

    file = tmp_path / "certificate.pdf"
    file.write_bytes(document.chunk)
    root: Path = system.stack.root
    assert await asyncio.to_thread(check, str(file), root=root) == 0
    changed = bytearray(document.chunk)
    changed[1000] ^= 1
    file.write_bytes(changed)
    assert await asyncio.to_thread(check, str(file), root=root) == 1

    did = await system.web.get(f"{system.stack.address('certificates')}/.well-known/did.json")
    assert data.key_id in did.text
