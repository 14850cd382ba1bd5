"""Documents that partners have sent to the customs of this country."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.certificates.documents import FormD
from shared.contracts.fields import Country, Cursor, Line, Reference, Slug
from shared.contracts.gateway.transmissions import E_FORM_D, StatusCode
from shared.contracts.messages import Answer, Command, Contract, Question
from shared.contracts.roles import Role

MAX_ITEMS = 100_000
"""More items than a message of a partner can hold."""

READERS = frozenset({Role.CUSTOMS_VIEWER, Role.CUSTOMS_OFFICER, Role.AUDITOR})
MAX_DENIED = 2000
"""Maximum items of one certificate."""


class ReceivedDocument(Contract):
    """A document that a partner has sent. `code`: the last decision of customs; None before the first.

    `kind`: that of the document, with its name by language.
    """

    reference: str
    origin: str
    number: int
    received_at: datetime
    code: StatusCode | None = None
    valid_until: date | None = None
    kind: str = E_FORM_D
    kind_name: dict[str, str] = Field(default_factory=dict)


class ReceivedDocuments(Answer):
    """One page of received documents, newest first."""

    documents: tuple[ReceivedDocument, ...]
    next: str | None = None


class ListReceivedDocuments(Question):
    """Which documents have partners sent to the customs of this country? `search`: the beginning of a reference."""

    subject: ClassVar[str] = "qry.received-documents.list.v1"
    answer: ClassVar[type[Answer]] = ReceivedDocuments
    asked_by: ClassVar[frozenset[Role]] = READERS
    origin: Country | None = None
    search: Line | None = None
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25


class CustomsDecision(Contract):
    """A decision of customs on the preference: utilised (UTL), in part (UTP) or denied (DEN).

    `denied`: the denied items if not all are. `reason`, `remarks`: why. `sent_at`: when the issuing country received it.
    """

    code: StatusCode
    decided_at: datetime
    declaration: str | None = None
    reason: str | None = None
    remarks: str | None = None
    denied: tuple[int, ...] = ()
    sent_at: datetime | None = None


class ReceivedField(Contract):
    """A field of a document. `name`: its path in the document, as in `exporter.name`; `meaning`: in English."""

    name: str
    meaning: str
    value: str


class ReceivedContent(Answer):
    """A received document with its boxes. `items`: how many it has; `document` has only those of this page.

    A document that is no e-Form D has no `document`, but `fields`, and `lines` with the fields of each item of this page.
    `decisions`: those of customs, the first one first. `cancelled_at`, `cancelled_because`: when and why the issuing authority
    cancelled it; `replaced_by`: the certificate that replaces it. `can_be_decided`, `can_be_verified`: whether the
    rules of its kind permit that.
    """

    reference: str
    origin: str
    number: int
    received_at: datetime
    code: StatusCode | None = None
    document: FormD | None = None
    items: int
    next: int | None = None
    decisions: tuple[CustomsDecision, ...] = ()
    cancelled_at: datetime | None = None
    cancelled_because: str | None = None
    replaced_by: str | None = None
    kind: str = E_FORM_D
    kind_name: dict[str, str] = Field(default_factory=dict)
    fields: tuple[ReceivedField, ...] = ()
    lines: tuple[tuple[ReceivedField, ...], ...] = ()
    can_be_decided: bool = True
    can_be_verified: bool = True


class GetReceivedDocument(Question):
    """What does this received document contain? Its items are read page by page: `after` as many others."""

    subject: ClassVar[str] = "qry.received-document.get.v1"
    answer: ClassVar[type[Answer]] = ReceivedContent
    asked_by: ClassVar[frozenset[Role]] = READERS
    origin: Country
    reference: Reference
    after: Annotated[int, Field(ge=0, le=MAX_ITEMS)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 100


class ReceivedDocumentState(Answer):
    """A received document after a decision. `decisions`: how many there are."""

    about: ClassVar[str] = "document_id"
    about_noun: ClassVar[str] = "received_document"
    document_id: UUID
    reference: str
    origin: str
    code: StatusCode
    decisions: int


class DecideReceivedDocument(Command):
    """Customs decide on the preference for a document in their system (Annex 8, Rules 13 and 30).

    Without `reason` all items are utilised. With `reason` the items in `denied` are denied, or all if there are none.
    `decisions`: how many decisions the officer has read. It is refused if there is another one now.
    """

    subject: ClassVar[str] = "cmd.received-document.decide.v1"
    answer: ClassVar[type[Answer]] = ReceivedDocumentState
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.CUSTOMS_OFFICER})
    origin: Country
    reference: Reference
    declaration: Line | None = None
    reason: Slug | None = None
    remarks: Line | None = None
    denied: Annotated[tuple[Annotated[int, Field(ge=1, le=MAX_ITEMS)], ...], Field(max_length=MAX_DENIED)] = ()
    decisions: Annotated[int, Field(ge=0, le=100)] = 0


class DenialReason(Contract):
    """A reason for which customs can deny the preference, as a code and as a sentence by language."""

    code: Slug
    text: dict[str, str]


class DenialReasons(Answer):
    """The reasons that are in force today."""

    reasons: tuple[DenialReason, ...]


class ListDenialReasons(Question):
    """For which reasons can customs deny the preference?"""

    subject: ClassVar[str] = "qry.denial-reasons.list.v1"
    answer: ClassVar[type[Answer]] = DenialReasons
    asked_by: ClassVar[frozenset[Role]] = READERS | {Role.REVIEWER, Role.APPROVER}


class RetransmissionRequested(Answer):
    """The request to send a document once more is on its way. `message_id`: that of its message."""

    about: ClassVar[str] = "message_id"
    about_noun: ClassVar[str] = "retransmission"
    message_id: UUID
    reference: str
    origin: str


class RequestRetransmission(Command):
    """Customs request a document that they do not have, or cannot read, once more (Annex 8, Rule 29).

    `number`: that of the transmission, from 1.
    """

    subject: ClassVar[str] = "cmd.retransmission.request.v1"
    answer: ClassVar[type[Answer]] = RetransmissionRequested
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.CUSTOMS_OFFICER})
    origin: Country
    reference: Reference
    number: Annotated[int, Field(ge=1, le=9999)] = 1
    remarks: Line | None = None
