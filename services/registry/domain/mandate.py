"""An agent acts for an exporter once both companies have accepted, within a scope, until a day or until either ends it.

The life of a mandate is our own decision, as is that an agent is a company registered like any exporter: see
`docs/decisions/0017`.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.registry.domain.registration import Registration
from services.registry.domain.registration import Status as RegistrationStatus
from shared.refusals import Refused

MOST_MANDATES = 500
"""Mandates that a company has said yes to, by proposing or accepting them: a large forwarder's customers. What others propose
does not count until it is accepted, or they could use up a company's mandates."""


class Status(StrEnum):
    """Where a mandate stands. `ended` is never kept: the calendar says it."""

    PROPOSED = "proposed"
    GRANTED = "granted"
    REVOKED = "revoked"
    ENDED = "ended"


class Side(StrEnum):
    """One of the two companies."""

    EXPORTER = "exporter"
    AGENT = "agent"


class Act(StrEnum):
    """What can be done with a mandate."""

    ACCEPT = "accept"
    ACT = "act under it"
    REVOKE = "revoke"


ALLOWED: dict[Status, frozenset[Act]] = {
    Status.PROPOSED: frozenset({Act.ACCEPT, Act.REVOKE}),
    Status.GRANTED: frozenset({Act.ACT, Act.REVOKE}),
    Status.REVOKED: frozenset(),
    Status.ENDED: frozenset(),
}
"""Which acts a status allows: the life of a mandate. What has ended, by either company or the calendar, is proposed anew."""


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


@dataclass(eq=False)
class Mandate:
    """Who acts for whom, in which roles, and until which day, that day included. Every act raises `version` by one."""

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
        """Its status on a day."""
        return Status.ENDED if self.status is not Status.REVOKED and on > self.valid_until else self.status

    @property
    def granted_version(self) -> int:
        """The version with which it was granted: after that it can only be revoked."""
        return self.version - 1 if self.status is Status.REVOKED else self.version

    def waits_for(self, on: date) -> Side | None:
        """Which company must still accept."""
        if self.standing(on) is not Status.PROPOSED:
            return None
        return Side.AGENT if self.proposed_by is Side.EXPORTER else Side.EXPORTER

    def side_of(self, company: str) -> Side:
        """Which of the two a company is. Raises MandateNotFound for others: they do not learn that there is one."""
        sides = {str(self.exporter_id): Side.EXPORTER, str(self.agent_id): Side.AGENT}
        if company not in sides:
            raise MandateNotFound("mandate_id")
        return sides[company]

    def accept(self, by: Side, now: datetime, on: date) -> None:
        """The other company than the one that proposed it accepts."""
        self._must_allow(Act.ACCEPT, on)
        if by is self.proposed_by:
            raise OtherSideAccepts("mandate_id")
        self.status, self.granted_at = Status.GRANTED, now
        self.version += 1

    def revoke(self, reason: str | None, now: datetime, on: date) -> bool:
        """Either company ends it. Returns whether it had been granted, so that others must hear of it."""
        self._must_allow(Act.REVOKE, on)
        was_granted = self.status is Status.GRANTED
        self.status, self.reason, self.revoked_at = Status.REVOKED, reason, now
        self.version += 1
        return was_granted

    def roles_of(self, roles: frozenset[str], on: date) -> frozenset[str]:
        """What somebody of the agent's with these roles may be for the exporter. Raises OutsideYourRoles."""
        self._must_allow(Act.ACT, on)
        within = roles.intersection(self.scope)
        if not within:
            raise OutsideYourRoles("mandate_id", scope=self.scope)
        return within

    def was_granted(self, at: datetime, version: int) -> None:
        """It is known from elsewhere that it was granted at a version; it may have been revoked since."""
        if version > self.version:
            self.status, self.granted_at, self.version = Status.GRANTED, at, version

    def was_revoked(self, at: datetime, version: int) -> None:
        """It is known from elsewhere that it was revoked, whatever is remembered here."""
        self.status, self.version, self.revoked_at = Status.REVOKED, version, self.revoked_at or at

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
    """Whoever proposes learns the other company's name: anybody may apply for registration, so that is not enough (ours).
    Raises CompanyNotRegistered."""
    if not _is_in_force(company, on):
        raise CompanyNotRegistered()


def must_be_registered(agent: Registration | None, on: date) -> None:
    """An agent acts while its own registration is in force. Raises AgentNotRegistered."""
    if not _is_in_force(agent, on):
        raise AgentNotRegistered("mandate_id")


def _is_in_force(registration: Registration | None, on: date) -> bool:
    return registration is not None and registration.status is RegistrationStatus.ACTIVE and not registration.is_over(on)
