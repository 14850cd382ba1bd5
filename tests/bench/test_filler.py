"""The filler of the bench: its copies are like real certificates, and the services agree on them."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.figures import LeftOut
from bench.filler import fill, must_have_room
from bench.in_process import NAMES, InProcess, in_process, new_databases
from bench.sealing import COLUMNS, form
from cli.consistency_rules import FactReader
from cli.seal_check import Chain
from shared.audit_log.seals import form_of
from shared.contracts.audit_log import Act, ListSeals, Seals
from shared.contracts.certificates.issuing import CertificateIssued, GetCertificate, SubmitCertificate
from shared.contracts.certificates.lists import ListCertificates
from shared.contracts.fees import GetInvoice
from shared.contracts.gateway.transmissions import GetTransmission
from shared.contracts.operations import heard
from tests.support.service_under_test import a_person

pytestmark = pytest.mark.slow

COUNT = 300
AUDITOR = a_person("auditor")


class Bus:
    """Sends the questions of an operator to services in this process."""

    def __init__(self, running: InProcess) -> None:
        self._running = running

    async def ask(self, question: Any, *, service: str) -> Any:
        return await self._running.ask_operator(service, question)


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """A folder with the databases of four services with the copies of four lives, and when the last one ended."""
    folder = tmp_path_factory.mktemp("filled")
    files = new_databases(folder)

    async def live() -> datetime:
        async with in_process(folder, files) as running:
            await running.begin()
            for kind in ("received", "refused", "draft", "submitted"):
                await running.live(kind)
            return running.services["certificates"].clock.instant

    now = asyncio.run(live())
    done = fill(files, COUNT, now)
    assert (done.certificates, done.companies) == (COUNT, 3)
    return folder, now


@pytest.fixture
async def filled(filled_once: tuple[Path, datetime], tmp_path: Path) -> AsyncIterator[InProcess]:
    """The four services on copies of these databases."""
    folder, now = filled_once
    files = {name: Path(shutil.copy(folder / f"{name}.db", tmp_path)) for name in NAMES}
    async with in_process(tmp_path, files) as running:
        running.at(now + timedelta(hours=1))
        yield running


async def test_the_services_agree_on_the_copies(filled: InProcess) -> None:
    running = filled
    reader = FactReader(Bus(running), NAMES)  # type: ignore[arg-type]
    await reader.load()

    assert [finding.says for finding in await reader.findings() if not finding.holds] == []
    assert reader.facts()["certificates.numbered"].count > COUNT * 0.9
    assert reader.facts()[f"tracking.{heard(CertificateIssued)}"].count > 10


async def test_a_copy_can_be_read_in_every_service(filled: InProcess) -> None:
    running = filled
    for row in await listed(running, "issued", limit=20):
        own = row.certificate_id
        certificate = await running.ask("certificates", GetCertificate(certificate_id=own), AUDITOR)
        invoice = await running.ask("fees", GetInvoice(certificate_id=own), AUDITOR)
        transmission = await running.ask("gateway", GetTransmission(certificate_id=own), AUDITOR)
        assert certificate.settled
        assert invoice.payments[0].amount_khr == invoice.amount_khr
        assert (transmission.reference, transmission.destination) == (certificate.reference, row.destination)
        assert transmission.steps[-1].country == row.destination
        assert f"{certificate.issued_on.year}-{row.office}" in certificate.reference
    consignees = {row.consignee for row in await listed(running, "issued", limit=20)}
    assert len(consignees) > 5
    found = await running.ask("certificates", ListCertificates(search=min(consignees).upper()), AUDITOR)
    assert {row.consignee for row in found.certificates} == {min(consignees)}


async def test_life_goes_on_after_the_copies(filled: InProcess, tmp_path: Path) -> None:
    running = filled
    product = sqlite3.connect(tmp_path / "certificates.db").execute("SELECT product_id, exporter_id FROM products").fetchone()
    running.exporter_id, running.product_id = (type(running.exporter_id)(each) for each in reversed(product))
    running.exporter = a_person("preparer", "signatory", organisation=running.exporter_id)

    own = await running.live("received")
    draft = next(row for row in await listed(running, "draft", limit=5) if row.exporter_id != running.exporter_id)
    company = a_person("signatory", organisation=draft.exporter_id)
    await running.ask("certificates", SubmitCertificate(certificate_id=draft.certificate_id), company)

    state = await running.ask("certificates", GetCertificate(certificate_id=own), AUDITOR)
    assert state.status == "issued"


async def test_the_audit_log_of_the_copies_is_sealed(filled: InProcess) -> None:
    running = filled
    for name in ("certificates", "fees"):
        seals: Seals = await running.ask_operator(name, ListSeals())
        verified = await Chain(Bus(running), name, frozenset(seal.key for seal in seals.seals)).verify({})  # type: ignore[arg-type]
        assert (verified.differences, verified.unsealed) == ([], 0)
        assert verified.acts > COUNT * 0.9


async def test_the_form_of_a_row_is_that_of_its_act(filled: InProcess, tmp_path: Path) -> None:
    opened = sqlite3.connect(tmp_path / "certificates.db")
    for row in opened.execute(f"SELECT {', '.join(COLUMNS)} FROM trail LIMIT 20"):
        assert form(row) == form_of(Act(**dict(zip(COLUMNS, row, strict=True)), seal=None))


def test_a_small_disk_is_left_out_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(LeftOut, match=r"the disk is too small: .* GB for 1,000,000,000,000 certificates"):
        must_have_room(tmp_path, 10**12)


async def test_databases_without_a_life_cannot_be_filled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no certificate was received by customs"):
        fill(new_databases(tmp_path), 10, datetime.now(UTC))


async def listed(running: InProcess, status: str, limit: int) -> Any:
    question = ListCertificates.model_validate({"statuses": [status], "limit": limit})
    return (await running.ask("certificates", question, AUDITOR)).certificates
