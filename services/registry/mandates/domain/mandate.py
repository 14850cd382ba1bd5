"""An agent acts for an exporter under a mandate: both companies agree to a scope and a last day.

The life cycle of a mandate is ours, and so is the rule that an agent is a registered company: see `docs/decisions/0017`.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.registry.companies.domain.life_cycle import Status as RegistrationStatus
from services.registry.companies.domain.registration import Registration
from shared.refusals import Refused

MAX_MANDATES = 500
"""The most mandates that a company has proposed or accepted: the customers of a large forwarder. Proposals of others do not
count, so that nobody can use up a company's mandates."""


class Status(StrEnum):
    """The status of a mandate. `ended` is never stored: it follows from the last day."""

    PROPOSED = "proposed"
    GRANTED = "granted"
    REVOKED = "revoked"
    ENDED = "ended"


class Side(StrEnum):
    """One of the two companies."""

    EXPORTER = "exporter"
    AGENT = "agent"


class Act(StrEnum):
    """An act on a mandate."""

    ACCEPT = "accept"
    ACT = "act under it"
    REVOKE = "revoke"


ALLOWED: dict[Status, frozenset[Act]] = {
    Status.PROPOSED: frozenset({Act.ACCEPT, Act.REVOKE}),
    Status.GRANTED: frozenset({Act.ACT, Act.REVOKE}),
    Status.REVOKED: frozenset(),
    Status.ENDED: frozenset(),
}
"""The acts that each status allows: the life cycle of a mandate. A mandate that is over can only be proposed again."""


class MandateNotFound(Refused):
    code = "mandate_not_found"


class MandateIdTaken(Refused):
    code = "mandate_id_taken"


class MandateWithOneself(Refused):
    code = "mandate_with_oneself"


class NotAParty(Refused):
    code = "mandate_between_others"


class MandateDatesWrong(Refused):
    code = "mandate_dates_wrong"


class TooManyMandates(Refused):
    code = "too_many_mandates"


class OtherSideAccepts(Refused):
    code = "mandate_other_side_accepts"


class MandateNotAllowedNow(Refused):
    code = "mandate_not_allowed_now"


class MandateEnded(MandateNotAllowedNow):
    code = "mandate_ended"


class CompanyNotRegistered(Refused):
    code = "company_not_registered"


class AgentNotRegistered(Refused):
    code = "agent_not_registered"


class OutsideYourRoles(Refused):
    code = "mandate_outside_your_roles"


@dataclass(eq=False, kw_only=True)
class Mandate:
    """An agent acts for an exporter in these roles, until this day, inclusive. Every act raises `version` by one."""

    mandate_id: UUID
    exporter_id: UUID
    agent_id: UUID
    scope: list[str]
    valid_until: date
    proposed_by: Side
    status: Status = Status.PROPOSED
    reason: str | None = None
    granted_at: datetime | None = None
    revoked_at: datetime | None = None
    version: int = 1

    def standing(self, on: date) -> Status:
        """The status on a day."""
        return Status.ENDED if self.status is not Status.REVOKED and on > self.valid_until else self.status

    @property
    def granted_version(self) -> int:
        """The version of the grant. Only a revocation can follow it."""
        return self.version - 1 if self.status is Status.REVOKED else self.version

    def waits_for(self, on: date) -> Side | None:
        """The company that must still accept, or None."""
        if self.standing(on) is not Status.PROPOSED:
            return None
        return Side.AGENT if self.proposed_by is Side.EXPORTER else Side.EXPORTER

    def side_of(self, company: str) -> Side:
        """The side of a company. Raises MandateNotFound for others, so that they do not learn of the mandate."""
        sides = {str(self.exporter_id): Side.EXPORTER, str(self.agent_id): Side.AGENT}
        if company not in sides:
            raise MandateNotFound("mandate_id")
        return sides[company]

    def accept(self, by: Side, now: datetime, on: date) -> None:
        """The company that did not propose the mandate accepts it."""
        self._must_allow(Act.ACCEPT, on)
        if by is self.proposed_by:
            raise OtherSideAccepts("mandate_id")
        self.status = Status.GRANTED
        self.granted_at = now
        self.version += 1

    def revoke(self, reason: str | None, now: datetime, on: date) -> bool:
        """Either company ends the mandate. Returns whether it was granted, so that other services must be told."""
        self._must_allow(Act.REVOKE, on)
        was_granted = self.status is Status.GRANTED
        self.status = Status.REVOKED
        self.reason = reason
        self.revoked_at = now
        self.version += 1
        return was_granted

    def roles_of(self, roles: frozenset[str], on: date) -> frozenset[str]:
        """The roles of a person of the agent that the mandate covers. Raises OutsideYourRoles."""
        self._must_allow(Act.ACT, on)
        within = roles.intersection(self.scope)
        if not within:
            raise OutsideYourRoles("mandate_id", scope=self.scope)
        return within

    def restore_grant(self, at: datetime, version: int) -> None:
        """Restores a grant from its event, if it is newer than the version known here."""
        if version > self.version:
            self.status = Status.GRANTED
            self.granted_at = at
            self.version = version

    def restore_revocation(self, at: datetime, version: int) -> None:
        """Restores a revocation from its event."""
        self.status = Status.REVOKED
        self.version = version
        self.revoked_at = self.revoked_at or at

    def _must_allow(self, act: Act, on: date) -> None:
        standing = self.standing(on)
        if standing is Status.ENDED:
            raise MandateEnded("mandate_id", last=self.valid_until)
        if act not in ALLOWED[standing]:
            raise MandateNotAllowedNow("mandate_id", status=standing, act=act)


def must_end_in_time(valid_until: date, on: date, longest_days: int) -> None:
    """Raises MandateDatesWrong."""
    last = on + timedelta(days=longest_days)
    if not on <= valid_until <= last:
        raise MandateDatesWrong("valid_until", first=on, last=last)


def may_propose(company: Registration | None, on: date) -> None:
    """Only a registered company may propose, because it learns the other's name (ours). Raises CompanyNotRegistered."""
    if not _is_in_force(company, on):
        raise CompanyNotRegistered()


def must_be_registered(agent: Registration | None, on: date) -> None:
    """An agent acts only while its own registration is in force. Raises AgentNotRegistered."""
    if not _is_in_force(agent, on):
        raise AgentNotRegistered("mandate_id")


def _is_in_force(registration: Registration | None, on: date) -> bool:
    return registration is not None and registration.status is RegistrationStatus.ACTIVE and not registration.is_over(on)
