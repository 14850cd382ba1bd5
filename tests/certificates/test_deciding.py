"""Officers decide only on the version that they have read."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.certificates.handlers import router
from services.certificates.reference_data import ReferenceData
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    CertificateState,
    GetCertificate,
    RejectCertificate,
    ReturnCertificate,
    ReviewCertificate,
    ReviseCertificate,
    SubmitCertificate,
)
from tests.certificates.test_handlers import APPROVER, REVIEWER, Trader
from tests.desk import Desk, a_desk, a_person


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk("certificates", router, tmp_path, ReferenceData.load()) as desk:
        yield desk


async def read_then_submitted_again(desk: Desk) -> CertificateState:
    """A certificate as an officer has read it. A colleague returns it, and the exporter submits another version."""
    trader = await Trader(desk).begin()
    certificate_id = (await trader.submit()).certificate_id
    seen: CertificateState = await desk.ask(GetCertificate(certificate_id=certificate_id), REVIEWER)
    await desk.ask(ReturnCertificate(certificate_id=certificate_id, remarks="Box 2."), REVIEWER)
    another = trader.consignment(consignee={"name": "Another importer", "address": "Da Nang"})
    await desk.ask(ReviseCertificate(certificate_id=certificate_id, consignment=another), trader.person)
    again = await desk.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    assert (seen.status, again.status) == ("submitted", "submitted")
    return seen


def decisions(certificate_id: UUID, version: int) -> dict[str, Any]:
    which: dict[str, Any] = {"certificate_id": certificate_id, "version": version}
    return {
        "reviewed": ReviewCertificate(worksheet="In order.", **which),
        "returned": ReturnCertificate(remarks="Box 6.", **which),
        "approved": ApproveCertificate(**which),
        "rejected": RejectCertificate(reason="Box 8.", **which),
    }


@pytest.mark.parametrize("decision", ["reviewed", "returned", "rejected"])
async def test_a_version_submitted_meanwhile_is_not_decided_unread(desk: Desk, decision: str) -> None:
    seen = await read_then_submitted_again(desk)

    refused = await desk.ask(decisions(seen.certificate_id, seen.version)[decision], REVIEWER)

    assert (refused.code, refused.fields) == ("certificate_changed", ("version",))
    now = await desk.ask(GetCertificate(certificate_id=seen.certificate_id), REVIEWER)
    assert now.status == "submitted"
    decided = await desk.ask(decisions(seen.certificate_id, now.version)[decision], REVIEWER)
    assert decided.status == decision


async def test_a_version_reviewed_meanwhile_is_not_approved_unread(desk: Desk) -> None:
    seen = await read_then_submitted_again(desk)
    reviewed = await desk.ask(ReviewCertificate(certificate_id=seen.certificate_id, worksheet="In order."), REVIEWER)

    assert (await desk.ask(decisions(seen.certificate_id, seen.version)["approved"], APPROVER)).code == "certificate_changed"
    assert (await desk.ask(decisions(seen.certificate_id, reviewed.version)["approved"], APPROVER)).status == "approved"


async def test_an_officer_of_another_office_does_not_learn_the_version(desk: Desk) -> None:
    seen = await read_then_submitted_again(desk)
    elsewhere = a_person("reviewer", organisation="SVR")

    assert (await desk.ask(decisions(seen.certificate_id, seen.version)["reviewed"], elsewhere)).code == "other_office"
