"""The rules of the gateway: a transmission advances step by step, and customs decide on a document once.

Sources: the public codes AS1, AS2, REC and NOT of the ASEAN Single Window; ATIGA Annex 8, Rules 26 to 30. Which code may
follow which is a table of the contracts, handed in as `allowed`.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from shared.refusals import Refused

CLOCKS_APART = timedelta(hours=2)
"""How wrong a clock may have been, here or at a partner (ours): an hour, as when a zone is mistaken, costs no document."""

Allowed = Mapping[Any, Set[str]]
"""The codes that may follow a code; under None those that may come first."""


class TransmissionNotFound(Refused):
    code = "transmission_not_found"


class StepNotAllowed(Refused):
    code = "step_not_allowed"


class StepTimeWrong(Refused):
    code = "step_time_wrong"


class DecidedBeforeReceived(StepTimeWrong):
    variant = "decided_before_received"


class NotTheDestination(Refused):
    code = "not_the_destination"


class DocumentDiffers(Refused):
    code = "document_differs"


class NotTheIssuer(Refused):
    code = "sender_is_not_issuer"


class WrongDestination(Refused):
    code = "wrong_destination"


class ReferenceMismatch(Refused):
    code = "reference_mismatch"


class DecidedAlready(Refused):
    code = "document_decided_already"


@dataclass(eq=False)
class Step:
    """A code that was reached, at an instant and in a country; a refusal has reasons (slugs) and what was written."""

    code: str
    at: datetime
    country: str
    reasons: list[str] = field(default_factory=list)
    detail: str | None = None
    position: int = 0


@dataclass(eq=False)
class Transmission:
    """A document on its way to the customs of its destination. Sent anew after a rejection its number rises.

    `agent_id`: the agent that began the certificate, if it is known that one did.
    """

    transmission_id: UUID
    certificate_id: UUID
    exporter_id: UUID
    reference: str
    destination: str
    number: int
    document: str
    steps: list[Step] = field(default_factory=list)
    agent_id: UUID | None = None

    @property
    def version(self) -> int:
        """Rises by one with each step."""
        return len(self.steps)

    @property
    def code(self) -> str | None:
        """The code reached last."""
        return self.steps[-1].code if self.steps else None

    def reach(self, step: Step, allowed: Allowed) -> bool:
        """Takes the next step; a code that was reached before is no news. Raises StepNotAllowed."""
        if any(former.code == step.code for former in self.steps):
            return False
        if step.code not in allowed[self.code]:
            raise StepNotAllowed("code", step=step.code, reached=self.code)
        step.position = self.version + 1
        self.steps.append(step)
        return True

    def is_possible(self, step: Step, now: datetime) -> bool:
        """Whether a step of a partner lies neither in the future nor before the document was at our gateway."""
        began_at = self.steps[0].at if self.steps else now
        return began_at - CLOCKS_APART <= step.at <= now + CLOCKS_APART

    def must_be_decided_by(self, country: str) -> None:
        """Refuses what another country than the destination says of this document."""
        if country != self.destination:
            raise NotTheDestination(destination=self.destination)


@dataclass(eq=False)
class InboundDocument:
    """A partner's document for the customs of this country. `message` is kept as it came, signature and all."""

    document_id: UUID
    sender: str
    reference: str
    number: int
    document: str
    message: bytes
    received_at: datetime
    decided_at: datetime | None = None
    reasons: list[dict[str, str]] = field(default_factory=list)
    returned_at: datetime | None = None

    def must_hold(self, document: str) -> None:
        """Refuses another document under the same reference and number."""
        if document != self.document:
            raise DocumentDiffers()

    def decide(self, at: datetime, reasons: list[dict[str, str]]) -> None:
        """Customs take the document, or refuse it with reasons; they decide once."""
        if self.decided_at is not None:
            raise DecidedAlready()
        self.decided_at, self.reasons = at, reasons

    @property
    def accepted(self) -> bool:
        """Whether customs have taken the document."""
        return self.decided_at is not None and not self.reasons


class Addressed(Protocol):
    """What a document says of itself."""

    @property
    def reference(self) -> str: ...

    @property
    def issuing_country(self) -> str: ...

    @property
    def destination(self) -> str: ...


def must_belong_here(document: Addressed, *, sender: str, receiver: str, reference: str) -> None:
    """Refuses a document that did not come from its issuer, is not for this country, or is not the one announced."""
    if document.issuing_country != sender:
        raise NotTheIssuer(issuer=document.issuing_country, sender=sender)
    if document.destination != receiver:
        raise WrongDestination(destination=document.destination)
    if document.reference != reference:
        raise ReferenceMismatch(envelope=reference, document=document.reference)
