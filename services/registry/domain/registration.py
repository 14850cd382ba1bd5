"""A company is registered for a year.

Source: the ministry's site (yearly renewal, documents to hand in); what is our own decision says so.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.clock import a_year_from
from shared.refusals import Refused


class Status(StrEnum):
    """Where a registration stands."""

    APPLIED = "applied"
    ACTIVE = "active"
    REFUSED = "refused"


class Act(StrEnum):
    """What can be done with a registration."""

    ATTACH = "attach"
    APPROVE = "approve"
    REFUSE = "refuse"


ALLOWED: dict[Status, frozenset[Act]] = {
    Status.APPLIED: frozenset({Act.ATTACH, Act.APPROVE, Act.REFUSE}),
    Status.ACTIVE: frozenset(),
    Status.REFUSED: frozenset(),
}
"""Which acts a status allows: the life cycle, as a registrar can check it."""

REQUIRED_DOCUMENTS = frozenset({"certificate_of_incorporation"})
"""What must be attached before a registration is approved. The full list comes with the registration forms."""


class RegistrationNotFound(Refused):
    """There is no such registration."""

    code = "registration_not_found"


class AlreadyDecided(Refused):
    """The registration has been decided and can no longer be changed."""

    code = "registration_already_decided"


class DocumentsMissing(Refused):
    """Documents are missing: a registration cannot be approved without them."""

    code = "registration_documents_missing"


class TaxNumberTaken(Refused):
    """A company with this tax number has applied already."""

    code = "tax_number_taken"


@dataclass(eq=False)
class Registration:
    """A company's registration with the ministry, identified by the exporter it makes."""

    exporter_id: UUID
    company_name: str
    address: str
    tax_number: str
    status: Status = Status.APPLIED
    documents: dict[str, str] = field(default_factory=dict)
    valid_from: date | None = None
    valid_until: date | None = None
    reason: str | None = None
    version: int = 1

    def attach(self, kind: str, sha256: str) -> None:
        """The applicant hands in a document, or a better copy of one."""
        self._must_allow(Act.ATTACH)
        self.documents = {**self.documents, kind: sha256}
        self.version += 1

    def approve(self, on: date) -> None:
        """An officer registers the company for a year from that day, inclusive."""
        self._must_allow(Act.APPROVE)
        if missing := REQUIRED_DOCUMENTS - self.documents.keys():
            raise DocumentsMissing(f"Missing: {', '.join(sorted(missing)).replace('_', ' ')}.", "documents")
        self.status = Status.ACTIVE
        self.valid_from, self.valid_until = on, a_year_from(on)
        self.version += 1

    def refuse(self, reason: str) -> None:
        """An officer refuses the application, with the reason."""
        self._must_allow(Act.REFUSE)
        self.status, self.reason = Status.REFUSED, reason
        self.version += 1

    @property
    def validity(self) -> tuple[date, date]:
        """The first and the last day on which the company may ask for certificates. Raises ValueError."""
        if self.valid_from is None or self.valid_until is None:
            raise ValueError(f"the registration {self.exporter_id} was never approved")
        return self.valid_from, self.valid_until

    def _must_allow(self, act: Act) -> None:
        if act not in ALLOWED[self.status]:
            raise AlreadyDecided(f"This registration is {self.status}: it can no longer be changed.")
