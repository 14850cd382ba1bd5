"""An exporter and a forwarder, and the mandates between them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from services.registry.companies.domain.life_cycle import Status as RegistrationStatus
from shared.contracts.registry.mandates import AcceptMandate, MadeApiKey, MakeApiKey, ProposeMandate
from shared.handling.actor import Actor
from shared.security.tokens import Tokens
from tests.registry.builders import TODAY, a_registration
from tests.registry.people import Human, somebody_of_a_company
from tests.support.service_under_test import ServiceUnderTest

A_YEAR = TODAY + timedelta(days=365)
EVERYTHING = ("preparer", "signatory")


@dataclass
class Company:
    """A company that is registered, and its administrator."""

    company_id: UUID
    tax_number: str
    administrator: Human


@dataclass
class Parties:
    """An exporter, and a forwarder that becomes its agent."""

    exporter: Company
    agent: Company

    def proposal(self, **changes: Any) -> ProposeMandate:
        """A proposal that either of them may send."""
        defaults = {"mandate_id": uuid4(), "scope": EVERYTHING, "valid_until": A_YEAR}
        defaults |= {"exporter_tax_number": self.exporter.tax_number, "agent_tax_number": self.agent.tax_number}
        return ProposeMandate(**defaults | changes)

    async def mandate(self, **changes: Any) -> UUID:
        """A mandate that both have agreed to."""
        proposal = self.proposal(**changes)
        await self.exporter.administrator.ask(proposal)
        granted = await self.agent.administrator.ask(AcceptMandate(mandate_id=proposal.mandate_id))
        assert granted.status == "granted"
        return proposal.mandate_id

    async def key(self, mandate_id: UUID, name: str = "Warehouse system") -> MadeApiKey:
        """A key for a system of the agent."""
        made = await self.agent.administrator.ask(MakeApiKey(api_key_id=uuid4(), mandate_id=mandate_id, name=name))
        assert isinstance(made, MadeApiKey)
        return made


async def a_company(service: ServiceUnderTest, status: RegistrationStatus = RegistrationStatus.ACTIVE) -> Company:
    """A company whose registration is active, unless another status is given."""
    registration = a_registration(status)
    company_id, tax_number = registration.exporter_id, registration.tax_number
    async with service.work() as work:
        work.session.add(registration)
    return Company(company_id, tax_number, await somebody_of_a_company(service, company=company_id))


async def actor_of(service: ServiceUnderTest, token: str) -> Actor:
    """The actor of a token."""
    async with service.context.database.reading() as session:
        return await Tokens("KH").actor(token, session, service.clock.now())


async def code_of(service: ServiceUnderTest, token: str, request: Any) -> str:
    """The code of the refusal of a request with this token; `let in` where it is not refused."""
    answer = await service.ask_raw(type(request), request.model_dump_json().encode(), token)
    return getattr(answer, "code", "let in")
