"""Who may ask for certificates: exporters, while their registration is in force, and the agents that act for them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.refusals import Refused


class ExporterNotRegistered(Refused):
    """The exporter is not registered: apply to the ministry first. Nothing that was drafted is lost."""

    code = "exporter_not_registered"


class RegistrationNotBegun(ExporterNotRegistered):
    """The exporter's registration has not begun yet: wait for its first day. Nothing that was drafted is lost."""

    code = "exporter_registration_not_begun"


class RegistrationOver(ExporterNotRegistered):
    """The exporter's registration has expired: ask the ministry for another year. Nothing that was drafted is lost."""

    code = "exporter_registration_expired"


class ExporterSuspended(ExporterNotRegistered):
    """The exporter's registration is suspended: see the reason there and turn to the ministry. Nothing drafted is lost."""

    code = "exporter_suspended"


class AgentNotRegistered(Refused):
    """The agent's own registration is not in force: it acts for nobody until it is."""

    code = "agent_not_registered"


class MandateNotKnownYet(Refused):
    """The mandate is still on its way to this service: try again in a moment."""

    code = "mandate_not_known_yet"


class MandateOver(Refused):
    """The mandate is over, or is not between these two: propose another."""

    code = "mandate_over"


class Standing(StrEnum):
    """How a registered exporter stands with the ministry."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Exporter:
    """What certificates knows of a registration."""

    exporter_id: UUID
    name: str
    address: str
    valid_from: date
    valid_until: date
    version: int
    standing: Standing = Standing.ACTIVE

    def must_be_registered(self, on: date) -> None:
        """Refuses unless the registration is active on a day; its last day is included.

        Raises RegistrationOver, ExporterSuspended, RegistrationNotBegun.
        """
        if self.standing is Standing.EXPIRED or on > self.valid_until:
            raise RegistrationOver("", "exporter_id")
        if self.standing is Standing.SUSPENDED:
            raise ExporterSuspended("", "exporter_id")
        if on < self.valid_from:
            raise RegistrationNotBegun("", "exporter_id")


@dataclass(frozen=True)
class Mandate:
    """What certificates knows of a mandate: until which day an agent may act for an exporter, that day included."""

    mandate_id: UUID
    exporter_id: UUID
    agent_id: UUID
    valid_until: date
    version: int

    def must_cover(self, exporter_id: UUID, agent_id: UUID, on: date) -> None:
        """Raises MandateOver."""
        if (self.exporter_id, self.agent_id) != (exporter_id, agent_id) or on > self.valid_until:
            raise MandateOver()


def must_be_in_force(agent: Exporter | None, on: date) -> None:
    """An agent is a registered company itself. Raises AgentNotRegistered."""
    if agent is None:
        raise AgentNotRegistered()
    try:
        agent.must_be_registered(on)
    except ExporterNotRegistered:
        raise AgentNotRegistered() from None
