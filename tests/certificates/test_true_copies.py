"""Certified true copies: requested within a year of the issue, granted by an approver, with the date of the original."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.certificates.domain.life_cycle import Status
from services.certificates.domain.true_copy import TrueCopyNotPossible, TrueCopyTooLate, must_be_copyable
from services.certificates.handlers.recovering import announce_certificate
from shared.contracts.certificates.cancelling import CancelCertificate
from shared.contracts.certificates.sealing import CertificateSealed, GetCertificateDocument
from shared.contracts.certificates.true_copies import (
    GrantTrueCopy,
    ListTrueCopies,
    ListTrueCopyRequests,
    RefuseTrueCopy,
    RequestTrueCopy,
)
from tests.certificates.builders import TODAY, a_certificate, do
from tests.certificates.test_handlers import APPROVER, REVIEWER, Trader
from tests.certificates.test_sealing import an_issued, text_of
from tests.support.service_under_test import ServiceUnderTest, a_person


def a_request(certificate_id: UUID, **changes: Any) -> RequestTrueCopy:
    defaults: dict[str, Any] = {"request_id": uuid4(), "certificate_id": certificate_id, "reason": "The courier lost it."}
    return RequestTrueCopy(**defaults | changes)


@pytest.mark.parametrize(("day", "possible"), [(date(2027, 11, 23), True), (date(2027, 11, 24), False)])
def test_a_copy_is_certified_within_a_year_of_the_issue_and_the_last_day_counts(day: date, possible: bool) -> None:
    certificate = a_certificate(Status.ISSUED)
    if possible:
        must_be_copyable(certificate, day)
    else:
        with pytest.raises(TrueCopyTooLate):
            must_be_copyable(certificate, day)


@pytest.mark.parametrize("status", [Status.DRAFT, Status.APPROVED, Status.REJECTED, Status.CANCELLED])
def test_only_a_valid_issued_certificate_has_copies(status: Status) -> None:
    certificate = a_certificate(Status.ISSUED if status is Status.CANCELLED else status)
    if status is Status.CANCELLED:
        do(certificate, "cancel")
    with pytest.raises(TrueCopyNotPossible):
        must_be_copyable(certificate, TODAY)


async def test_an_approver_grants_a_copy_and_its_page_says_so_with_the_date_of_the_original(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await service.start()
    certificate = await an_issued(trader)
    service.clock.instant = datetime(2027, 3, 1, 3, tzinfo=UTC)
    request = a_request(certificate.certificate_id)
    requested = await service.ask(request, trader.person)
    (waiting,) = (await service.ask(ListTrueCopyRequests(), APPROVER)).copies

    granted = await service.ask(
        GrantTrueCopy(certificate_id=certificate.certificate_id, request_id=request.request_id), APPROVER
    )
    await service.do_tasks()

    assert (requested.status, granted.status, granted.decided_on) == ("requested", "granted", date(2027, 3, 1))
    assert (waiting.request_id, waiting.reference) == (request.request_id, certificate.reference)
    assert (await service.ask(ListTrueCopyRequests(), APPROVER)).copies == ()
    (copy,) = (await service.ask(ListTrueCopies(certificate_id=certificate.certificate_id), trader.person)).copies
    question = GetCertificateDocument(certificate_id=certificate.certificate_id, sha256=copy.sha256)
    text = text_of((await service.ask(question, trader.person)).chunk)
    for expected in ("CERTIFIED TRUE COPY", "Date of the original: 23 November 2026", "Certified on 1 March 2027"):
        assert expected in text
    assert f"Valid until {certificate.valid_until:%-d %B %Y}" in text
    assert {event.sha256 for event in await service.announced(CertificateSealed)} >= {copy.sha256}


async def test_a_request_is_refused_with_its_reason_and_decided_once(service: ServiceUnderTest, trader: Trader) -> None:
    certificate = await an_issued(trader)
    request = a_request(certificate.certificate_id)
    await service.ask(request, trader.person)
    assert (await service.ask(a_request(certificate.certificate_id), trader.person)).code == "true_copy_requested_already"
    this = {"certificate_id": certificate.certificate_id, "request_id": request.request_id}

    refused = await service.ask(RefuseTrueCopy(**this, reason="No export documents."), APPROVER)

    assert (refused.status, refused.remark) == ("refused", "No export documents.")
    assert (await service.ask(GrantTrueCopy(**this), APPROVER)).code == "true_copy_decided"
    assert (await service.ask(a_request(certificate.certificate_id), trader.person)).status == "requested"


async def test_only_the_exporter_asks_and_only_an_approver_of_the_office_decides(
    service: ServiceUnderTest, trader: Trader
) -> None:
    certificate = await an_issued(trader)
    request = a_request(certificate.certificate_id)
    stranger = a_person("signatory", organisation=uuid4())
    other_office = a_person("approver", organisation="SVR")
    grant = GrantTrueCopy(certificate_id=certificate.certificate_id, request_id=request.request_id)

    assert (await service.ask(request, stranger)).code == "not_yours"
    await service.ask(request, trader.person)

    assert (await service.ask(grant, REVIEWER)).code == "role_required"
    assert (await service.ask(grant, other_office)).code == "other_office"
    assert (await service.ask(ListTrueCopyRequests(), other_office)).copies == ()
    unknown = GrantTrueCopy(certificate_id=certificate.certificate_id, request_id=uuid4())
    assert (await service.ask(unknown, APPROVER)).code == "true_copy_not_found"


async def test_no_copy_is_granted_after_the_certificate_was_cancelled(service: ServiceUnderTest, trader: Trader) -> None:
    certificate = await an_issued(trader)
    request = a_request(certificate.certificate_id)
    await service.ask(request, trader.person)
    cancel = CancelCertificate(certificate_id=certificate.certificate_id, reason="issued_in_error", remarks="Wrong goods.")
    await service.ask(cancel, APPROVER)

    grant = GrantTrueCopy(certificate_id=certificate.certificate_id, request_id=request.request_id)
    assert (await service.ask(grant, APPROVER)).code == "true_copy_not_possible"
    assert (await service.ask(a_request(certificate.certificate_id), trader.person)).code == "true_copy_not_possible"


async def test_after_the_loss_of_the_public_site_its_digest_is_announced_again(
    service: ServiceUnderTest, trader: Trader
) -> None:
    certificate = await an_issued(trader)
    request = a_request(certificate.certificate_id)
    await service.ask(request, trader.person)
    await service.ask(GrantTrueCopy(certificate_id=certificate.certificate_id, request_id=request.request_id), APPROVER)
    await service.do_tasks()
    before = [event.sha256 for event in await service.announced(CertificateSealed)]

    async with service.work() as work:
        await announce_certificate(certificate.certificate_id, work)

    again = [event.sha256 for event in await service.announced(CertificateSealed)]
    assert len(before) == 2
    assert again == [*before, *before]
