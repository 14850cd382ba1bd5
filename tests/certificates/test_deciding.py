"""Officers decide only on the version that they have read."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.certificates.handlers import router
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
from tests.certificates.keys import certificate_tools
from tests.certificates.test_handlers import APPROVER, REVIEWER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person, a_service_under_test


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test("certificates", router, tmp_path, *certificate_tools()) as service:
        yield service


async def read_then_submitted_again(service: ServiceUnderTest) -> CertificateState:
    """A certificate as an officer has read it. A colleague returns it, and the exporter submits another version."""
    trader = await Trader(service).begin()
    certificate_id = (await trader.submit()).certificate_id
    seen: CertificateState = await service.ask(GetCertificate(certificate_id=certificate_id), REVIEWER)
    await service.ask(ReturnCertificate(certificate_id=certificate_id, remarks="Box 2."), REVIEWER)
    another = trader.consignment(consignee={"name": "Another importer", "address": "Da Nang"})
    await service.ask(ReviseCertificate(certificate_id=certificate_id, consignment=another), trader.person)
    again = await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
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
async def test_a_version_submitted_meanwhile_is_not_decided_unread(service: ServiceUnderTest, decision: str) -> None:
    seen = await read_then_submitted_again(service)

    refused = await service.ask(decisions(seen.certificate_id, seen.version)[decision], REVIEWER)

    assert (refused.code, refused.fields) == ("certificate_changed", ("version",))
    now = await service.ask(GetCertificate(certificate_id=seen.certificate_id), REVIEWER)
    assert now.status == "submitted"
    decided = await service.ask(decisions(seen.certificate_id, now.version)[decision], REVIEWER)
    assert decided.status == decision


async def test_a_version_reviewed_meanwhile_is_not_approved_unread(service: ServiceUnderTest) -> None:
    seen = await read_then_submitted_again(service)
    reviewed = await service.ask(ReviewCertificate(certificate_id=seen.certificate_id, worksheet="In order."), REVIEWER)

    assert (await service.ask(decisions(seen.certificate_id, seen.version)["approved"], APPROVER)).code == "certificate_changed"
    assert (await service.ask(decisions(seen.certificate_id, reviewed.version)["approved"], APPROVER)).status == "approved"


async def test_an_officer_of_another_office_does_not_learn_the_version(service: ServiceUnderTest) -> None:
    seen = await read_then_submitted_again(service)
    elsewhere = a_person("reviewer", organisation="SVR")

    assert (await service.ask(decisions(seen.certificate_id, seen.version)["reviewed"], elsewhere)).code == "other_office"
