"""Exporters and their agents. Both may ask for certificates while their registration is in force."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.refusals import Refused


class ExporterNotRegistered(Refused):
    code = "exporter_not_registered"


class ExporterRegistrationNotBegun(ExporterNotRegistered):
    code = "exporter_registration_not_begun"


class ExporterRegistrationExpired(ExporterNotRegistered):
    code = "exporter_registration_expired"


class ExporterSuspended(ExporterNotRegistered):
    code = "exporter_suspended"


class AgentNotRegistered(Refused):
    code = "agent_not_registered"


class MandateNotKnownYet(Refused):
    code = "mandate_not_known_yet"


class MandateNotInForce(Refused):
    code = "mandate_over"


class Standing(StrEnum):
    """The state of an exporter's registration."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """An exporter's registration, as registry announced it."""

    exporter_id: UUID
    name: str
    address: str
    valid_from: date
    valid_until: date
    version: int
    standing: Standing = Standing.ACTIVE

    def must_be_registered(self, on: date) -> None:
        """Refuses unless the registration is in force on a day. The last day is included.

        Raises ExporterRegistrationExpired, ExporterSuspended, ExporterRegistrationNotBegun.
        """
        if self.standing is Standing.EXPIRED or on > self.valid_until:
            raise ExporterRegistrationExpired("exporter_id")
        if self.standing is Standing.SUSPENDED:
            raise ExporterSuspended("exporter_id")
        if on < self.valid_from:
            raise ExporterRegistrationNotBegun("exporter_id")


@dataclass(frozen=True, kw_only=True)
class Mandate:
    """A mandate, as registry announced it: an agent may act for an exporter until a day, that day included."""

    mandate_id: UUID
    exporter_id: UUID
    agent_id: UUID
    valid_until: date
    version: int

    def must_cover(self, exporter_id: UUID, agent_id: UUID, on: date) -> None:
        """Refuses another exporter or agent, and a day after the last one. Raises MandateNotInForce."""
        if (self.exporter_id, self.agent_id) != (exporter_id, agent_id) or on > self.valid_until:
            raise MandateNotInForce()


def must_be_in_force(agent: Exporter | None, on: date) -> None:
    """Refuses an agent whose own registration is not in force. Raises AgentNotRegistered."""
    if agent is None:
        raise AgentNotRegistered()
    try:
        agent.must_be_registered(on)
    except ExporterNotRegistered:
        raise AgentNotRegistered() from None
