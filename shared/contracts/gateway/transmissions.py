"""Transmissions over the ASEAN Single Window, and their public codes."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Country, Cursor, Line, Reference, Slug
from shared.contracts.messages import Answer, Command, Contract, Event, Question
from shared.contracts.roles import Role

MAX_REASONS = 200
"""Maximum reasons of one refusal of a document."""
MAX_STEP_DETAIL = 101_000
"""Maximum characters of the texts of all reasons: 200 of 500 characters with separators. An answer fits two of them."""


E_FORM_D = "e_form_d"
"""The kind of document that is a certificate."""


class StatusCode(StrEnum):
    """The public codes of a transmission. ASEAN defines AS1, AS2, REC and NOT; this system defines the others."""

    AS1 = "AS1"
    AS2 = "AS2"
    REC = "REC"
    NOT = "NOT"
    UTP = "UTP"
    UTL = "UTL"
    DEN = "DEN"
    CAN = "CAN"


NEXT_CODES: dict[StatusCode | None, frozenset[StatusCode]] = {
    None: frozenset({StatusCode.AS1}),
    StatusCode.AS1: frozenset({StatusCode.AS2, StatusCode.NOT, StatusCode.CAN}),
    StatusCode.AS2: frozenset({StatusCode.REC, StatusCode.NOT, StatusCode.CAN}),
    StatusCode.REC: frozenset({StatusCode.UTP, StatusCode.UTL, StatusCode.DEN, StatusCode.CAN}),
    StatusCode.UTP: frozenset({StatusCode.UTL, StatusCode.DEN, StatusCode.CAN}),
    StatusCode.DEN: frozenset({StatusCode.UTL, StatusCode.UTP, StatusCode.CAN}),
    StatusCode.UTL: frozenset({StatusCode.CAN}),
    StatusCode.NOT: frozenset(),
    StatusCode.CAN: frozenset(),
}
"""The codes that may follow each code. NOT comes only before REC. A later refusal is DEN, which can be re-assessed (OCP
Rule 30)."""


class Step(Contract):
    """A code that a transmission reached, with instant and country. `reasons`: codes; `detail`: the text of the partner."""

    code: StatusCode
    at: datetime
    country: str
    reasons: Annotated[tuple[str, ...], Field(max_length=MAX_REASONS)] = ()
    detail: Annotated[str, Field(max_length=MAX_STEP_DETAIL)] | None = None


class FormerStep(Contract):
    """A step of a former transmission of the same certificate, which was rejected. `number`: that of the transmission."""

    number: int
    step: Step


class TransmissionState(Answer):
    """A transmission as its exporter and the ministry see it. `waits_because`: why it is not sent yet, if it waits.

    `held`: whether an officer holds it. `former`: the steps of the transmissions before it, oldest first. `out_since`: since
    when the partner is out, while the document waits for it. `kind`: that of the document, with its name by language.
    `added`: the kinds of documents that were sent for this certificate; `can_add`: those that its exporter can send now.
    """

    certificate_id: UUID
    reference: str
    destination: str
    number: int
    steps: tuple[Step, ...]
    attempts: int
    waits_because: str | None = None
    held: bool = False
    former: tuple[FormerStep, ...] = ()
    out_since: datetime | None = None
    kind: str = E_FORM_D
    kind_name: dict[str, str] = Field(default_factory=dict)
    added: tuple[str, ...] = ()
    can_add: tuple[str, ...] = ()
    version: int


class GetTransmission(Question):
    """Which steps has this certificate reached on its way to the customs of the destination?

    `kind`: that of a document which was added to the certificate, instead of the certificate itself.
    """

    subject: ClassVar[str] = "qry.transmission.get.v1"
    answer: ClassVar[type[Answer]] = TransmissionState
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR})
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    kind: Slug = E_FORM_D


class ResendTransmission(Command):
    """An officer sends the document of a rejected transmission (NOT) again. It gets the next number."""

    subject: ClassVar[str] = "cmd.transmission.resend.v1"
    answer: ClassVar[type[Answer]] = TransmissionState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER, Role.ADMINISTRATOR})
    certificate_id: UUID
    kind: Slug = E_FORM_D


class HoldTransmission(Command):
    """An officer holds a document that is not sent yet (AS1), for a reason."""

    subject: ClassVar[str] = "cmd.transmission.hold.v1"
    answer: ClassVar[type[Answer]] = TransmissionState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER, Role.ADMINISTRATOR})
    certificate_id: UUID
    reason: Line
    kind: Slug = E_FORM_D


class ResumeTransmission(Command):
    """An officer lets a held document be sent."""

    subject: ClassVar[str] = "cmd.transmission.resume.v1"
    answer: ClassVar[type[Answer]] = TransmissionState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER, Role.ADMINISTRATOR})
    certificate_id: UUID
    kind: Slug = E_FORM_D


class ListedTransmission(Contract):
    """A transmission in a list. `code`: its last code; `at`: when it reached it. `waits_because`: why it is not sent yet."""

    certificate_id: UUID
    reference: str
    destination: str
    number: int
    code: StatusCode | None = None
    at: datetime | None = None
    waits_because: str | None = None


class Transmissions(Answer):
    """One page of transmissions, newest first."""

    transmissions: tuple[ListedTransmission, ...]
    next: str | None = None


class ListTransmissions(Question):
    """Which transmissions are there? A person of a company sees its own. `open`: only those without a final answer."""

    subject: ClassVar[str] = "qry.transmissions.list.v1"
    answer: ClassVar[type[Answer]] = Transmissions
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR})
    under_mandate: ClassVar[bool] = True
    exporter_id: UUID | None = None
    destination: Country | None = None
    open: bool = False
    kind: Slug = E_FORM_D
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25


class TransmissionAdvanced(Event):
    """A transmission reached a code. The event contains only public data: reasons are codes, never free text."""

    subject: ClassVar[str] = "evt.transmission.advanced.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"portal", "tracking"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    reference: Reference
    destination: Country
    number: int
    code: StatusCode
    country: Country
    reasons: Annotated[tuple[Slug, ...], Field(max_length=MAX_REASONS)] = ()
