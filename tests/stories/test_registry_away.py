"""Certificates decides alone who may submit: registry is stopped, and what it told before still holds."""

import pytest

from cli.examples import all_examples
from shared.bus.client import AskRefused
from shared.contracts.certificates.issuing import CertificateStatus, SubmitCertificate
from shared.contracts.registry.registrations import ReinstateRegistration, SuspendRegistration
from tests.stories.conftest import Nation

pytestmark = pytest.mark.slow

EXAMPLE = all_examples()[0]


async def test_while_registry_is_away_certificates_knows_who_may_submit(nation: Nation) -> None:
    active, suspended, reinstated = [await nation.journey(EXAMPLE) for _ in range(3)]
    officer = nation.ministry.registration_officer
    for journey in (suspended, reinstated):
        company = journey.exporter.exporter_id
        await officer.ask(SuspendRegistration(exporter_id=company, reason="The factory was closed."))
        await nation.until_known("suspended", journey.exporter)
    await officer.ask(ReinstateRegistration(exporter_id=company, reason="It was opened again."))
    await nation.until_known("suspended", reinstated.exporter, known=False)
    await nation.until_known("exporters", active.exporter)

    await nation.stack.stop("registry")
    try:
        assert not await nation.answers("registry")
        for journey in (active, reinstated):
            state = await journey.exporter.person.ask(SubmitCertificate(certificate_id=journey.certificate_id))
            assert state.status is CertificateStatus.SUBMITTED
        with pytest.raises(AskRefused) as refused:
            await suspended.exporter.person.ask(SubmitCertificate(certificate_id=suspended.certificate_id))
    finally:
        await nation.stack.start("registry")
        await nation.stack.ready()
    assert refused.value.refusal.code == "exporter_suspended"
    assert "turn to the ministry" in refused.value.refusal.detail
