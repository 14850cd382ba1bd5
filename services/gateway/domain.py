"""The rules of the gateway: a transmission advances step by step, and customs decide on a document once.

Sources: the public codes AS1, AS2, REC and NOT of the ASEAN Single Window; ATIGA Annex 8, Rules 26 to 30. The parameter
`allowed` is the table of the contracts with the codes that may follow each code.
"""

import json
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

MAX_PROBLEM = 300
"""Maximum characters of the reason why a partner does not answer."""

WAITING = ("AS1", "AS2")
"""The codes at which a transmission waits for the partner."""
UNKNOWN = datetime(2000, 1, 1, tzinfo=UTC)
"""The beginning of a transmission before its first step."""

E_FORM_D = "e_form_d"
"""The kind of document that is a certificate. Every document of a former release is one."""

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


class DocumentKindDiffers(Refused):
    code = "document_kind_differs"


class DocumentNotReceived(Refused):
    code = "document_not_received"


class PartnerUnknown(Refused):
    code = "partner_unknown"


class NotRejected(Refused):
    code = "transmission_not_rejected"


class SentAlready(Refused):
    code = "transmission_sent_already"


class NotHeld(Refused):
    code = "transmission_not_held"


class DecidedAlready(Refused):
    code = "document_decided_already"


class NotAtCustoms(Refused):
    code = "document_not_at_customs"


class DecidedMeanwhile(Refused):
    code = "document_decided_meanwhile"


class ItemUnknown(Refused):
    code = "document_item_unknown"


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
    """A document on its way to the customs of its destination. `number` counts the transmissions of one document.

    `certificate_id`: the certificate, or that to which a document of another `kind` was added.

    `agent_id`: the agent that drafted the certificate; None if the exporter did, or if it is not known. `began_at`: the time of
    the first step. `answered`: whether the customs of the destination have accepted or rejected it, or it was cancelled.
    `held_because`: the reason for which an officer holds it; None if it is not held.
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
    held_because: str | None = None
    kind: str = E_FORM_D

    @property
    def version(self) -> int:
        """The number of steps."""
        return len(self.steps)

    @property
    def is_cancelled(self) -> bool:
        """Whether its certificate was cancelled. What the partner answers afterwards changes nothing."""
        return self.code == "CAN"

    @property
    def office(self) -> str:
        """The code of the office that issued the certificate."""
        return str(json.loads(self.document).get("office") or self.reference.split("-")[1])

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
        self.held_because = None  # it was sent before the hold was known
        return True

    def is_possible(self, step: Step, now: datetime) -> bool:
        """Whether a partner's step is neither in the future nor before the document reached this gateway."""
        began_at = self.steps[0].at if self.steps else now
        return began_at - CLOCK_TOLERANCE <= step.at <= now + CLOCK_TOLERANCE

    def hold(self, reason: str) -> None:
        """An officer holds the document. Raises SentAlready."""
        if self.code != "AS1":
            raise SentAlready()
        self.held_because = reason

    def resume(self) -> None:
        """The document is sent. Raises NotHeld."""
        if self.held_because is None:
            raise NotHeld()
        self.held_because = None

    def again(self, transmission_id: UUID) -> "Transmission":
        """The next transmission of the same document. Raises NotRejected."""
        if self.code != "NOT":
            raise NotRejected()
        return Transmission(
            transmission_id,
            self.certificate_id,
            self.exporter_id,
            self.reference,
            self.destination,
            self.number + 1,
            self.document,
            agent_id=self.agent_id,
            kind=self.kind,
        )

    def must_be_decided_by(self, country: str) -> None:
        """Raises NotTheDestination unless the country is the destination of this document."""
        if country != self.destination:
            raise NotTheDestination(destination=self.destination)


class DecidedByCustoms(Protocol):
    """The fields of a received document with the decisions of customs. A row of a list has them too."""

    @property
    def decided_at(self) -> datetime | None: ...

    @property
    def reasons(self) -> list[dict[str, str]]: ...

    @property
    def responses(self) -> list[dict[str, Any]]: ...


def code_of_customs(document: DecidedByCustoms) -> str | None:
    """The last decision of customs: UTL, UTP or DEN, else REC or NOT; None before the first."""
    if document.responses:
        return str(document.responses[-1]["code"])
    if document.decided_at is None:
        return None
    return "NOT" if document.reasons else "REC"


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
    responses: list[dict[str, Any]] = field(default_factory=list)
    """The decisions of customs on the preference, each with its code."""
    kind: str = E_FORM_D

    @property
    def code(self) -> str | None:
        """The last decision of customs; None before the first."""
        return code_of_customs(self)

    def respond(self, response: dict[str, Any], known: int, allowed: Allowed) -> None:
        """Adds a decision on the preference. `known`: how many the officer has read.

        Raises NotAtCustoms, DecidedMeanwhile, StepNotAllowed.
        """
        if not self.accepted:
            raise NotAtCustoms()
        if known != len(self.responses):
            raise DecidedMeanwhile("decisions")
        code = response["code"]
        if code not in allowed[self.code] or any(code == former["code"] for former in self.responses):
            raise StepNotAllowed("reason", step=code, reached=self.code)
        self.responses = [*self.responses, response]

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

    @property
    def usable(self) -> bool:
        """Whether a back-to-back certificate can be based on the document: customs have accepted it and not denied it."""
        return self.accepted and self.code != "DEN"

    @property
    def version_as_original(self) -> int:
        """Grows with each transmission of the document, and with each decision on it."""
        return self.number * 1000 + len(self.responses)


@dataclass(eq=False)
class OutgoingMessage:
    """A message about a document that was exchanged before. `answered_at`: the time of its receipt; `reasons`: a refusal."""

    message_id: UUID
    receiver: str
    reference: str
    number: int
    kind: str
    content: str
    created_at: datetime
    answered_at: datetime | None = None
    reasons: list[dict[str, str]] = field(default_factory=list)
    position: int | None = None


@dataclass(eq=False)
class PartnerGateway:
    """The gateway of another member. `answers`: whether it accepts messages, since `since`. `version` counts the changes.

    `problem`: why it stopped answering last, at `problem_at`.
    """

    country: str
    answers: bool
    since: datetime
    version: int = 0
    problem: str | None = None
    problem_at: datetime | None = None

    def observe(self, *, answers: bool, at: datetime, problem: str | None = None) -> bool:
        """Records whether it answers. `problem`: why it does not. Returns whether this is new."""
        if self.version and self.answers == answers:
            return False
        self.answers, self.since, self.version = answers, at, self.version + 1
        if not answers and problem is not None:
            self.problem, self.problem_at = problem[:MAX_PROBLEM], at
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
