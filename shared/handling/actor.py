"""The actor: the person or system that sends a request, and the refusals that depend on it alone."""

from dataclasses import dataclass, field
from uuid import UUID

from shared.refusals import Refused


class NotSignedIn(Refused):
    code = "not_signed_in"


class SecondFactorMissing(Refused):
    code = "second_factor_missing"


class RoleRequired(Refused):
    code = "role_required"


class NotYours(Refused):
    code = "not_yours"


class OutsideMandate(Refused):
    code = "outside_mandate"


class BegunByAnother(Refused):
    code = "certificate_begun_by_another"


@dataclass(frozen=True)
class Mandated:
    """The mandate under which an agent acts for an exporter, and the company id of the agent."""

    mandate_id: UUID
    agent_id: UUID


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person, or a system with an API key; the organisation that it acts for, and its roles.

    `user_id` is None for an anonymous request. `enrolling`: the person may only set up the second factor. `mandate`: set if
    the actor's company acts as an agent; then `organisation` is the exporter.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    organisation: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    enrolling: bool = False
    mandate: Mandated | None = None

    @property
    def name(self) -> str:
        """The key of stored answers, and the name in the audit log. An API key and a person never have the same name."""
        if self.user_id is None:
            return "anonymous"
        return f"api-key:{self.user_id}" if self.user_id == self.session_id else str(self.user_id)

    @property
    def agent_id(self) -> UUID | None:
        """The company id of the agent, if the actor acts under a mandate."""
        return self.mandate.agent_id if self.mandate else None

    @property
    def company(self) -> str:
        """The organisation that the actor acts for. Under a mandate: `<agent> for <exporter>`."""
        return f"{self.mandate.agent_id} for {self.organisation}" if self.mandate else self.organisation

    def must_be(self, *roles: str) -> None:
        """Raises RoleRequired unless the actor has one of these roles."""
        if not self.roles.intersection(roles):
            raise RoleRequired(roles=roles)

    def must_act_for(self, organisation: UUID | str) -> None:
        """Raises NotYours unless the actor acts for this organisation."""
        if self.organisation != str(organisation):
            raise NotYours()

    def must_have_id(self) -> UUID:
        """Returns the id of the person. Raises NotSignedIn."""
        if self.user_id is None:
            raise NotSignedIn()
        return self.user_id

    def must_have_session(self) -> UUID:
        """Returns the id of the session. Raises NotSignedIn."""
        if self.session_id is None:
            raise NotSignedIn()
        return self.session_id

    def may_read(self, organisation: UUID | str, *roles: str) -> None:
        """Raises NotYours unless the actor acts for this organisation or has one of these roles."""
        if self.organisation != str(organisation) and not self.roles.intersection(roles):
            raise NotYours()

    def must_have_begun(self, agent_id: UUID | None) -> None:
        """Raises BegunByAnother if the actor is an agent other than `agent_id`. The exporter itself is never refused.

        `agent_id`: the agent that drafted the certificate; None if the exporter did, or if it is not known.
        """
        if self.mandate and self.mandate.agent_id != agent_id:
            raise BegunByAnother("certificate_id")


NOBODY = Actor()
