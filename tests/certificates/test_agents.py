"""The mandates that registry announces decide what an agent may do for an exporter. Certificates decides alone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update

from services.certificates.handlers import router
from services.certificates.store.tables import certificates, documents
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import (
    CertificateState,
    CertificateSubmitted,
    GetCertificate,
    ReviseCertificate,
    SubmitCertificate,
)
from shared.contracts.certificates.products import ProductState
from shared.contracts.registry.mandates import MandateGranted
from shared.contracts.registry.registrations import RegistrationApproved, RegistrationSuspended
from shared.handling.actor import Actor, Mandated
from tests.certificates.keys import certificate_tools
from tests.certificates.test_handlers import Trader
from tests.support.service_under_test import ServiceUnderTest, a_person, a_service_under_test

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test("certificates", router, tmp_path, *certificate_tools()) as service:
        yield service


@dataclass
class Forwarder:
    """An agent, and the exporter that it acts for."""

    service: ServiceUnderTest
    trader: Trader
    agent_id: UUID
    mandate_id: UUID

    def person(self, *roles: str) -> Actor:
        """A person of the agent, with a token for the exporter."""
        actor = a_person(*roles or ("preparer", "signatory"), organisation=self.trader.exporter_id)
        return replace(actor, mandate=Mandated(self.mandate_id, self.agent_id))

    async def registered(self, **changes: Any) -> None:
        """The agent is registered like any company."""
        validity = {"valid_from": date(2026, 1, 1), "valid_until": date(2027, 1, 1), "version": 2}
        names = {"name": "Mekong Forwarding Co., Ltd.", "address": "Phnom Penh", "occurred_at": NOW}
        await self.service.receive(RegistrationApproved(exporter_id=self.agent_id, **names | validity | changes))

    async def granted(self, **changes: Any) -> None:
        """Registry announces the mandate."""
        parties = {"exporter_id": self.trader.exporter_id, "agent_id": self.agent_id}
        validity = {"scope": ("preparer", "signatory"), "valid_until": TODAY, "version": 2, "occurred_at": NOW}
        await self.service.receive(MandateGranted(mandate_id=self.mandate_id, **parties | validity | changes))


@pytest.fixture
async def forwarder(service: ServiceUnderTest) -> Forwarder:
    return Forwarder(service, await Trader(service).begin(), uuid4(), uuid4())


async def test_an_agent_acts_for_the_exporter_within_its_mandate(service: ServiceUnderTest, forwarder: Forwarder) -> None:
    await forwarder.registered()
    await forwarder.granted()
    draft = forwarder.trader.a_draft()
    agent = forwarder.person()

    drafted = await service.ask(draft, agent)
    submitted = await service.ask(SubmitCertificate(certificate_id=draft.certificate_id), agent)

    assert isinstance(drafted, CertificateState)
    assert (submitted.status, submitted.agent_id) == ("submitted", forwarder.agent_id)
    assert submitted.agent_name == "Mekong Forwarding Co., Ltd."
    seen = await service.ask(GetCertificate(certificate_id=draft.certificate_id), forwarder.trader.person)
    assert (seen.agent_id, seen.exporter_id) == (forwarder.agent_id, forwarder.trader.exporter_id)
    product = forwarder.trader.a_product(product_id=uuid4())
    assert isinstance(await service.ask(product, agent), ProductState)


async def test_the_exporter_submits_a_draft_of_its_agent(service: ServiceUnderTest, forwarder: Forwarder) -> None:
    await forwarder.registered()
    await forwarder.granted()
    draft, preparer = forwarder.trader.a_draft(), forwarder.person("preparer")
    await service.ask(draft, preparer)
    submission = SubmitCertificate(certificate_id=draft.certificate_id)
    assert (await service.ask(submission, preparer)).code == "role_required"
    assert (await service.ask(submission, forwarder.trader.person)).status == "submitted"


async def test_an_agent_can_use_only_the_certificates_that_it_drafted(service: ServiceUnderTest, forwarder: Forwarder) -> None:
    await forwarder.registered()
    await forwarder.granted()
    other = Forwarder(service, forwarder.trader, uuid4(), uuid4())
    await other.registered()
    await other.granted()
    of_exporter, of_agent = forwarder.trader.a_draft(), forwarder.trader.a_draft()
    await service.ask(of_exporter, forwarder.trader.person)
    await service.ask(of_agent, forwarder.person())
    for draft, stranger in ((of_exporter, forwarder), (of_exporter, other), (of_agent, other)):
        for request in (
            GetCertificate(certificate_id=draft.certificate_id),
            ReviseCertificate(certificate_id=draft.certificate_id, consignment=draft.consignment),
            SubmitCertificate(certificate_id=draft.certificate_id),
        ):
            assert (await service.ask(request, stranger.person())).code == "certificate_begun_by_another"
    renewed = replace(forwarder.person(), mandate=Mandated(other.mandate_id, forwarder.agent_id))
    mixed = await service.ask(SubmitCertificate(certificate_id=of_agent.certificate_id), renewed)
    assert mixed.code == "mandate_over"  # the mandate of another agent


async def test_before_the_mandate_arrives_an_agent_is_asked_to_try_again(
    service: ServiceUnderTest, forwarder: Forwarder
) -> None:
    await forwarder.registered()
    draft = forwarder.trader.a_draft()
    assert (await service.ask(draft, forwarder.person())).code == "mandate_not_known_yet"
    await forwarder.granted()
    assert isinstance(await service.ask(draft, forwarder.person()), CertificateState)


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_until": TODAY - timedelta(days=1)},
        {"exporter_id": uuid4()},
        {"agent_id": uuid4()},
    ],
    ids=["over since yesterday", "of another exporter", "of another agent"],
)
async def test_the_mandate_that_registry_announced_overrules_the_token(
    service: ServiceUnderTest, forwarder: Forwarder, changes: dict[str, Any]
) -> None:
    await forwarder.registered()
    await forwarder.granted(**changes)
    assert (await service.ask(forwarder.trader.a_draft(), forwarder.person())).code == "mandate_over"


async def test_an_agent_needs_a_registration_in_force(service: ServiceUnderTest, forwarder: Forwarder) -> None:
    await forwarder.granted()
    draft, agent = forwarder.trader.a_draft(), forwarder.person()
    assert (await service.ask(draft, agent)).code == "agent_not_registered"
    await forwarder.registered(valid_until=TODAY - timedelta(days=1))
    assert (await service.ask(draft, agent)).code == "agent_not_registered"
    await forwarder.registered(version=3)
    assert isinstance(await service.ask(draft, agent), CertificateState)
    await service.receive(RegistrationSuspended(exporter_id=forwarder.agent_id, version=4, occurred_at=NOW))
    submission = SubmitCertificate(certificate_id=draft.certificate_id)
    assert (await service.ask(submission, agent)).code == "agent_not_registered"
    assert (await service.ask(submission, forwarder.trader.person)).status == "submitted"


async def test_an_agent_of_one_exporter_cannot_act_for_another(service: ServiceUnderTest, forwarder: Forwarder) -> None:
    await forwarder.registered()
    await forwarder.granted()
    other = await Trader(service).begin()
    assert (await service.ask(other.a_draft(), forwarder.person())).code == "not_yours"


async def issued_for(service: ServiceUnderTest, forwarder: Forwarder, agent: Actor) -> UUID:
    """A certificate that was drafted, submitted and issued."""
    draft = forwarder.trader.a_draft()
    await service.ask(draft, agent)
    await service.ask(SubmitCertificate(certificate_id=draft.certificate_id), agent)
    await forwarder.trader.settle(draft.certificate_id)
    await forwarder.trader.approve(draft.certificate_id)
    await service.do_tasks()
    return draft.certificate_id


async def begun_by(service: ServiceUnderTest, certificate_id: UUID) -> list[tuple[type, UUID | None]]:
    """The events that others received, with the agent in each."""
    announced = [*await service.announced(CertificateSubmitted), *await service.announced(CertificateDocumented)]
    return [(type(event), event.agent_id) for event in announced if event.certificate_id == certificate_id]


async def announce_again(service: ServiceUnderTest, certificate_id: UUID) -> None:
    _, announce = router.reannouncing["certificate"]
    async with service.work() as work:
        await announce(certificate_id, work)


async def test_fees_and_gateway_learn_the_agent_of_a_certificate_also_when_it_is_announced_again(
    service: ServiceUnderTest, forwarder: Forwarder
) -> None:
    await forwarder.registered()
    await forwarder.granted()
    for person, agent_id in ((forwarder.person(), forwarder.agent_id), (forwarder.trader.person, None)):
        certificate_id = await issued_for(service, forwarder, person)
        expected = [(CertificateSubmitted, agent_id), (CertificateDocumented, agent_id)]
        assert await begun_by(service, certificate_id) == expected

        await announce_again(service, certificate_id)

        assert await begun_by(service, certificate_id) == [expected[0], expected[0], expected[1], expected[1]]


async def test_a_document_of_an_older_release_is_announced_again_with_its_agent(
    service: ServiceUnderTest, forwarder: Forwarder
) -> None:
    await forwarder.registered()
    await forwarder.granted()
    certificate_id = await issued_for(service, forwarder, forwarder.person())
    async with service.work() as work:
        await work.session.execute(update(documents).values(agent_id=None))

    await announce_again(service, certificate_id)

    assert (await begun_by(service, certificate_id))[-1] == (CertificateDocumented, forwarder.agent_id)


async def test_recovery_keeps_the_agent_that_only_the_document_names(service: ServiceUnderTest, forwarder: Forwarder) -> None:
    await forwarder.registered()
    await forwarder.granted()
    certificate_id = await issued_for(service, forwarder, forwarder.person())
    (documented,) = await service.announced(CertificateDocumented)
    async with service.work() as work:
        await work.session.execute(delete(documents))
        await work.session.execute(delete(certificates))

    async with service.work() as work:
        await router.replay[CertificateDocumented](documented, work)
    await announce_again(service, certificate_id)

    assert (await begun_by(service, certificate_id))[-1] == (CertificateDocumented, forwarder.agent_id)
