"""Certificates checks registrations without registry, by the events that it has received."""

import pytest

from cli.demo.examples import all_examples
from shared.bus.client import AskRefused
from shared.contracts.certificates.issuing import CertificateStatus, SubmitCertificate
from shared.contracts.registry.registrations import ReinstateRegistration, SuspendRegistration
from tests.stories.conftest import RunningSystem

pytestmark = pytest.mark.slow

EXAMPLE = all_examples()[0]


async def test_while_registry_is_down_certificates_checks_registrations(system: RunningSystem) -> None:
    active, suspended, reinstated = [await system.journey(EXAMPLE) for _ in range(3)]
    officer = system.ministry.registration_officer
    for journey in (suspended, reinstated):
        company = journey.exporter.exporter_id
        await officer.ask(SuspendRegistration(exporter_id=company, reason="The factory was closed."))
        await system.wait_for_fact("suspended", journey.exporter)
    await officer.ask(ReinstateRegistration(exporter_id=company, reason="It was opened again."))
    await system.wait_for_fact("suspended", reinstated.exporter, present=False)
    await system.wait_for_fact("exporters", active.exporter)

    await system.stack.stop("registry")
    try:
        assert not await system.answers("registry")
        for journey in (active, reinstated):
            state = await journey.exporter.person.ask(SubmitCertificate(certificate_id=journey.certificate_id))
            assert state.status is CertificateStatus.SUBMITTED
        with pytest.raises(AskRefused) as refused:
            await suspended.exporter.person.ask(SubmitCertificate(certificate_id=suspended.certificate_id))
    finally:
        await system.stack.start("registry")
        await system.stack.ready()
    assert refused.value.refusal.code == "exporter_suspended"
    assert "turn to the ministry" in refused.value.refusal.detail
