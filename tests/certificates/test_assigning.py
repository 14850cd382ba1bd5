"""An assignment keeps other officers from a decision until it expires."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.contracts.certificates.assigning import AssignCertificate, ReleaseCertificate
from shared.contracts.certificates.content import GetCertificateContent
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    RejectCertificate,
    ReturnCertificate,
    ReviewCertificate,
)
from shared.contracts.certificates.lists import CountCertificates, ListCertificates
from shared.contracts.certificates.withdrawing import WithdrawCertificate
from tests.certificates.test_handlers import APPROVER, OTHER_OFFICER, REVIEWER, STRANGER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person

COLLEAGUE = a_person("reviewer", "approver")
HOURS = timedelta(hours=4)


async def assigned_to(service: ServiceUnderTest, certificate_id: UUID) -> Any:
    return (await service.ask(GetCertificateContent(certificate_id=certificate_id), COLLEAGUE)).assigned_to


async def test_an_officer_takes_keeps_and_releases_a_certificate(service: ServiceUnderTest, trader: Trader) -> None:
    state = await trader.submit()
    take = AssignCertificate(certificate_id=state.certificate_id)
    taken = await service.ask(take, REVIEWER)
    assert (taken.assigned_to, taken.assigned_until) == (REVIEWER.user_id, service.clock.now() + HOURS)

    service.clock.instant += timedelta(hours=1)
    refused = await service.ask(take, COLLEAGUE)
    assert (refused.code, refused.values) == ("assigned_to_another", {"until": "2026-11-23T07:00:00Z"})
    assert (await service.ask(ReleaseCertificate(certificate_id=state.certificate_id), COLLEAGUE)).code == refused.code
    longer = await service.ask(take.model_copy(update={"command_id": uuid4()}), REVIEWER)
    assert longer.assigned_until == service.clock.now() + HOURS
    assert await trader.state(state.certificate_id) == state, "an assignment does not change the certificate"

    (listed,) = (await service.ask(ListCertificates(mine=True), REVIEWER)).certificates
    assert (listed.assigned_to, listed.assigned_until) == (REVIEWER.user_id, longer.assigned_until)
    assert (await service.ask(ListCertificates(mine=True), COLLEAGUE)).certificates == ()
    assert (await service.ask(CountCertificates(), REVIEWER)).mine == 1
    over = await service.ask(AssignCertificate(certificate_id=state.certificate_id, take_over=True), COLLEAGUE)
    assert over.assigned_to == COLLEAGUE.user_id
    released = await service.ask(ReleaseCertificate(certificate_id=state.certificate_id), COLLEAGUE)
    assert (released.assigned_to, await assigned_to(service, state.certificate_id)) == (None, None)
    assert (await service.ask(ReleaseCertificate(certificate_id=state.certificate_id), REVIEWER)).assigned_to is None


async def test_an_assignment_expires_by_itself(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id = (await trader.submit()).certificate_id
    await service.ask(AssignCertificate(certificate_id=certificate_id), REVIEWER)
    service.clock.instant += HOURS
    assert await assigned_to(service, certificate_id) is None
    assert (await service.ask(CountCertificates(), REVIEWER)).mine == 0
    assert (await service.ask(ListCertificates(mine=True), REVIEWER)).certificates == ()
    assert (await service.ask(AssignCertificate(certificate_id=certificate_id), COLLEAGUE)).assigned_to == COLLEAGUE.user_id


DECISIONS: dict[str, Any] = {
    "returned": lambda which: ReturnCertificate(remarks="Box 2.", **which),
    "reviewed": lambda which: ReviewCertificate(worksheet="In order.", **which),
    "rejected": lambda which: RejectCertificate(reason="No.", **which),
    "approved": lambda which: ApproveCertificate(**which),
}


@pytest.mark.parametrize("decision", DECISIONS)
async def test_only_the_assigned_officer_decides_and_the_decision_ends_the_assignment(
    service: ServiceUnderTest, trader: Trader, decision: str
) -> None:
    certificate_id = (await trader.submit()).certificate_id
    if decision == "approved":
        await service.ask(ReviewCertificate(certificate_id=certificate_id, worksheet="In order."), REVIEWER)
    await service.ask(AssignCertificate(certificate_id=certificate_id), COLLEAGUE)
    command, other = DECISIONS[decision]({"certificate_id": certificate_id}), APPROVER if decision == "approved" else REVIEWER

    assert (await service.ask(command, other)).code == "assigned_to_another"
    assert (await service.ask(command, COLLEAGUE)).status == decision
    assert await assigned_to(service, certificate_id) is None


async def test_only_officers_of_the_office_take_what_can_be_decided(service: ServiceUnderTest, trader: Trader) -> None:
    draft, certificate_id = (await trader.draft()).certificate_id, (await trader.submit()).certificate_id
    take = AssignCertificate(certificate_id=certificate_id)
    for person, code in ((OTHER_OFFICER, "other_office"), (STRANGER, "role_required"), (a_person("cashier"), "role_required")):
        assert (await service.ask(take, person)).code == code
        assert (await service.ask(ReleaseCertificate(certificate_id=certificate_id), person)).code == code
    assert (await service.ask(AssignCertificate(certificate_id=draft), REVIEWER)).code == "certificate_not_allowed_now"
    of_branch = (await trader.submit(office="SVR")).certificate_id
    assert (await service.ask(AssignCertificate(certificate_id=of_branch), REVIEWER)).assigned_to == REVIEWER.user_id
    await service.ask(WithdrawCertificate(certificate_id=of_branch), trader.person)
    assert await assigned_to(service, of_branch) is None
