"""Certificates decides alone who may submit: registry is stopped, and what it told before still holds."""

import pytest

from cli.examples import all_examples
from cli.people import Exporter, until
from shared.asking import AskRefused
from shared.contracts import ops
from shared.contracts.certificates import CertificateStatus, SubmitCertificate
from shared.contracts.registry.registrations import ReinstateRegistration, SuspendRegistration
from tests.stories.conftest import Nation

EXAMPLE = all_examples()[0]


async def until_known(nation: Nation, fact: str, exporter: Exporter, *, known: bool = True) -> None:
    """Waits until certificates knows a fact of the exporter, or no longer does."""
    company = str(exporter.exporter_id)

    async def look() -> bool | None:
        keys = await nation.operator.ask(ops.ListKeys(fact=fact, limit=ops.MOST_KEYS), service="certificates")
        return True if (company in keys.keys) is known else None

    await until(look, f"certificates to know that an exporter is among the {fact}: {known}")


async def test_while_registry_is_away_certificates_knows_who_may_submit(nation: Nation) -> None:
    active, suspended, reinstated = [await nation.journey(EXAMPLE) for _ in range(3)]
    officer = nation.ministry.registration_officer
    for journey in (suspended, reinstated):
        company = journey.exporter.exporter_id
        await officer.ask(SuspendRegistration(exporter_id=company, reason="The factory was closed."))
        await until_known(nation, "suspended", journey.exporter)
    await officer.ask(ReinstateRegistration(exporter_id=company, reason="It was opened again."))
    await until_known(nation, "suspended", reinstated.exporter, known=False)
    await until_known(nation, "exporters", active.exporter)

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
