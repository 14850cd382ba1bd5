"""A forwarder that acts for an exporter: its people with their own accounts, its systems with API keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from cli.demo.journeys import ZONE
from cli.demo.people import Exporter, Journey, until
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
    """A forwarder with a mandate of the exporter of a journey."""

    system: RunningSystem
    company: Exporter
    journey: Journey
    mandate_id: UUID

    @classmethod
    async def of(cls, system: RunningSystem, journey: Journey, *scope: str) -> Self:
        """A company of its own registers; the exporter proposes a mandate, and it accepts."""
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
        """The token with which somebody of the agent's acts for the exporter."""
        given: ActingToken = await self.company.person.ask(ActUnderMandate(mandate_id=self.mandate_id))
        return given.token

    async def key(self) -> str:
        """A key for a system of the agent's."""
        made = await self.company.person.ask(MakeApiKey(api_key_id=uuid4(), mandate_id=self.mandate_id, name="Shipping system"))
        return str(made.key)

    async def exchange(self, key: str) -> str:
        """The token that a system gets for its key."""
        given: ActingToken = await self.system.portal.ask(ExchangeApiKey(key=key))
        return given.token

    async def ask(self, request: Request, token: str) -> Any:
        """Asks for the exporter, again until the mandate and what else was told is known to the service. Raises AskRefused."""

        async def look() -> Any:
            try:
                return await self.system.portal.ask(request, token=token)
            except AskRefused as refused:
                if refused.refusal.code not in ("mandate_not_known_yet", "agent_not_registered", "exporter_not_registered"):
                    raise
                return None

        return await until(look, f"{type(request).__name__} to be let in")

    async def draft(self, token: str) -> UUID:
        """Another certificate for the goods of the journey."""
        example, today = self.journey.example, datetime.now(ZONE).date()
        consignment = example.consignment(self.journey.products, today)
        exporter_id, certificate_id = self.journey.exporter.exporter_id, uuid4()
        await self.ask(DraftCertificate(certificate_id=certificate_id, exporter_id=exporter_id, consignment=consignment), token)
        return certificate_id

    async def submit(self, certificate_id: UUID, token: str) -> CertificateState:
        """Hands it in for the exporter."""
        state: CertificateState = await self.ask(SubmitCertificate(certificate_id=certificate_id), token)
        return state

    async def be_dismissed(self) -> None:
        """The exporter ends the mandate."""
        await self.journey.exporter.person.ask(RevokeMandate(mandate_id=self.mandate_id, reason="We part."))
