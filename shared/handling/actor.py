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
    """A person, or a system with an API key, with the organisation it acts for and its roles; without an id: nobody.

    `enrolling`: an officer who may only set up the second factor. `mandate`: set where the organisation is an exporter that
    the actor's own company is the agent of.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    organisation: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    enrolling: bool = False
    mandate: Mandated | None = None

    @property
    def name(self) -> str:
        """The key of stored answers, and the name in the audit log. That of an API key never equals that of a person."""
        if self.user_id is None:
            return "anonymous"
        return f"api-key:{self.user_id}" if self.user_id == self.session_id else str(self.user_id)

    @property
    def agent_id(self) -> UUID | None:
        """The company id of the agent, if the actor acts under a mandate."""
        return self.mandate.agent_id if self.mandate else None

    @property
    def company(self) -> str:
        """The organisation that the actor acts for; under a mandate preceded by the agent."""
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
        """The id of the person. Raises NotSignedIn."""
        if self.user_id is None:
            raise NotSignedIn()
        return self.user_id

    def must_have_session(self) -> UUID:
        """The id of the session. Raises NotSignedIn."""
        if self.session_id is None:
            raise NotSignedIn()
        return self.session_id

    def may_read(self, organisation: UUID | str, *roles: str) -> None:
        """Raises NotYours unless the actor acts for this organisation or has one of these roles."""
        if self.organisation != str(organisation) and not self.roles.intersection(roles):
            raise NotYours()

    def must_have_begun(self, agent_id: UUID | None) -> None:
        """Raises BegunByAnother if the actor is an agent other than `agent_id`; the exporter itself always passes.

        `agent_id`: the agent that began the certificate; None where the exporter did, or where it is not known.
        """
        if self.mandate and self.mandate.agent_id != agent_id:
            raise BegunByAnother("certificate_id")


NOBODY = Actor()
