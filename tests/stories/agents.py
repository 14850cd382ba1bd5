"""A forwarder that acts for an exporter: its users with their accounts, its systems with API keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from cli.demo.consignment import Journey
from cli.demo.journeys import ZONE
from cli.demo.people import Exporter, until
from shared.bus.client import AskRefused
from shared.contracts.certificates.issuing import CertificateState, DraftCertificate, SubmitCertificate
from shared.contracts.messages import Request
from shared.contracts.registry.mandates import (
    AcceptMandate,
    ActingToken,
    ActUnderMandate,
    ExchangeApiKey,
    MakeApiKey,
    MandateState,
    ProposeMandate,
    RevokeMandate,
)
from shared.contracts.registry.registrations import GetRegistration
from tests.stories.conftest import RunningSystem


@dataclass(frozen=True)
class Agent:
    """A forwarder with a mandate of an exporter."""

    system: RunningSystem
    company: Exporter
    journey: Journey
    mandate_id: UUID

    @classmethod
    async def of(cls, system: RunningSystem, journey: Journey, *scope: str) -> Self:
        """Registers the forwarder; the exporter proposes a mandate and the forwarder accepts it."""
        company = await Exporter.register(system.portal, system.ministry, journey.example)
        tax_numbers = [
            (await each.person.ask(GetRegistration(exporter_id=each.exporter_id))).tax_number
            for each in (journey.exporter, company)
        ]
        proposal = ProposeMandate(
            mandate_id=uuid4(),
            exporter_tax_number=tax_numbers[0],
            agent_tax_number=tax_numbers[1],
            scope=scope or ("preparer", "signatory"),
            valid_until=datetime.now(ZONE).date() + timedelta(days=30),
        )
        await journey.exporter.person.ask(proposal)
        granted: MandateState = await company.person.ask(AcceptMandate(mandate_id=proposal.mandate_id))
        assert granted.status == "granted"
        return cls(system, company, journey, proposal.mandate_id)

    async def token(self) -> str:
        """The token of a user of the agent who acts for the exporter."""
        given: ActingToken = await self.company.person.ask(ActUnderMandate(mandate_id=self.mandate_id))
        return given.token

    async def key(self) -> str:
        """A new API key for a system of the agent."""
        created = await self.company.person.ask(
            MakeApiKey(api_key_id=uuid4(), mandate_id=self.mandate_id, name="Shipping system")
        )
        return str(created.key)

    async def exchange(self, key: str) -> str:
        """The token for an API key."""
        given: ActingToken = await self.system.portal.ask(ExchangeApiKey(key=key))
        return given.token

    async def ask(self, request: Request, token: str) -> Any:
        """Sends a request for the exporter, until the service knows mandate and registrations. Raises AskRefused."""

        async def look() -> Any:
            try:
                return await self.system.portal.ask(request, token=token)
            except AskRefused as refused:
                if refused.refusal.code not in ("mandate_not_known_yet", "agent_not_registered", "exporter_not_registered"):
                    raise
                return None

        return await until(look, f"{type(request).__name__} to be accepted")

    async def draft(self, token: str) -> UUID:
        """Drafts another certificate for the goods of the journey."""
        example, today = self.journey.example, datetime.now(ZONE).date()
        consignment = example.consignment(self.journey.products, today)
        exporter_id, certificate_id = self.journey.exporter.exporter_id, uuid4()
        await self.ask(DraftCertificate(certificate_id=certificate_id, exporter_id=exporter_id, consignment=consignment), token)
        return certificate_id

    async def submit(self, certificate_id: UUID, token: str) -> CertificateState:
        """Submits a certificate for the exporter."""
        state: CertificateState = await self.ask(SubmitCertificate(certificate_id=certificate_id), token)
        return state

    async def revoke(self) -> None:
        """The exporter revokes the mandate."""
        await self.journey.exporter.person.ask(RevokeMandate(mandate_id=self.mandate_id, reason="We part."))
