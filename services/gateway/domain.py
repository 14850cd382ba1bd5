"""The rules of the gateway: a transmission advances step by step, and customs decide on a document once.

Sources: the public codes AS1, AS2, REC and NOT of the ASEAN Single Window; ATIGA Annex 8, Rules 26 to 30. The parameter
`allowed` is the table of the contracts with the codes that may follow each code.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from shared.refusals import Refused

CLOCK_TOLERANCE = timedelta(hours=2)
"""How wrong a clock may be, here or at a partner. A clock wrong by one hour, as with a wrong time zone, blocks no document."""

FAILURES_IN_A_ROW = 3
"""After so many failed attempts in a row a partner counts as not answering. One lost connection is no outage."""

WAITING = ("AS1", "AS2")
"""The codes at which a transmission waits for the partner."""
UNKNOWN = datetime(2000, 1, 1, tzinfo=UTC)
"""The beginning of a transmission before its first step."""

Allowed = Mapping[Any, Set[str]]
"""For each code, the codes that may follow it. For None, the codes that may come first."""


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


class DocumentNotReceived(Refused):
    code = "document_not_received"


class DecidedAlready(Refused):
    code = "document_decided_already"


@dataclass(eq=False)
class Step:
    """A code that a transmission reached, with instant and country. A rejection has `reasons` (codes) and `detail` (text)."""

    code: str
    at: datetime
    country: str
    reasons: list[str] = field(default_factory=list)
    detail: str | None = None
    position: int = 0


@dataclass(eq=False)
class Transmission:
    """A document on its way to the customs of its destination. `number` counts the transmissions of one certificate.

    `agent_id`: the agent that drafted the certificate; None if the exporter did, or if it is not known. `began_at`: the time of
    the first step. `answered`: whether the customs of the destination have accepted or rejected it, or it was cancelled.
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
    began_at: datetime = UNKNOWN
    answered: bool = False

    @property
    def version(self) -> int:
        """The number of steps."""
        return len(self.steps)

    @property
    def code(self) -> str | None:
        """The code reached last."""
        return self.steps[-1].code if self.steps else None

    def reach(self, step: Step, allowed: Allowed) -> bool:
        """Adds the next step. Returns False if its code was reached before. Raises StepNotAllowed."""
        if any(former.code == step.code for former in self.steps):
            return False
        if step.code not in allowed[self.code]:
            raise StepNotAllowed("code", step=step.code, reached=self.code)
        step.position = self.version + 1
        self.steps.append(step)
        self.began_at, self.answered = self.steps[0].at, self.code not in WAITING
        return True

    def is_possible(self, step: Step, now: datetime) -> bool:
        """Whether a partner's step is neither in the future nor before the document reached this gateway."""
        began_at = self.steps[0].at if self.steps else now
        return began_at - CLOCK_TOLERANCE <= step.at <= now + CLOCK_TOLERANCE

    def must_be_decided_by(self, country: str) -> None:
        """Raises NotTheDestination unless the country is the destination of this document."""
        if country != self.destination:
            raise NotTheDestination(destination=self.destination)


@dataclass(eq=False)
class InboundDocument:
    """A partner's document for the customs of this country. `message`: the received bytes, with the signature."""

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
        """Raises DocumentDiffers for another document with the same reference and number."""
        if document != self.document:
            raise DocumentDiffers()

    def decide(self, at: datetime, reasons: list[dict[str, str]]) -> None:
        """Records that customs accept the document, or reject it with reasons. Raises DecidedAlready."""
        if self.decided_at is not None:
            raise DecidedAlready()
        self.decided_at, self.reasons = at, reasons

    @property
    def accepted(self) -> bool:
        """Whether customs have accepted the document."""
        return self.decided_at is not None and not self.reasons


@dataclass(eq=False)
class PartnerGateway:
    """The gateway of another member. `answers`: whether it accepts messages, since `since`. `version` counts the changes."""

    country: str
    answers: bool
    since: datetime
    version: int = 0

    def observe(self, *, answers: bool, at: datetime) -> bool:
        """Records whether it answers. Returns whether this is new."""
        if self.version and self.answers == answers:
            return False
        self.answers, self.since, self.version = answers, at, self.version + 1
        return True


class Addressed(Protocol):
    """The fields of a document that name its issuer and its destination."""

    @property
    def reference(self) -> str: ...

    @property
    def issuing_country(self) -> str: ...

    @property
    def destination(self) -> str: ...


def must_match_envelope(document: Addressed, *, sender: str, receiver: str, reference: str) -> None:
    """Refuses a document if its sender is not its issuer, its destination is another country, or its reference differs."""
    if document.issuing_country != sender:
        raise NotTheIssuer(issuer=document.issuing_country, sender=sender)
    if document.destination != receiver:
        raise WrongDestination(destination=document.destination)
    if document.reference != reference:
        raise ReferenceMismatch(envelope=reference, document=document.reference)
